#include "client/reindex.h"

#include "client/intents.h"
#include "client/packrun.h"
#include "client/placesexport.h"

static const size_t names_max = (size_t)1 << 32;

/* Packs of which every block, also one that begins or goes on elsewhere, is to be found again. */
struct wanting {
	struct span names;
	struct buf all; /* these, and those that hold the other piece of a block of theirs */
};

static enum err want_row(void *ctx, const struct hash *id, const struct place *p, struct why *why) {
	struct wanting *w = ctx;
	(void)id;
	/* each block has a first chunk */
	if (!p->cut || p->slot != 0) return OK;
	if (intents_has(w->names, &p->pack) == intents_has(w->names, &p->next_pack)) return OK;
	enum err e = buf_add(&w->all, hash_span(&p->pack));
	if (!e) e = buf_add(&w->all, hash_span(&p->next_pack));
	return why_err(why, e, "indexing packs");
}

static bool is_wanted(void *ctx, const struct hash *pack) {
	const struct wanting *w = ctx;
	return intents_has(buf_span(&w->all), pack);
}

static enum err plan_rows(
	struct places *places, struct span names, struct indexplan *plan, struct why *why) {
	struct wanting w = { .names = names };
	buf_init(&w.all, names_max);
	enum err e = places_scan_all(places, why);
	if (!e) e = why_err(why, buf_add(&w.all, names), "indexing packs");
	if (!e) e = places_rows(places, want_row, &w, why);
	intents_sort(&w.all);
	if (!e) e = placesexport_all(places, plan, is_wanted, &w, why);
	buf_free(&w.all);
	return e;
}

static enum err all_named(
	const struct places *places, struct span names, bool *all, struct why *why) {
	struct buf named;
	buf_init(&named, names_max);
	enum err e = why_err(why, places_names(places, &named), "indexing packs");
	*all = true;
	for (size_t at = 0; at < names.len && !e && *all; at += HASH_SIZE) {
		struct hash name = hash_from(names.ptr + at);
		*all = intents_has(buf_span(&named), &name);
	}
	buf_free(&named);
	return e;
}

enum err reindex_packs(struct vault *v, struct fetch *f, struct span names, uint32_t pack_limit,
	struct buf *locations, struct why *why) {
	struct indexplan *plan = NULL;
	struct packrun *run = NULL;
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
		.pack_limit = pack_limit,
	};
	bool all;
	enum err e = all_named(fetch_places(f), names, &all, why);
	if (e || all) return e;
	e = why_err(why, indexplan_new(&plan), "indexing packs");
	if (!e) e = plan_rows(fetch_places(f), names, plan, why);
	bool nothing = !e && indexplan_rows(plan) == 0;
	if (!e && !nothing) e = packrun_new(&run, &p, why);
	if (!e && !nothing) e = packrun_index(run, plan, locations, why);
	packrun_free(run);
	indexplan_free(plan);
	return e;
}
