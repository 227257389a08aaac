/* client/fetch: chunks found by hints that may be wrong, from packs that may be damaged or gone, by several threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/streamread.h"
#include "os/clock.h"
#include "os/thread.h"
#include "rawbox.h"
#include "storesuite.h"

enum {
	BLOCKS = 60,   /* of BLOCK bytes each, one run */
	BLOCK = 16384, /* what blocks are filled to in runs with small packs */
	CACHE = 28,    /* blocks that a fetch for one thread keeps */
	FOREVER = 500, /* seconds */
	THREADS = 4,
	MS = 1000000,
};

static struct rawbox *box;

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	(void)alarm(FOREVER); /* a wait for ever is a failure */
	return 0;
}

static int teardown(void **state) {
	(void)alarm(0);
	return rawbox_teardown(state);
}

/* Fetches it and compares. */
static void fetch_well(struct fetch *f, const struct rawbox_stored *s) {
	struct fetch_chunk chunk;
	struct why why = { OK, "" };
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, &s->id, &chunk, &why), &why);
	assert_int_equal(chunk.bytes.len, RAWBOX_SMALL);
	assert_memory_equal(chunk.bytes.ptr, s->bytes, RAWBOX_SMALL);
	fetch_release(f, &chunk);
	assert_null(chunk.block);
	fetch_release(f, &chunk); /* nothing to release */
}

/* The error, which the sentence has too: programs take their exit code from there. */
static enum err refused(struct fetch *f, uint8_t type, const struct hash *id, struct why *why) {
	struct fetch_chunk chunk;
	*why = (struct why){ OK, "" };
	enum err e = fetch_chunk(f, type, id, &chunk, why);
	assert_int_not_equal(e, OK);
	assert_int_equal(why->code, e);
	return e;
}

static void names(const struct why *why, const struct hash *id) {
	char hex[HASH_HEX];
	hash_hex(hex, id);
	if (!strstr(why->msg, hex)) fail_msg("\"%s\" does not say %s", why->msg, hex);
}

/* Many blocks: BLOCKS chunks that fill one each, stored by one run. */
struct many {
	uint8_t *bytes;
	struct hash ids[BLOCKS];
};

enum { LARGE = 4000, EACH = BLOCK / LARGE };

/* Chunks of LARGE bytes; every EACH of them are a block: what is fetched is the first of each. */
static void store_many(struct many *m, uint64_t seed) {
	struct craft c;
	struct why why = { OK, "" };
	struct streamref none = { .length = 0 };
	m->bytes = malloc((size_t)BLOCKS * EACH * LARGE);
	assert_non_null(m->bytes);
	storesuite_bytes(m->bytes, (size_t)BLOCKS * EACH * LARGE, seed);
	craft_begin_small(&c, &box->t, LIMIT_PACK_LEAST);
	for (size_t i = 0; i < (size_t)BLOCKS * EACH; i++) {
		struct hash id;
		rawbox_ok(storing_chunk(c.storing, CHUNKTYPE_CONTENT, span_of(m->bytes + i * LARGE, LARGE),
					  &id, &why),
			&why);
		if (i % EACH == 0) m->ids[i / EACH] = id;
	}
	(void)craft_end(&c, &none, 0, 0);
}

static bool is_block(const struct many *m, size_t i, struct span bytes) {
	return bytes.len == LARGE && memcmp(bytes.ptr, m->bytes + i * EACH * LARGE, LARGE) == 0;
}

static struct fetch_chunk hold(struct fetch *f, const struct many *m, size_t i) {
	struct fetch_chunk chunk;
	struct why why = { OK, "" };
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, &m->ids[i], &chunk, &why), &why);
	assert_true(is_block(m, i, chunk.bytes));
	return chunk;
}

static void touch(struct fetch *f, const struct many *m, size_t i) {
	struct fetch_chunk chunk = hold(f, m, i);
	fetch_release(f, &chunk);
}

/* --- what is fetched */

