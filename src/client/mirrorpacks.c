#include "client/mirrorpacks.h"

#include "base/mem.h"
#include "client/intents.h"
#include "client/packset.h"
#include "client/taskpool.h"
#include "format/limits.h"
#include "os/mutex.h"
#include "os/signals.h"
#include "os/thread.h"

enum { THREADS_MAX = 4, TICK_MS = 100 };

struct work {
	struct mirrorpacks *m;
	struct packset from, to;
	struct packset_pack **missing;
	size_t count;
	uint64_t bytes;
	_Atomic size_t next;
	atomic_uint_fast64_t done, bytes_done, copied, bytes_copied, replaced, vanished, damaged;
	uint8_t *buffers[THREADS_MAX]; /* a pack each */
	struct mutex lock;             /* over what follows, and while a callback runs */
	enum err failed;
	struct why why;
};

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

static enum err damaged(struct work *w, const struct hash *name, const char *what) {
	const struct mirror_options *o = w->m->options;
	struct why why;
	char hex[HASH_HEX];
	hash_hex(hex, name);
	enum err e = why_set(&why, E_FORGED, "pack %s %s", hex, what);
	atomic_fetch_add(&w->damaged, 1);
	mutex_lock(&w->lock);
	if (o->damaged) o->damaged(o->ctx, &why);
	mutex_unlock(&w->lock);
	return e;
}

/* Puts a pack in place of one that has another length, and so is damaged. */
static enum err put(struct work *w, const struct hash *name, struct span bytes, struct why *why) {
	struct mirrorpacks *m = w->m;
	enum err e = store_pack_put(m->to, &m->vault, name, bytes, why);
	if (e != E_EXISTS) return e;
	e = store_pack_delete(m->to, &m->vault, name, why);
	if (!e || e == E_NOTFOUND) e = store_pack_put(m->to, &m->vault, name, bytes, why);
	if (!e) atomic_fetch_add(&w->replaced, 1);
	return e;
}

static enum err copy_one(
	struct work *w, uint8_t *buffer, const struct packset_pack *pack, struct why *why) {
	struct mirrorpacks *m = w->m;
	struct hash name;
	if (pack->size > LIMIT_PACK || pack->size < LIMIT_PACK_LEAST) {
		err_ignore(damaged(w, &pack->name, "has a length that no pack has")); /* said */
		return OK;
	}
	struct span bytes = span_of(buffer, (size_t)pack->size);
	enum err e =
		store_pack_get(m->from, &m->vault, &pack->name, 0, (size_t)pack->size, buffer, why);
	if (e == E_NOTFOUND) {
		atomic_fetch_add(&w->vanished, 1);
		return OK;
	}
	if (e && e != E_FORMAT) return e;
	if (!e) hash_of(&name, bytes);
	if (e || !hash_equal(&name, &pack->name)) {
		err_ignore(
			damaged(w, &pack->name, "is damaged: its bytes do not have its name")); /* said */
		return OK;
	}
	e = put(w, &pack->name, bytes, why);
	if (!e) {
		atomic_fetch_add(&w->copied, 1);
		atomic_fetch_add(&w->bytes_copied, pack->size);
	}
	return e;
}

static void work_on(void *ctx, unsigned number) {
	struct work *w = ctx;
	struct why why = { OK, "" };
	for (size_t i; !has_failed(w) && (i = atomic_fetch_add(&w->next, 1)) < w->count;) {
		enum err e = signals_asked() ? why_set(&why, E_CANCELLED, "interrupted")
									 : copy_one(w, w->buffers[number], w->missing[i], &why);
		if (e) fail(w, e, &why);
		atomic_fetch_add(&w->done, 1);
		atomic_fetch_add(&w->bytes_done, w->missing[i]->size);
	}
}

