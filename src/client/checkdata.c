#include "client/checkdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/taskpool.h"
#include "core/squeeze.h"
#include "format/block.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "os/signals.h"

enum { TICK_MS = 100, TEXT = 256, THREADS_MAX = 64 };

static const double millionths = 1e6;

/* What one thread works with. */
struct worker {
	uint8_t *bytes; /* LIMIT_PACK: the pack under way */
	struct squeeze *squeezer;
	struct buf stored, raw, table;
};

struct work {
	struct checkreport *r;
	const struct checkdata_params *p;
	struct packset_pack **chosen;
	size_t count;
	uint64_t bytes;
	_Atomic size_t next;
	atomic_uint_fast64_t done, bytes_done, blocks, chunks;
	struct worker workers[THREADS_MAX];
	struct mutex lock; /* over what follows */
	enum err failed;
	struct why why;
};

double checkdata_chance(uint64_t all, uint64_t lost, uint64_t looked) {
	double missed = 1;
	if (looked > all) looked = all;
	for (uint64_t i = 0; i < lost; i++) {
		if (all - i <= looked) return 1;
		missed *= (double)(all - looked - i) / (double)(all - i);
	}
	return 1 - missed;
}

static void fail(struct work *w, enum err e, const struct why *why) {
	mutex_lock(&w->lock);
	if (!w->failed) {
		w->failed = e;
		w->why = *why;
	}
	mutex_unlock(&w->lock);
}

static bool has_failed(struct work *w) {
	mutex_lock(&w->lock);
	bool failed = w->failed != OK;
	mutex_unlock(&w->lock);
	return failed;
}

static void bad_pack(struct work *w, struct packset_pack *pack, const char *what) {
	atomic_store(&pack->is_bad, true);
	checkreport_damage(w->r, CHECKREPORT_PACK, &pack->name, 0, what);
}

/* One index row for a chunk at exactly this place? Counted, to find rows that point elsewhere. */
static enum err count_rows(struct work *w, const struct packset_pack *pack,
	const struct packtable_block *b, size_t slot, uint64_t *rows, struct why *why) {
	struct place places[PLACES_EACH];
	struct hash id = hashlist_at(&b->ids, slot);
	size_t count = 0;
	enum err e = places_find(fetch_places(w->p->fetch), &id, places, &count, why);
	for (size_t i = 0; i < count && !e; i++)
		*rows += hash_order(&places[i].pack, &pack->name) == 0 && places[i].offset == b->offset &&
			places[i].length == b->length && places[i].slot == slot;
	if (count == PLACES_EACH) *rows = UINT64_MAX / 2; /* there may be more than were told */
	return e;
}

/* The chunks of a stored block in ${k->stored}: each must have the id that the table says. */
static const char *check_block(
	struct work *w, struct worker *k, const struct packtable_block *b, enum err *e) {
	const struct vault_keys *keys = &w->p->vault->secrets->keys;
	struct block block;
	buf_clear(&k->raw);
	*e = squeeze_unpack(k->squeezer, buf_span(&k->stored), &k->raw);
	if (*e == E_NOMEM) return NULL;
	if (!*e) *e = block_decode(&block, buf_span(&k->raw));
	if (*e) {
		*e = OK;
		return "does not unpack";
	}
	atomic_fetch_add(&w->blocks, 1);
	if (b->type == CHUNKTYPE_INDEX) return block.count == 1 ? NULL : "is no index block";
	if (block.count != hashlist_count(&b->ids)) return "has not the chunks that the table says";
	struct block_cursor cursor = { .block = &block };
	struct span chunk;
	for (size_t i = 0; block_next(&cursor, &chunk); i++) {
		struct hash actual, stated = hashlist_at(&b->ids, i);
		vaultkeys_chunk_id(&actual, keys, b->type, chunk);
		if (!hash_equal(&actual, &stated)) return "holds a chunk that is not what the table says";
		atomic_fetch_add(&w->chunks, 1);
	}
	return NULL;
}

static enum err tell_verified(struct work *w, struct packset_pack *pack,
	const struct packtable_block *b, struct packset_pack *next, uint32_t rest_length,
	struct why *why) {
	if (!w->p->verified) return OK;
	mutex_lock(&w->lock);
	enum err e = w->p->verified(w->p->ctx, pack, b, next, rest_length);
	mutex_unlock(&w->lock);
	return why_err(why, e, "checking packs");
}

