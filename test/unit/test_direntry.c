/* format/direntry and format/dirreader: what encoders refuse, random entries there and back, directories in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "format/dirreader.h"

static uint64_t seed = 1;

static uint32_t next(uint32_t below) {
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static struct direntry file(const char *name) {
	return (struct direntry){ .type = DIRENTRY_FILE, .name = span_text(name), .mode = 0644 };
}

static enum err encode(const struct direntry *d) {
	struct buf out;
	buf_init(&out, 2 * LIMIT_DIRENTRY);
	assert_int_equal(buf_add(&out, span_text("before")), OK);
	enum err e = direntry_encode(d, &out);
	if (e) assert_true(span_equal(buf_span(&out), span_text("before")));
	buf_free(&out);
	return e;
}

static void names(void **state) {
	static const char *const bad[] = { "", ".", "..", "a/b", "/" };
	struct direntry d = file("x");
	(void)state;
	assert_int_equal(encode(&d), OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		d.name = span_text(bad[i]);
		assert_false(direntry_name_ok(d.name));
		assert_int_equal(encode(&d), E_USAGE);
	}
	assert_false(direntry_name_ok(span_of("a\0b", 3)));
	assert_true(direntry_name_ok(span_text("...")));
	assert_true(direntry_name_ok(span_text(".a")));
}

static void encode_refuses(void **state) {
	struct direntry d = file("x");
	(void)state;
	d.mode = 010000;
	assert_int_equal(encode(&d), E_USAGE);
	d = file("x");
	d.mtime.nanos = 1000000000;
	assert_int_equal(encode(&d), E_USAGE);
	d = file("x");
	d.flags = 16;
	assert_int_equal(encode(&d), E_USAGE);
	d = file("x");
	d.stream.length = LIMIT_CHUNK + 1;
	assert_int_equal(encode(&d), E_USAGE);
	d = file("x");
	d.type = DIRENTRY_SYMLINK;
	assert_int_equal(encode(&d), E_USAGE); /* no target */
}

/* Items without their flag would be lost, and a count that isn't theirs would shift what follows. */
static void items_flags_and_counts_agree(void **state) {
	struct direntry d = file("x");
	struct buf items;
	(void)state;
	buf_init(&items, 1000);
	assert_int_equal(direntry_add_xattr(&items, span_text("user.a"), span_text("1")), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("user.b"), span_text("")), OK);
	d.xattrs.items = buf_span(&items);
	d.xattrs.count = 2;
	assert_int_equal(encode(&d), E_USAGE);
	d.flags = DIRENTRY_HAS_XATTRS;
	assert_int_equal(encode(&d), OK);
	d.xattrs.count = 1;
	assert_int_equal(encode(&d), E_USAGE);
	d.xattrs.count = 3;
	assert_int_equal(encode(&d), E_USAGE);
	d.xattrs.count = 0;
	assert_int_equal(encode(&d), E_USAGE);
	d.flags = DIRENTRY_HAS_HOLES;
	d.xattrs.items.len = 0;
	assert_int_equal(encode(&d), E_USAGE);
	buf_free(&items);
}

static void an_entry_has_a_largest_size(void **state) {
	static uint8_t value[LIMIT_XATTR_VALUE];
	char name[8] = "user.a";
	struct direntry d = file("x");
	struct buf items;
	(void)state;
	buf_init(&items, 2 * LIMIT_DIRENTRY);
	for (d.xattrs.count = 0; items.len <= LIMIT_DIRENTRY; d.xattrs.count++, name[5]++) {
		assert_int_equal(
			direntry_add_xattr(&items, span_text(name), span_of(value, sizeof value)), OK);
	}
	d.flags = DIRENTRY_HAS_XATTRS;
	d.xattrs.items = buf_span(&items);
	assert_int_equal(encode(&d), E_LIMIT);
	assert_int_equal(
		direntry_add_xattr(&items, span_text("z"), span_of(value, sizeof value + 1)), E_LIMIT);
	buf_free(&items);
}

static void holes_are_apart_and_inside(void **state) {
	struct buf items;
	uint64_t end = 0;
	(void)state;
	buf_init(&items, 1000);
	assert_int_equal(direntry_add_hole(&items, &end, 0, 0), E_USAGE);
	assert_int_equal(direntry_add_hole(&items, &end, 0, 10), OK);
	assert_int_equal(direntry_add_hole(&items, &end, 10, 1), E_USAGE);
	assert_int_equal(direntry_add_hole(&items, &end, 9, 1), E_USAGE);
	assert_int_equal(direntry_add_hole(&items, &end, 11, INT64_MAX - 10), E_USAGE);
	assert_int_equal(direntry_add_hole(&items, &end, 11, 5), OK);
	assert_int_equal(end, 16);
	struct direntry d = file("x");
	d.flags = DIRENTRY_HAS_HOLES;
	d.holes = (struct direntry_items){ .count = 2, .items = buf_span(&items) };
	assert_int_equal(
		encode(&d), E_USAGE); /* one byte of data lies between them, and there is none */
	d.stream.length = 1;
	assert_int_equal(encode(&d), OK);
	buf_free(&items);
}

