#include "client/fetch.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/squeeze.h"
#include "format/block.h"
#include "os/mutex.h"

enum { BLOCKS_EXTRA = 24, BLOCKS_EACH = 4, SQUEEZERS_MAX = 64 };

enum state { EMPTY, LOADING, READY, BROKEN };

struct fetch_block {
	enum state state;
	struct place place; /* but for the slot: all chunks of it are here */
	bool alone;         /* in no place of the cache: its one holder frees it */
	unsigned holders;
	uint64_t used; /* when, by the fetch's counter */
	struct buf raw;
	struct block block;
	uint32_t *starts;
	size_t starts_room;
	enum err error; /* of a broken one, for who waited */
	struct why why;
};

struct fetch {
	struct vault *vault;
	struct packread *packs;
	struct places *places;
	struct mutex lock;
	struct mutex_cond loaded;
	struct fetch_block *blocks;
	size_t block_count;
	uint64_t counter;
	struct squeeze *squeezers[SQUEEZERS_MAX]; /* free ones */
	struct buf scratch[SQUEEZERS_MAX];
	size_t squeezer_count;
};

/* Whether the chunk is at the place, for places. */
static enum err reads(
	void *ctx, uint8_t type, const struct hash *id, const struct place *place, struct why *why) {
	struct fetch_chunk chunk;
	enum err e = fetch_from(ctx, type, id, place, &chunk, why);
	if (!e) fetch_release(ctx, &chunk);
	return e;
}

enum err fetch_new(struct fetch **out, const struct fetch_params *p, struct why *why) {
	struct fetch *f = mem_zalloc(sizeof *f);
	if (!f) return why_err(why, E_NOMEM, "reading the vault");
	f->vault = p->vault;
	mutex_init(&f->lock);
	mutex_cond_init(&f->loaded);
	f->block_count = BLOCKS_EXTRA + BLOCKS_EACH * p->threads;
	f->blocks = mem_array(f->block_count, sizeof *f->blocks);
	enum err e = f->blocks ? OK : why_err(why, E_NOMEM, "reading the vault");
	for (size_t i = 0; !e && i < f->block_count; i++) buf_init(&f->blocks[i].raw, LIMIT_BLOCK_RAW);
	if (!e)
		e = packread_new(
			&f->packs, p->vault->session->store, &p->vault->id, p->vault->chain.ring, why);
	struct places_params pp = {
		.packs = f->packs,
		.store = p->vault->session->store,
		.vault = p->vault->id,
		.warn = p->warn,
		.ctx = p->ctx,
		.reads = reads,
		.reads_ctx = f,
	};
	if (!e) e = places_new(&f->places, &pp, why);
	if (!e) e = places_load(f->places, p->vault->state.indexes, p->vault->state.index_count, why);
	if (e) fetch_free(f);
	else *out = f;
	return e;
}

static void block_done(struct fetch_block *b) {
	buf_wipe_free(&b->raw);
	mem_free(b->starts);
}

void fetch_free(struct fetch *f) {
	if (!f) return;
	places_free(f->places);
	packread_free(f->packs);
	for (size_t i = 0; f->blocks && i < f->block_count; i++) block_done(&f->blocks[i]);
	mem_free(f->blocks);
	for (size_t i = 0; i < f->squeezer_count; i++) {
		squeeze_free(f->squeezers[i]);
		buf_free(&f->scratch[i]);
	}
	mutex_cond_done(&f->loaded);
	mutex_done(&f->lock);
	mem_free(f);
}

struct places *fetch_places(struct fetch *f) {
	return f->places;
}

struct packread *fetch_packs(struct fetch *f) {
	return f->packs;
}

/* One thread's tools for the time of one block. */
struct tools {
	struct squeeze *squeezer;
	struct buf stored;
};

static enum err take_tools(struct fetch *f, struct tools *t) {
	mutex_lock(&f->lock);
	bool have = f->squeezer_count > 0;
	if (have) {
		f->squeezer_count--;
		t->squeezer = f->squeezers[f->squeezer_count];
		t->stored = f->scratch[f->squeezer_count];
	}
	mutex_unlock(&f->lock);
	if (have) return OK;
	buf_init(&t->stored, 2 * LIMIT_RECORD);
	return squeeze_new(&t->squeezer, SQUEEZE_FAST);
}