static void tick(struct work *w) {
	const struct mirror_options *o = w->m->options;
	struct mirror_progress p = { .packs_done = atomic_load(&w->done),
		.packs_total = w->count,
		.bytes_done = atomic_load(&w->bytes_done),
		.bytes_total = w->bytes };
	if (!o->ticked) return;
	mutex_lock(&w->lock);
	o->ticked(o->ctx, &p);
	mutex_unlock(&w->lock);
}

static enum err choose(struct work *w, struct why *why) {
	enum err e = packset_read(&w->from, w->m->from, &w->m->vault, why);
	if (!e) e = packset_read(&w->to, w->m->to, &w->m->vault, why);
	if (e) return e;
	w->missing = mem_array(w->from.count + 1, sizeof *w->missing);
	if (!w->missing) return why_err(why, E_NOMEM, "listing packs");
	for (size_t i = 0; i < w->from.count; i++) {
		struct packset_pack *pack = &w->from.packs[i];
		const struct packset_pack *there = packset_find(&w->to, &pack->name);
		if ((there && there->size == pack->size) || intents_has(w->m->purged, &pack->name))
			continue;
		w->missing[w->count++] = pack;
		w->bytes += pack->size;
	}
	return OK;
}

static enum err copy_all(struct work *w, unsigned threads, struct why *why) {
	struct taskpool *pool = NULL;
	enum err e = OK;
	for (unsigned i = 0; i < threads && !e; i++) {
		w->buffers[i] = mem_alloc(LIMIT_PACK);
		if (!w->buffers[i]) e = why_err(why, E_NOMEM, "copying packs");
	}
	if (!e) e = taskpool_new(&pool, threads, why);
	for (unsigned i = 0; !e && i < taskpool_threads(pool); i++)
		e = why_err(why, taskpool_push(pool, work_on, w), "copying packs");
	while (pool && !taskpool_wait(pool, TICK_MS)) tick(w);
	taskpool_free(pool);
	tick(w);
	for (unsigned i = 0; i < threads; i++) mem_free(w->buffers[i]);
	if (!e && w->failed) {
		if (why) *why = w->why;
		e = w->failed;
	}
	return e;
}

enum err mirrorpacks_copy(struct mirrorpacks *m, struct why *why) {
	struct work *w = mem_zalloc(sizeof *w);
	if (!w) return why_err(why, E_NOMEM, "copying packs");
	unsigned threads = m->options->threads ? m->options->threads : thread_cpus();
	if (threads > THREADS_MAX) threads = THREADS_MAX;
	w->m = m;
	mutex_init(&w->lock);
	enum err e = choose(w, why);
	if (!e && w->count) e = copy_all(w, threads, why);
	if (!e) e = store_flush(m->to, &m->vault, why);
	m->vanished = atomic_load(&w->vanished);
	m->result->packs += atomic_load(&w->copied);
	m->result->bytes += atomic_load(&w->bytes_copied);
	m->result->packs_replaced += atomic_load(&w->replaced);
	m->result->damaged += atomic_load(&w->damaged);
	if (!e && atomic_load(&w->damaged))
		e = why_set(why, E_FORGED,
			"%llu packs of the store are damaged: what is whole was copied, and the mirror stays at the entries it had",
			(unsigned long long)atomic_load(&w->damaged));
	mutex_done(&w->lock);
	packset_done(&w->from);
	packset_done(&w->to);
	mem_free(w->missing);
	mem_free(w);
	return e;
}

enum err mirrorpacks_delete(struct mirrorpacks *m, struct why *why) {
	struct packset there = { .count = 0 };
	if (!m->purged.len) return OK;
	enum err e = packset_read(&there, m->to, &m->vault, why);
	for (size_t i = 0; i < there.count && !e; i++) {
		const struct packset_pack *p = &there.packs[i];
		if (!intents_has(m->purged, &p->name)) continue;
		e = store_pack_delete(m->to, &m->vault, &p->name, why);
		if (!e) {
			m->result->packs_deleted++;
			m->result->bytes_deleted += p->size;
		}
		if (e == E_NOTFOUND) e = OK; /* somebody else did */
	}
	packset_done(&there);
	return e;
}