/* The last block of the pack before, whose rest this pack begins with, put together and checked. */
static enum err check_joined(struct work *w, struct worker *k, struct packset_pack *pack,
	const struct packread_whole *whole, struct span bytes, uint32_t rest_length, struct why *why) {
	struct packset_pack *before = packset_find(w->p->packs, &whole->table.previous);
	struct packtable table;
	struct packtable_block b, last = { .type = 0 };
	struct why reason = { OK, "" };
	struct packread *packs = fetch_packs(w->p->fetch);
	if (!before) return OK; /* what needs the block finds that out */
	enum err e = packread_table(packs, &before->name, before->size, &table, &k->table, &reason);
	struct span rest = e ? span_of(NULL, 0) : table.blocks;
	while (packtable_next(&rest, &b)) last = b;
	buf_clear(&k->stored);
	if (!e && !last.cut) {
		bad_pack(w, pack, "it goes on with a block that the pack before does not have");
		return OK;
	}
	if (!e)
		e = packread_record(packs, &before->name, last.offset, last.length, &k->stored, &reason);
	if (e == E_NOMEM || e == E_CANCELLED) {
		*why = reason;
		return e;
	}
	if (e) return OK; /* the pack before is damaged: that is found when it is read */
	e = packread_whole_record(whole, bytes, SIZE_PACK_HEADER, rest_length, &k->stored);
	if (e == E_NOMEM) return why_err(why, e, "checking packs");
	const char *what = e ? "its first record is damaged or forged" : check_block(w, k, &last, &e);
	if (e == E_NOMEM) return why_err(why, e, "checking packs");
	if (!what) return tell_verified(w, before, &last, pack, rest_length, why);
	if (!e) atomic_store(&before->is_bad, true);
	bad_pack(w, pack, what);
	return OK;
}

static enum err check_record(struct work *w, struct worker *k, struct packset_pack *pack,
	const struct packread_whole *whole, struct span bytes, const struct packtable_block *b,
	struct why *why) {
	char text[TEXT];
	if (b->type == 0) return check_joined(w, k, pack, whole, bytes, b->length, why);
	buf_clear(&k->stored);
	enum err e = packread_whole_record(whole, bytes, b->offset, b->length, &k->stored);
	if (e == E_NOMEM) return why_err(why, e, "checking packs");
	const char *what = e ? "is damaged or forged" : NULL;
	if (!what && !b->cut) what = check_block(w, k, b, &e);
	if (e == E_NOMEM) return why_err(why, e, "checking packs");
	if (!what) return b->cut ? OK : tell_verified(w, pack, b, NULL, 0, why);
	(void)snprintf(text, sizeof text, "the record at %u %s", b->offset, what);
	bad_pack(w, pack, text);
	return OK;
}

static enum err check_records(struct work *w, struct worker *k, struct packset_pack *pack,
	const struct packread_whole *whole, struct span bytes, struct why *why) {
	struct span rest = whole->table.blocks;
	struct packtable_block b;
	uint64_t rows = 0;
	enum err e = OK;
	while (!e && packtable_next(&rest, &b)) {
		e = check_record(w, k, pack, whole, bytes, &b, why);
		for (size_t i = 0; i < hashlist_count(&b.ids) && !e && rows < UINT64_MAX / 2; i++)
			e = count_rows(w, pack, &b, i, &rows, why);
	}
	if (!e && rows < pack->rows)
		checkreport_damage(w->r, CHECKREPORT_PACK, &pack->name, 0,
			"an index names places in it where there is something else (broch repair makes the index anew)");
	return e;
}

static enum err check_whole(
	struct work *w, struct worker *k, struct packset_pack *pack, struct why *why) {
	struct span bytes = span_of(k->bytes, (size_t)pack->size);
	struct packread_whole whole;
	struct why reason = { OK, "" };
	struct hash name;
	hash_of(&name, bytes);
	enum err e = packread_whole_open(fetch_packs(w->p->fetch), &pack->name, bytes, &whole, &reason);
	if (e == E_NOMEM || e == E_CANCELLED) {
		*why = reason;
		return e;
	}
	if (e) {
		bad_pack(w, pack, reason.msg);
		return OK;
	}
	e = check_records(w, k, pack, &whole, bytes, why);
	packread_whole_close(&whole);
	if (!e && !hash_equal(&name, &pack->name) && !atomic_load(&pack->is_bad))
		bad_pack(
			w, pack, "its bytes do not have its name, though what snapshots need of it is whole");
	return e;
}

static enum err check_pack(
	struct work *w, struct worker *k, struct packset_pack *pack, struct why *why) {
	struct why reason = { OK, "" };
	if (pack->size > LIMIT_PACK || pack->size < LIMIT_PACK_LEAST) {
		bad_pack(w, pack, "its length is none that a pack can have");
		return OK;
	}
	enum err e = store_pack_get(w->p->vault->session->store, &w->p->vault->id, &pack->name, 0,
		(size_t)pack->size, k->bytes, &reason);
	if (e == E_NOMEM || e == E_CANCELLED) {
		*why = reason;
		return e;
	}
	if (e == E_NOTFOUND && pack->is_purged) return OK;
	if (e) {
		bad_pack(w, pack, e == E_NOTFOUND ? "vanished while it was to be read" : reason.msg);
		return OK;
	}
	atomic_fetch_add(&w->bytes_done, pack->size);
	return check_whole(w, k, pack, why);
}

static void work_on(void *ctx, unsigned number) {
	struct work *w = ctx;
	struct worker *k = &w->workers[number];
	struct why why = { OK, "" };
	for (size_t i; !has_failed(w) && (i = atomic_fetch_add(&w->next, 1)) < w->count;) {
		enum err e = signals_asked() ? why_set(&why, E_CANCELLED, "interrupted")
									 : check_pack(w, k, w->chosen[i], &why);
		if (e) fail(w, e, &why);
		atomic_fetch_add(&w->done, 1);
	}
}

