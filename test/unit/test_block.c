/* format/block: the builder's limits, and what encoders refuse. What decoders take and refuse: test/vector/format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "format/block.h"
#include "format/limits.h"

static uint8_t zeros[LIMIT_CHUNK + 1];

static void builder_is_full_at_its_limits(void **state) {
	struct block_build b;
	struct buf out;
	struct block block;
	(void)state;
	block_build_init(&b);
	buf_init(&out, LIMIT_BLOCK_RAW);
	assert_int_equal(block_build_encode(&b, &out), E_USAGE);
	assert_int_equal(block_build_add(&b, span_of(zeros, 0)), E_USAGE);
	assert_int_equal(block_build_add(&b, span_of(zeros, LIMIT_CHUNK + 1)), E_LIMIT);
	for (unsigned i = 0; i < LIMIT_BLOCK_CHUNKS; i++) {
		assert_int_equal(block_build_add(&b, span_of(zeros, 256)), OK);
	}
	assert_int_equal(block_build_add(&b, span_of(zeros, 1)), E_LIMIT);
	assert_int_equal(b.count, LIMIT_BLOCK_CHUNKS);
	assert_int_equal(block_build_encode(&b, &out), OK);
	assert_int_equal(out.len, LIMIT_BLOCK_RAW);
	assert_int_equal(block_decode(&block, buf_span(&out)), OK);
	assert_int_equal(block.count, LIMIT_BLOCK_CHUNKS);
	assert_ptr_equal(block_chunk(&block, 8191).ptr, block.data.ptr + 8191 * 256);

	block_build_clear(&b);
	buf_clear(&out);
	assert_int_equal(block_build_add(&b, span_of(zeros, LIMIT_CHUNK)), OK);
	assert_int_equal(block_build_add(&b, span_of(zeros, 1)), E_LIMIT);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.lengths.len, 3);
	assert_int_equal(block_build_encode(&b, &out), OK);
	assert_int_equal(block_decode(&block, buf_span(&out)), OK);
	block_build_done(&b);
	buf_free(&out);
}

static void encode_gives_the_same_as_the_builder(void **state) {
	struct span chunks[] = { span_text("one"), span_text("two two"), span_text("3") };
	struct block_build b;
	struct buf one, two;
	(void)state;
	block_build_init(&b);
	buf_init(&one, 1000);
	buf_init(&two, 1000);
	for (size_t i = 0; i < 3; i++) assert_int_equal(block_build_add(&b, chunks[i]), OK);
	assert_int_equal(block_build_encode(&b, &one), OK);
	assert_int_equal(block_encode(chunks, 3, &two), OK);
	assert_true(span_equal(buf_span(&one), buf_span(&two)));
	assert_int_equal(one.len, block_raw_len(3, 11));
	block_build_done(&b);
	buf_free(&one);
	buf_free(&two);
}

static void encode_refuses(void **state) {
	struct span chunks[] = { span_text("one"), span_of(zeros, 0), span_of(zeros, LIMIT_CHUNK) };
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_BLOCK_RAW);
	assert_int_equal(block_encode(chunks, 0, &out), E_USAGE);
	assert_int_equal(block_encode(chunks, 2, &out), E_USAGE);
	chunks[1] = chunks[2];
	assert_int_equal(block_encode(chunks, 2, &out), E_LIMIT);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	buf_init(&out, 8);
	assert_int_equal(block_encode(chunks, 1, &out), OK);
	assert_int_equal(block_encode(chunks, 1, &out), E_LIMIT);
	assert_int_equal(out.len, 8);
	buf_free(&out);
}

static void stored_encode_refuses(void **state) {
	struct block_stored s = { .method = BLOCK_PLAIN, .raw_len = 10, .payload = span_of(zeros, 9) };
	struct buf out;
	uint8_t header[4];
	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(block_stored_encode(&s, &out), E_USAGE);
	s.payload.len = 10;
	assert_int_equal(block_stored_encode(&s, &out), OK);
	block_stored_header(header, BLOCK_PLAIN, 10);
	assert_true(span_equal(span_of(header, 4), span_of(out.ptr, 4)));
	s.method = BLOCK_ZSTD;
	assert_int_equal(block_stored_encode(&s, &out), E_USAGE);
	s.method = 2;
	assert_int_equal(block_stored_encode(&s, &out), E_USAGE);
	assert_int_equal(out.len, 14);
	buf_free(&out);
}

static void no_memory_leaves_the_builder_as_it_was(void **state) {
	struct block_build b;
	(void)state;
	for (uint64_t n = 1; n <= 2; n++) {
		block_build_init(&b);
		mem_fail_at(n);
		assert_int_equal(block_build_add(&b, span_text("chunk")), E_NOMEM);
		mem_fail_at(0);
		assert_int_equal(b.count, 0);
		assert_int_equal(b.lengths.len, 0);
		assert_int_equal(block_build_add(&b, span_text("chunk")), OK);
		block_build_done(&b);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builder_is_full_at_its_limits),
		cmocka_unit_test(encode_gives_the_same_as_the_builder),
		cmocka_unit_test(encode_refuses),
		cmocka_unit_test(stored_encode_refuses),
		cmocka_unit_test(no_memory_leaves_the_builder_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