static void a_whole_stream_comes_back(void **state) {
	(void)state;
	enum { LEN = 300000 };
	struct craft c;
	struct buf out;
	struct why why = { OK, "" };
	uint8_t *bytes = malloc(LEN);
	assert_non_null(bytes);
	storesuite_bytes(bytes, LEN, 1);
	craft_begin_small(&c, &box->t, LIMIT_PACK_LEAST);
	struct streamref ref = craft_content(&c, span_of(bytes, LEN));
	(void)craft_end(&c, &ref, 0, 0);
	assert_true(rawstore_count(box->raw) > LEN / LIMIT_PACK_LEAST); /* so blocks were cut */
	struct fetch *f = rawbox_fetch(box, 1);
	buf_init(&out, LEN);
	rawbox_ok(streamread_whole(f, CHUNKTYPE_CONTENT, &ref, &out, &why), &why);
	assert_int_equal(out.len, LEN);
	assert_memory_equal(out.ptr, bytes, LEN);
	assert_int_equal(box->warnings, 0);
	buf_free(&out);
	fetch_free(f);
	free(bytes);
}

/* Content that is a folder byte for byte is not that folder. */
static void a_chunk_of_another_type_is_another(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true);
	struct fetch *f = rawbox_fetch(box, 1);
	struct place places[PLACES_EACH];
	struct fetch_chunk chunk;
	struct why why;
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	assert_int_equal(refused(f, CHUNKTYPE_DIRECTORY, &s.id, &why), E_FORGED);
	assert_int_equal(fetch_from(f, CHUNKTYPE_DIRECTORY, &s.id, &places[0], &chunk, &why), E_FORGED);
	names(&why, &places[0].pack);
	fetch_well(f, &s);
	fetch_free(f);
}

static void places_are_hints(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true);
	struct fetch *f = rawbox_fetch(box, 1);
	struct place places[PLACES_EACH];
	struct fetch_chunk chunk;
	struct why why = { OK, "" };
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	struct place bad = places[0];
	bad.slot = 1;
	assert_int_equal(fetch_from(f, CHUNKTYPE_CONTENT, &s.id, &bad, &chunk, &why), E_FORGED);
	names(&why, &bad.pack);
	bad.slot = UINT16_MAX;
	assert_int_equal(fetch_from(f, CHUNKTYPE_CONTENT, &s.id, &bad, &chunk, &why), E_FORGED);
	bad = places[0];
	bad.offset++;
	assert_int_equal(fetch_from(f, CHUNKTYPE_CONTENT, &s.id, &bad, &chunk, &why), E_FORGED);
	names(&why, &bad.pack);
	bad = places[0];
	bad.cut = true; /* and goes on in itself */
	bad.next_pack = bad.pack;
	bad.rest_length = bad.length;
	fetch_free(f);
	f = rawbox_fetch(box, 1);
	assert_int_equal(fetch_from(f, CHUNKTYPE_CONTENT, &s.id, &bad, &chunk, &why), E_FORGED);
	/* none of it spoils the right one */
	rawbox_ok(fetch_from(f, CHUNKTYPE_CONTENT, &s.id, &places[0], &chunk, &why), &why);
	assert_memory_equal(chunk.bytes.ptr, s.bytes, RAWBOX_SMALL);
	fetch_release(f, &chunk);
	fetch_free(f);
}

/* --- what is damaged */

static void a_second_copy_is_found(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true), again = rawbox_store(box, 1, true);
	struct fetch *f = rawbox_fetch(box, 1);
	struct place places[PLACES_EACH];
	struct why why;
	assert_true(hash_equal(&s.id, &again.id));
	assert_int_equal(rawbox_places(f, &s.id, places), 2);
	for (int i = 0; i < 2; i++) {
		rawbox_flip(box, &places[i].pack, places[i].offset);
		fetch_free(f);
		f = rawbox_fetch(box, 1);
		fetch_well(f, &s);
		rawbox_flip(box, &places[i].pack, places[i].offset);
	}
	rawbox_flip(box, &places[0].pack, places[0].offset);
	rawbox_flip(box, &places[1].pack, places[1].offset);
	fetch_free(f);
	f = rawbox_fetch(box, 1);
	assert_int_equal(refused(f, CHUNKTYPE_CONTENT, &s.id, &why), E_FORGED);
	if (!strstr(why.msg, "pack ")) fail_msg("%s", why.msg);
	fetch_free(f);
}

static void a_pack_that_is_gone_is_damage(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true);
	struct fetch *f = rawbox_fetch(box, 1);
	struct place places[PLACES_EACH];
	struct why why;
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	rawstore_remove(box->raw, rawbox_pack_at(box, &places[0].pack));
	assert_int_equal(refused(f, CHUNKTYPE_CONTENT, &s.id, &why), E_FORGED);
	names(&why, &places[0].pack);
	fetch_free(f);
}

