#include "storesuite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/clock.h"
#include "storerace.h"
#include "storeworld.h"

enum { SMALL = 1000 };

void storesuite_bytes(uint8_t *out, size_t len, uint64_t seed) {
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		out[i] = (uint8_t)(x >> 24);
	}
}

struct hash storesuite_name(const uint8_t *bytes, size_t len) {
	struct hash name;
	hash_of(&name, span_of(bytes, len));
	return name;
}

struct hash storesuite_id(uint64_t seed) {
	struct hash id;
	storesuite_bytes(id.b, sizeof id.b, seed ^ 0x1d);
	return id;
}

static void packs_come_back(void **state) {
	struct storeworld *w = *state;
	enum { LEN = 100000 };
	static uint8_t bytes[LEN], got[LEN];
	storesuite_bytes(bytes, LEN, 7);
	struct hash name = storeworld_pack(w, &w->vault, LEN, 7);
	uint64_t size = 0;
	assert_int_equal(store_pack_size(w->store, &w->vault, &name, &size, NULL), OK);
	assert_int_equal(size, LEN);
	static const size_t ranges[][2] = { { 0, LEN }, { 0, 1 }, { LEN - 1, 1 }, { 4095, 3 },
		{ 65536, 1 }, { 0, 0 }, { LEN, 0 } };
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		memset(got, 0, sizeof got);
		assert_int_equal(
			store_pack_get(w->store, &w->vault, &name, ranges[i][0], ranges[i][1], got, NULL), OK);
		assert_memory_equal(got, bytes + ranges[i][0], ranges[i][1]);
	}
}

static void packs_end_where_they_end(void **state) {
	struct storeworld *w = *state;
	struct hash name = storeworld_pack(w, &w->vault, SMALL, 8);
	uint8_t got[SMALL + 1];
	struct why why = { 0 };
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, SMALL + 1, got, &why), E_FORMAT);
	assert_true(why.msg[0] != 0);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, SMALL, 1, got, NULL), E_FORMAT);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, SMALL + 5, 1, got, NULL), E_FORMAT);
	assert_int_equal(
		store_pack_get(w->store, &w->vault, &name, UINT64_MAX, 1, got, NULL), E_FORMAT);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 1, SIZE_MAX, got, NULL), E_FORMAT);
}

