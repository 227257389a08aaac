/* client/fetch: what is true of a block in the cache is not of a place that says another thing in any one field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/fetch.h"
#include "format/chunktype.h"
#include "rawbox.h"
#include "storesuite.h"

enum { LEN = 300000 };

struct found {
	struct hash id;    /* of a chunk in it */
	struct place cut;  /* a block that goes on in another pack */
	struct hash other; /* a third pack */
};

static enum err find(void *ctx, const struct hash *id, const struct place *place, struct why *why) {
	struct found *f = ctx;
	(void)why;
	if (place->cut) {
		f->cut = *place;
		f->id = *id;
	}
	return OK;
}

static enum err find_other(
	void *ctx, const struct hash *id, const struct place *place, struct why *why) {
	struct found *f = ctx;
	(void)id;
	(void)why;
	if (hash_equal(&place->pack, &f->cut.pack)) return OK;
	if (!hash_equal(&place->pack, &f->cut.next_pack)) f->other = place->pack;
	return OK;
}

static struct fetch *store_cut_blocks(struct rawbox *b, struct found *f) {
	struct craft c;
	struct why why = { OK, "" };
	uint8_t *bytes = malloc(LEN);
	assert_non_null(bytes);
	storesuite_bytes(bytes, LEN, 1);
	craft_begin_small(&c, &b->t, LIMIT_PACK_LEAST);
	struct streamref ref = craft_content(&c, span_of(bytes, LEN));
	(void)craft_end(&c, &ref, 0, 0);
	free(bytes);
	struct fetch *fetch = rawbox_fetch(b, 1);
	rawbox_ok(places_rows(fetch_places(fetch), find, f, &why), &why);
	assert_true(f->cut.cut);
	rawbox_ok(places_rows(fetch_places(fetch), find_other, f, &why), &why);
	assert_false(hash_equal(&f->other, &(struct hash){ .b = { 0 } }));
	return fetch;
}

/* Of either type that a stream has. */
static enum err fetch_at(struct fetch *f, const struct hash *id, const struct place *place) {
	static const uint8_t types[] = { CHUNKTYPE_CONTENT, CHUNKTYPE_LIST };
	enum err e = E_FORGED;
	for (size_t i = 0; e == E_FORGED && i < sizeof types; i++) {
		struct fetch_chunk chunk;
		e = fetch_from(f, types[i], id, place, &chunk, NULL);
		if (!e) fetch_release(f, &chunk);
	}
	return e;
}

enum field { PACK, OFFSET, LENGTH, CUT, NEXT_PACK, REST_LENGTH, FIELDS };

static struct place altered(const struct place *true_one, const struct found *f, enum field field) {
	struct place p = *true_one;
	switch (field) {
	case PACK: p.pack = f->other; break;
	case OFFSET: p.offset++; break;
	case LENGTH: p.length++; break;
	case CUT: p.cut = !p.cut; break;
	case NEXT_PACK: p.next_pack = f->other; break;
	case REST_LENGTH: p.rest_length++; break;
	case FIELDS: break;
	}
	return p;
}

/* The block is in the cache by its true place, and is not found there by a false one; and remains. */
static void a_false_place_is_not_the_cached_block(void **state) {
	struct rawbox *b = *state;
	struct found f = { .cut = { .cut = false } };
	struct fetch *fetch = store_cut_blocks(b, &f);
	for (enum field i = PACK; i < FIELDS; i++) {
		struct place bad = altered(&f.cut, &f, i);
		assert_int_equal(fetch_at(fetch, &f.id, &f.cut), OK);
		if (fetch_at(fetch, &f.id, &bad) == OK) fail_msg("field %d is not looked at", (int)i);
		assert_int_equal(fetch_at(fetch, &f.id, &f.cut), OK);
	}
	fetch_free(fetch);
}

/* Two blocks at the same place of two packs, with the same lengths. */
static void two_packs_are_two_blocks(void **state) {
	struct rawbox *b = *state;
	enum { SMALL = 200 };
	struct streamref none = { .length = 0 };
	struct hash ids[2];
	struct place places[2][PLACES_EACH];
	for (uint64_t i = 0; i < 2; i++) {
		struct craft c;
		uint8_t bytes[SMALL];
		storesuite_bytes(bytes, SMALL, i + 1);
		craft_begin(&c, &b->t);
		ids[i] = craft_content(&c, span_of(bytes, SMALL)).id;
		(void)craft_end(&c, &none, 0, 0);
	}
	struct fetch *fetch = rawbox_fetch(b, 1);
	for (int i = 0; i < 2; i++) assert_int_equal(rawbox_places(fetch, &ids[i], places[i]), 1);
	assert_int_equal(places[0][0].offset, places[1][0].offset);
	assert_int_equal(places[0][0].length, places[1][0].length);
	for (int i = 0; i < 2; i++) assert_int_equal(fetch_at(fetch, &ids[i], &places[i][0]), OK);
	assert_int_equal(fetch_at(fetch, &ids[0], &places[1][0]), E_FORGED);
	fetch_free(fetch);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_false_place_is_not_the_cached_block, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(two_packs_are_two_blocks, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests_name("blockcache", tests, NULL, NULL);
}
