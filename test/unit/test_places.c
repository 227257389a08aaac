/* Where chunks are: indexes in several leaves, of small packs, damaged, made by someone who knows no better; and runs that died. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/packrun.h"
#include "client/runrecord.h"
#include "clientbox.h"
#include "os/thread.h"
#include "storesuite.h"

enum { ROWS = 5000, RUNS = 600 };

static struct packrun *start_run(struct clientbox *t) {
	struct packrun *run = NULL;
	struct why why = { OK, "" };
	struct packrun_params p = {
		.store = t->session.store,
		.vault = t->vault.id,
		.epoch = vault_epoch(&t->vault),
		.epoch_public = epochring_kem_public(t->vault.chain.ring, vault_epoch(&t->vault)),
		.writer = t->session.secrets->actor.id,
		.fresh = &t->session.secrets->fresh,
	};
	clientbox_ok(packrun_new(&run, &p, &why), &why);
	return run;
}

/* Rows for ids of seeds 0 to ROWS - 1, each in pack ${pack} of the plan or in none that it has. */
static struct indexplan *make_plan(uint32_t wrong_from) {
	struct indexplan *plan = NULL;
	struct hash name = storesuite_id(99);
	uint32_t number;
	assert_int_equal(indexplan_new(&plan), OK);
	assert_int_equal(indexplan_pack(plan, &name, LIMIT_PACK, &number), OK);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct indexleaf_row row = {
			.id = storesuite_id(1000 + i),
			.pack = i < wrong_from ? number : number + 1 + i * 1000,
			.offset = SIZE_PACK_HEADER + i,
			.length = LIMIT_RECORD_LEAST,
			.slot = (uint16_t)(i % 8),
		};
		assert_int_equal(indexplan_row(plan, &row), OK);
	}
	return plan;
}

static struct vault_index write_index(struct clientbox *t, uint32_t wrong_from) {
	struct packrun *run = start_run(t);
	struct indexplan *plan = make_plan(wrong_from);
	struct why why = { OK, "" };
	struct buf locations;
	buf_init(&locations, 1 << 16);
	clientbox_ok(packrun_index(run, plan, &locations, &why), &why);
	struct locationlist list = { .rows = buf_span(&locations) };
	assert_int_equal(location_count(&list), 1);
	struct vault_index index = { .location = location_at(&list, 0) };
	buf_free(&locations);
	indexplan_free(plan);
	packrun_free(run);
	return index;
}

static void every_row_of_several_leaves_is_found(void **state) {
	struct clientbox *t = *state;
	struct vault_index index = write_index(t, ROWS);
	struct fetch *f = clientbox_fetch(t);
	struct places *p = fetch_places(f);
	struct why why = { OK, "" };
	struct place found[PLACES_EACH];
	size_t count;
	clientbox_ok(places_load(p, &index, 1, &why), &why);
	assert_int_equal(places_count(p), ROWS);
	for (uint32_t i = 0; i < ROWS; i++) {
		struct hash id = storesuite_id(1000 + i), pack = storesuite_id(99);
		clientbox_ok(places_find(p, &id, found, &count, &why), &why);
		assert_int_equal(count, 1);
		assert_int_equal(found[0].offset, SIZE_PACK_HEADER + i);
		assert_int_equal(found[0].slot, i % 8);
		assert_true(hash_equal(&found[0].pack, &pack));
	}
	struct hash none = storesuite_id(7);
	clientbox_ok(places_find(p, &none, found, &count, &why), &why);
	assert_int_equal(count, 0);
	assert_int_equal(places_damaged(p), 0);
	fetch_free(f);
}

/* Packs are sealed to a public key: whoever has the store's files can put such an index in the place of ours. */
static void rows_of_packs_that_the_head_lacks_are_damage(void **state) {
	struct clientbox *t = *state;
	struct vault_index index = write_index(t, 0);
	struct fetch *f = clientbox_fetch(t);
	struct why why = { OK, "" };
	struct place found[PLACES_EACH];
	struct hash id = storesuite_id(1000 + ROWS / 2);
	size_t count = 9;
	clientbox_ok(places_load(fetch_places(f), &index, 1, &why), &why);
	clientbox_ok(places_find(fetch_places(f), &id, found, &count, &why), &why);
	assert_int_equal(count, 0);
	assert_int_equal(places_damaged(fetch_places(f)), 1);
	fetch_free(f);
}