static void give_tools(struct fetch *f, struct tools *t) {
	mutex_lock(&f->lock);
	bool kept = f->squeezer_count < SQUEEZERS_MAX;
	if (kept) {
		f->squeezers[f->squeezer_count] = t->squeezer;
		f->scratch[f->squeezer_count++] = t->stored;
	}
	mutex_unlock(&f->lock);
	if (kept) return;
	squeeze_free(t->squeezer);
	buf_free(&t->stored);
}

static enum err bad_block(struct why *why, const struct place *place) {
	char hex[HASH_HEX];
	hash_hex(hex, &place->pack);
	return why_set(why, E_FORGED, "pack %s: the block at %u is damaged", hex, place->offset);
}

static enum err starts_of(struct fetch_block *b) {
	if (b->starts_room < b->block.count + 1) {
		uint32_t *more = mem_resize(b->starts, b->block.count + 1, sizeof *more);
		if (!more) return E_NOMEM;
		b->starts = more;
		b->starts_room = b->block.count + 1;
	}
	block_starts(&b->block, b->starts);
	return OK;
}

/* Reads and unpacks a block: no lock is held. */
static enum err load(
	struct fetch *f, const struct place *place, struct fetch_block *b, struct why *why) {
	struct tools t;
	enum err e = take_tools(f, &t);
	if (e) return why_err(why, e, "reading a block");
	buf_clear(&t.stored);
	e = packread_record(f->packs, &place->pack, place->offset, place->length, &t.stored, why);
	if (!e && place->cut)
		e = packread_record(
			f->packs, &place->next_pack, SIZE_PACK_HEADER, place->rest_length, &t.stored, why);
	if (!e) {
		e = squeeze_unpack(t.squeezer, buf_span(&t.stored), &b->raw);
		if (!e) e = block_decode(&b->block, buf_span(&b->raw));
		if (!e) e = starts_of(b);
		if (e == E_FORMAT) e = bad_block(why, place);
		else if (e) e = why_err(why, e, "reading a block");
	}
	give_tools(f, &t);
	return e;
}

/* Places may say different things of where a block ends: what is true of one is not of another. */
static bool same_block(const struct place *a, const struct place *b) {
	if (a->offset != b->offset || a->length != b->length || a->cut != b->cut) return false;
	if (!hash_equal(&a->pack, &b->pack)) return false;
	return !a->cut ||
		(a->rest_length == b->rest_length && hash_equal(&a->next_pack, &b->next_pack));
}

static struct fetch_block *cached(struct fetch *f, const struct place *place) {
	for (size_t i = 0; i < f->block_count; i++) {
		struct fetch_block *b = &f->blocks[i];
		if (b->state != EMPTY && same_block(&b->place, place)) return b;
	}
	return NULL;
}

/* The block longest unused that nobody holds; NULL if all are held. */
static struct fetch_block *evict(struct fetch *f) {
	struct fetch_block *oldest = NULL;
	for (size_t i = 0; i < f->block_count; i++) {
		struct fetch_block *b = &f->blocks[i];
		if (b->holders) continue;
		if (b->state == EMPTY) return b;
		if (!oldest || b->used < oldest->used) oldest = b;
	}
	return oldest;
}

/*
 * A block beside the cache, all of whose places are held. Nobody waits for a place: those who have them may want more
 * themselves (a list eight deep takes eight of them in each thread).
 */
static enum err load_alone(
	struct fetch *f, const struct place *place, struct fetch_block **out, struct why *why) {
	struct fetch_block *b = mem_zalloc(sizeof *b);
	if (!b) return why_err(why, E_NOMEM, "reading a block");
	b->alone = true;
	buf_init(&b->raw, LIMIT_BLOCK_RAW);
	enum err e = load(f, place, b, why);
	if (!e) {
		*out = b;
		return OK;
	}
	block_done(b);
	mem_free(b);
	return e;
}

