/* core/squeeze: stored blocks (doc/spec/formats.md section 2). What is no stored block gives nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/little.h"
#include "base/mem.h"
#include "core/squeeze.h"
#include "format/limits.h"
#include "guarded.h"

enum { SIZE = 300000 };

static struct squeeze *s;
static struct guarded memory;
static uint8_t space[SIZE_BLOCK_STORED_HEADER + SIZE];
static uint8_t *const raw = space + SIZE_BLOCK_STORED_HEADER;

static int start(void **state) {
	(void)state;
	guarded_init(&memory, LIMIT_BLOCK_STORED + 16);
	return squeeze_new(&s, SQUEEZE_AUTO) != OK;
}

static int done(void **state) {
	(void)state;
	guarded_done(&memory);
	squeeze_free(s);
	return 0;
}

static void fill_random(uint8_t *p, size_t n) {
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)x;
	}
}

static void fill_text(uint8_t *p, size_t n) {
	fill_random(p, n);
	for (size_t i = 0; i < n; i++) p[i] = (uint8_t)("abcdefgh"[p[i] % 8]);
}

static enum err unpack(struct span stored, struct buf *out) {
	return squeeze_unpack(s, guarded_copy(&memory, stored, stored.len), out);
}

static void there_and_back(void **state) {
	(void)state;
	static const size_t sizes[] = { 6, 7, 100, 1000, 65535, 65536, 65537, SIZE };
	for (int mode = SQUEEZE_OFF; mode <= SQUEEZE_MAX; mode++) {
		struct squeeze *packer;
		assert_int_equal(squeeze_new(&packer, (enum squeeze_mode)mode), OK);
		for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
			size_t n = sizes[i / 2];
			struct buf mem, out;
			struct span stored;
			buf_init(&mem, LIMIT_BLOCK_STORED);
			buf_init(&out, LIMIT_BLOCK_RAW);
			if (i % 2) fill_text(raw, n);
			else fill_random(raw, n);
			assert_int_equal(squeeze_pack(packer, raw, n, 1, &mem, &stored), OK);
			assert_true(stored.len <= n + SIZE_BLOCK_STORED_HEADER);
			bool text = mode != SQUEEZE_OFF && i % 2;
			if (!text || n >= 1000) assert_int_equal(stored.ptr[0], text);
			assert_int_equal(little_get24(stored.ptr + 1), n);
			assert_int_equal(unpack(stored, &out), OK);
			assert_int_equal(out.len, n);
			assert_memory_equal(out.ptr, raw, n);
			buf_free(&mem);
			buf_free(&out);
		}
		squeeze_free(packer);
	}
}

static void sizes_out_of_bounds(void **state) {
	(void)state;
	struct buf mem;
	struct span stored;
	buf_init(&mem, LIMIT_BLOCK_STORED);
	assert_int_equal(squeeze_pack(s, raw, 0, 1, &mem, &stored), E_LIMIT);
	assert_int_equal(squeeze_pack(s, raw, 700, 0, &mem, &stored), E_LIMIT);
	assert_int_equal(squeeze_pack(s, raw, LIMIT_BLOCK_RAW + 1, 1, &mem, &stored), E_LIMIT);
	buf_free(&mem);
}

static void refuse(const uint8_t *bytes, size_t n) {
	struct buf out;
	buf_init(&out, LIMIT_BLOCK_RAW);
	assert_int_equal(buf_add_zero(&out, 3), OK);
	assert_int_equal(unpack(span_of(bytes, n), &out), E_FORMAT);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void no_stored_blocks(void **state) {
	(void)state;
	uint8_t b[64] = { 0, 60, 0, 0 };
	for (size_t n = 0; n < 64; n++) refuse(b, n); /* cut short */
	b[1] = 61;
	refuse(b, 64);
	b[1] = 60;
	for (int method = 1; method < 256; method++) {
		b[0] = (uint8_t)method;
		refuse(b, 64);
	}
	b[0] = 0;
	for (uint8_t n = 0; n < 6; n++) { /* a raw block has 6 bytes at least */
		b[1] = n;
		refuse(b, SIZE_BLOCK_STORED_HEADER + n);
	}
	little_put24(b + 1, LIMIT_BLOCK_RAW + 1);
	refuse(b, 64);
}

/* A frame of one block that repeats a byte ${n} times, written by hand: RFC 8878, section 3.1.1. */
static size_t frame(uint8_t *at, uint8_t descriptor, int window, uint32_t says, uint32_t n) {
	size_t k = 4;
	little_put32(at, 0xfd2fb528);
	at[k++] = descriptor;
	if (window >= 0) at[k++] = (uint8_t)window;
	little_put32(at + k, says);
	k += 4;
	little_put24(at + k, 1 | 1 << 1 | n << 3);
	at[k + 3] = 'x';
	return k + 4;
}

enum { WITH_SIZE = 0x80, SINGLE = 0xa0, CHECKSUM = 0x84 };

static size_t stored_frame(
	uint8_t *at, uint32_t len, uint8_t descriptor, int window, uint32_t says, uint32_t n) {
	at[0] = 1;
	little_put24(at + 1, len);
	return 4 + frame(at + 4, descriptor, window, says, n);
}

