/* The chunker: parameters, the rules of chunk_next, that all code paths cut alike, and that a trace changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/chunker.h"
#include "crypto/crypto.h"

/* ---- Help ---- */

static uint64_t state = 1;

static uint32_t any(uint32_t below) {
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % below);
}

static void fill(uint8_t *p, size_t n) {
	for (size_t i = 0; i < n; i++) p[i] = (uint8_t)any(256);
}

/* Between two pages that can't be read: the bytes stand against one of them. */
struct guarded {
	uint8_t *map, *room;
	size_t map_len, room_len;
};

static struct guarded guarded_new(size_t least) {
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guarded g = { .room_len = (least + page - 1) / page * page };
	g.map_len = g.room_len + 2 * page;
	g.map = mmap(NULL, g.map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(g.map != MAP_FAILED);
	g.room = g.map + page;
	assert_int_equal(mprotect(g.room, g.room_len, PROT_READ | PROT_WRITE), 0);
	return g;
}

static uint8_t *guarded_end(const struct guarded *g, size_t n) {
	return g->room + g->room_len - n;
}

static void guarded_free(struct guarded *g) {
	munmap(g->map, g->map_len);
}

static struct chunker *chunker_any(uint32_t min, uint32_t max, uint32_t bits) {
	uint8_t key[CHUNKER_KEY_BYTES];
	struct chunker *c = NULL;
	fill(key, sizeof(key));
	assert_int_equal(chunker_new(&c, key, &(struct chunker_params){ min, max, bits }), OK);
	return c;
}

/* Parameters of every sort, masks under 8 bits (where byte 0 does not filter) among them. */
static struct chunker *chunker_any_params(struct chunker_params *out) {
	struct chunker_params p = { .min = 64 + any(2) * any(700), .mask_bits = 1 + any(13) };
	p.max = p.min + 1 + any(any(2) ? 20 : 20000);
	if (any(20) == 0) p.mask_bits = 40;
	if (out != NULL) *out = p;
	return chunker_any(p.min, p.max, p.mask_bits);
}

enum data_kind { RANDOM, ZERO, FEW_VALUES, RUNS, PERIOD, MIXED, DATA_KINDS };

static void data_make(enum data_kind kind, uint8_t *p, size_t n) {
	uint8_t pattern[130];
	size_t period = 1 + any(sizeof(pattern)), i = 0;
	fill(pattern, sizeof(pattern));
	if (kind == RANDOM) fill(p, n);
	if (kind == ZERO) memset(p, (int)any(256), n);
	if (kind == FEW_VALUES)
		for (; i < n; i++) p[i] = (uint8_t)any(2);
	if (kind == PERIOD)
		for (; i < n; i++) p[i] = pattern[i % period];
	while (kind == RUNS && i < n) {
		size_t run = 1 + any(any(2) ? 300 : 70);
		if (run > n - i) run = n - i;
		memset(p + i, (int)any(3), run);
		i += run;
	}
	while (kind == MIXED && i < n) {
		size_t part = 1 + any(5000);
		if (part > n - i) part = n - i;
		data_make((enum data_kind)any(MIXED), p + i, part);
		i += part;
	}
}

static size_t cut(
	const struct chunker *c, const uint8_t *data, size_t len, size_t *ends, size_t room) {
	size_t n = 0;
	for (size_t at = 0; at < len;) {
		size_t step = chunker_next(c, data + at, len - at, true);
		assert_true(step > 0 && step <= len - at && n < room);
		ends[n++] = at += step;
	}
	return n;
}

/* ---- Tests ---- */

static void parameters_out_of_range_are_refused(void **unused) {
	(void)unused;
	uint8_t key[CHUNKER_KEY_BYTES] = { 0 };
	const struct chunker_params bad[] = {
		{ 63, 1000, 8 },
		{ 0, 1000, 8 },
		{ 64, 64, 8 },
		{ 100, 99, 8 },
		{ 64, CHUNKER_MAX + 1, 8 },
		{ CHUNKER_MAX, CHUNKER_MAX, 8 },
		{ 64, UINT32_MAX, 8 },
		{ 64, 1000, 0 },
		{ 64, 1000, 41 },
		{ 64, 1000, UINT32_MAX },
	};
	const struct chunker_params good[] = { { 64, 65, 1 }, { CHUNKER_MAX - 1, CHUNKER_MAX, 40 } };
	struct chunker *c = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(chunker_new(&c, key, &bad[i]), E_FORMAT);
		assert_null(c);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(chunker_new(&c, key, &good[i]), OK);
		chunker_free(c);
		c = NULL;
	}
	assert_int_equal(chunker_new(&c, key, &chunker_default), OK);
	chunker_free(c);
	chunker_free(NULL);
}

