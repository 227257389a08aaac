/*
 * client/foreknown: what it foresees is what the chunker cuts, whatever was done to the file since, and it foresees what
 * was left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/foreknown.h"
#include "rawbox.h"
#include "storesuite.h"

enum { VERSIONS = 40, EDITED = 12, LEN = 60000, ROOM = 3 * LEN, ENOUGH = 8 };

static struct rawbox *box;
static struct craft craft;
static struct fetch *fetch;
static struct storing *storing; /* only for ids */
static struct storing_shared shared;

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	fetch = NULL;
	craft_begin(&craft, &box->t);
	shared = (struct storing_shared){ .vault = &box->t.vault };
	return storing_new(&storing, &shared, NULL) ? -1 : 0;
}

static int teardown(void **state) {
	craft_drop(&craft);
	storing_free(storing);
	fetch_free(fetch);
	return rawbox_teardown(state);
}

static void done(void) {
	struct streamref none = { .length = 0 };
	(void)craft_end(&craft, &none, 0, 0);
	fetch = rawbox_fetch(box, 1);
}

static struct foreknown *known(const struct streamref *ref) {
	struct foreknown *k = NULL;
	assert_int_equal(foreknown_new(&k, fetch, ref), OK);
	return k;
}

/* A generator of its own: the same edits each time. */
static uint64_t seed;

