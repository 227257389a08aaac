#include "client/spare.h"

#include <string.h>

#include "client/intents.h"
#include "client/packrun.h"
#include "client/placesexport.h"
#include "client/treewalk.h"
#include "format/chunktype.h"
#include "format/snapshot.h"

static const size_t names_max = (size_t)1 << 32;

void spare_init(struct spare *s, struct vault *v) {
	memset(s, 0, sizeof *s);
	s->v = v;
	buf_init(&s->names, names_max);
	buf_init(&s->spared, names_max);
	buf_init(&s->unnamed, names_max);
}

void spare_done(struct spare *s) {
	fetch_free(s->fetch);
	packset_done(&s->packs);
	buf_free(&s->names);
	buf_free(&s->spared);
	buf_free(&s->unnamed);
}

static bool stays(const struct spare *s, const struct place *p) {
	if (intents_has(buf_span(&s->names), &p->pack)) return false;
	return !(p->cut && intents_has(buf_span(&s->names), &p->next_pack));
}

/* Neighbours in a tree mostly lie in one pack: so the rows don't grow with the number of chunks. */
static enum err add_name(struct buf *to, const struct hash *name) {
	if (to->len && memcmp(to->ptr + to->len - HASH_SIZE, name->b, HASH_SIZE) == 0) return OK;
	return buf_add(to, hash_span(name));
}

static enum err spare(struct spare *s, const struct place *p) {
	enum err e = OK;
	if (intents_has(buf_span(&s->names), &p->pack)) e = add_name(&s->spared, &p->pack);
	if (!e && p->cut && intents_has(buf_span(&s->names), &p->next_pack))
		e = add_name(&s->spared, &p->next_pack);
	return e;
}

static enum err add_unnamed(struct spare *s, const struct place *p) {
	enum err e = add_name(&s->unnamed, &p->pack);
	return e || !p->cut ? e : add_name(&s->unnamed, &p->next_pack);
}

static bool has_pack(const struct spare *s, const struct hash *name, uint32_t size) {
	const struct packset_pack *pack = packset_find(&s->packs, name);
	return pack && pack->size == size && !pack->is_purged;
}

/* Whether the place is there: an index may name packs that are lost, and a purged one may vanish at any time. */
static bool is_there(const struct spare *s, const struct place *p) {
	return has_pack(s, &p->pack, p->pack_size) &&
		(!p->cut || has_pack(s, &p->next_pack, p->next_size));
}

/* The first place that stays, or else the first that is there. */
static enum err find_best(struct spare *s, const struct hash *id, enum places_where where,
	struct place *out, bool *found, struct why *why) {
	struct places_cursor c = { .where = where };
	struct place place;
	bool more = true, best = false;
	enum err e = OK;
	*found = false;
	while (!e && more && !best) {
		e = places_next(fetch_places(s->fetch), id, &c, &place, &more, why);
		if (e || !more || !is_there(s, &place)) continue;
		best = stays(s, &place);
		if (best || !*found) *out = place;
		*found = true;
	}
	return e;
}

/*
 * The best place of a chunk: of those that indexes in force name, or else of what the tables of packs say: of packs that no index
 * names first, then of all, because a block may go on from one of those in one that is named.
 */
static enum err find(struct spare *s, const struct hash *id, struct place *out, bool *found,
	bool *indexed, struct why *why) {
	struct places *places = fetch_places(s->fetch);
	enum err e = find_best(s, id, PLACES_INDEXED, out, found, why);
	*indexed = !e && *found;
	for (int scans = 0; !e && !*found && scans < 3; scans++) {
		if (scans == 1) e = places_scan(places, why);
		if (scans == 2) e = places_scan_all(places, why);
		if (!e) e = find_best(s, id, PLACES_ANY, out, found, why);
	}
	return e;
}

static enum err look_at_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	struct spare *s = ctx;
	struct place best;
	bool found, indexed;
	char hex[HASH_HEX];
	(void)type;
	(void)length;
	enum err e = find(s, id, &best, &found, &indexed, why);
	if (e) return e;
	if (!found) {
		hash_hex(hex, id);
		return why_set(why, E_FORGED,
			"chunk %s, which a snapshot needs, is nowhere: run broch check; nothing is purged",
			hex);
	}
	if (!stays(s, &best)) e = spare(s, &best);
	if (!e && !indexed) e = add_unnamed(s, &best);
	return why_err(why, e, "looking at what is needed");
}

