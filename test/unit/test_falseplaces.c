/* Places and packs that others wrote to hide the true ones: what they cost, and that they hide nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/streamread.h"
#include "core/packbuild.h"
#include "falseplaces.h"
#include "format/chunktype.h"
#include "rawbox.h"
#include "storesuite.h"

/* Of two numbers of places, ten times as many: time may grow by SLACK times that. It would grow by a hundred if each looked at all. */
enum { FEW = 6000, MANY = 60000, SLACK = 3, FORGED = 16, LEN = 150000 };

/* An index that has the chunk at ${count} places of a pack that is not there. */
static struct vault_index lie(struct rawbox *b, const struct hash *id, uint32_t count) {
	struct place nowhere = {
		.pack = storesuite_id(99),
		.pack_size = LIMIT_PACK,
		.offset = SIZE_PACK_HEADER,
		.length = LIMIT_RECORD_LEAST,
	};
	return rawbox_index(b, id, &nowhere, count);
}

/* Of the thread: to fetch a chunk that has ${count} false places before the true one. */
static double seconds(struct rawbox *b, const struct hash *id, uint32_t count) {
	struct vault_index index = lie(b, id, count);
	struct fetch *f = rawbox_fetch(b, 1);
	struct fetch_chunk chunk;
	struct why why = { OK, "" };
	rawbox_ok(places_load(fetch_places(f), &index, 1, &why), &why);
	clock_t begin = clock();
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, id, &chunk, &why), &why);
	clock_t end = clock();
	fetch_release(f, &chunk);
	fetch_free(f);
	return (double)(end - begin) / CLOCKS_PER_SEC;
}

static void false_places_cost_what_they_are(void **state) {
	struct rawbox *b = *state;
	struct rawbox_stored s = rawbox_store(b, 1, true);
	double few = seconds(b, &s.id, FEW), many = seconds(b, &s.id, MANY);
	if (many >= few * SLACK * MANY / FEW + 0.1) fail_msg("%.3f s, then %.3f s", few, many);
}

/* Each place once, in all leaves of an index and then in the one before it. */
static void each_place_is_given_once(void **state) {
	struct rawbox *b = *state;
	struct rawbox_stored s = rawbox_store(b, 1, true);
	struct hash other = storesuite_id(3);
	struct vault_index index = lie(b, &s.id, MANY);
	struct fetch *f = rawbox_fetch(b, 1);
	struct why why = { OK, "" };
	struct places_cursor c = { .where = PLACES_INDEXED };
	struct place place;
	bool found = true;
	rawbox_ok(places_load(fetch_places(f), &index, 1, &why), &why);
	for (uint32_t i = 0; i < MANY; i++) {
		rawbox_ok(places_next(fetch_places(f), &s.id, &c, &place, &found, &why), &why);
		assert_true(found);
		assert_int_equal(place.offset, SIZE_PACK_HEADER + 64 * i);
	}
	rawbox_ok(places_next(fetch_places(f), &s.id, &c, &place, &found, &why), &why);
	assert_true(found && rawbox_pack(b, &place.pack));
	for (int i = 0; i < 2; i++) {
		rawbox_ok(places_next(fetch_places(f), &s.id, &c, &place, &found, &why), &why);
		assert_false(found);
	}
	c = (struct places_cursor){ .where = PLACES_ANY };
	rawbox_ok(places_next(fetch_places(f), &other, &c, &place, &found, &why), &why);
	assert_false(found);
	fetch_free(f);
}

/* --- packs that say they go on with another */

static enum err find_cut(
	void *ctx, const struct hash *id, const struct place *place, struct why *why) {
	(void)id;
	(void)why;
	if (place->cut) *(struct place *)ctx = *place;
	return OK;
}

