/* Each order to the faulty store is carried out when and as it says, and not otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/clock.h"
#include "store/faulty.h"
#include "store/memory.h"
#include "storesuite.h"

enum { LEN = 100 };

struct world {
	struct store *inner;
	struct store *store;
	struct hash vault;
	struct hash name;
	uint8_t bytes[LEN];
};

static struct world world;

static int set_up(void **state) {
	struct hash id = storesuite_id(1);
	world.inner = memory_new(&id);
	world.store = world.inner ? faulty_new(world.inner) : NULL;
	world.vault = storesuite_id(2);
	storesuite_bytes(world.bytes, LEN, 3);
	world.name = storesuite_name(world.bytes, LEN);
	*state = &world;
	return world.store ? 0 : -1;
}

static int tear_down(void **state) {
	struct world *w = *state;
	store_free(w->store);
	store_free(w->inner);
	return 0;
}

static enum err put(struct world *w) {
	struct why why;
	return store_pack_put(w->store, &w->vault, &w->name, span_of(w->bytes, LEN), &why);
}

static enum err append(struct world *w, uint64_t seq) {
	return store_chain_append(w->store, &w->vault, seq, span_of(w->bytes, LEN), NULL);
}

static bool is_inside(struct world *w) {
	uint64_t size;
	return store_pack_size(w->inner, &w->vault, &w->name, &size, NULL) == OK;
}

static void before_does_nothing(void **state) {
	struct world *w = *state;
	faulty_order(
		w->store, (struct faulty_order){ .verb = FAULTY_PACK_PUT, .nth = 1, .error = E_IO });
	assert_int_equal(put(w), E_IO);
	assert_false(is_inside(w));
	assert_int_equal(put(w), OK);
	assert_true(is_inside(w));
	assert_int_equal(faulty_count(w->store, FAULTY_PACK_PUT), 2);
	assert_int_equal(faulty_hits(w->store), 1);
}

static void after_does_it_all_the_same(void **state) {
	struct world *w = *state;
	faulty_order(w->store,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 2, .way = FAULTY_AFTER, .error = E_IO });
	assert_int_equal(append(w, 0), OK);
	assert_int_equal(append(w, 1), E_IO);
	uint64_t length;
	assert_int_equal(store_chain_length(w->inner, &w->vault, &length, NULL), OK);
	assert_int_equal(length, 2);
	assert_int_equal(append(w, 1), OK);
}

static void orders_are_for_the_nth_call_from_now(void **state) {
	struct world *w = *state;
	for (int i = 0; i < 5; i++) assert_int_equal(put(w), OK);
	faulty_order(
		w->store, (struct faulty_order){ .verb = FAULTY_PACK_PUT, .nth = 3, .error = E_DENIED });
	assert_int_equal(put(w), OK);
	assert_int_equal(append(w, 0), OK);
	assert_int_equal(put(w), OK);
	assert_int_equal(put(w), E_DENIED);
	assert_int_equal(put(w), OK);
	/* Whatever the verb, and from then on. */
	faulty_order(w->store,
		(struct faulty_order){ .verb = FAULTY_ANY, .nth = 2, .forever = true, .error = E_IO });
	assert_int_equal(append(w, 1), OK);
	assert_int_equal(put(w), E_IO);
	assert_int_equal(append(w, 2), E_IO);
	assert_int_equal(store_flush(w->store, &w->vault, NULL), E_IO);
	faulty_clear(w->store);
	assert_int_equal(put(w), OK);
	assert_int_equal(faulty_count(w->store, FAULTY_ANY), 15);
	assert_int_equal(faulty_hits(w->store), 4);
}

static enum err check_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	(void)why;
	size_t *lengths = ctx;
	lengths[seq] = bytes.len;
	lengths[seq + 4] = memcmp(bytes.ptr, world.bytes, bytes.len) == 0;
	return OK;
}