static void a_chunk_that_nobody_has(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true);
	struct fetch *f = rawbox_fetch(box, 1);
	struct hash none = storesuite_id(3);
	struct why why;
	fetch_well(f, &s); /* the index is in memory */
	assert_int_equal(refused(f, CHUNKTYPE_CONTENT, &none, &why), E_FORGED);
	names(&why, &none);
	/* the tables of the packs were read for it: not again for the next */
	uint64_t reads = rawbox_reads(box);
	none = storesuite_id(4);
	assert_int_equal(refused(f, CHUNKTYPE_CONTENT, &none, &why), E_FORGED);
	assert_int_equal(rawbox_reads(box), reads);
	fetch_well(f, &s);
	fetch_free(f);
}

/* The tables of the packs are the truth: for packs that no index names, and where an index says something wrong. */
static void tables_find_what_indexes_lack(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, false);
	struct fetch *f = rawbox_fetch(box, 1);
	struct place places[PLACES_EACH];
	assert_int_equal(rawbox_places(f, &s.id, places), 0);
	fetch_well(f, &s);
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	fetch_free(f);
}

/* An index that has the chunk's pack, and the chunk at ${count} other places of it. */
static struct vault_index lie(
	const struct rawbox_stored *s, const struct place *truth, size_t count) {
	struct place next = *truth;
	next.offset += 64;
	return rawbox_index(box, &s->id, &next, count);
}

static void tables_are_right_where_an_index_is_not(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, false);
	struct fetch *f = rawbox_fetch(box, 1);
	struct place places[PLACES_EACH];
	struct why why = { OK, "" };
	fetch_well(f, &s);
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	struct vault_index index = lie(&s, &places[0], 1);
	fetch_free(f);
	f = rawbox_fetch(box, 1);
	rawbox_ok(places_load(fetch_places(f), &index, 1, &why), &why);
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	fetch_well(f, &s);
	fetch_free(f);
}

/* However many false places are named first, the true one is found: that of an older index, or of a table. */
static void many_lies_hide_nothing(void **state) {
	(void)state;
	static const size_t lies[] = { PLACES_EACH - 1, PLACES_EACH, PLACES_EACH + 1, 5 * PLACES_EACH };
	for (int named = 0; named < 2; named++) {
		struct rawbox_stored s = rawbox_store(box, (uint64_t)named + 1, named);
		struct fetch *f = rawbox_fetch(box, 1);
		struct place places[PLACES_EACH];
		struct why why = { OK, "" };
		fetch_well(f, &s);
		assert_int_equal(rawbox_places(f, &s.id, places), 1);
		for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
			struct vault_index index = lie(&s, &places[0], lies[i]);
			struct place found[PLACES_EACH];
			fetch_free(f);
			f = rawbox_fetch(box, 1);
			rawbox_ok(places_load(fetch_places(f), &index, 1, &why), &why);
			assert_true(rawbox_places(f, &s.id, found) >= PLACES_EACH - (size_t)!named);
			fetch_well(f, &s);
		}
		fetch_free(f);
	}
}

static void an_index_that_is_damaged_is_said(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true);
	struct location at = box->t.vault.state.indexes[0].location;
	rawbox_flip(box, &at.pack, at.offset);
	struct fetch *f = rawbox_fetch(box, 1);
	assert_int_equal(box->warnings, 1);
	fetch_well(f, &s);
	fetch_free(f);
}

static void a_store_that_fails_is_asked_again(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true), other = rawbox_store(box, 2, true);
	struct fetch *f = rawbox_fetch(box, 1);
	struct why why;
	fetch_well(f, &other); /* the index is in memory */
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	for (int i = 0; i < 3; i++) assert_int_equal(refused(f, CHUNKTYPE_CONTENT, &s.id, &why), E_IO);
	fetch_well(f, &other);
	faulty_clear(box->store);
	fetch_well(f, &s);
	fetch_free(f);
	/* and an index that can't be had is no damage either */
	struct fetch_params p = { .vault = &box->t.vault, .threads = 1 };
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(fetch_new(&f, &p, &why), E_IO);
	assert_int_equal(why.code, E_IO);
	faulty_clear(box->store);
}

/* --- the cache */

