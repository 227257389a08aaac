#include "client/storing.h"

#include <stdatomic.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "core/blockfill.h"

enum {
	FILLS = CHUNKTYPE_SUMMARY + 1,
	PER_READ_BACK = 100000,
	LEVEL_SPILL = 4 << 20,
	LEVEL_MAX = 8 << 20
};

struct storing {
	struct storing_shared *shared;
	struct squeeze *squeezer;
	struct blockfill *fills[FILLS]; /* by type; made when first needed */
	struct buf stored;
	uint64_t new_chunks; /* of this one */
};

enum err storing_new(struct storing **out, struct storing_shared *shared, struct why *why) {
	struct storing *s = mem_zalloc(sizeof *s);
	if (!s) return why_err(why, E_NOMEM, "starting a run");
	s->shared = shared;
	buf_init(&s->stored, LIMIT_BLOCK_STORED);
	enum err e = squeeze_new(&s->squeezer, shared->squeeze);
	if (e) {
		storing_free(s);
		return why_err(why, e, "starting a run");
	}
	*out = s;
	return OK;
}

void storing_free(struct storing *s) {
	if (!s) return;
	for (size_t i = 0; i < FILLS; i++) blockfill_free(s->fills[i]);
	squeeze_free(s->squeezer);
	buf_free(&s->stored);
	mem_free(s);
}

bool storing_avoids(const struct storing_shared *s, const struct hash *pack) {
	size_t from = 0, to = s->avoid_count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = hash_order(&s->avoid[middle], pack);
		if (order == 0) return true;
		if (order < 0) from = middle + 1;
		else to = middle;
	}
	return false;
}

static bool usable(const struct storing_shared *s, const struct place *p) {
	if (!s->avoid_count) return true;
	return !storing_avoids(s, &p->pack) && !(p->cut && storing_avoids(s, &p->next_pack));
}

/* A few reused chunks are read: a store that lost or spoilt them is found out while the data is still here. */
static bool reads_back(
	struct storing *s, uint8_t type, const struct hash *id, const struct place *place) {
	struct fetch_chunk chunk;
	if ((little_get32(id->b + 8) ^ s->shared->salt) % PER_READ_BACK >= s->shared->read_back)
		return true;
	atomic_fetch_add(&s->shared->reads_back, 1);
	if (fetch_from(s->shared->fetch, type, id, place, &chunk, NULL)) return false;
	fetch_release(s->shared->fetch, &chunk);
	return true;
}

/* Whether the vault has the chunk at a place that may be relied on, and that an index names or the one of this run will. */
static enum err is_known(
	struct storing *s, uint8_t type, const struct hash *id, bool *known, struct why *why) {
	struct places_cursor c = { .where = PLACES_NAMED };
	struct place place;
	bool found = true;
	enum err e = OK;
	*known = false;
	if (!s->shared->fetch) return OK;
	while (!e && found && !*known) {
		e = places_next(fetch_places(s->shared->fetch), id, &c, &place, &found, why);
		*known = !e && found && usable(s->shared, &place) && reads_back(s, type, id, &place);
	}
	return e;
}

static enum err put_block(struct storing *s, struct blockfill *fill, struct why *why) {
	struct span stored;
	size_t len;
	uint8_t *raw = blockfill_raw(fill, &len);
	enum err e = squeeze_pack(s->squeezer, raw, len, blockfill_count(fill), &s->stored, &stored);
	if (e) return why_err(why, e, "compressing a block");
	struct packrun_block block = {
		.type = blockfill_type(fill),
		.ids = blockfill_ids(fill),
		.numbers = blockfill_numbers(fill),
		.count = blockfill_count(fill),
		.stored = stored,
	};
	e = packrun_put(s->shared->run, &block, why);
	blockfill_clear(fill);
	return e;
}

/* Blocks are far smaller than packs, in small packs too. */
static size_t block_target(const struct storing_shared *s) {
	size_t most = s->pack_limit / 4;
	return most && most < LIMIT_BLOCK_FILL ? most : LIMIT_BLOCK_FILL;
}

static enum err add_chunk(struct storing *s, uint8_t type, const struct hash *id, uint32_t number,
	struct span chunk, struct why *why) {
	struct blockfill **fill = &s->fills[type];
	enum err e = OK;
	if (!*fill)
		e = why_err(why, blockfill_new(fill, type, block_target(s->shared)), "storing a chunk");
	if (!e && !blockfill_fits(*fill, chunk.len)) e = put_block(s, *fill, why);
	if (!e) e = why_err(why, blockfill_add(*fill, id, number, chunk), "storing a chunk");
	return e;
}

void storing_id(const struct storing *s, uint8_t type, struct span chunk, struct hash *id) {
	vaultkeys_chunk_id(id, &s->shared->vault->secrets->keys, type, chunk);
}

enum err storing_chunk(
	struct storing *s, uint8_t type, struct span chunk, struct hash *id, struct why *why) {
	storing_id(s, type, chunk, id);
	return storing_named(s, type, chunk, id, why);
}