static void frames(void **state) {
	(void)state;
	uint8_t b[128];
	struct buf out;
	size_t n;
	buf_init(&out, LIMIT_BLOCK_RAW);
	n = stored_frame(b, 1000, SINGLE, -1, 1000, 1000);
	assert_int_equal(unpack(span_of(b, n), &out), OK);
	assert_int_equal(out.len, 1000);
	assert_int_equal(out.ptr[999], 'x');
	n = stored_frame(b, 1000, WITH_SIZE, (22 - 10) << 3, 1000, 1000);
	assert_int_equal(unpack(span_of(b, n), &out), OK);
	/* a window over 4 MiB: not even if the content needs none */
	n = stored_frame(b, 1000, WITH_SIZE, (22 - 10) << 3 | 1, 1000, 1000);
	refuse(b, n);
	n = stored_frame(b, 1000, WITH_SIZE, (31 - 10) << 3, 1000, 1000);
	refuse(b, n);
	/* other lengths than it says */
	n = stored_frame(b, 1000, SINGLE, -1, 999, 1000);
	refuse(b, n);
	n = stored_frame(b, 1000, SINGLE, -1, 1000, 999);
	refuse(b, n);
	n = stored_frame(b, 1000, SINGLE, -1, 1000, 1001);
	refuse(b, n);
	n = stored_frame(b, 999, SINGLE, -1, 1000, 1000);
	refuse(b, n);
	n = stored_frame(b, 1001, SINGLE, -1, 1000, 1000);
	refuse(b, n);
	/* a byte more, a byte less, a second frame */
	n = stored_frame(b, 1000, SINGLE, -1, 1000, 1000);
	b[n] = 0;
	refuse(b, n + 1);
	refuse(b, n - 1);
	memcpy(b + n, b + 4, n - 4);
	refuse(b, 2 * n - 4);
	/* not shorter than what it stands for */
	n = stored_frame(b, 10, SINGLE, -1, 10, 10);
	refuse(b, n);
	n = stored_frame(b, 13, SINGLE, -1, 13, 13);
	refuse(b, n);
	n = stored_frame(b, 14, SINGLE, -1, 14, 14);
	assert_int_equal(n, 4 + 13);
	assert_int_equal(unpack(span_of(b, n), &out), OK);
	/* without its size; with a dictionary; a frame to be skipped; a wrong checksum */
	n = stored_frame(b, 1000, 0x00, 0, 1000, 1000);
	refuse(b, n);
	n = stored_frame(b, 1000, SINGLE | 1, -1, 1000, 1000);
	refuse(b, n);
	n = stored_frame(b, 1000, SINGLE, -1, 1000, 1000);
	b[4] = 0x50;
	b[5] = 0x2a;
	b[6] = 0x4d;
	b[7] = 0x18;
	refuse(b, n);
	n = stored_frame(b, 1000, CHECKSUM | 0x20, -1, 1000, 1000);
	little_put32(b + n, 12345);
	refuse(b, n + 4);
	buf_free(&out);
}

/* Any bit of a stored block the other way, any length: bytes of the length it says, or nothing. */
static void damage(void **state) {
	(void)state;
	struct buf mem, out;
	struct span stored;
	buf_init(&mem, LIMIT_BLOCK_STORED);
	buf_init(&out, LIMIT_BLOCK_RAW);
	fill_text(raw, 700);
	assert_int_equal(squeeze_pack(s, raw, 700, 1, &mem, &stored), OK);
	assert_int_equal(stored.ptr[0], 1);
	for (size_t bit = 0; bit < stored.len * 8; bit++) {
		mem.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
		enum err e = unpack(stored, &out);
		assert_true(e == OK || e == E_FORMAT);
		assert_int_equal(out.len, e ? 0 : 700);
		mem.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < stored.len; n++) refuse(stored.ptr, n);
	buf_free(&mem);
	buf_free(&out);
}

static void memory_runs_out(void **state) {
	(void)state;
	for (uint64_t nth = 1;; nth++) {
		struct squeeze *one = NULL;
		struct buf mem, out;
		struct span stored = { 0 };
		buf_init(&mem, LIMIT_BLOCK_STORED);
		buf_init(&out, LIMIT_BLOCK_RAW);
		fill_text(raw, 100000);
		mem_fail_at(nth);
		enum err e = squeeze_new(&one, SQUEEZE_AUTO);
		if (!e) e = squeeze_pack(one, raw, 100000, 1, &mem, &stored);
		if (!e) e = squeeze_unpack(one, stored, &out);
		mem_fail_at(0);
		if (!e) assert_memory_equal(out.ptr, raw, 100000);
		else assert_int_equal(e, E_NOMEM);
		bool whole = !e && stored.ptr[0] == 1;
		squeeze_free(one);
		buf_free(&mem);
		buf_free(&out);
		if (whole) break;
		assert_true(nth < 50);
	}
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, done)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(there_and_back),
		EACH(sizes_out_of_bounds),
		EACH(no_stored_blocks),
		EACH(frames),
		EACH(damage),
		EACH(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
