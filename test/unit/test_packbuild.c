/* core/packbuild and core/indexplan: what they make is what the decoders take, whole and in its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/little.h"
#include "base/mem.h"
#include "core/indexplan.h"
#include "core/packbuild.h"
#include "crypto/crypto.h"
#include "fixedrandom.h"
#include "format/block.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "format/packhead.h"
#include "guarded.h"
#include "secret/packkeys.h"
#include "secret/xwing.h"

enum { SMALL = 65536 };

static struct fresh fresh;
static struct hash vault = { { 3 } };
static struct kem_seed seed = { { 4 } };
static uint8_t key[KEM_PUBLIC];
static struct guarded memory;
static uint8_t bytes[LIMIT_RECORD];

static int start(void **state) {
	(void)state;
	if (crypto_start()) return 1;
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	xwing_public(key, &seed);
	guarded_init(&memory, LIMIT_PACK);
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

static int done(void **state) {
	(void)state;
	guarded_done(&memory);
	return 0;
}

static struct packbuild *pack_of(uint32_t limit, bool continues) {
	struct packbuild *b;
	struct packbuild_params p = {
		.vault = &vault,
		.epoch = 7,
		.epoch_public = key,
		.head = { .start_sequence = 5, .continues = continues },
		.fresh = &fresh,
		.memory = memory.ptr + memory.len - limit, /* the guard is right behind the pack */
		.limit = limit,
	};
	assert_int_equal(packbuild_new(&b, &p), OK);
	assert_true(packbuild_is_empty(b));
	assert_ptr_equal(packbuild_memory(b), p.memory);
	return b;
}

static enum err add(struct packbuild *b, uint8_t type, bool cut, size_t len, size_t ids) {
	static struct hash list[LIMIT_BLOCK_CHUNKS];
	uint32_t offset, length;
	struct packbuild_record r = {
		.type = type, .cut = cut, .ids = list, .count = ids, .bytes = span_of(bytes, len)
	};
	return packbuild_add(b, &r, &offset, &length);
}

/* Opens the pack as a reader does and checks that its records are the first bytes of ${bytes}. */
static void check_pack(struct span pack, uint32_t count, bool continues) {
	struct packhead head;
	struct pack_keys keys;
	struct packhead_trailer t;
	struct packtable table;
	struct packtable_block block;
	uint8_t trailer[SIZE_PACK_TRAILER];
	assert_int_equal(packhead_decode(&head, span_of(pack.ptr, SIZE_PACK_HEADER)), OK);
	assert_int_equal(head.epoch, 7);
	assert_int_equal(
		packkeys_receiver(&keys, &seed, &vault, 7, head.enc.ptr, &head.commitment), OK);
	size_t at = pack.len - SIZE_PACK_TRAILER_SEALED;
	assert_int_equal(packkeys_open(trailer, &keys, PACK_TRAILER, at,
						 span_of(pack.ptr + at, SIZE_PACK_TRAILER_SEALED)),
		OK);
	assert_int_equal(packhead_trailer_decode(&t, span_of(trailer, sizeof trailer), pack.len), OK);
	uint8_t *plain = malloc(LIMIT_PACK);
	assert_non_null(plain);
	assert_int_equal(packkeys_open(plain, &keys, PACK_TABLE, t.table_offset,
						 span_of(pack.ptr + t.table_offset, t.table_length)),
		OK);
	assert_int_equal(
		packtable_decode(&table, span_of(plain, t.table_length - SIZE_TAG), t.table_offset), OK);
	assert_int_equal(table.count, count);
	assert_int_equal(table.continues, continues);
	if (continues) assert_int_equal(table.previous.b[0], 0x44);
	uint8_t *record = malloc(LIMIT_RECORD);
	assert_non_null(record);
	for (struct span rest = table.blocks; packtable_next(&rest, &block);) {
		assert_int_equal(packkeys_open(record, &keys, PACK_RECORD, block.offset,
							 span_of(pack.ptr + block.offset, block.length)),
			OK);
		assert_memory_equal(record, bytes, block.length - SIZE_TAG);
	}
	free(record);
	free(plain);
}