static void a_block_is_read_once(void **state) {
	(void)state;
	struct many m;
	store_many(&m, 1);
	struct fetch *f = rawbox_fetch(box, 1);
	for (size_t i = 0; i < BLOCKS; i++) touch(f, &m, i); /* the index, and the packs' keys */
	touch(f, &m, 0);
	uint64_t reads = rawbox_reads(box);
	for (size_t i = 1; i < CACHE; i++) touch(f, &m, i);
	assert_true(rawbox_reads(box) >= reads + CACHE - 1);
	reads = rawbox_reads(box);
	for (size_t i = 0; i < CACHE; i++) touch(f, &m, i);
	assert_int_equal(rawbox_reads(box), reads);
	/* one more takes the place of the one longest unused, and no other */
	touch(f, &m, CACHE);
	reads = rawbox_reads(box);
	for (size_t i = 1; i <= CACHE; i++) touch(f, &m, i);
	assert_int_equal(rawbox_reads(box), reads);
	touch(f, &m, 0);
	assert_true(rawbox_reads(box) > reads);
	fetch_free(f);
	free(m.bytes);
}

static void what_is_held_stays(void **state) {
	(void)state;
	struct many m;
	store_many(&m, 1);
	struct fetch *f = rawbox_fetch(box, 1);
	struct fetch_chunk held[5];
	for (size_t i = 0; i < 5; i++) held[i] = hold(f, &m, i * 7);
	struct fetch_chunk twice = hold(f, &m, 0);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < BLOCKS; i++) touch(f, &m, i);
	for (size_t i = 0; i < 5; i++) {
		assert_true(is_block(&m, i * 7, held[i].bytes));
		fetch_release(f, &held[i]);
	}
	/* held by another still */
	for (size_t i = 0; i < BLOCKS; i++) touch(f, &m, BLOCKS - 1 - i);
	assert_true(is_block(&m, 0, twice.bytes));
	fetch_release(f, &twice);
	fetch_free(f);
	free(m.bytes);
}

struct job {
	struct thread thread;
	struct fetch *f;
	const struct many *m;
	size_t from, count;
	const struct place *place;
	const struct hash *id;
	atomic_bool done;
	unsigned wrong;
	enum err e;
	struct why why;
};

static void start(struct job *j, void (*run)(void *ctx)) {
	assert_int_equal(thread_start(&j->thread, run, j, NULL), OK);
}

static void fetch_one(void *ctx) {
	struct job *j = ctx;
	struct fetch_chunk chunk = { .block = NULL };
	j->e = fetch_chunk(j->f, CHUNKTYPE_CONTENT, &j->m->ids[j->from], &chunk, &j->why);
	if (!j->e) fetch_release(j->f, &chunk);
	atomic_store(&j->done, true);
}

/* With all blocks held, nobody waits for another: it may be waiting too. */
static void a_full_cache_is_read_beside(void **state) {
	(void)state;
	struct many m;
	store_many(&m, 1);
	struct fetch *f = rawbox_fetch(box, 1);
	struct fetch_chunk held[BLOCKS];
	struct job job = { .f = f, .m = &m, .from = CACHE };
	for (size_t i = 0; i < CACHE; i++) held[i] = hold(f, &m, i);
	start(&job, fetch_one);
	thread_join(&job.thread);
	assert_int_equal(job.e, OK);
	for (size_t i = CACHE; i < BLOCKS; i++) held[i] = hold(f, &m, i);
	for (size_t i = 0; i < BLOCKS; i++) {
		assert_true(is_block(&m, i, held[i].bytes));
		fetch_release(f, &held[i]);
	}
	/* and then it has places again */
	touch(f, &m, BLOCKS - 1);
	uint64_t reads = rawbox_reads(box);
	touch(f, &m, BLOCKS - 1);
	assert_int_equal(rawbox_reads(box), reads);
	/* a damaged one is told beside it too */
	struct place places[PLACES_EACH];
	struct why why;
	assert_int_equal(rawbox_places(f, &m.ids[CACHE], places), 1);
	rawbox_flip(box, &places[0].pack, places[0].offset);
	fetch_free(f);
	f = rawbox_fetch(box, 1);
	for (size_t i = 0; i < CACHE; i++) held[i] = hold(f, &m, i);
	assert_int_equal(refused(f, CHUNKTYPE_CONTENT, &m.ids[CACHE], &why), E_FORGED);
	for (size_t i = 0; i < CACHE; i++) fetch_release(f, &held[i]);
	fetch_free(f);
	free(m.bytes);
}