/* A pack as anybody with the store can write it: sealed to the vault's public key, and of any bytes. */
static void forge_rest(struct rawbox *b, const struct place *cut, uint8_t *memory, uint64_t seed) {
	struct packbuild *build = NULL;
	struct vault *v = &b->t.vault;
	struct packbuild_params p = {
		.vault = &v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.head = { .run = { 1 }, .continues = true },
		.fresh = &b->t.session.secrets->fresh,
		.memory = memory,
		.limit = LIMIT_PACK_LEAST,
	};
	size_t len = cut->rest_length - SIZE_TAG;
	uint8_t *bytes = malloc(len);
	struct packbuild_record r = { .type = 0, .bytes = span_of(bytes, len) };
	struct span out;
	struct hash name;
	uint32_t offset, length;
	assert_non_null(bytes);
	storesuite_bytes(bytes, len, seed);
	assert_int_equal(packbuild_new(&build, &p), OK);
	assert_int_equal(packbuild_add(build, &r, &offset, &length), OK);
	assert_int_equal(packbuild_finish(build, &cut->pack, false, &out), OK);
	assert_int_equal(store_pack_add(b->raw, &v->id, out, &name, NULL, NULL, NULL), OK);
	packbuild_free(build);
	free(bytes);
}

static void a_forged_rest_hides_no_true_one(void **state) {
	struct rawbox *b = *state;
	struct craft c;
	struct place cut = { .cut = false };
	struct buf out;
	struct why why = { OK, "" };
	uint8_t *bytes = malloc(LEN), *memory = calloc(1, LIMIT_PACK);
	assert_true(bytes && memory);
	storesuite_bytes(bytes, LEN, 1);
	craft_begin_small(&c, &b->t, LIMIT_PACK_LEAST);
	struct streamref ref = craft_content(&c, span_of(bytes, LEN));
	rawbox_end_unnamed(&c);
	struct fetch *f = rawbox_fetch(b, 1);
	rawbox_ok(places_scan_all(fetch_places(f), &why), &why);
	rawbox_ok(places_rows(fetch_places(f), find_cut, &cut, &why), &why);
	assert_true(cut.cut);
	fetch_free(f);
	for (uint64_t i = 0; i < FORGED; i++) forge_rest(b, &cut, memory, i + 2);
	f = rawbox_fetch(b, 1);
	buf_init(&out, LEN);
	rawbox_ok(streamread_whole(f, CHUNKTYPE_CONTENT, &ref, &out, &why), &why);
	assert_int_equal(out.len, LEN);
	assert_memory_equal(out.ptr, bytes, LEN);
	buf_free(&out);
	fetch_free(f);
	free(bytes);
	free(memory);
}

/* --- what a backup takes for known */

static uint64_t stores_again(struct rawbox *b, struct fetch *f, const struct rawbox_stored *s) {
	struct craft c;
	craft_begin(&c, &b->t);
	c.shared.fetch = f;
	(void)craft_content(&c, span_of(s->bytes, RAWBOX_SMALL));
	uint64_t fresh = c.shared.new_chunks;
	craft_drop(&c);
	return fresh;
}

static void what_no_index_names_is_not_known(void **state) {
	struct rawbox *b = *state;
	struct rawbox_stored s = rawbox_store(b, 1, false);
	struct fetch *f = rawbox_fetch(b, 1);
	struct fetch_chunk chunk;
	struct why why = { OK, "" };
	assert_int_equal(stores_again(b, f, &s), 1);
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, &s.id, &chunk, &why), &why);
	fetch_release(f, &chunk);
	/* found in a table by now, but no index will name it */
	assert_int_equal(stores_again(b, f, &s), 1);
	fetch_free(f);
}

static void what_an_index_names_is_known(void **state) {
	struct rawbox *b = *state;
	struct rawbox_stored s = rawbox_store(b, 1, true);
	falseplaces_add(&b->t.vault);
	struct fetch *f = rawbox_fetch(b, 1);
	assert_int_equal(stores_again(b, f, &s), 0);
	fetch_free(f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			false_places_cost_what_they_are, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(each_place_is_given_once, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_forged_rest_hides_no_true_one, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_no_index_names_is_not_known, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_an_index_names_is_known, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests_name("falseplaces", tests, NULL, NULL);
}