static void packs(void **state) {
	(void)state;
	static const struct hash previous = { { 0x44 } };
	for (int i = 0; i < 4; i++) {
		struct packbuild *b = pack_of(i < 2 ? SMALL : LIMIT_PACK, i % 2);
		struct span pack;
		uint32_t count = 0;
		if (i % 2) {
			assert_int_equal(add(b, 0, false, 100, 0), OK);
			count++;
		}
		for (; count < 20; count++) assert_int_equal(add(b, CHUNKTYPE_CONTENT, false, 1000, 3), OK);
		assert_false(packbuild_is_empty(b));
		assert_int_equal(packbuild_finish(b, &previous, i >= 2, &pack), OK);
		assert_int_equal(pack.len, i >= 2 ? LIMIT_PACK : SMALL);
		check_pack(pack, count, i % 2);
		packbuild_free(b);
	}
	packbuild_free(NULL);
}

/* To the last byte: what room says fits, and no more. */
static void full_packs(void **state) {
	(void)state;
	struct packbuild *b = pack_of(SMALL, false);
	struct span pack;
	size_t room = packbuild_room(b, 3);
	assert_true(room > SMALL - 3000 && room < SMALL);
	assert_int_equal(packbuild_room(b, 0) - room, 3 * SIZE_HASH);
	assert_int_equal(add(b, CHUNKTYPE_CONTENT, true, room, 3), OK);
	assert_int_equal(packbuild_need(b), SMALL);
	assert_int_equal(packbuild_room(b, 0), 0); /* nothing follows a cut block */
	assert_int_equal(packbuild_finish(b, NULL, true, &pack), OK);
	check_pack(pack, 1, false);
	packbuild_free(b);
	b = pack_of(SMALL, false);
	while ((room = packbuild_room(b, 1)) > 0)
		assert_int_equal(add(b, CHUNKTYPE_CONTENT, false, room > 777 ? 777 : room, 1), OK);
	assert_true(packbuild_need(b) <= SMALL);
	assert_int_equal(packbuild_finish(b, NULL, true, &pack), OK);
	packbuild_free(b);
	/* by the number of blocks */
	b = pack_of(LIMIT_PACK, false);
	uint32_t count = 0;
	while (packbuild_room(b, 1) > 0) {
		assert_int_equal(add(b, CHUNKTYPE_CONTENT, false, 1, 1), OK);
		count++;
	}
	assert_int_equal(count, LIMIT_PACK_BLOCKS);
	assert_int_equal(packbuild_finish(b, NULL, false, &pack), OK);
	check_pack(pack, count, false);
	packbuild_free(b);
	/* by the size of the table */
	b = pack_of(LIMIT_PACK, false);
	for (count = 0; packbuild_room(b, LIMIT_BLOCK_CHUNKS) > 0; count++)
		assert_int_equal(add(b, CHUNKTYPE_CONTENT, false, 50, LIMIT_BLOCK_CHUNKS), OK);
	assert_int_equal(count, 31);
	assert_int_equal(packbuild_finish(b, NULL, false, &pack), OK);
	check_pack(pack, count, false);
	packbuild_free(b);
}

static void packs_that_are_none(void **state) {
	(void)state;
	struct span pack;
	struct packbuild *b = pack_of(SMALL, false);
	assert_int_equal(packbuild_finish(b, NULL, true, &pack), E_USAGE); /* empty */
	assert_int_equal(add(b, 0, false, 10, 0), E_USAGE); /* a rest where there is none */
	assert_int_equal(add(b, CHUNKTYPE_CONTENT, false, 10, 0), E_USAGE);
	assert_int_equal(add(b, CHUNKTYPE_INDEX, false, 10, 1), E_USAGE);
	assert_int_equal(add(b, CHUNKTYPE_INDEX, true, 10, 0), E_USAGE);
	packbuild_free(b);
	b = pack_of(SMALL, true);
	assert_int_equal(add(b, CHUNKTYPE_CONTENT, false, 10, 1), E_USAGE);
	packbuild_free(b);
	uint8_t none[KEM_PUBLIC];
	memset(none, 0xff, sizeof none);
	struct packbuild_params p = { .vault = &vault,
		.epoch = 1,
		.epoch_public = none,
		.fresh = &fresh,
		.memory = memory.ptr,
		.limit = SMALL };
	assert_int_equal(packbuild_new(&b, &p), E_FORMAT);
}