static void missing_packs_are_not_found(void **state) {
	struct storeworld *w = *state;
	struct hash name = storesuite_id(99), other = storesuite_id(98);
	uint8_t got;
	uint64_t size;
	struct why why = { 0 };
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, &why), E_NOTFOUND);
	assert_int_equal(store_pack_size(w->store, &w->vault, &name, &size, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_delete(w->store, &w->vault, &name, NULL), E_NOTFOUND);
	/* A pack of another vault is not there either. */
	name = storeworld_pack(w, &w->vault, SMALL, 9);
	assert_int_equal(store_pack_get(w->store, &other, &name, 0, 1, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_size(w->store, &other, &name, &size, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_delete(w->store, &other, &name, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), OK);
}

static void wrong_names_are_refused(void **state) {
	struct storeworld *w = *state;
	uint8_t bytes[SMALL];
	storesuite_bytes(bytes, sizeof bytes, 10);
	struct hash name = storesuite_name(bytes, sizeof bytes);
	bytes[SMALL / 2] ^= 1;
	struct span wrong = span_of(bytes, sizeof bytes);
	assert_int_equal(store_pack_put(w->store, &w->vault, &name, wrong, NULL), E_USAGE);
	assert_int_equal(store_object_put(w->store, &name, wrong, NULL), E_USAGE);
	uint64_t size;
	assert_int_equal(store_pack_size(w->store, &w->vault, &name, &size, NULL), E_NOTFOUND);
}

static void maxima_are_kept(void **state) {
	struct storeworld *w = *state;
	size_t len = (size_t)STORE_PACK_MAX + 1;
	uint8_t *bytes = calloc(1, len);
	assert_non_null(bytes);
	struct hash name = storesuite_name(bytes, len);
	assert_int_equal(
		store_pack_put(w->store, &w->vault, &name, span_of(bytes, len), NULL), E_LIMIT);
	assert_int_equal(store_object_put(w->store, &name, span_of(bytes, len), NULL), E_LIMIT);
	assert_int_equal(
		store_locator_put(w->store, &name, span_of(bytes, (size_t)STORE_LOCATOR_MAX + 1), NULL),
		E_LIMIT);
	assert_int_equal(store_chain_append(
						 w->store, &w->chain, 0, span_of(bytes, (size_t)STORE_ENTRY_MAX + 1), NULL),
		E_LIMIT);
	assert_int_equal(store_chain_append(w->store, &w->chain, 0, span_of(bytes, 0), NULL), E_USAGE);
	/* The largest of each. */
	struct span most = span_of(bytes, STORE_PACK_MAX);
	name = storesuite_name(most.ptr, most.len);
	assert_int_equal(store_pack_put(w->store, &w->vault, &name, most, NULL), OK);
	assert_int_equal(store_object_put(w->store, &name, most, NULL), OK);
	assert_int_equal(
		store_locator_put(w->store, &name, span_of(bytes, STORE_LOCATOR_MAX), NULL), OK);
	assert_int_equal(
		store_chain_append(w->store, &w->chain, 0, span_of(bytes, STORE_ENTRY_MAX), NULL), OK);
	free(bytes);
}

static void packs_are_put_once(void **state) {
	struct storeworld *w = *state;
	struct hash first = storeworld_pack(w, &w->vault, SMALL, 11);
	struct hash second = storeworld_pack(w, &w->vault, SMALL, 11);
	assert_true(hash_equal(&first, &second));
	assert_int_equal(store_flush(w->store, &w->vault, NULL), OK);
	assert_int_equal(store_flush(w->store, &w->vault, NULL), OK);
	struct hash never = storesuite_id(12);
	assert_int_equal(store_flush(w->store, &never, NULL), OK);
}

static void packs_are_listed(void **state) {
	struct storeworld *w = *state;
	enum { PACKS = 700 };
	struct hash other = storesuite_id(13);
	struct storeworld_count c = { .world = w };
	assert_int_equal(store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	uint64_t bytes = 0;
	for (size_t i = 0; i < PACKS; i++) {
		storeworld_pack(w, &w->vault, 100 + i, 1000 + i);
		bytes += 100 + i;
	}
	storeworld_pack(w, &other, 50, 13);
	assert_int_equal(store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, PACKS);
	assert_int_equal(c.bytes, bytes);
	/* What the visitor says ends it, sentence and all. */
	struct why why = { 0 };
	c = (struct storeworld_count){ .world = w, .stop_at = 10 };
	assert_int_equal(
		store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, &why), E_CANCELLED);
	assert_string_equal(why.msg, "enough");
	assert_int_equal(c.calls, 10);
	/* The list can be emptied while it is read. */
	c = (struct storeworld_count){ .world = w, .delete = true };
	assert_int_equal(store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, PACKS);
	c = (struct storeworld_count){ .world = w };
	assert_int_equal(store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	assert_int_equal(store_pack_list(w->store, &other, storeworld_count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 1);
}

static void packs_are_deleted(void **state) {
	struct storeworld *w = *state;
	uint8_t got;
	struct hash name = storeworld_pack(w, &w->vault, SMALL, 14);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), OK);
	assert_int_equal(store_pack_delete(w->store, &w->vault, &name, NULL), OK);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_delete(w->store, &w->vault, &name, NULL), E_NOTFOUND);
	storeworld_pack(w, &w->vault, SMALL, 14);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), OK);
}

static void chains_grow(void **state) {
	struct storeworld *w = *state;
	assert_int_equal(storeworld_length(w), 0);
	storeworld_check(w, 1, 0, 0);
	for (uint64_t seq = 0; seq < 5; seq++) {
		assert_int_equal(storeworld_append(w->store, &w->chain, 1, seq), OK);
		assert_int_equal(storeworld_length(w), seq + 1);
	}
	for (uint64_t from = 0; from < 8; from++) storeworld_check(w, 1, from, 5);
	storeworld_check(w, 1, UINT64_MAX, 5);
}

static void chains_are_compare_and_swap(void **state) {
	struct storeworld *w = *state;
	/* Nothing before it. */
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 1), E_NOTFOUND);
	assert_int_equal(storeworld_length(w), 0);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 2), E_NOTFOUND);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, INT64_MAX - 1), E_NOTFOUND);
	/* Another entry there. */
	assert_int_equal(storeworld_append(w->store, &w->chain, 2, 0), E_BUSY);
	/* The very same: a repeated call. */
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 1), OK);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(storeworld_length(w), 2);
	storeworld_check(w, 1, 0, 2);
	/* Another chain knows nothing of it. */
	struct hash other = storesuite_id(30);
	assert_int_equal(storeworld_append(w->store, &other, 1, 2), E_NOTFOUND);
	assert_int_equal(storeworld_append(w->store, &other, 2, 0), OK);
}

