#include "falseplaces.h"

#include "client/fetch.h"
#include "client/packrun.h"
#include "clientbox.h"
#include "storesuite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { EACH = PLACES_EACH + 3, SEED = 909, STEP = 64 };

static enum err add_rows(
	void *ctx, const struct hash *id, const struct place *place, struct why *why) {
	struct indexplan *plan = ctx;
	enum err e = OK;
	(void)place;
	for (uint32_t i = 0; i < EACH && !e; i++) {
		struct indexleaf_row row = {
			.id = *id,
			.offset = SIZE_PACK_HEADER + STEP * i,
			.length = LIMIT_RECORD_LEAST,
		};
		e = indexplan_row(plan, &row);
	}
	return why_err(why, e, "making an index");
}

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){
		.type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(locations) },
	};
	return OK;
}

void falseplaces_add(struct vault *v) {
	struct fetch_params fp = { .vault = v, .threads = 1 };
	struct packrun_params p = {
		.store = v->session->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.start_sequence = vault_head(v).seq,
		.start_head = vault_head(v).hash,
		.writer = v->session->secrets->actor.id,
		.fresh = &v->session->secrets->fresh,
	};
	struct fetch *fetch = NULL;
	struct indexplan *plan = NULL;
	struct packrun *run = NULL;
	struct hash missing = storesuite_id(SEED);
	struct buf locations;
	struct why why = { OK, "" };
	uint32_t number;
	buf_init(&locations, 1 << 16);
	assert_int_equal(indexplan_new(&plan), OK);
	assert_int_equal(indexplan_pack(plan, &missing, LIMIT_PACK, &number), OK);
	assert_int_equal(number, 0);
	clientbox_ok(fetch_new(&fetch, &fp, &why), &why);
	clientbox_ok(places_scan_all(fetch_places(fetch), &why), &why);
	clientbox_ok(places_rows(fetch_places(fetch), add_rows, plan, &why), &why);
	clientbox_ok(packrun_new(&run, &p, &why), &why);
	clientbox_ok(packrun_index(run, plan, &locations, &why), &why);
	clientbox_ok(vault_append(v, decide, &locations, &why), &why);
	packrun_free(run);
	fetch_free(fetch);
	indexplan_free(plan);
	buf_free(&locations);
}