static void reads_are_spoiled(void **state) {
	struct world *w = *state;
	uint8_t got[LEN];
	struct buf out;
	buf_init(&out, STORE_OBJECT_MAX);
	assert_int_equal(put(w), OK);
	assert_int_equal(store_object_put(w->store, &w->name, span_of(w->bytes, LEN), NULL), OK);
	assert_int_equal(store_locator_put(w->store, &w->name, span_of(w->bytes, LEN), NULL), OK);
	assert_int_equal(append(w, 0), OK);
	assert_int_equal(append(w, 1), OK);
	/* A bit of a pack. */
	faulty_order(w->store,
		(struct faulty_order){ .verb = FAULTY_PACK_GET, .nth = 1, .way = FAULTY_FLIP, .at = 83 });
	assert_int_equal(store_pack_get(w->store, &w->vault, &w->name, 0, LEN, got, NULL), OK);
	assert_int_equal(got[10], w->bytes[10] ^ 8);
	got[10] ^= 8;
	assert_memory_equal(got, w->bytes, LEN);
	assert_int_equal(store_pack_get(w->store, &w->vault, &w->name, 0, LEN, got, NULL), OK);
	assert_memory_equal(got, w->bytes, LEN);
	faulty_order(w->store,
		(struct faulty_order){
			.verb = FAULTY_PACK_GET, .nth = 1, .way = FAULTY_TRUNCATE, .at = 9 });
	assert_int_equal(store_pack_get(w->store, &w->vault, &w->name, 0, LEN, got, NULL), E_FORMAT);
	/* Objects are checked by store.h's own functions, locators by nobody. */
	faulty_order(
		w->store, (struct faulty_order){ .verb = FAULTY_OBJECT_GET, .nth = 1, .way = FAULTY_FLIP });
	assert_int_equal(store_object_get(w->store, &w->name, &out, NULL), E_FORMAT);
	assert_int_equal(store_object_get(w->store, &w->name, &out, NULL), OK);
	buf_clear(&out);
	faulty_order(w->store,
		(struct faulty_order){
			.verb = FAULTY_LOCATOR_GET, .nth = 1, .way = FAULTY_TRUNCATE, .at = 30 });
	assert_int_equal(store_locator_get(w->store, &w->name, &out, NULL), OK);
	assert_int_equal(out.len, 30);
	buf_free(&out);
	/* The first entry of a read. */
	size_t lengths[6] = { 0 };
	faulty_order(w->store,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_READ, .nth = 1, .way = FAULTY_TRUNCATE, .at = 7 });
	assert_int_equal(
		store_chain_read(w->store, &w->vault, 0, STORE_READ_FAST, check_entry, lengths, NULL), OK);
	assert_int_equal(lengths[0], 7);
	assert_int_equal(lengths[1], LEN);
	assert_true(lengths[4] && lengths[5]);
	faulty_order(w->store,
		(struct faulty_order){ .verb = FAULTY_CHAIN_READ, .nth = 1, .way = FAULTY_FLIP, .at = 1 });
	assert_int_equal(
		store_chain_read(w->store, &w->vault, 0, STORE_READ_FAST, check_entry, lengths, NULL), OK);
	assert_int_equal(lengths[0], LEN);
	assert_true(!lengths[4] && lengths[5]);
}

static void every_verb_can_fail(void **state) {
	struct world *w = *state;
	uint8_t got;
	uint64_t number;
	struct buf out;
	buf_init(&out, 100);
	struct span in = span_of(w->bytes, LEN);
	faulty_order(w->store,
		(struct faulty_order){ .verb = FAULTY_ANY, .nth = 1, .forever = true, .error = E_DENIED });
	struct store *s = w->store;
	const struct hash *v = &w->vault, *n = &w->name;
	const enum err results[] = {
		store_pack_put(s, v, n, in, NULL),
		store_pack_get(s, v, n, 0, 1, &got, NULL),
		store_pack_size(s, v, n, &number, NULL),
		store_pack_list(s, v, NULL, NULL, NULL),
		store_pack_delete(s, v, n, NULL),
		store_flush(s, v, NULL),
		store_chain_append(s, v, 0, in, NULL),
		store_chain_read(s, v, 0, STORE_READ_FAST, NULL, NULL, NULL),
		store_chain_length(s, v, &number, NULL),
		store_chain_list(s, NULL, NULL, NULL),
		store_object_put(s, n, in, NULL),
		store_object_get(s, n, &out, NULL),
		store_object_list(s, NULL, NULL, NULL),
		store_object_delete(s, n, NULL),
		store_locator_put(s, n, in, NULL),
		store_locator_get(s, n, &out, NULL),
		store_locator_list(s, NULL, NULL, NULL),
		store_locator_delete(s, n, NULL),
	};
	assert_int_equal(sizeof results / sizeof results[0], FAULTY_VERBS);
	for (size_t i = 0; i < FAULTY_VERBS; i++) assert_int_equal(results[i], E_DENIED);
	for (unsigned verb = 0; verb < FAULTY_VERBS; verb++)
		assert_int_equal(faulty_count(s, (enum faulty_verb)verb), 1);
}

static void stalls_are_slow(void **state) {
	struct world *w = *state;
	faulty_order(w->store,
		(struct faulty_order){ .verb = FAULTY_PACK_PUT, .nth = 1, .way = FAULTY_STALL, .at = 50 });
	uint64_t start = clock_mono_ns();
	assert_int_equal(put(w), OK);
	assert_true(clock_mono_ns() - start >= 50000000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		CASE(before_does_nothing),
		CASE(after_does_it_all_the_same),
		CASE(orders_are_for_the_nth_call_from_now),
		CASE(reads_are_spoiled),
		CASE(every_verb_can_fail),
		CASE(stalls_are_slow),
	};
	return cmocka_run_group_tests_name("faulty", tests, NULL, NULL);
}
