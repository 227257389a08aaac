#include "client/forget.h"

#include "client/fetch.h"
#include "client/intents.h"
#include "client/reindex.h"
#include "client/treewalk.h"
#include "format/chunktype.h"
#include "format/snapshot.h"
#include "os/signals.h"

enum { NAMES_BYTES = LIMIT_FORGET * HASH_SIZE };

/* The part of the ids that one entry takes. */
struct forgetting {
	const struct hash *ids;
	size_t count;
	struct buf names;
	bool is_done;
};

static enum err decide_forget(
	void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct forgetting *f = ctx;
	enum err e = OK;

	buf_clear(&f->names);
	for (size_t i = 0; i < f->count && !e; i++) {
		const struct vault_snapshot *s = vaultstate_snapshot(&v->state, &f->ids[i]);

		if (s && !s->forgotten)
			e = why_err(why, buf_add(&f->names, hash_span(&s->id)), "forgetting snapshots");
	}
	f->is_done = !e && f->names.len == 0;
	if (f->is_done) return E_EXISTS;
	out->body =
		(struct vaultbody){ .type = VAULTBODY_FORGET, .forget = { .rows = buf_span(&f->names) } };
	return e;
}

enum err forget_snapshots(struct vault *v, const struct hash *ids, size_t count, struct why *why) {
	enum err e = OK;

	for (size_t at = 0; at < count && !e; at += LIMIT_FORGET) {
		struct forgetting f = { .ids = ids + at,
			.count = count - at < LIMIT_FORGET ? count - at : LIMIT_FORGET };

		buf_init(&f.names, NAMES_BYTES);
		e = vault_append(v, decide_forget, &f, why);
		if (f.is_done) e = OK;
		buf_free(&f.names);
	}
	return e;
}

/* What a snapshot needs, held against what the store lists. */
struct look {
	struct fetch *fetch;
	struct buf packs; /* that are there, ascending */
	struct buf gone;  /* that a purge lets vanish, ascending */
	int scans;
};

static enum err add_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct look *l = ctx;

	(void)size;
	return why_err(why, buf_add(&l->packs, hash_span(name)), "listing packs");
}

static bool has_pack(const struct look *l, const struct hash *name) {
	return intents_has(buf_span(&l->packs), name) && !intents_has(buf_span(&l->gone), name);
}

static bool is_there(const struct look *l, const struct place *p) {
	return has_pack(l, &p->pack) && (!p->cut || has_pack(l, &p->next_pack));
}

static enum err is_anywhere(
	const struct look *l, const struct hash *id, bool *there, struct why *why) {
	struct places_cursor c = { .where = PLACES_ANY };
	struct place place;
	bool found = true;
	enum err e = OK;

	*there = false;
	while (!e && found && !*there) {
		e = places_next(fetch_places(l->fetch), id, &c, &place, &found, why);
		*there = !e && found && is_there(l, &place);
	}
	return e;
}

static enum err look_at_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	struct look *l = ctx;
	char hex[HASH_HEX];

	(void)type;
	(void)length;
	if (interrupt_asked()) return why_set(why, E_CANCELLED, "interrupted");
	for (;;) {
		bool there;
		enum err e = is_anywhere(l, id, &there, why);

		if (e || there) return e;
		if (l->scans == 2) break;
		/*
		 * The index that named it may be gone too. A block that goes on in a pack that an index still names is found only
		 * where all tables are read.
		 */
		e = l->scans ? places_scan_all(fetch_places(l->fetch), why)
					 : places_scan(fetch_places(l->fetch), why);
		if (e) return e;
		l->scans++;
	}
	hash_hex(hex, id);
	return why_set(why, E_FORGED, "what it needs was deleted: chunk %.16s is in no pack", hex);
}

static enum err look_at(struct vault *v, const struct hash *id, struct why *why) {
	struct fetch_params p = { .vault = v, .threads = 1 };
	struct look l = { .scans = 0 };
	struct snapshot s;
	struct buf bytes;
	enum err e = fetch_new(&l.fetch, &p, why);

	buf_init(&l.packs, (size_t)1 << 34);
	buf_init(&l.gone, (size_t)1 << 34);
	buf_init(&bytes, LIMIT_SNAPSHOT);
	if (!e) e = store_pack_list(v->session->store, &v->id, add_pack, &l, why);
	if (!e) intents_sort(&l.packs);
	if (!e) e = intents_gone(v, &l.gone, why);
	if (!e) e = look_at_chunk(&l, CHUNKTYPE_SNAPSHOT, id, 0, why);
	if (!e) e = treewalk_snapshot(l.fetch, id, &s, &bytes, why);
	struct treewalk t = { .fetch = l.fetch, .chunk = look_at_chunk, .ctx = &l };
	if (!e) e = treewalk_run(&t, &s.root, why);
	fetch_free(l.fetch);
	buf_free(&l.packs);
	buf_free(&l.gone);
	buf_free(&bytes);
	return e;
}

/* The look is good as long as nothing was purged since. */
struct keeping {
	const struct hash *id;
	uint64_t events;
	bool has_looked;
};

static enum err decide_keep(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct keeping *k = ctx;

	if (!k->has_looked || v->state.purge_events != k->events) {
		enum err e = look_at(v, k->id, why);

		if (e) return e;
		k->events = v->state.purge_events;
		k->has_looked = true;
	}
	out->body = (struct vaultbody){ .type = VAULTBODY_KEEP, .snapshot = *k->id };
	return OK;
}

enum err forget_undo(struct vault *v, const struct hash *id, struct why *why) {
	struct keeping k = { .id = id };

	return vault_append(v, decide_keep, &k, why);
}

/* The prune that made the announcement took its packs out of the indexes. */
struct undoing {
	uint64_t sequence;
	struct buf locations; /* of the index that has them again */
	bool has_index;
};

static enum err index_again(
	struct undoing *u, struct vault *v, const struct vault_intent *intent, struct why *why) {
	struct fetch_params p = { .vault = v, .threads = 1 };
	struct fetch *f = NULL;
	struct buf names;
	enum err e;

	buf_init(&names, (size_t)1 << 32);
	e = intents_packs(v, &intent->packs, &names, why);
	if (e == E_FORGED) { /* nobody knows what it named: who takes it back must be able to */
		u->has_index = true;
		buf_free(&names);
		return OK;
	}
	intents_sort(&names);
	if (!e) e = fetch_new(&f, &p, why);
	if (!e) e = reindex_packs(v, f, buf_span(&names), 0, &u->locations, why);
	fetch_free(f);
	buf_free(&names);
	u->has_index = e == OK;
	return e;
}

static enum err decide_intent(
	void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct undoing *u = ctx;
	const struct vault_intent *intent = vaultstate_intent(&v->state, u->sequence);
	enum err e = OK;

	if (!intent)
		return why_set(
			why, E_NOTFOUND, "no announcement %llu is in force", (unsigned long long)u->sequence);
	if (!u->has_index) e = index_again(u, v, intent, why);
	out->body = (struct vaultbody){
		.type = VAULTBODY_KEEP,
		.keep_intent = true,
		.intent = u->sequence,
		.added = { .rows = buf_span(&u->locations) },
	};
	return e;
}

enum err forget_undo_intent(struct vault *v, uint64_t sequence, struct why *why) {
	struct undoing u = { .sequence = sequence };
	enum err e;

	buf_init(&u.locations, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	e = vault_append(v, decide_intent, &u, why);
	buf_free(&u.locations);
	return e;
}
