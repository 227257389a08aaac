/* format/indexleaf and format/indexhead: looking up, the plan of parts, what encoders refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/indexhead.h"
#include "format/limits.h"

static struct hash id(unsigned n) {
	return (struct hash){ { (uint8_t)(n >> 8), (uint8_t)n } };
}

static void leaf_lookup(void **state) {
	struct indexleaf_row rows[100];
	struct indexleaf leaf;
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_LEAF);
	for (unsigned i = 0; i < 100; i++) { /* even ids, each twice */
		rows[i] = (struct indexleaf_row){
			.id = id(2 + i / 2 * 2), .pack = i % 2, .offset = 2000, .length = 100
		};
	}
	assert_int_equal(indexleaf_encode(rows, 100, &out), OK);
	assert_int_equal(indexleaf_decode(&leaf, buf_span(&out)), OK);
	for (unsigned i = 0; i < 110; i++) {
		struct hash h = id(i);
		unsigned want = i < 2 ? 0 : i > 100 ? 100 : (i - 1) / 2 * 2;
		assert_int_equal(indexleaf_find(&leaf, &h), want);
	}
	assert_int_equal(indexleaf_encode(rows, 0, &out), E_USAGE);
	assert_int_equal(indexleaf_encode(rows, LIMIT_LEAF_ROWS + 1, &out), E_LIMIT);
	rows[50].pack = 0xffff;
	assert_int_equal(indexleaf_encode(rows, 100, &out), E_USAGE);
	rows[50].pack = 0;
	rows[99].slot = LIMIT_BLOCK_CHUNKS;
	assert_int_equal(indexleaf_encode(rows, 100, &out), E_USAGE);
	assert_int_equal(out.len, 100 * SIZE_LEAF_ROW);
	buf_free(&out);
}

static void leaves_that_can_hold_an_id(void **state) {
	static const unsigned first[] = { 10, 20, 20, 20, 30 };
	struct buf rows;
	uint32_t from, to;
	(void)state;
	buf_init(&rows, 1000);
	for (unsigned i = 0; i < 5; i++) {
		struct indexhead_leaf l = { .first = id(first[i]),
			.pack = INDEXLEAF_SAME_PACK,
			.offset = 2000,
			.length = 99,
			.entries = 1 };
		assert_int_equal(indexhead_add_leaf(&rows, &l), OK);
	}
	struct indexhead h = { .entries = 5, .leaves = buf_span(&rows) };
	static const struct {
		unsigned id, from, to;
	} cases[] = { { 5, 0, 0 }, { 10, 0, 1 }, { 15, 0, 1 }, { 20, 0, 4 }, { 25, 3, 4 }, { 30, 3, 5 },
		{ 35, 4, 5 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hash h2 = id(cases[i].id);
		indexhead_find_leaves(&h, &h2, &from, &to);
		assert_int_equal(from, cases[i].from);
		assert_int_equal(to, cases[i].to);
	}
	struct indexhead none = { 0 };
	struct hash any = id(1);
	indexhead_find_leaves(&none, &any, &from, &to);
	assert_int_equal(from, to);
	buf_free(&rows);
}

static void cuts_are_found(void **state) {
	struct buf rows;
	struct indexhead_cut c;
	(void)state;
	buf_init(&rows, 1000);
	for (uint32_t i = 0; i < 9; i++) {
		c = (struct indexhead_cut){
			.pack = i / 3, .offset = 2000 + i % 3, .next_pack = 9, .rest_length = 100 + i
		};
		assert_int_equal(indexhead_add_cut(&rows, &c), OK);
	}
	struct indexhead h = { .cuts = buf_span(&rows) };
	assert_true(indexhead_find_cut(&h, 1, 2002, &c));
	assert_int_equal(c.rest_length, 105);
	assert_false(indexhead_find_cut(&h, 1, 2003, &c));
	assert_false(indexhead_find_cut(&h, 3, 2000, &c));
	assert_false(indexhead_find_cut(&h, 0, 1999, &c));
	buf_free(&rows);
}

/* For lengths around each boundary: everything has a place, no part is empty, and one part less would not do. */
static void parts_hold_the_string(void **state) {
	uint32_t parts;
	size_t first;
	(void)state;
	for (uint64_t n = 0; n <= LIMIT_HEAD_PARTS; n += n < 10 ? 1 : 227) {
		uint64_t most = (n + 1) * LIMIT_HEAD_PART - 2 - n * SIZE_LOCATION;
		assert_int_equal(indexhead_plan(most, &parts, &first), OK);
		assert_int_equal(parts, n);
		assert_int_equal(first, LIMIT_HEAD_PART - 2 - n * SIZE_LOCATION);
		if (n == LIMIT_HEAD_PARTS) continue;
		assert_int_equal(indexhead_plan(most + 1, &parts, &first), OK);
		assert_int_equal(parts, n + 1);
		assert_true(first <= LIMIT_HEAD_PART - 2 - parts * SIZE_LOCATION &&
			most + 1 - first > n * LIMIT_HEAD_PART);
	}
	uint64_t largest =
		(LIMIT_HEAD_PARTS + UINT64_C(1)) * LIMIT_HEAD_PART - 2 - LIMIT_HEAD_PARTS * SIZE_LOCATION;
	assert_int_equal(indexhead_plan(largest + 1, &parts, &first), E_LIMIT);
	assert_int_equal(indexhead_plan(UINT64_MAX, &parts, &first), E_LIMIT);
	assert_int_equal(indexhead_plan(20, &parts, &first), OK);
	assert_int_equal(parts, 0);
	assert_int_equal(first, 20);
}

static void encode_refuses(void **state) {
	uint8_t bytes[100] = { 0 };
	struct indexhead h = { .packs = span_of(bytes, 35) };
	struct indexhead_part0 p = { .first = span_of(bytes, 0) };
	struct buf out;
	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(indexhead_encode(&h, &out), E_USAGE);
	h.packs = span_of(bytes, 36); /* of size 0 */
	assert_int_equal(indexhead_encode(&h, &out), E_USAGE);
	assert_int_equal(indexhead_part0_encode(&p, &out), E_USAGE);
	p.first.len = 1;
	p.parts.rows = span_of(bytes, 37);
	assert_int_equal(indexhead_part0_encode(&p, &out), E_USAGE);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_lookup),
		cmocka_unit_test(leaves_that_can_hold_an_id),
		cmocka_unit_test(cuts_are_found),
		cmocka_unit_test(parts_hold_the_string),
		cmocka_unit_test(encode_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