static void paths_are_named_and_forced(void **unused) {
	(void)unused;
	struct chunker *c = chunker_any(64, 1000, 8);
	assert_true(chunker_path_here(CHUNKER_PORTABLE));
	for (int i = 0; i < CHUNKER_PATHS; i++) {
		enum chunker_path path = (enum chunker_path)i;
		bool here = chunker_path_here(path);
		print_message(
			"path %s: %s\n", chunker_path_name(path), here ? "tested" : "not on this processor");
		assert_int_equal(chunker_force_path(c, path), here ? OK : E_UNSUPPORTED);
		if (here) assert_int_equal(chunker_path_of(c), path);
	}
	assert_int_equal(chunker_force_path(c, CHUNKER_PATHS), E_UNSUPPORTED);
	chunker_free(c);
}

/* Also: no path reads outside the data, which stands against a page that can't be read, at its end or at its start. */
static void all_paths_cut_alike(void **unused) {
	(void)unused;
	enum { ROOM = 60000 };
	static size_t want[ROOM], have[ROOM];
	struct guarded g = guarded_new(ROOM);
	for (int round = 0; round < 400; round++) {
		struct chunker *c = chunker_any_params(NULL);
		size_t len = any(any(2) ? 1500 : ROOM);
		uint8_t *data = round % 2 ? g.room : guarded_end(&g, len);
		data_make((enum data_kind)any(DATA_KINDS), data, len);
		assert_int_equal(chunker_force_path(c, CHUNKER_PORTABLE), OK);
		size_t n = cut(c, data, len, want, ROOM);
		for (int path = CHUNKER_PORTABLE + 1; path < CHUNKER_PATHS; path++) {
			if (chunker_force_path(c, (enum chunker_path)path) != OK) continue;
			assert_int_equal(cut(c, data, len, have, ROOM), n);
			assert_memory_equal(have, want, n * sizeof(*want));
		}
		chunker_free(c);
	}
	guarded_free(&g);
}

static void default_parameters_cut_alike(void **unused) {
	(void)unused;
	enum { LEN = 6 << 20, ROOM = LEN / 131072 + 1 };
	size_t want[ROOM], have[ROOM];
	struct guarded g = guarded_new(LEN);
	fill(g.room, LEN / 3);
	memset(g.room + LEN / 3, 0, LEN - LEN / 3);
	struct chunker *c = chunker_any(131072, CHUNKER_MAX, 17);
	assert_int_equal(chunker_force_path(c, CHUNKER_PORTABLE), OK);
	size_t n = cut(c, g.room, LEN, want, ROOM);
	for (int path = CHUNKER_PORTABLE + 1; path < CHUNKER_PATHS; path++) {
		if (chunker_force_path(c, (enum chunker_path)path) != OK) continue;
		assert_int_equal(cut(c, g.room, LEN, have, ROOM), n);
		assert_memory_equal(have, want, n * sizeof(*want));
	}
	chunker_free(c);
	guarded_free(&g);
}

/* What is decided from fewer bytes stays decided; and it is always decided at the maximum. */
static void a_part_decides_alike_or_not_at_all(void **unused) {
	(void)unused;
	enum { ROOM = 30000 };
	struct guarded g = guarded_new(ROOM);
	for (int round = 0; round < 300; round++) {
		struct chunker_params p;
		struct chunker *c = chunker_any_params(&p);
		data_make((enum data_kind)any(DATA_KINDS), g.room, ROOM);
		size_t whole = chunker_next(c, g.room, ROOM, false);
		assert_true(whole >= p.min && whole <= p.max);
		for (int i = 0; i < 30; i++) {
			size_t len = any(2) ? any(ROOM) : whole - any(3) + any(3);
			uint8_t *data = guarded_end(&g, len);
			memmove(data, g.room, len < ROOM ? len : ROOM);
			assert_int_equal(chunker_next(c, data, len, false), len >= whole ? whole : 0);
			assert_int_equal(chunker_next(c, data, len, true), len >= whole ? whole : len);
			memmove(g.room, data, len);
			if (len > ROOM / 2) break; /* the move wrote over what follows */
		}
		chunker_free(c);
	}
	guarded_free(&g);
}