/* A held, ready block; from the cache or loaded into it. */
static enum err hold_block(
	struct fetch *f, const struct place *place, struct fetch_block **out, struct why *why) {
	mutex_lock(&f->lock);
	struct fetch_block *b = cached(f, place);
	enum err e = OK;
	if (!b) b = evict(f);
	if (!b) {
		mutex_unlock(&f->lock);
		return load_alone(f, place, out, why);
	}
	bool mine = b->state == EMPTY || !same_block(&b->place, place);
	b->holders++;
	b->used = ++f->counter;
	if (mine) {
		b->state = LOADING;
		b->place = *place;
		mutex_unlock(&f->lock);
		struct why reason = { OK, "" };
		e = load(f, place, b, &reason);
		mutex_lock(&f->lock);
		b->state = e ? BROKEN : READY;
		b->error = e;
		b->why = reason;
		mutex_wake_all(&f->loaded);
	}
	while (b->state == LOADING) mutex_wait(&f->loaded, &f->lock);
	if (b->state == BROKEN) {
		e = b->error;
		if (why) *why = b->why;
		if (--b->holders == 0) b->state = EMPTY;
	}
	mutex_unlock(&f->lock);
	*out = b;
	return e;
}

static void let_go(struct fetch *f, struct fetch_block *b) {
	if (b->alone) {
		block_done(b);
		mem_free(b);
		return;
	}
	mutex_lock(&f->lock);
	assert(b->holders > 0);
	b->holders--;
	mutex_unlock(&f->lock);
}

void fetch_release(struct fetch *f, struct fetch_chunk *chunk) {
	if (chunk->block) let_go(f, chunk->block);
	chunk->block = NULL;
	chunk->bytes = span_of(NULL, 0);
}

enum err fetch_from(struct fetch *f, uint8_t type, const struct hash *id, const struct place *place,
	struct fetch_chunk *out, struct why *why) {
	struct fetch_block *b;
	struct hash actual;
	enum err e = hold_block(f, place, &b, why);
	if (e) return e;
	if (place->slot >= b->block.count) {
		let_go(f, b);
		return bad_block(why, place);
	}
	uint32_t start = b->starts[place->slot], end = b->starts[place->slot + 1];
	struct span bytes = span_of(b->block.data.ptr + start, end - start);
	vaultkeys_chunk_id(&actual, &f->vault->secrets->keys, type, bytes);
	if (!hash_equal(&actual, id)) {
		let_go(f, b);
		return bad_block(why, place);
	}
	*out = (struct fetch_chunk){ .bytes = bytes, .block = b };
	return OK;
}

static bool is_damage(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND || e == E_DENIED;
}

static enum err try_places(struct fetch *f, uint8_t type, const struct hash *id,
	struct fetch_chunk *out, size_t *tried, struct why *why) {
	struct places_cursor c = { .where = PLACES_ANY };
	struct place place;
	bool found = true;
	enum err e = E_NOTFOUND;
	for (*tried = 0;; ++*tried) {
		enum err looked = places_next(f->places, id, &c, &place, &found, why);
		if (looked) return looked;
		if (!found) return e;
		e = fetch_from(f, type, id, &place, out, why);
		if (!is_damage(e)) return e;
	}
}

enum err fetch_chunk(struct fetch *f, uint8_t type, const struct hash *id, struct fetch_chunk *out,
	struct why *why) {
	size_t tried = 0;
	enum err e = try_places(f, type, id, out, &tried, why);
	if (!is_damage(e)) return e;
	/* the index lacks it or was wrong: the tables of the packs are the truth, of those first that it does not name */
	for (int all = 0; all < 2; all++) {
		struct why reason = { OK, "" };
		enum err scanned =
			all ? places_scan_all(f->places, &reason) : places_scan(f->places, &reason);
		if (scanned) {
			if (why) *why = reason;
			return scanned;
		}
		e = try_places(f, type, id, out, &tried, why);
		if (!is_damage(e)) return e;
	}
	if (tried) {
		/* a pack that is gone is damage to who needs it */
		if (e == E_NOTFOUND) e = E_FORGED;
		if (why) why->code = e;
		return e;
	}
	char hex[HASH_HEX];
	hash_hex(hex, id);
	return why_set(why, E_FORGED, "chunk %s is missing: no pack holds it", hex);
}