static void long_chains_are_read_from_anywhere(void **state) {
	struct storeworld *w = *state;
	enum { LENGTH = 800 };
	for (uint64_t seq = 0; seq < LENGTH; seq++)
		assert_int_equal(storeworld_append(w->store, &w->chain, 3, seq), OK);
	assert_int_equal(storeworld_length(w), LENGTH);
	static const uint64_t starts[] = { 0, 1, 200, 250, 255, 256, 257, 511, 512, 700, 767, 768, 799,
		800 };
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		storeworld_check(w, 3, starts[i], LENGTH);
	struct storeworld_follow f = { .seed = 3, .next = 100, .stop_at = 300 };
	struct why why = { 0 };
	assert_int_equal(store_chain_read(w->store, &w->chain, 100, STORE_READ_FAST,
						 storeworld_follow_entry, &f, &why),
		E_CANCELLED);
	assert_string_equal(why.msg, "enough");
	assert_int_equal(f.next, 300);
}

static enum err count_name(void *ctx, const struct hash *name, struct why *why) {
	struct storeworld_count *c = ctx;
	c->calls++;
	c->bytes += name->b[0];
	if (c->stop_at && c->calls == c->stop_at) return why_set(why, E_CANCELLED, "enough");
	return OK;
}

static void chains_are_listed(void **state) {
	struct storeworld *w = *state;
	struct storeworld_count c = { 0 };
	assert_int_equal(store_chain_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	uint64_t sum = 0;
	for (uint64_t i = 0; i < 20; i++) {
		struct hash chain = storesuite_id(500 + i);
		sum += chain.b[0];
		assert_int_equal(storeworld_append(w->store, &chain, i, 0), OK);
		assert_int_equal(storeworld_append(w->store, &chain, i, 1), OK);
	}
	/* One that did not come to be. */
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 1), E_NOTFOUND);
	assert_int_equal(store_chain_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, 20);
	assert_int_equal(c.bytes, sum);
	c = (struct storeworld_count){ .stop_at = 3 };
	assert_int_equal(store_chain_list(w->store, count_name, &c, NULL), E_CANCELLED);
}

