/* format/packhead and format/packtable: sizes of packs, and tables as they are built. Decoding: test/vector/format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/chunktype.h"
#include "format/limits.h"
#include "format/packhead.h"
#include "format/packtable.h"

/* The rule as the specification words it, slowly. */
static uint64_t padme(uint64_t n) {
	uint64_t e = 0, s = 1, unit;
	while (UINT64_C(2) << e <= n) e++;
	while (UINT64_C(1) << s <= e) s++;
	unit = UINT64_C(1) << (e - s);
	return (n + unit - 1) / unit * unit;
}

static void sizes_follow_the_rule(void **state) {
	(void)state;
	assert_int_equal(packhead_padded_size(0), LIMIT_PACK_LEAST);
	assert_int_equal(packhead_padded_size(LIMIT_PACK_LEAST), LIMIT_PACK_LEAST);
	assert_int_equal(packhead_padded_size(LIMIT_PACK_LEAST + 1), 67584); /* 2^16 + 2^11 */
	assert_int_equal(packhead_padded_size(1000000), 1015808);
	assert_int_equal(packhead_padded_size(LIMIT_PACK), LIMIT_PACK);
	assert_int_equal(packhead_padded_size(LIMIT_PACK - 1), LIMIT_PACK);
	assert_int_equal(packhead_padded_size(LIMIT_PACK + 1), 0);
	assert_int_equal(packhead_padded_size(UINT64_MAX), 0);
	for (uint64_t n = LIMIT_PACK_LEAST; n <= LIMIT_PACK; n += 1 + n / 997) {
		uint32_t size = packhead_padded_size(n);
		assert_int_equal(size, padme(n));
		assert_true(size >= n && size <= n + n / 16);
		assert_true(packhead_size_ok(size));
		assert_int_equal(packhead_size_ok(n), size == n);
	}
	assert_false(packhead_size_ok(0));
	assert_false(packhead_size_ok(LIMIT_PACK_LEAST - 1));
	assert_false(packhead_size_ok(LIMIT_PACK + UINT64_C(1)));
	assert_false(packhead_size_ok(UINT64_C(1) << 32 | LIMIT_PACK));
}

static void trailer_refuses_what_decode_would(void **state) {
	struct packhead_trailer t = {
		.table_offset = 2000, .table_length = 200, .pack_length = LIMIT_PACK_LEAST
	};
	struct packhead_trailer back;
	uint8_t out[16] = { 7 };
	(void)state;
	t.pack_length = 70000;
	assert_int_equal(packhead_trailer_encode(&t, out), E_USAGE);
	assert_int_equal(out[0], 7);
	t.pack_length = LIMIT_PACK_LEAST;
	assert_int_equal(packhead_trailer_encode(&t, out), OK);
	assert_int_equal(packhead_trailer_decode(&back, span_of(out, 16), LIMIT_PACK_LEAST), OK);
	assert_int_equal(back.table_offset, 2000);
	assert_int_equal(
		packhead_trailer_decode(&back, span_of(out, 16), LIMIT_PACK_LEAST | UINT64_C(1) << 32),
		E_FORMAT);
}

static const struct hash ids[3] = { { { 1 } }, { { 2 } }, { { 3 } } };

static void table_is_built_in_order(void **state) {
	struct packtable head = { .start_sequence = 5, .origin = { .kind = ORIGIN_OWN } }, back;
	struct packtable_build b;
	struct packtable_block block;
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_PACK_TABLE);
	packtable_begin(&b, &head);
	assert_int_equal(packtable_end(&b, &out), E_USAGE); /* no blocks */
	assert_int_equal(
		packtable_add(&b, 0, false, 100, NULL, 0), E_USAGE); /* no rest without continues */
	assert_int_equal(packtable_add(&b, CHUNKTYPE_CONTENT, false, 100, ids, 0), E_USAGE);
	assert_int_equal(packtable_add(&b, CHUNKTYPE_INDEX, false, 100, ids, 1), E_USAGE);
	assert_int_equal(packtable_add(&b, CHUNKTYPE_INDEX, true, 100, NULL, 0), E_USAGE);
	assert_int_equal(packtable_add(&b, 7, false, 100, ids, 1), E_USAGE);
	assert_int_equal(packtable_add(&b, CHUNKTYPE_CONTENT, false, 32, ids, 1), E_USAGE);
	assert_int_equal(
		packtable_add(&b, CHUNKTYPE_CONTENT, false, LIMIT_RECORD + 1, ids, 1), E_USAGE);
	assert_int_equal(
		packtable_add(&b, CHUNKTYPE_CONTENT, false, 100, ids, LIMIT_BLOCK_CHUNKS + 1), E_USAGE);
	assert_int_equal(b.next_offset, SIZE_PACK_HEADER);
	assert_int_equal(packtable_add(&b, CHUNKTYPE_INDEX, false, 100, NULL, 0), OK);
	assert_int_equal(packtable_add(&b, CHUNKTYPE_CONTENT, true, 200, ids, 3), OK);
	assert_int_equal(
		packtable_add(&b, CHUNKTYPE_CONTENT, false, 100, ids, 1), E_USAGE); /* after a cut one */
	assert_int_equal(b.next_offset, SIZE_PACK_HEADER + 300);
	assert_int_equal(packtable_end(&b, &out), OK);
	assert_int_equal(out.len, packtable_len(&b));
	assert_int_equal(packtable_decode(&back, buf_span(&out), b.next_offset), OK);
	struct span rest = back.blocks;
	assert_true(packtable_next(&rest, &block));
	assert_int_equal(block.type, CHUNKTYPE_INDEX);
	assert_true(packtable_next(&rest, &block));
	assert_true(block.cut);
	assert_int_equal(hashlist_count(&block.ids), 3);
	assert_false(packtable_next(&rest, &block));
	packtable_done(&b);
	buf_free(&out);
}

static void a_rest_comes_first_or_not_at_all(void **state) {
	struct packtable head = { .continues = true };
	struct packtable_build b;
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_PACK_TABLE);
	packtable_begin(&b, &head);
	assert_int_equal(packtable_add(&b, CHUNKTYPE_CONTENT, false, 100, ids, 1), E_USAGE);
	assert_int_equal(packtable_add(&b, 0, false, 100, NULL, 0), OK);
	assert_int_equal(packtable_add(&b, 0, false, 100, NULL, 0), E_USAGE);
	assert_int_equal(packtable_end(&b, &out), OK);
	packtable_done(&b);
	buf_free(&out);
}

static void table_is_full_at_its_limits(void **state) {
	struct packtable head = { 0 };
	struct packtable_build b;
	struct packtable back;
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_PACK_TABLE);
	packtable_begin(&b, &head);
	for (unsigned i = 0; i < LIMIT_PACK_BLOCKS; i++) {
		assert_int_equal(packtable_add(&b, CHUNKTYPE_DIRECTORY, false, 40, ids, 1), OK);
	}
	assert_int_equal(packtable_add(&b, CHUNKTYPE_DIRECTORY, false, 40, ids, 1), E_LIMIT);
	assert_int_equal(packtable_end(&b, &out), OK);
	assert_int_equal(packtable_decode(&back, buf_span(&out), b.next_offset), OK);
	assert_int_equal(packtable_decode(&back, buf_span(&out), b.next_offset + 1), E_FORMAT);
	packtable_done(&b);
	buf_free(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_follow_the_rule),
		cmocka_unit_test(trailer_refuses_what_decode_would),
		cmocka_unit_test(table_is_built_in_order),
		cmocka_unit_test(a_rest_comes_first_or_not_at_all),
		cmocka_unit_test(table_is_full_at_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