static void minimum_and_maximum_hold(void **unused) {
	(void)unused;
	static uint8_t data[100000];
	static size_t ends[2000];
	size_t longest = 0, shortest = sizeof(data);
	struct chunker *c = chunker_any(100, 300, 7);
	fill(data, sizeof(data));
	size_t n = cut(c, data, sizeof(data), ends, 2000);
	for (size_t i = 0; i + 1 < n; i++) {
		size_t length = ends[i + 1] - ends[i];
		if (i + 2 == n) break;
		if (length > longest) longest = length;
		if (length < shortest) shortest = length;
	}
	assert_int_equal(longest, 300);
	assert_in_range(shortest, 100, 110);
	assert_in_range(n, 400, 700); /* 100 + about 101, so about 500 */
	chunker_free(c);
}

/* A change moves the cuts near it and no others. */
static void cuts_follow_content(void **unused) {
	(void)unused;
	enum { LEN = 400000, CHANGE = 50000 };
	static uint8_t data[LEN + 1];
	static size_t before[LEN / 64], after[LEN / 64];
	struct chunker *c = chunker_any(64, 8192, 9);
	fill(data, LEN);
	size_t n = cut(c, data, LEN, before, LEN / 64);
	memmove(data + CHANGE + 1, data + CHANGE, LEN - CHANGE);
	size_t m = cut(c, data, LEN + 1, after, LEN / 64);
	size_t same_from_start = 0, same_from_end = 0;
	while (before[same_from_start] == after[same_from_start]) same_from_start++;
	while (before[n - 1 - same_from_end] + 1 == after[m - 1 - same_from_end]) same_from_end++;
	assert_true(same_from_start + same_from_end + 20 > n);
	chunker_free(c);
}

static void keys_cut_differently(void **unused) {
	(void)unused;
	enum { LEN = 100000 };
	static uint8_t data[LEN];
	static size_t a[LEN / 64], b[LEN / 64];
	size_t common = 0;
	struct chunker_params p = { 64, 8192, 10 };
	uint8_t key[CHUNKER_KEY_BYTES];
	struct chunker *c;
	fill(data, LEN);
	fill(key, sizeof(key));
	assert_int_equal(chunker_new(&c, key, &p), OK);
	size_t n = cut(c, data, LEN, a, LEN / 64);
	chunker_free(c);
	key[4111] ^= 1; /* the AES key alone */
	assert_int_equal(chunker_new(&c, key, &p), OK);
	size_t m = cut(c, data, LEN, b, LEN / 64);
	chunker_free(c);
	for (size_t i = 0, j = 0; i + 1 < n && j + 1 < m; a[i] < b[j] ? i++ : j++)
		common += a[i] == b[j];
	assert_in_range(common, 0, 5);
}

/* Any trace, of any part, on any data: the same chunks. Also with traces of too little room, or of fewer bytes. */
static void a_trace_changes_nothing(void **unused) {
	(void)unused;
	enum { ROOM = 50000 };
	static size_t ends[ROOM], cuts[ROOM];
	struct guarded g = guarded_new(ROOM);
	for (int round = 0; round < 400; round++) {
		struct chunker_params p;
		struct chunker *c = chunker_any_params(&p);
		size_t len = 1 + any(ROOM), n = 0, next = 0;
		bool final = any(2) != 0;
		uint8_t *data = guarded_end(&g, len);
		data_make((enum data_kind)any(DATA_KINDS), data, len);
		size_t want = cut(c, data, len, ends, ROOM), start = any((uint32_t)len),
			   end = start + any((uint32_t)len);
		size_t room = any(4) ? CHUNKER_TRACE_ROOM(ROOM, p.min) : any(3);
		size_t known = final || any(2) ? len : start + any((uint32_t)(len - start));
		n = chunker_trace(c, data, known, final, start, end, cuts, room);
		assert_true(n <= room && (n == 0 || cuts[0] == start));
		for (size_t at = 0; at < len; next++) {
			size_t step = chunker_next_traced(c, data, len, final, at, cuts, n);
			assert_int_equal(step, chunker_next(c, data + at, len - at, final));
			if (step == 0) break;
			assert_int_equal(at += step, ends[next]);
		}
		if (final) assert_int_equal(next, want);
		chunker_free(c);
	}
	guarded_free(&g);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_out_of_range_are_refused),
		cmocka_unit_test(paths_are_named_and_forced),
		cmocka_unit_test(all_paths_cut_alike),
		cmocka_unit_test(default_parameters_cut_alike),
		cmocka_unit_test(a_part_decides_alike_or_not_at_all),
		cmocka_unit_test(minimum_and_maximum_hold),
		cmocka_unit_test(cuts_follow_content),
		cmocka_unit_test(keys_cut_differently),
		cmocka_unit_test(a_trace_changes_nothing),
	};
	if (crypto_start() != OK) return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