/* A directory of random entries; ${n} of them, names ascending. */
static void random_directory(struct buf *out, unsigned n) {
	for (unsigned i = 0; i < n; i++) {
		struct direntry d = { .type = (uint8_t)(1 + next(8)), .mode = (uint16_t)next(010000) };
		uint8_t bytes[64];
		struct buf items;
		uint64_t end = 0;
		for (size_t j = 0; j < sizeof bytes; j++) bytes[j] = (uint8_t)(1 + next(46));
		bytes[0] = (uint8_t)('a' + i / 100);
		bytes[1] = (uint8_t)('a' + i % 100);
		d.name = span_of(bytes, 2 + next(60));
		d.uid = next(UINT32_MAX);
		d.mtime = (struct moment){ .seconds = (int64_t)next(UINT32_MAX) - 1000000,
			.nanos = next(1000000000) };
		buf_init(&items, 10000);
		if (d.type == DIRENTRY_FILE && next(2)) {
			d.stream.length = 1 + next(LIMIT_CHUNK);
			d.flags = DIRENTRY_HAS_HOLES;
			for (uint64_t left = d.stream.length; left > 2 && d.holes.count < 50; d.holes.count++) {
				uint64_t distance = 1 + next((uint32_t)left - 1);
				assert_int_equal(
					direntry_add_hole(&items, &end, end + distance, 1 + next(100000)), OK);
				left -= distance;
			}
			if (d.holes.count == 0) d.flags = 0;
			d.holes.items = buf_span(&items);
		}
		if (d.type == DIRENTRY_SYMLINK) d.target = span_text("somewhere/else");
		if (d.type == 8) d.rest = span_of(bytes, next(sizeof bytes));
		if (d.type == DIRENTRY_BLOCK) d.major = next(UINT32_MAX);
		assert_int_equal(direntry_encode(&d, out), OK);
		buf_free(&items);
	}
}

static void random_entries_come_back(void **state) {
	struct buf dir, again;
	(void)state;
	buf_init(&dir, 1 << 24);
	buf_init(&again, 1 << 24);
	random_directory(&dir, 2000);
	struct dirreader reader = dirreader_over(buf_span(&dir));
	struct direntry d;
	unsigned n = 0;
	for (bool more = true;; n++) {
		assert_int_equal(dirreader_next(&reader, &d, &more), OK);
		if (!more) break;
		assert_int_equal(direntry_encode(&d, &again), OK);
	}
	assert_int_equal(n, 2000);
	assert_true(span_equal(buf_span(&dir), buf_span(&again)));
	buf_free(&dir);
	buf_free(&again);
}

/* Pieces of random lengths, each in a block of exactly its size, gone as soon as the feed has asked for more. */
static void pieces_of_any_size(void **state) {
	struct buf dir;
	struct dirreader_feed feed;
	(void)state;
	buf_init(&dir, 1 << 22);
	random_directory(&dir, 300);
	for (unsigned round = 0; round < 20; round++) {
		struct dirreader whole = dirreader_over(buf_span(&dir));
		struct direntry a, b;
		bool have, more = true;
		unsigned n = 0;
		dirreader_feed_init(&feed);
		for (size_t at = 0, len; at < dir.len; at += len) {
			len = 1 + next(round < 10 ? 30 : 3000);
			if (len > dir.len - at) len = dir.len - at;
			uint8_t *piece = malloc(len);
			assert_non_null(piece);
			memcpy(piece, dir.ptr + at, len);
			dirreader_feed_push(&feed, span_of(piece, len));
			for (have = true; have;) {
				assert_int_equal(dirreader_feed_next(&feed, &a, &have), OK);
				if (!have) break;
				assert_int_equal(dirreader_next(&whole, &b, &more), OK);
				assert_true(span_equal(a.name, b.name));
				assert_int_equal(direntry_size(&a), direntry_size(&b));
				assert_true(span_equal(a.rest, b.rest));
				n++;
			}
			free(piece);
		}
		assert_int_equal(dirreader_feed_end(&feed), OK);
		assert_int_equal(n, 300);
		dirreader_feed_done(&feed);
	}
	buf_free(&dir);
}

static void an_incomplete_entry_is_an_error_at_the_end(void **state) {
	struct buf dir;
	struct dirreader_feed feed;
	struct direntry d = file("x");
	bool have;
	(void)state;
	buf_init(&dir, 1000);
	assert_int_equal(direntry_encode(&d, &dir), OK);
	dirreader_feed_init(&feed);
	assert_int_equal(dirreader_feed_end(&feed), OK);
	dirreader_feed_push(&feed, span_of(dir.ptr, dir.len - 1));
	mem_fail_at(1);
	assert_int_equal(dirreader_feed_next(&feed, &d, &have), E_NOMEM);
	mem_fail_at(0);
	assert_int_equal(dirreader_feed_next(&feed, &d, &have), OK);
	assert_false(have);
	assert_int_equal(dirreader_feed_end(&feed), E_FORMAT);
	dirreader_feed_push(&feed, span_of(dir.ptr + dir.len - 1, 1));
	assert_int_equal(dirreader_feed_next(&feed, &d, &have), OK);
	assert_true(have);
	assert_int_equal(dirreader_feed_end(&feed), OK);
	dirreader_feed_done(&feed);
	buf_free(&dir);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(encode_refuses),
		cmocka_unit_test(items_flags_and_counts_agree),
		cmocka_unit_test(an_entry_has_a_largest_size),
		cmocka_unit_test(holes_are_apart_and_inside),
		cmocka_unit_test(random_entries_come_back),
		cmocka_unit_test(pieces_of_any_size),
		cmocka_unit_test(an_incomplete_entry_is_an_error_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
