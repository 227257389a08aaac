/* core/chunkset and core/blockfill: what a run gathers before it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/little.h"
#include "base/mem.h"
#include "core/blockfill.h"
#include "core/chunkset.h"
#include "format/block.h"
#include "format/limits.h"
#include "guarded.h"

enum { CHUNKS = 20000 };

static struct hash id_of(uint32_t n) {
	struct hash h;
	uint8_t b[4];
	little_put32(b, n);
	hash_of(&h, span_of(b, sizeof b));
	return h;
}

/* As an attacker who knew the key would choose them: all in one slot. */
static struct hash bad_id_of(uint32_t n) {
	struct hash h = { { 1 } };
	little_put32(h.b + 28, n);
	return h;
}

static void each_id_once(void **state) {
	(void)state;
	struct chunkset *s;
	assert_int_equal(chunkset_new(&s), OK);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < CHUNKS; i++) {
			struct hash id = id_of(i);
			uint32_t number;
			bool fresh;
			assert_int_equal(chunkset_claim(s, &id, &number, &fresh), OK);
			assert_int_equal(number, i);
			assert_int_equal(fresh, round == 0);
		}
	}
	assert_int_equal(chunkset_count(s), CHUNKS);
	chunkset_at(s, 77)->pack = 5;
	struct hash id = id_of(77), none = id_of(CHUNKS);
	assert_int_equal(chunkset_find(s, &id)->pack, 5);
	assert_null(chunkset_find(s, &none));
	id = id_of(78);
	assert_int_equal(chunkset_find(s, &id)->pack, (uint32_t)CHUNKSET_UNPLACED);
	uint32_t number;
	bool fresh;
	chunkset_lose(s, 77);
	id = id_of(77);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(chunkset_claim(s, &id, &number, &fresh), OK);
		assert_int_equal(number, 77);
		assert_int_equal(fresh, i == 0);
	}
	chunkset_free(s);
	chunkset_free(NULL);
}

static void ids_that_collide(void **state) {
	(void)state;
	struct chunkset *s;
	uint32_t number;
	bool fresh;
	assert_int_equal(chunkset_new(&s), OK);
	for (uint32_t i = 0; i < 1500; i++) {
		struct hash id = bad_id_of(i);
		assert_int_equal(chunkset_claim(s, &id, &number, &fresh), OK);
		assert_true(fresh);
	}
	for (uint32_t i = 0; i < 1500; i++) {
		struct hash id = bad_id_of(i);
		assert_memory_equal(chunkset_find(s, &id)->id.b, id.b, HASH_SIZE);
	}
	chunkset_free(s);
}

/* A claim that fails has claimed nothing. */
static void chunkset_without_memory(void **state) {
	(void)state;
	struct chunkset *s = NULL;
	for (uint64_t nth = 1; nth < 3; nth++) {
		mem_fail_at(nth);
		assert_int_equal(chunkset_new(&s), E_NOMEM);
		mem_fail_at(0);
	}
	assert_int_equal(chunkset_new(&s), OK);
	for (uint32_t i = 0; i < CHUNKS; i++) {
		struct hash id = id_of(i);
		uint32_t number;
		bool fresh;
		mem_fail_at(1);
		enum err e = chunkset_claim(s, &id, &number, &fresh);
		mem_fail_at(0);
		if (e) {
			assert_int_equal(e, E_NOMEM);
			assert_int_equal(chunkset_count(s), i);
			assert_null(chunkset_find(s, &id));
			assert_int_equal(chunkset_claim(s, &id, &number, &fresh), OK);
		}
		assert_true(fresh);
		assert_int_equal(number, i);
	}
	chunkset_free(s);
}

static void add(struct blockfill *b, struct guarded *g, uint32_t n, size_t len) {
	struct hash id = id_of(n);
	memset(g->ptr, (int)n, g->len);
	assert_true(blockfill_fits(b, len));
	assert_int_equal(blockfill_add(b, &id, n, span_of(g->ptr + g->len - len, len)), OK);
}

static void check_raw(struct blockfill *b, size_t count, size_t each) {
	struct block block;
	size_t len;
	uint8_t *raw = blockfill_raw(b, &len);
	memset(raw - SIZE_BLOCK_STORED_HEADER, 0xee, SIZE_BLOCK_STORED_HEADER);
	assert_int_equal(len, block_raw_len(count, count * each));
	assert_int_equal(block_decode(&block, span_of(raw, len)), OK);
	assert_int_equal(block.count, count);
	assert_int_equal(blockfill_count(b), count);
	struct block_cursor c = { .block = &block };
	struct span chunk;
	for (uint32_t i = 0; block_next(&c, &chunk); i++) {
		struct hash id = id_of(i);
		assert_int_equal(chunk.len, each);
		assert_int_equal(chunk.ptr[0], (uint8_t)i);
		assert_int_equal(chunk.ptr[each - 1], (uint8_t)i);
		assert_memory_equal(blockfill_ids(b)[i].b, id.b, HASH_SIZE);
		assert_int_equal(blockfill_numbers(b)[i], i);
	}
}

static void blocks(void **state) {
	(void)state;
	struct blockfill *b;
	struct guarded g;
	static const size_t sizes[] = { 1, 100, 128, 129, 65536, LIMIT_BLOCK_FILL, LIMIT_CHUNK };
	guarded_init(&g, LIMIT_CHUNK);
	assert_int_equal(blockfill_new(&b, 2, LIMIT_BLOCK_FILL), OK);
	assert_int_equal(blockfill_type(b), 2);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint32_t n = 0;
		blockfill_clear(b);
		assert_int_equal(blockfill_count(b), 0);
		assert_int_equal(blockfill_bytes(b), 0);
		while (blockfill_fits(b, sizes[i]) && (n == 0 || sizes[i] <= LIMIT_BLOCK_FILL))
			add(b, &g, n++, sizes[i]);
		size_t most = LIMIT_BLOCK_FILL / sizes[i];
		if (most > LIMIT_BLOCK_CHUNKS) most = LIMIT_BLOCK_CHUNKS;
		assert_int_equal(n, most ? most : 1);
		check_raw(b, n, sizes[i]);
	}
	blockfill_free(b);
	blockfill_free(NULL);
	guarded_done(&g);
}

static void blockfill_without_memory(void **state) {
	(void)state;
	struct blockfill *b = NULL;
	struct guarded g;
	guarded_init(&g, LIMIT_CHUNK);
	for (uint64_t nth = 1;; nth++) {
		mem_fail_at(nth);
		enum err e = blockfill_new(&b, 1, LIMIT_BLOCK_FILL);
		mem_fail_at(0);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_true(nth < 10);
	}
	for (uint32_t i = 0; i < 20; i++) {
		struct hash id = id_of(i);
		memset(g.ptr, (int)i, g.len);
		mem_fail_at(1);
		enum err e = blockfill_add(b, &id, i, span_of(g.ptr, 50000));
		mem_fail_at(0);
		if (!e) continue;
		assert_int_equal(e, E_NOMEM);
		assert_int_equal(blockfill_count(b), i);
		assert_int_equal(blockfill_add(b, &id, i, span_of(g.ptr, 50000)), OK);
	}
	check_raw(b, 20, 50000);
	blockfill_free(b);
	guarded_done(&g);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_id_once),
		cmocka_unit_test(ids_that_collide),
		cmocka_unit_test(chunkset_without_memory),
		cmocka_unit_test(blocks),
		cmocka_unit_test(blockfill_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
