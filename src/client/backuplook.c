#include "client/backuplook.h"

#include "client/intents.h"
#include "client/treewalk.h"

struct looking {
	const struct backuplook *l;
	struct fetch *fetch; /* with the indexes now in force */
	struct buf doubtful; /* packs, ascending */
	bool lost;           /* something is nowhere: the run begins again */
};

static bool is_doubtful(const struct looking *k, const struct place *p) {
	return intents_has(buf_span(&k->doubtful), &p->pack) ||
		(p->cut && intents_has(buf_span(&k->doubtful), &p->next_pack));
}

/* Whether an index in force names a place of the chunk that may be relied on. */
static enum err is_named(
	const struct looking *k, const struct hash *id, bool *named, struct why *why) {
	struct places_cursor c = { .where = PLACES_INDEXED };
	struct place place;
	bool found = true;
	enum err e = OK;
	*named = false;
	while (!e && found && !*named) {
		e = places_next(fetch_places(k->fetch), id, &c, &place, &found, why);
		*named = !e && found && !is_doubtful(k, &place);
	}
	return e;
}

static enum err look_at_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	struct looking *k = ctx;
	struct fetch_chunk chunk;
	struct hash again;
	bool named;
	(void)length;
	if (packrun_has(k->l->run, id)) return OK;
	enum err e = is_named(k, id, &named, why);
	if (e || named) return e;
	e = fetch_chunk(k->fetch, type, id, &chunk, why);
	if (e == E_FORGED || e == E_NOTFOUND) {
		k->lost = true;
		return E_BUSY;
	}
	if (e) return e;
	k->l->shared->fetch = NULL; /* from now on nothing is taken for known */
	e = storing_chunk(k->l->storing, type, chunk.bytes, &again, why);
	fetch_release(k->fetch, &chunk);
	return e;
}

static enum err gone_pack(void *ctx, const struct hash *name, uint32_t size, struct why *why) {
	struct looking *k = ctx;
	uint64_t there = 0;
	enum err e = store_pack_size(k->l->vault->session->store, &k->l->vault->id, name, &there, NULL);
	if (!e && there == size) return OK;
	if (e && e != E_NOTFOUND) return e;
	return why_err(why, buf_add(&k->doubtful, hash_span(name)), "listing packs");
}

/* Packs that nobody may rely on: named in an intent in force or in a purge, or gone from the store. */
static enum err find_doubtful(struct looking *k, struct why *why) {
	const struct backuplook *l = k->l;
	enum err e = intents_doomed(l->vault, &k->doubtful, why);
	if (!e) e = intents_gone(l->vault, &k->doubtful, why);
	if (!e) e = places_packs(fetch_places(k->fetch), gone_pack, k, why);
	for (size_t i = 0; i < packrun_packs(l->run) && !e; i++) {
		struct hash name = packrun_pack_name(l->run, i);
		uint64_t there;
		enum err found =
			store_pack_size(l->vault->session->store, &l->vault->id, &name, &there, NULL);
		if (found == E_NOTFOUND)
			e = why_err(why, buf_add(&k->doubtful, hash_span(&name)), "listing packs");
	}
	intents_sort(&k->doubtful);
	return e;
}

/*
 * What the run stored at a doubtful place, or relied on there, it stores again; then it indexes all of its packs anew,
 * because indexes that it wrote on the way may have been replaced. Tables are scanned to read what no index names.
 */
static enum err look_at_tree(struct looking *k, struct why *why) {
	const struct backuplook *l = k->l;
	struct fetch_params fp = { .vault = l->vault, .threads = 1 };
	struct treewalk t = { .chunk = look_at_chunk, .ctx = k };
	enum err e = fetch_new(&k->fetch, &fp, why);
	if (!e) e = find_doubtful(k, why);
	if (!e) e = places_scan(fetch_places(k->fetch), why);
	if (e) return e;
	t.fetch = k->fetch;
	packrun_doubt(l->run, buf_span(&k->doubtful));
	e = look_at_chunk(k, CHUNKTYPE_SNAPSHOT, l->snapshot, 0, why);
	if (!e) e = treewalk_run(&t, l->root, why);
	if (k->lost || e == E_FORGED || e == E_NOTFOUND)
		e = why_set(why, E_BUSY, "another device purged what this backup needs");
	if (!e) e = storing_flush(l->storing, why);
	buf_clear(l->locations);
	if (!e) e = packrun_index(l->run, NULL, l->locations, why);
	return e;
}

enum err backuplook_take(const struct backuplook *l, struct why *why) {
	struct looking k = { .l = l };
	buf_init(&k.doubtful, (size_t)1 << 32);
	enum err e = look_at_tree(&k, why);
	fetch_free(k.fetch);
	buf_free(&k.doubtful);
	return e;
}
