/* client/packrun: what a run stores opens, whatever happens to the vault's keys meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/packrun.h"
#include "format/chunktype.h"
#include "rawbox.h"

enum { ROTATIONS = 20 };

static struct hash put_text(struct rawbox *b, struct packrun *run, const char *text) {
	struct storing_shared shared = { .vault = &b->t.vault, .run = run, .squeeze = SQUEEZE_AUTO };
	struct storing *s = NULL;
	struct hash id;
	struct why why = { OK, "" };
	rawbox_ok(storing_new(&s, &shared, &why), &why);
	rawbox_ok(storing_chunk(s, CHUNKTYPE_CONTENT, span_text(text), &id, &why), &why);
	rawbox_ok(storing_flush(s, &why), &why);
	storing_free(s);
	return id;
}

static enum err decide_index(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body =
		(struct vaultbody){ .type = VAULTBODY_INDEX, .added = { .rows = buf_span(locations) } };
	return OK;
}

/* The run keeps the key that it began with: where that came from may be gone by the time a pack is sealed to it. */
static void a_run_over_a_rotation(void **state) {
	struct rawbox *b = *state;
	struct vault *v = &b->t.vault;
	struct why why = { OK, "" };
	uint8_t key[SIZE_KEM_PUBLIC];
	struct packrun *run = NULL;
	struct buf locations;
	struct packrun_params p = {
		.store = b->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = key,
		.writer = b->t.session.secrets->actor.id,
		.fresh = &b->t.session.secrets->fresh,
	};
	memcpy(key, epochring_kem_public(v->chain.ring, p.epoch), sizeof key);
	buf_init(&locations, 1 << 16);
	rawbox_ok(packrun_new(&run, &p, &why), &why);
	memset(key, 0x55, sizeof key);
	for (int i = 0; i < ROTATIONS; i++) rawbox_ok(vault_rotate(v, &why), &why);
	assert_int_equal(vault_epoch(v), p.epoch + ROTATIONS);
	struct hash id = put_text(b, run, "stored over a rotation");
	rawbox_ok(packrun_index(run, NULL, &locations, &why), &why);
	packrun_free(run);
	rawbox_ok(vault_append(v, decide_index, &locations, &why), &why);
	rawbox_reopen(b);
	struct fetch *f = rawbox_fetch(b, 1);
	struct fetch_chunk chunk;
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, &id, &chunk, &why), &why);
	assert_true(span_equal(chunk.bytes, span_text("stored over a rotation")));
	fetch_release(f, &chunk);
	fetch_free(f);
	assert_int_equal(b->warnings, 0);
	buf_free(&locations);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_over_a_rotation, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests_name("packrun", tests, NULL, NULL);
}