static void pack_without_memory(void **state) {
	(void)state;
	struct packbuild_params p = { .vault = &vault,
		.epoch = 7,
		.epoch_public = key,
		.fresh = &fresh,
		.memory = memory.ptr,
		.limit = SMALL };
	for (uint64_t nth = 1;; nth++) {
		struct packbuild *b = NULL;
		struct span pack;
		mem_fail_at(nth);
		enum err e = packbuild_new(&b, &p);
		bool made = !e;
		for (int i = 0; i < 30 && !e; i++) e = add(b, CHUNKTYPE_CONTENT, false, 900, 20);
		if (!e) e = packbuild_finish(b, NULL, true, &pack);
		mem_fail_at(0);
		if (!e) check_pack(pack, 30, false);
		if (made) packbuild_free(b);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_true(nth < 50);
	}
}

/* --- indexes */

static struct indexleaf_row row_of(uint32_t n, uint32_t pack) {
	struct indexleaf_row r = {
		.pack = pack, .offset = 1160, .length = 100, .slot = (uint16_t)(n % 8192)
	};
	uint8_t b[4];
	little_put32(b, n);
	hash_of(&r.id, span_of(b, sizeof b));
	return r;
}

static void make_rows(struct indexplan *p, uint32_t rows) {
	for (uint32_t i = rows; i > 0; i--) {
		struct indexleaf_row r = row_of(i, i % 3 == 2 ? INDEXLEAF_SAME_PACK : i % 3);
		assert_int_equal(indexplan_row(p, &r), OK);
		if (i % 5 == 0) assert_int_equal(indexplan_row(p, &r), OK); /* twice */
	}
}

static void put_leaves(struct indexplan *p, uint32_t rows, size_t *used) {
	uint32_t seen = 0;
	struct indexleaf_row last = { 0 };
	for (uint32_t i = 0; i < indexplan_leaves(p); i++) {
		struct buf stored;
		struct block_stored s;
		struct block block;
		struct indexleaf leaf;
		buf_init(&stored, LIMIT_BLOCK_STORED);
		assert_int_equal(indexplan_leaf(p, i, &stored), OK);
		assert_int_equal(block_stored_decode(&s, buf_span(&stored)), OK);
		assert_int_equal(block_decode(&block, s.payload), OK);
		assert_int_equal(block.count, 1);
		assert_int_equal(indexleaf_decode(&leaf, block_chunk(&block, 0)), OK);
		for (uint32_t k = 0; k < leaf.count; k++) {
			struct indexleaf_row r = indexleaf_at(&leaf, k);
			if (seen++) assert_true(indexleaf_order(&last, &r) < 0);
			last = r;
		}
		uint32_t length = (uint32_t)stored.len + SIZE_TAG;
		assert_int_equal(indexplan_leaf_at(p, i, INDEXLEAF_SAME_PACK, 1160, length), OK);
		*used += length + packtable_block_len(0);
		buf_free(&stored);
	}
	assert_int_equal(seen, rows);
}