static uint64_t draw(uint64_t below) {
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

struct version {
	uint8_t *bytes;
	size_t len;
};

static void random_to(uint8_t *out, size_t len) {
	storesuite_bytes(out, len, draw(1000000));
}

/* Random bytes; with repeats of a part of itself, of one byte, of a short period. */
static void make_version(struct version *v, unsigned kind) {
	v->len = LEN / 2 + draw(LEN);
	random_to(v->bytes, v->len);
	if (kind % 4 == 1) {
		size_t part = 1000 + draw(9000);
		for (size_t at = part; at < v->len; at++) v->bytes[at] = v->bytes[at - part];
	} else if (kind % 4 == 2) {
		size_t from = draw(v->len / 2);
		memset(v->bytes + from, (int)draw(256), v->len / 3);
	} else if (kind % 4 == 3) {
		size_t from = draw(v->len / 2), period = 1 + draw(100);
		for (size_t at = from + period; at < from + v->len / 3; at++)
			v->bytes[at] = v->bytes[at - period];
	}
}

static void insert(struct version *v, size_t at, size_t n) {
	memmove(v->bytes + at + n, v->bytes + at, v->len - at);
	random_to(v->bytes + at, n);
	v->len += n;
}

static void cut_out(struct version *v, size_t at, size_t n) {
	memmove(v->bytes + at, v->bytes + at + n, v->len - at - n);
	v->len -= n;
}

static void edit(struct version *v) {
	uint8_t part[5000];
	if (v->len < 100) return;
	size_t at = draw(v->len), n = 1 + draw(draw(2) ? 20 : 5000);
	if (n > v->len - at) n = v->len - at;
	if (n > sizeof part) n = sizeof part;
	switch (draw(8)) {
	case 0: insert(v, at, n); break;
	case 1: cut_out(v, at, n == v->len ? n - 1 : n); break;
	case 2: random_to(v->bytes + at, n); break;
	case 3: v->bytes[at] ^= 1; break;
	case 4: v->len = v->len / 2 + draw(v->len / 2) + 1; break; /* shorter */
	case 5: insert(v, v->len, n); break;                       /* longer */
	case 6: insert(v, 0, n); break;
	default: /* a part of it moved to elsewhere */
		memcpy(part, v->bytes + at, n);
		insert(v, draw(v->len), n);
		memcpy(v->bytes + draw(v->len - n), part, n);
		break;
	}
	assert_true(v->len > 0 && v->len < ROOM - 6000);
}

struct count {
	size_t chunks, foreseen;
};

/*
 * Goes over ${v} from ${at} as a backup does, foresees what it can, and cuts each chunk too. ${window}: how many bytes are there
 * at once, as in a buffer.
 */
static struct count go_over(
	const struct foreknown *k, const struct version *v, size_t at, size_t cursor, size_t window) {
	struct count n = { 0, 0 };
	while (at < v->len) {
		size_t have = v->len - at < window ? v->len - at : window;
		bool final = have == v->len - at;
		struct hash id, actual;
		size_t cut = chunker_next(box->t.vault.chunker, v->bytes + at, have, final);
		size_t len = foreknown_next(k, storing, &cursor, v->bytes + at, have, &id);
		assert_true(cut > 0);
		storing_id(storing, CHUNKTYPE_CONTENT, span_of(v->bytes + at, cut), &actual);
		n.chunks++;
		if (len) {
			assert_int_equal(len, cut);
			assert_true(hash_equal(&id, &actual));
			n.foreseen++;
		} else {
			cursor = foreknown_find(k, &actual);
		}
		at += cut;
	}
	return n;
}

/* --- */

static void what_is_foreseen_is_what_is_cut(void **state) {
	(void)state;
	struct version *old = calloc(VERSIONS, sizeof *old), new = { .bytes = malloc(ROOM) };
	struct streamref refs[VERSIONS];
	size_t foreseen = 0, chunks = 0;
	assert_non_null(old);
	assert_non_null(new.bytes);
	seed = 1;
	for (unsigned i = 0; i < VERSIONS; i++) {
		old[i].bytes = malloc(ROOM);
		assert_non_null(old[i].bytes);
		make_version(&old[i], i);
		refs[i] = craft_content(&craft, span_of(old[i].bytes, old[i].len));
	}
	done();
	for (unsigned i = 0; i < VERSIONS; i++) {
		struct foreknown *k = known(&refs[i]);
		assert_non_null(k);
		struct count same = go_over(k, &old[i], 0, 0, SIZE_MAX);
		assert_int_equal(same.foreseen, same.chunks - 1); /* not the last */
		for (unsigned e = 0; e < EDITED; e++) {
			new.len = old[i].len;
			memcpy(new.bytes, old[i].bytes, new.len);
			for (uint64_t edits = 1 + draw(6); edits; edits--) edit(&new);
			struct count n = go_over(k, &new, 0, 0, SIZE_MAX);
			chunks += n.chunks;
			foreseen += n.foreseen;
			/* through a buffer, and begun somewhere, as a thread does with a part of a large file */
			(void)go_over(k, &new, 0, 0, testvault_chunks.max + draw(9000));
			(void)go_over(k, &new, draw(new.len), FOREKNOWN_LOST, SIZE_MAX);
		}
		foreknown_free(k);
		free(old[i].bytes);
	}
	assert_true(foreseen > chunks / 4); /* most edits leave most of it */
	free(old);
	free(new.bytes);
}

/* One byte changed: only the chunk around it and the one behind it are cut. */
static void one_edit_costs_few_cuts(void **state) {
	(void)state;
	struct version v = { .bytes = malloc(ROOM), .len = LEN };
	assert_non_null(v.bytes);
	storesuite_bytes(v.bytes, LEN, 5);
	struct streamref ref = craft_content(&craft, span_of(v.bytes, LEN));
	done();
	struct foreknown *k = known(&ref);
	assert_non_null(k);
	for (size_t at = 100; at < LEN; at += 9000) {
		v.bytes[at] ^= 1;
		struct count n = go_over(k, &v, 0, 0, SIZE_MAX);
		assert_true(n.foreseen + 6 >= n.chunks);
		v.bytes[at] ^= 1;
	}
	foreknown_free(k);
	free(v.bytes);
}

/* The last chunk ended with the file: where the file went on, it may end elsewhere. */
static void the_last_chunk_says_nothing(void **state) {
	(void)state;
	struct version v = { .bytes = malloc(ROOM), .len = LEN };
	size_t cursor = 0, at = 0;
	struct hash id;
	assert_non_null(v.bytes);
	storesuite_bytes(v.bytes, LEN, 6);
	struct streamref ref = craft_content(&craft, span_of(v.bytes, LEN));
	done();
	struct foreknown *k = known(&ref);
	assert_non_null(k);
	for (size_t len; (len = foreknown_next(k, storing, &cursor, v.bytes + at, LEN - at, &id));)
		at += len;
	assert_true(at < LEN);
	assert_int_equal(chunker_next(box->t.vault.chunker, v.bytes + at, LEN - at, true), LEN - at);
	storing_id(storing, CHUNKTYPE_CONTENT, span_of(v.bytes + at, LEN - at), &id);
	cursor = foreknown_find(k, &id);
	assert_int_not_equal(cursor, FOREKNOWN_LOST);
	assert_int_equal(foreknown_next(k, storing, &cursor, v.bytes, LEN, &id), 0);
	/* more and more behind it */
	for (size_t grown = 1; grown < LEN; grown += 3000) {
		v.len = LEN;
		insert(&v, LEN, grown);
		(void)go_over(k, &v, 0, 0, SIZE_MAX);
	}
	foreknown_free(k);
	free(v.bytes);
}

/* Bytes that are not all there yet are not foreseen, and what was not met is not found. */
static void what_is_not_there_is_not_known(void **state) {
	(void)state;
	uint8_t *bytes = malloc(LEN);
	struct hash id, none = storesuite_id(3);
	size_t cursor = 0;
	assert_non_null(bytes);
	storesuite_bytes(bytes, LEN, 7);
	struct streamref ref = craft_content(&craft, span_of(bytes, LEN));
	done();
	struct foreknown *k = known(&ref);
	assert_non_null(k);
	size_t first = chunker_next(box->t.vault.chunker, bytes, LEN, true);
	uint8_t *exact = malloc(first); /* so that a byte more would be seen */
	assert_non_null(exact);
	memcpy(exact, bytes, first);
	assert_int_equal(foreknown_next(k, storing, &cursor, exact, first - 1, &id), 0);
	assert_int_equal(foreknown_next(k, storing, &cursor, exact, 0, &id), 0);
	assert_int_equal(cursor, 0);
	assert_int_equal(foreknown_next(k, storing, &cursor, exact, first, &id), first);
	assert_int_equal(cursor, 1);
	assert_int_equal(foreknown_find(k, &id), 1);
	assert_true(foreknown_find(k, &none) == FOREKNOWN_LOST);
	cursor = FOREKNOWN_LOST;
	assert_int_equal(foreknown_next(k, storing, &cursor, bytes, LEN, &id), 0);
	free(exact);
	foreknown_free(k);
	free(bytes);
}

/* Of chunks that are equal the first stands: the same chunk again and again is foreseen all along. */
static void equal_chunks(void **state) {
	(void)state;
	struct version v = { .bytes = calloc(1, ROOM), .len = 20 * (size_t)testvault_chunks.max };
	assert_non_null(v.bytes);
	struct streamref ref = craft_content(&craft, span_of(v.bytes, v.len));
	done();
	struct foreknown *k = known(&ref);
	assert_non_null(k);
	struct hash id;
	size_t first = chunker_next(box->t.vault.chunker, v.bytes, v.len, true);
	storing_id(storing, CHUNKTYPE_CONTENT, span_of(v.bytes, first), &id);
	assert_int_equal(foreknown_find(k, &id), 1);
	struct count n = go_over(k, &v, 0, 0, SIZE_MAX);
	assert_int_equal(n.foreseen, n.chunks - 1);
	v.len += v.len / 2;
	(void)go_over(k, &v, 0, 0, SIZE_MAX);
	foreknown_free(k);
	free(v.bytes);
}

/* A hint that is not to be had costs time only. */
static void no_old_version(void **state) {
	(void)state;
	uint8_t *bytes = malloc(LEN);
	struct hash gone = storesuite_id(9);
	struct foreknown *k = NULL;
	assert_non_null(bytes);
	storesuite_bytes(bytes, LEN, 8);
	struct streamref ref = craft_content(&craft, span_of(bytes, LEN));
	struct streamref flat = craft_content(&craft, span_of(bytes, 200));
	struct streamref_item items[ENOUGH];
	for (size_t i = 0; i < ENOUGH; i++)
		items[i] = (struct streamref_item){ .id = storesuite_id(i), .length = 100 };
	struct streamref few = { .length = 700, .depth = 1, .id = craft_list(&craft, items, 7) };
	struct streamref enough = { .length = 800, .depth = 1, .id = craft_list(&craft, items, 8) };
	struct streamref empty = { .length = 0 }, bad = ref;
	done();
	free(bytes);
	assert_int_equal(flat.depth, 0);
	assert_null(known(&empty));
	assert_null(known(&flat));
	assert_null(known(&few));
	k = known(&enough);
	assert_non_null(k);
	foreknown_free(k);
	assert_int_equal(foreknown_new(&k, NULL, &ref), OK);
	assert_null(k);
	bad.id = gone;
	assert_null(known(&bad));
	bad = ref;
	bad.length++;
	assert_null(known(&bad));
	bad = ref;
	bad.origin.kind = ORIGIN_OWN + 1;
	assert_null(known(&bad));
	fetch_free(fetch);
	fetch = rawbox_fetch(box, 1);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_null(known(&ref));
	faulty_clear(box->store);
	k = known(&ref);
	assert_non_null(k);
	foreknown_free(k);
	foreknown_free(NULL);
	/* memory that runs out is an error, and nothing is left behind */
	uint64_t before = mem_count();
	foreknown_free(known(&ref));
	uint64_t asked = mem_count() - before;
	assert_true(asked >= 3);
	for (uint64_t i = 1; i <= asked; i++) {
		mem_fail_at(i);
		k = NULL;
		enum err e = foreknown_new(&k, fetch, &ref);
		mem_fail_at(0);
		assert_true(e == OK || e == E_NOMEM);
		if (e) assert_null(k);
		foreknown_free(k);
	}
	mem_fail_at(1);
	assert_int_equal(foreknown_new(&k, fetch, &ref), E_NOMEM);
	mem_fail_at(0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_foreseen_is_what_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(one_edit_costs_few_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_chunk_says_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_known, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(no_old_version, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