/* A device that was stolen can name any block as an index: one that is longer than a part may be costs a warning, and no more. */
static void a_block_longer_than_a_part_is_damage(void **state) {
	static const struct chunker_params large = { .min = 1572864, .max = 2097152, .mask_bits = 16 };
	struct clientbox t;
	struct why why = { OK, "" };
	struct direntry d;
	struct buf entry;
	struct place found[PLACES_EACH];
	size_t count;
	(void)state;
	clientbox_new(&t, &large, 0);
	uint8_t *bytes = clientbox_random(large.min, 7);
	clientbox_file(&t, "large", bytes, large.min);
	struct backup_options o = clientbox_options(&t);
	struct hash snapshot = clientbox_backup(&t, &o).snapshot;
	buf_init(&entry, LIMIT_DIRENTRY);
	assert_true(clientbox_entry(&t, &snapshot, "large", &entry, &d));
	struct fetch *f = clientbox_fetch(&t);
	clientbox_ok(places_find(fetch_places(f), &d.stream.id, found, &count, &why), &why);
	assert_int_equal(count, 1);
	struct vault_index index = {
		.location = { .pack = found[0].pack, .offset = found[0].offset, .length = found[0].length }
	};
	clientbox_ok(places_load(fetch_places(f), &index, 1, &why), &why);
	assert_int_equal(places_damaged(fetch_places(f)), 1);
	fetch_free(f);
	buf_free(&entry);
	free(bytes);
	clientbox_done(&t);
}

/* A run that ends with packs under way gives their memory back: seen by the leak checker. */
static void a_run_can_be_given_up(void **state) {
	struct clientbox *t = *state;
	struct packrun *run = start_run(t);
	struct why why = { OK, "" };
	uint8_t *bytes = clientbox_random(LIMIT_BLOCK_FILL, 1);
	for (uint64_t i = 0; i < 3; i++) {
		struct hash id = storesuite_id(i);
		uint32_t number;
		bool fresh;
		clientbox_ok(packrun_claim(run, &id, &number, &fresh), &why);
		assert_true(fresh);
		struct packrun_block b = { .type = 1,
			.ids = &id,
			.numbers = &number,
			.count = 1,
			.stored = span_of(bytes, LIMIT_BLOCK_FILL) };
		clientbox_ok(packrun_put(run, &b, &why), &why);
	}
	free(bytes);
	packrun_free(run);
}

struct runner {
	struct clientbox *t;
	struct fetch *fetch;
	struct thread thread;
	enum err failed;
	struct why why;
};

static void open_and_close(void *ctx) {
	struct runner *r = ctx;
	for (int i = 0; i < RUNS && !r->failed; i++) {
		struct runrecord *record = NULL;
		struct indexplan *plan = NULL;
		struct session *s = &r->t->session;
		struct hash name = storesuite_id((uint64_t)i);
		r->failed = indexplan_new(&plan);
		if (!r->failed)
			r->failed = runrecord_open(&record, s->folder.state, &r->t->vault.id, s->store,
				fetch_packs(r->fetch), fetch_places(r->fetch), span_of(NULL, 0), plan, &r->why);
		if (!r->failed) {
			runrecord_add(record, &name, 65536);
			runrecord_close(record, i % 3 == 0);
		}
		indexplan_free(plan);
	}
}

/* Each looks through the other's records while they are made: none takes a live one for a dead one's. */
static void runs_start_beside_each_other(void **state) {
	struct clientbox *t = *state;
	struct runner runners[3];
	struct why why = { OK, "" };
	for (size_t i = 0; i < 3; i++) {
		runners[i] = (struct runner){ .t = t, .fetch = clientbox_fetch(t) };
		clientbox_ok(thread_start(&runners[i].thread, open_and_close, &runners[i], &why), &why);
	}
	for (size_t i = 0; i < 3; i++) thread_join(&runners[i].thread);
	for (size_t i = 0; i < 3; i++) {
		clientbox_ok(runners[i].failed, &runners[i].why);
		fetch_free(runners[i].fetch);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_row_of_several_leaves_is_found, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			rows_of_packs_that_the_head_lacks_are_damage, clientbox_setup, clientbox_teardown),
		cmocka_unit_test(a_block_longer_than_a_part_is_damage),
		cmocka_unit_test_setup_teardown(a_run_can_be_given_up, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			runs_start_beside_each_other, clientbox_setup, clientbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