static void tick(struct work *w) {
	struct checkreport_progress p = {
		.step = "reading packs",
		.done = atomic_load(&w->done),
		.total = w->count,
		.bytes_done = atomic_load(&w->bytes_done),
		.bytes_total = w->bytes,
	};
	checkreport_tick(w->r, &p);
}

/* Puts the packs into an order of chance. */
static enum err shuffle(struct work *w, struct why *why) {
	for (size_t i = w->count; i > 1; i--) {
		uint8_t random[8];
		enum err e = fresh_bytes(&w->p->vault->session->secrets->fresh, random, sizeof random);
		if (e) return why_err(why, e, "choosing packs");
		size_t k = (size_t)(little_get64(random) % i);
		struct packset_pack *t = w->chosen[i - 1];
		w->chosen[i - 1] = w->chosen[k];
		w->chosen[k] = t;
	}
	return OK;
}

static void keep_ratio(struct work *w) {
	size_t kept = 0;
	for (size_t i = 0; i < w->count; i++)
		if (little_get64(w->chosen[i]->name.b) % w->p->b == w->p->a - 1)
			w->chosen[kept++] = w->chosen[i];
	w->count = kept;
}

static int by_name(const void *a, const void *b) {
	struct packset_pack *const *x = a, *const *y = b;
	return hash_order(&(*x)->name, &(*y)->name);
}

static enum err choose(struct work *w, struct why *why) {
	const struct checkdata_params *p = w->p;
	w->chosen = mem_array(p->packs->count + 1, sizeof *w->chosen);
	if (!w->chosen) return why_err(why, E_NOMEM, "choosing packs");
	for (size_t i = 0; i < p->packs->count; i++)
		if (p->part != CHECKDATA_CHOSEN || p->packs->packs[i].is_chosen)
			w->chosen[w->count++] = &p->packs->packs[i];
	if (p->part == CHECKDATA_RATIO) keep_ratio(w);
	if (p->part == CHECKDATA_PERCENT || p->part == CHECKDATA_BYTES) {
		enum err e = shuffle(w, why);
		if (e) return e;
		size_t wanted = (size_t)((double)w->count * (double)p->a / millionths + 0.999999);
		if (p->part == CHECKDATA_BYTES) {
			uint64_t sum = 0;
			for (wanted = 0; wanted < w->count && sum < p->a; wanted++)
				sum += w->chosen[wanted]->size;
		}
		if (wanted < w->count) w->count = wanted;
		if (w->count) qsort(w->chosen, w->count, sizeof *w->chosen, by_name);
	}
	for (size_t i = 0; i < w->count; i++) w->bytes += w->chosen[i]->size;
	return OK;
}

static enum err worker_init(struct worker *k) {
	buf_init(&k->stored, (size_t)2 * LIMIT_RECORD);
	buf_init(&k->raw, LIMIT_BLOCK_RAW);
	buf_init(&k->table, LIMIT_PACK);
	k->bytes = mem_alloc(LIMIT_PACK);
	return k->bytes ? squeeze_new(&k->squeezer, SQUEEZE_FAST) : E_NOMEM;
}

static void worker_done(struct worker *k) {
	squeeze_free(k->squeezer);
	buf_free(&k->stored);
	buf_wipe_free(&k->raw);
	buf_free(&k->table);
	mem_free(k->bytes);
}

static enum err read_all(struct work *w, unsigned threads, struct why *why) {
	struct taskpool *pool = NULL;
	enum err e = OK;
	for (unsigned i = 0; i < threads && !e; i++)
		e = why_err(why, worker_init(&w->workers[i]), "checking packs");
	if (!e) e = taskpool_new(&pool, threads, why);
	for (unsigned i = 0; !e && i < taskpool_threads(pool); i++)
		e = why_err(why, taskpool_push(pool, work_on, w), "checking packs");
	while (pool && !taskpool_wait(pool, TICK_MS)) tick(w);
	taskpool_free(pool);
	for (unsigned i = 0; i < threads; i++) worker_done(&w->workers[i]);
	if (!e && w->failed) {
		*why = w->why;
		e = w->failed;
	}
	return e;
}

enum err checkdata_run(struct checkreport *r, const struct checkdata_params *p, struct why *why) {
	if (p->part == CHECKDATA_NONE) return OK;
	struct work *w = mem_zalloc(sizeof *w);
	if (!w) return why_err(why, E_NOMEM, "checking packs");
	unsigned threads = p->threads < 1 ? 1 : p->threads > THREADS_MAX ? THREADS_MAX : p->threads;
	w->r = r;
	w->p = p;
	mutex_init(&w->lock);
	enum err e = choose(w, why);
	if (!e) e = read_all(w, threads, why);
	r->counts.packs_read += atomic_load(&w->done);
	r->counts.bytes_read += atomic_load(&w->bytes_done);
	r->counts.blocks_read += atomic_load(&w->blocks);
	r->counts.chunks_read += atomic_load(&w->chunks);
	mutex_done(&w->lock);
	mem_free(w->chosen);
	mem_free(w);
	return e;
}