static void things_come_back(void **state) {
	struct storeworld *w = *state;
	uint8_t bytes[SMALL];
	struct buf got;
	buf_init(&got, STORE_OBJECT_MAX);
	assert_int_equal(buf_add(&got, span_text("kept")), OK);
	storesuite_bytes(bytes, sizeof bytes, 40);
	struct hash name = storesuite_name(bytes, sizeof bytes), other = storesuite_id(41);
	struct span in = span_of(bytes, sizeof bytes);
	assert_int_equal(store_object_get(w->store, &name, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_object_put(w->store, &name, in, NULL), OK);
	assert_int_equal(store_object_put(w->store, &name, in, NULL), OK);
	assert_int_equal(store_object_get(w->store, &name, &got, NULL), OK);
	assert_int_equal(got.len, 4 + SMALL);
	assert_memory_equal(got.ptr, "kept", 4);
	assert_memory_equal(got.ptr + 4, bytes, SMALL);
	/* An object is no locator, and the other way round. */
	assert_int_equal(store_locator_get(w->store, &name, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_locator_put(w->store, &other, in, NULL), OK);
	assert_int_equal(store_locator_put(w->store, &other, in, NULL), OK);
	assert_int_equal(store_locator_put(w->store, &other, span_of(bytes, 10), NULL), E_EXISTS);
	assert_int_equal(store_object_get(w->store, &other, &got, NULL), E_NOTFOUND);
	assert_int_equal(got.len, 4 + SMALL);
	buf_clear(&got);
	assert_int_equal(store_locator_get(w->store, &other, &got, NULL), OK);
	assert_int_equal(got.len, SMALL);
	assert_int_equal(store_locator_delete(w->store, &other, NULL), OK);
	assert_int_equal(store_locator_delete(w->store, &other, NULL), E_NOTFOUND);
	assert_int_equal(store_locator_put(w->store, &other, span_of(bytes, 10), NULL), OK);
	assert_int_equal(store_object_delete(w->store, &name, NULL), OK);
	assert_int_equal(store_object_delete(w->store, &name, NULL), E_NOTFOUND);
	buf_free(&got);
}

static void things_are_listed(void **state) {
	struct storeworld *w = *state;
	enum { THINGS = 50 };
	struct storeworld_count c = { 0 };
	assert_int_equal(store_object_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(store_locator_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	for (uint64_t i = 0; i < THINGS; i++) {
		uint8_t bytes[16];
		storesuite_bytes(bytes, sizeof bytes, 600 + i);
		struct hash name = storesuite_name(bytes, sizeof bytes);
		assert_int_equal(store_object_put(w->store, &name, span_of(bytes, sizeof bytes), NULL), OK);
		if (i % 2)
			assert_int_equal(
				store_locator_put(w->store, &name, span_of(bytes, sizeof bytes), NULL), OK);
	}
	assert_int_equal(store_object_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, THINGS);
	c.calls = 0;
	assert_int_equal(store_locator_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, THINGS / 2);
}

static void watching_sees_news(void **state) {
	struct storeworld *w = *state;
	uint64_t length = 9;
	uint64_t start = clock_mono_ns();
	assert_int_equal(store_chain_watch(w->store, &w->chain, 0, 120, &length, NULL), OK);
	assert_int_equal(length, 0);
	assert_true(clock_mono_ns() - start >= 120000000);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(store_chain_watch(w->store, &w->chain, 0, 60000, &length, NULL), OK);
	assert_int_equal(length, 1);
	assert_int_equal(store_chain_watch(w->store, &w->chain, 1, 0, &length, NULL), OK);
	assert_int_equal(length, 1);
}

/* With every allocation failing once: E_NOMEM or success, never half of it. */
static void use_it(struct storeworld *w, uint64_t round) {
	uint8_t bytes[100], got[100];
	storesuite_bytes(bytes, sizeof bytes, 9000 + round);
	struct hash name = storesuite_name(bytes, sizeof bytes);
	struct span in = span_of(bytes, sizeof bytes);
	struct buf out;
	buf_init(&out, STORE_OBJECT_MAX);
	enum err results[8];
	size_t n = 0;
	results[n++] = store_pack_put(w->store, &w->vault, &name, in, NULL);
	results[n++] = store_pack_get(w->store, &w->vault, &name, 0, sizeof got, got, NULL);
	results[n++] = store_object_put(w->store, &name, in, NULL);
	results[n++] = store_object_get(w->store, &name, &out, NULL);
	struct hash chain = storesuite_id(9000 + round);
	results[n++] = storeworld_append(w->store, &chain, 1, 0);
	struct storeworld_follow f = { .seed = 1 };
	results[n++] =
		store_chain_read(w->store, &chain, 0, STORE_READ_FAST, storeworld_follow_entry, &f, NULL);
	struct storeworld_count c = { .world = w };
	results[n++] = store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, NULL);
	results[n++] = store_object_list(w->store, count_name, &c, NULL);
	buf_free(&out);
	for (size_t i = 0; i < n; i++)
		assert_true(results[i] == OK || results[i] == E_NOMEM || results[i] == E_NOTFOUND);
	/* And once there is memory again, all of it works. */
	mem_fail_at(0);
	assert_int_equal(store_pack_put(w->store, &w->vault, &name, in, NULL), OK);
	assert_int_equal(store_object_put(w->store, &name, in, NULL), OK);
	assert_int_equal(storeworld_append(w->store, &chain, 1, 0), OK);
	assert_int_equal(storeworld_append(w->store, &chain, 1, 1), OK);
}

static void memory_may_run_out(void **state) {
	struct storeworld *w = *state;
	for (uint64_t nth = 1; nth < 40; nth++) {
		mem_fail_at(nth);
		use_it(w, nth);
	}
	mem_fail_at(0);
}

static void it_has_a_name(void **state) {
	struct storeworld *w = *state;
	assert_false(hash_is_zero(store_id(w->store)));
	assert_true(strlen(store_address(w->store)) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, storeworld_setup, storeworld_teardown)

int storesuite_run(const struct storesuite *under_test) {
	const struct CMUnitTest tests[] = {
		CASE(it_has_a_name),
		CASE(packs_come_back),
		CASE(packs_end_where_they_end),
		CASE(missing_packs_are_not_found),
		CASE(wrong_names_are_refused),
		CASE(maxima_are_kept),
		CASE(packs_are_put_once),
		CASE(packs_are_listed),
		CASE(packs_are_deleted),
		CASE(chains_grow),
		CASE(chains_are_compare_and_swap),
		CASE(long_chains_are_read_from_anywhere),
		CASE(chains_are_listed),
		CASE(things_come_back),
		CASE(things_are_listed),
		CASE(watching_sees_news),
		CASE(storerace_of_threads_one_wins),
		CASE(storerace_of_processes_one_wins),
		CASE(storerace_another_process_sees_it),
		CASE(storerace_eight_threads),
		CASE(memory_may_run_out),
	};
	storeworld_use(under_test);
	return cmocka_run_group_tests_name(under_test->label, tests, NULL, NULL);
}
