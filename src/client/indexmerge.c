#include "client/indexmerge.h"
#include "client/placesexport.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/intents.h"
#include "client/packrun.h"

/* ROWS_MAX: of one round, for its memory; an index that has more is a round of its own. */
enum {
	TRIES = 20,
	MANY = 16,
	INDEXES_MAX = 1 << 16,
	REMOVED_MAX = LIMIT_INDEXES_REMOVED,
	ROWS_MAX = 1 << 22,
};

/* Merges the smallest indexes into one. */
struct merging {
	struct vault *v;
	struct span without; /* packs that the new index leaves out, ascending */
	uint32_t pack_limit;
	struct buf added, removed;
	bool more; /* another round has what this one left */
};

static enum err decide_merge(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct merging *m = ctx;
	struct locationlist removed = { .rows = buf_span(&m->removed) };
	/* another device may have replaced one of them meanwhile: then its packs are named by what it wrote, and ours is not needed */
	for (size_t i = 0; i < location_count(&removed); i++) {
		struct location gone = location_at(&removed, i);
		bool found = false;
		for (size_t k = 0; k < v->state.index_count && !found; k++)
			found = location_order(&v->state.indexes[k].location, &gone) == 0;
		if (!found) return why_set(why, E_CANCELLED, "another device merged the indexes");
	}
	out->body = (struct vaultbody){
		.type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(&m->added) },
		.removed = removed,
	};
	return OK;
}

/* An index by its number, and its size. */
struct sized {
	size_t number;
	uint64_t rows;
};

static int by_rows(const void *a, const void *b) {
	const struct sized *x = a, *y = b;
	return x->rows < y->rows ? -1 : x->rows > y->rows;
}

/*
 * The smallest ones, up to where the next is more than twice as large as all before it together: so each row is merged
 * about log2 of all rows times, and the number of indexes stays about as large.
 */
static size_t choose(struct sized *all, size_t count) {
	uint64_t sum = 0;
	size_t n = 0;
	qsort(all, count, sizeof *all, by_rows);
	while (n < count && n < REMOVED_MAX && (n < 2 || all[n].rows <= 2 * sum)) sum += all[n++].rows;
	return n;
}

static bool stays(void *ctx, const struct hash *pack) {
	const struct merging *m = ctx;
	return !intents_has(m->without, pack);
}

static enum err take_index(struct merging *m, struct places *places, size_t number,
	struct indexplan *plan, struct why *why) {
	enum err e = location_add(&m->removed, &m->v->state.indexes[number].location);
	if (e) return why_err(why, e, "merging indexes");
	return placesexport_index(places, number, plan, stays, m, why);
}

static enum err plan_merge(
	struct merging *m, struct places *places, struct indexplan *plan, struct why *why) {
	size_t count = m->v->state.index_count;
	struct sized *all = mem_array(count, sizeof *all);
	if (!all) return why_err(why, E_NOMEM, "merging indexes");
	for (size_t i = 0; i < count; i++)
		all[i] = (struct sized){ .number = i, .rows = places_index_rows(places, i) };
	size_t chosen = choose(all, count);
	enum err e = OK;
	for (size_t i = 0; i < chosen && !e; i++) e = take_index(m, places, all[i].number, plan, why);
	mem_free(all);
	return e;
}

static enum err plan_without(
	struct merging *m, struct places *places, struct indexplan *plan, struct why *why) {
	size_t taken = 0;
	enum err e = OK;
	for (size_t i = 0; i < m->v->state.index_count && !e && !m->more; i++) {
		if (!places_index_names(places, i, m->without)) continue;
		m->more = taken == REMOVED_MAX ||
			(taken && indexplan_rows(plan) + places_index_rows(places, i) > ROWS_MAX);
		if (m->more) break;
		e = take_index(m, places, i, plan, why);
		taken++;
	}
	return e;
}

typedef enum err planner(
	struct merging *m, struct places *places, struct indexplan *plan, struct why *why);

/* An index can't be read: it is damaged, or another device has replaced it and its packs are gone already. */
static enum err damaged(struct vault *v, struct why *why) {
	uint64_t count = v->state.count;
	enum err e = vault_refresh(v, why);
	if (e) return e;
	if (v->state.count != count)
		return why_set(why, E_CANCELLED, "another device replaced the indexes");
	return why_set(why, E_FORGED, "an index is damaged: broch repair makes it anew");
}

static enum err merge(struct merging *m, planner *make, struct why *why) {
	struct vault *v = m->v;
	struct session *s = v->session;
	struct fetch *f = NULL;
	struct indexplan *plan = NULL;
	struct packrun *run = NULL;
	struct fetch_params fp = { .vault = v, .threads = 1 };
	struct head head = vault_head(v);
	enum err e = fetch_new(&f, &fp, why);
	if (!e && places_damaged(fetch_places(f))) e = damaged(v, why);
	if (!e) e = why_err(why, indexplan_new(&plan), "merging indexes");
	if (!e) e = make(m, fetch_places(f), plan, why);
	if (!e && places_damaged(fetch_places(f))) e = damaged(v, why);
	struct packrun_params p = {
		.store = s->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.start_sequence = head.seq,
		.start_head = head.hash,
		.writer = s->secrets->actor.id,
		.fresh = &s->secrets->fresh,
		.pack_limit = m->pack_limit,
	};
	bool nothing = !e && m->removed.len == 0;
	if (!e && !nothing) e = packrun_new(&run, &p, why);
	if (!e && !nothing) e = packrun_index(run, plan, &m->added, why);
	if (!e && !nothing) e = vault_append(v, decide_merge, m, why);
	packrun_free(run);
	indexplan_free(plan);
	fetch_free(f);
	return e;
}

enum err indexmerge_if_many(struct vault *v, struct why *why) {
	struct merging m = { .v = v };
	if (v->state.index_count < MANY || v->state.index_count > INDEXES_MAX) return OK;
	buf_init(&m.added, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	buf_init(&m.removed, (size_t)LIMIT_INDEXES_REMOVED * SIZE_LOCATION);
	enum err e = merge(&m, plan_merge, why);
	buf_free(&m.added);
	buf_free(&m.removed);
	return e == E_CANCELLED ? OK : e;
}

enum err indexmerge_without(
	struct vault *v, struct span names, uint32_t pack_limit, struct why *why) {
	bool more = true;
	enum err e = OK;
	/* each round replaces some by one that names none of them: so the rounds end */
	for (int tries = 0; more && tries < TRIES;) {
		struct merging m = { .v = v, .without = names, .pack_limit = pack_limit };
		buf_init(&m.added, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
		buf_init(&m.removed, (size_t)LIMIT_INDEXES_REMOVED * SIZE_LOCATION);
		e = merge(&m, plan_without, why);
		buf_free(&m.added);
		buf_free(&m.removed);
		if (e && e != E_CANCELLED) return e;
		more = e || m.more;
		tries = e ? tries + 1 : 0;
	}
	return e ? E_BUSY : OK;
}