static void indexes(void **state) {
	(void)state;
	static const uint32_t sizes[] = { 1, 2, 1489, 1490, 5000, 70000 };
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		struct indexplan *p;
		struct indexhead head;
		struct buf string;
		uint32_t number;
		size_t used = 0;
		buf_init(&string, (size_t)1 << 30);
		assert_int_equal(indexplan_new(&p), OK);
		for (uint8_t i = 0; i < 3; i++) {
			struct hash name = { { (uint8_t)(i + 1) } };
			assert_int_equal(indexplan_pack(p, &name, LIMIT_PACK, &number), OK);
			assert_int_equal(number, i);
		}
		make_rows(p, sizes[k]);
		for (uint32_t i = 3; i-- > 0;) {
			struct indexhead_cut cut = {
				.pack = i, .offset = 2000, .next_pack = (i + 1) % 3, .rest_length = 50
			};
			assert_int_equal(indexplan_cut(p, &cut), OK);
			assert_int_equal(indexplan_cut(p, &cut), OK);
		}
		indexplan_sort(p);
		assert_int_equal(indexplan_rows(p), sizes[k]);
		assert_int_equal(indexplan_leaves(p), (sizes[k] + LIMIT_LEAF_ROWS - 1) / LIMIT_LEAF_ROWS);
		for (uint32_t i = 1; i <= sizes[k]; i += 1 + i / 7) {
			struct hash id = row_of(i, 0).id;
			size_t at = indexplan_find(p, &id);
			assert_true(at < sizes[k]);
			assert_memory_equal(indexplan_row_at(p, at)->id.b, id.b, HASH_SIZE);
		}
		struct hash none = row_of(0, 0).id;
		assert_int_equal(indexplan_find(p, &none), sizes[k]);
		struct indexhead_cut cut;
		assert_true(indexplan_find_cut(p, 2, 2000, &cut));
		assert_int_equal(cut.next_pack, 0);
		assert_false(indexplan_find_cut(p, 2, 2001, &cut));
		put_leaves(p, sizes[k], &used);
		assert_int_equal(indexplan_head(p, &string), OK);
		assert_int_equal(indexhead_decode(&head, buf_span(&string)), OK);
		assert_int_equal(indexhead_cut_count(&head), 3);
		assert_int_equal(indexhead_pack_count(&head), 3);
		assert_int_equal(head.entries, sizes[k]);
		/* the head in parts, each a record with a row in the table */
		uint32_t parts;
		size_t first;
		assert_int_equal(indexhead_plan(string.len, &parts, &first), OK);
		used += string.len + 2 + parts * SIZE_LOCATION +
			(parts + 1) *
				(SIZE_TAG + packtable_block_len(0) + SIZE_BLOCK_STORED_HEADER +
					block_raw_len(1, 0));
		assert_true(indexplan_need(p) >= used);
		indexplan_free(p);
		buf_free(&string);
	}
	indexplan_free(NULL);
}

static void index_without_memory(void **state) {
	(void)state;
	for (uint64_t nth = 1;; nth++) {
		struct indexplan *p = NULL;
		struct buf out;
		uint32_t number;
		struct hash name = { { 1 } };
		buf_init(&out, (size_t)1 << 30);
		mem_fail_at(nth);
		enum err e = indexplan_new(&p);
		if (!e) e = indexplan_pack(p, &name, LIMIT_PACK, &number);
		for (uint32_t i = 0; i < 70000 && !e; i++) {
			struct indexleaf_row r = row_of(i, 0);
			e = indexplan_row(p, &r);
		}
		if (!e) {
			indexplan_sort(p); /* with less memory it is only slower */
			assert_int_equal(indexplan_rows(p), 70000);
			for (size_t i = 1; i < 70000; i++)
				if (indexleaf_order(indexplan_row_at(p, i - 1), indexplan_row_at(p, i)) >= 0)
					fail();
		}
		for (uint32_t i = 0; !e && i < indexplan_leaves(p); i++) {
			e = indexplan_leaf(p, i, &out);
			if (!e) e = indexplan_leaf_at(p, i, 0, 1160, 1000);
			buf_free(&out);
		}
		if (!e) e = indexplan_head(p, &out);
		mem_fail_at(0);
		indexplan_free(p);
		buf_free(&out);
		if (!e && nth > 40) break;
		assert_true(!e || e == E_NOMEM);
		assert_true(nth < 2000);
		if (nth > 25) nth += 12;
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs),
		cmocka_unit_test(full_packs),
		cmocka_unit_test(packs_that_are_none),
		cmocka_unit_test(pack_without_memory),
		cmocka_unit_test(indexes),
		cmocka_unit_test(index_without_memory),
	};
	return cmocka_run_group_tests(tests, start, done);
}