static enum err look_at_snapshot(struct spare *s, const struct hash *id, struct why *why) {
	struct snapshot snapshot;
	struct buf bytes;
	struct treewalk t = { .fetch = s->fetch, .chunk = look_at_chunk, .ctx = s };
	buf_init(&bytes, LIMIT_SNAPSHOT);
	enum err e = look_at_chunk(s, CHUNKTYPE_SNAPSHOT, id, 0, why);
	if (!e) e = treewalk_snapshot(s->fetch, id, &snapshot, &bytes, why);
	if (!e) e = treewalk_run(&t, &snapshot.root, why);
	buf_free(&bytes);
	return e;
}

/* Read anew for each look: what the snapshots that it looks at need was stored before their entries. */
static enum err read_packs(struct spare *s, struct why *why) {
	struct buf gone;
	buf_init(&gone, names_max);
	packset_done(&s->packs);
	enum err e = packset_read(&s->packs, s->v->session->store, &s->v->id, why);
	if (!e) e = intents_gone(s->v, &gone, why);
	for (size_t i = 0; i < s->packs.count && !e; i++)
		s->packs.packs[i].is_purged = intents_has(buf_span(&gone), &s->packs.packs[i].name);
	buf_free(&gone);
	return e;
}

static enum err look_once(struct spare *s, uint64_t since, struct why *why) {
	const struct vaultstate *state = &s->v->state;
	struct fetch_params fp = { .vault = s->v, .threads = 1, .warn = s->warn, .ctx = s->ctx };
	bool any = false;
	for (size_t i = 0; i < state->snapshot_count; i++)
		any |= !state->snapshots[i].forgotten && state->snapshots[i].touched > since;
	fetch_free(s->fetch);
	s->fetch = NULL;
	if (!any) return OK;
	enum err e = fetch_new(&s->fetch, &fp, why);
	if (!e) e = read_packs(s, why);
	for (size_t i = 0; i < state->snapshot_count && !e; i++) {
		const struct vault_snapshot *v = &state->snapshots[i];
		if (!v->forgotten && v->touched > since) e = look_at_snapshot(s, &v->id, why);
	}
	if (!e) intents_sort(&s->spared);
	intents_sort(&s->unnamed);
	return e;
}

static void drop_spared(struct spare *s) {
	size_t kept = 0;
	for (size_t at = 0; at < s->names.len; at += HASH_SIZE) {
		struct hash name = hash_from(s->names.ptr + at);
		if (intents_has(buf_span(&s->spared), &name)) continue;
		memmove(s->names.ptr + kept, s->names.ptr + at, HASH_SIZE);
		kept += HASH_SIZE;
	}
	s->names.len = kept;
}

static enum err decide_index(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){
		.type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(locations) },
	};
	return OK;
}

static bool is_unnamed(void *ctx, const struct hash *pack) {
	const struct spare *s = ctx;
	return intents_has(buf_span(&s->unnamed), pack);
}

/* An index for what no index in force names, by what the tables of its packs say. */
static enum err index_unnamed(struct spare *s, struct why *why) {
	struct vault *v = s->v;
	struct indexplan *plan = NULL;
	struct packrun *run = NULL;
	struct buf locations;
	struct head head = vault_head(v);
	struct packrun_params p = {
		.store = v->session->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.start_sequence = head.seq,
		.start_head = head.hash,
		.writer = v->session->secrets->actor.id,
		.fresh = &v->session->secrets->fresh,
		.pack_limit = s->pack_limit,
	};
	buf_init(&locations, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	enum err e = why_err(why, indexplan_new(&plan), "indexing packs");
	if (!e) e = placesexport_all(fetch_places(s->fetch), plan, is_unnamed, s, why);
	bool nothing = !e && indexplan_rows(plan) == 0;
	if (!e && !nothing) e = packrun_new(&run, &p, why);
	if (!e && !nothing) e = packrun_index(run, plan, &locations, why);
	if (!e && locations.len) e = vault_append(v, decide_index, &locations, why);
	if (!e) buf_clear(&s->unnamed);
	packrun_free(run);
	indexplan_free(plan);
	buf_free(&locations);
	return e;
}

enum err spare_look(struct spare *s, uint64_t since, struct why *why) {
	enum err e = OK;
	do {
		/* names only ever shrink: what was looked at once need not be again */
		uint64_t from = s->looked > since ? s->looked - 1 : since;
		s->looked = s->v->state.count;
		e = look_once(s, from, why);
		if (!e && s->unnamed.len) e = index_unnamed(s, why);
		if (!e) drop_spared(s);
	} while (!e && s->looked != s->v->state.count);
	return e;
}