static void fetch_place(void *ctx) {
	struct job *j = ctx;
	struct fetch_chunk chunk = { .block = NULL };
	j->e = fetch_from(j->f, CHUNKTYPE_CONTENT, j->id, j->place, &chunk, &j->why);
	if (!j->e) fetch_release(j->f, &chunk);
}

/* Two want the same block: it is read once, and both get it, or both the error. */
static void a_block_under_way_is_waited_for(void **state) {
	(void)state;
	struct rawbox_stored s = rawbox_store(box, 1, true);
	struct fetch *f = rawbox_fetch(box, 2);
	struct place places[PLACES_EACH];
	assert_int_equal(rawbox_places(f, &s.id, places), 1);
	for (int damaged = 0; damaged < 2; damaged++) {
		struct job jobs[2];
		if (damaged) rawbox_flip(box, &places[0].pack, places[0].offset);
		faulty_order(box->store,
			(struct faulty_order){
				.verb = FAULTY_PACK_GET, .nth = 1, .way = FAULTY_STALL, .at = 2000 });
		uint64_t reads = rawbox_reads(box);
		for (size_t i = 0; i < 2; i++) {
			jobs[i] = (struct job){ .f = f, .id = &s.id, .place = &places[0] };
			start(&jobs[i], fetch_place);
			while (rawbox_reads(box) == reads) clock_sleep_ns(MS);
		}
		for (size_t i = 0; i < 2; i++) {
			thread_join(&jobs[i].thread);
			assert_int_equal(jobs[i].e, damaged ? E_FORGED : OK);
			if (damaged) names(&jobs[i].why, &places[0].pack);
		}
		assert_int_equal(rawbox_reads(box) - reads, 1);
		faulty_clear(box->store);
		fetch_free(f);
		f = rawbox_fetch(box, 2);
		assert_int_equal(rawbox_places(f, &s.id, places), 1);
	}
	fetch_free(f);
}

static void fetch_many(void *ctx) {
	struct job *j = ctx;
	for (size_t i = 0; i < j->count; i++) {
		size_t which = (j->from + i * (2 * j->from + 7)) % BLOCKS, second = (which + 11) % BLOCKS;
		struct fetch_chunk a = { .block = NULL }, b = { .block = NULL };
		enum err e = fetch_chunk(j->f, CHUNKTYPE_CONTENT, &j->m->ids[which], &a, NULL);
		enum err then = fetch_chunk(j->f, CHUNKTYPE_CONTENT, &j->m->ids[second], &b, NULL);
		if (which == 5) j->wrong += e != E_FORGED;
		else j->wrong += e || !is_block(j->m, which, a.bytes);
		if (second == 5) j->wrong += then != E_FORGED;
		else j->wrong += then || !is_block(j->m, second, b.bytes);
		fetch_release(j->f, &a);
		fetch_release(j->f, &b);
	}
}

/* Each gets what it asked for, while one block is damaged and the cache is too small for all. */
static void several_threads(void **state) {
	(void)state;
	struct many m;
	struct job jobs[THREADS];
	struct place places[PLACES_EACH];
	store_many(&m, 1);
	struct fetch *f = rawbox_fetch(box, THREADS);
	assert_int_equal(rawbox_places(f, &m.ids[5], places), 1);
	rawbox_flip(box, &places[0].pack, places[0].offset);
	for (size_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){ .f = f, .m = &m, .from = i, .count = 300 };
		start(&jobs[i], fetch_many);
	}
	for (size_t i = 0; i < THREADS; i++) {
		thread_join(&jobs[i].thread);
		assert_int_equal(jobs[i].wrong, 0);
	}
	fetch_free(f);
	free(m.bytes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_stream_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chunk_of_another_type_is_another, setup, teardown),
		cmocka_unit_test_setup_teardown(places_are_hints, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_copy_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pack_that_is_gone_is_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chunk_that_nobody_has, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_find_what_indexes_lack, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_are_right_where_an_index_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(many_lies_hide_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_index_that_is_damaged_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_fails_is_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_block_is_read_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_held_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_cache_is_read_beside, setup, teardown),
		cmocka_unit_test_setup_teardown(a_block_under_way_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(several_threads, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