static enum err store_named(
	struct storing *s, uint8_t type, struct span chunk, const struct hash *id, struct why *why) {
	uint32_t number = 0;
	bool known = false, fresh = false;
	enum err e = is_known(s, type, id, &known, why);
	if (!e && !known)
		e = why_err(why, packrun_claim(s->shared->run, id, &number, &fresh), "storing a chunk");
	if (e) return e;
	if (!fresh) {
		atomic_fetch_add_explicit(&s->shared->reused_bytes, chunk.len, memory_order_relaxed);
		atomic_fetch_add_explicit(&s->shared->reused_chunks, 1, memory_order_relaxed);
		return OK;
	}
	atomic_fetch_add_explicit(&s->shared->new_bytes, chunk.len, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->shared->new_chunks, 1, memory_order_relaxed);
	s->new_chunks++;
	return s->shared->dry ? OK : add_chunk(s, type, id, number, chunk, why);
}

enum err storing_named(
	struct storing *s, uint8_t type, struct span chunk, const struct hash *id, struct why *why) {
	enum err e = store_named(s, type, chunk, id, why);
	if (e) atomic_store(&s->shared->failed, true);
	return e;
}

uint64_t storing_new_chunks(const struct storing *s) {
	return s->new_chunks;
}

enum err storing_flush(struct storing *s, struct why *why) {
	enum err e = OK;
	for (size_t i = 0; i < FILLS && !e; i++)
		if (s->fills[i] && blockfill_count(s->fills[i])) e = put_block(s, s->fills[i], why);
	return e;
}

void storing_stream_init(struct storing_stream *t) {
	memset(t, 0, sizeof *t);
	for (size_t i = 0; i <= LIMIT_STREAM_DEPTH; i++) buf_init(&t->levels[i], LEVEL_MAX);
}

void storing_stream_done(struct storing_stream *t) {
	for (size_t i = 0; i <= LIMIT_STREAM_DEPTH; i++) buf_free(&t->levels[i]);
}

static enum err add_item(struct storing *s, struct storing_stream *t, unsigned level,
	const struct hash *id, uint32_t length, struct why *why);

/* Cuts the items of a level into list chunks; keeps what cannot be decided yet unless ${final}. */
static enum err cut_level(
	struct storing *s, struct storing_stream *t, unsigned level, bool final, struct why *why) {
	struct buf *items = &t->levels[level];
	struct span rest = buf_span(items);
	enum err e = OK;
	if (level == LIMIT_STREAM_DEPTH) return why_err(why, E_LIMIT, "storing a list");
	while (rest.len && !e) {
		struct hash id;
		size_t n = chunker_next(s->shared->vault->chunker, rest.ptr, rest.len, final);
		if (n == 0) break;
		e = storing_chunk(s, CHUNKTYPE_LIST, span_of(rest.ptr, n), &id, why);
		if (!e) e = add_item(s, t, level + 1, &id, (uint32_t)n, why);
		rest = span_skip(rest, n);
	}
	if (rest.len) memmove(items->ptr, rest.ptr, rest.len);
	items->len = rest.len;
	return e;
}

static enum err add_item(struct storing *s, struct storing_stream *t, unsigned level,
	const struct hash *id, uint32_t length, struct why *why) {
	struct streamref_item item = { .id = *id, .length = length };
	uint8_t *at;
	enum err e = buf_extend(&t->levels[level], SIZE_STREAM_ITEM, &at);
	if (e) return why_err(why, e, "storing a list");
	streamref_item_encode(&item, at);
	t->counts[level]++;
	if (t->levels[level].len > LEVEL_SPILL) e = cut_level(s, t, level, false, why);
	return e;
}

enum err storing_stream_add(struct storing *s, struct storing_stream *t, const struct hash *id,
	uint32_t length, struct why *why) {
	t->length += length;
	return add_item(s, t, 0, id, length, why);
}

enum err storing_stream_end(
	struct storing *s, struct storing_stream *t, struct streamref *ref, struct why *why) {
	struct streamref out = { .length = t->length };
	struct streamref_item top;
	unsigned level = 0;
	enum err e = OK;
	/* a level that only ever had one item is the top: that item is what the reference names */
	while (!e && t->counts[level] > 1) e = cut_level(s, t, level++, true, why);
	if (!e && t->counts[level]) {
		e = why_err(why, streamref_item_decode(&top, t->levels[level].ptr), "storing a list");
		out.id = top.id;
		out.depth = (uint8_t)level;
	}
	if (!e) *ref = out;
	return e;
}

enum err storing_bytes(
	struct storing *s, uint8_t type, struct span bytes, struct streamref *ref, struct why *why) {
	struct storing_stream stream;
	struct span rest = bytes;
	enum err e = OK;
	storing_stream_init(&stream);
	while (rest.len && !e) {
		struct hash id;
		size_t n = chunker_next(s->shared->vault->chunker, rest.ptr, rest.len, true);
		e = storing_chunk(s, type, span_of(rest.ptr, n), &id, why);
		if (!e) e = storing_stream_add(s, &stream, &id, (uint32_t)n, why);
		rest = span_skip(rest, n);
	}
	if (!e) e = storing_stream_end(s, &stream, ref, why);
	storing_stream_done(&stream);
	return e;
}
