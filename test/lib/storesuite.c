#include "storesuite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/little.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"

enum { SMALL = 1000, THREADS = 8, APPENDS = 30, RIVALS = 4 };

static const struct storesuite *suite; /* the one under way */

struct world {
	struct store *store;
	void *ctx;
	struct hash vault;
	struct hash chain;
};

void storesuite_bytes(uint8_t *out, size_t len, uint64_t seed) {
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		out[i] = (uint8_t)(x >> 24);
	}
}

struct hash storesuite_name(const uint8_t *bytes, size_t len) {
	struct hash name;
	hash_of(&name, span_of(bytes, len));
	return name;
}

struct hash storesuite_id(uint64_t seed) {
	struct hash id;
	storesuite_bytes(id.b, sizeof id.b, seed ^ 0x1d);
	return id;
}

static int set_up(void **state) {
	struct world *w = calloc(1, sizeof *w);
	if (!w) return -1;
	w->store = suite->make(&w->ctx);
	w->vault = storesuite_id(1);
	w->chain = storesuite_id(2);
	*state = w;
	return w->store ? 0 : -1;
}

static int tear_down(void **state) {
	struct world *w = *state;
	store_free(w->store);
	if (suite->done) suite->done(w->ctx);
	free(w);
	return 0;
}

/* Puts ${len} bytes made of ${seed}; their name. */
static struct hash put_pack(struct world *w, const struct hash *vault, size_t len, uint64_t seed) {
	uint8_t *bytes = malloc(len ? len : 1);
	assert_non_null(bytes);
	storesuite_bytes(bytes, len, seed);
	struct hash name = storesuite_name(bytes, len);
	struct why why = { 0 };
	if (store_pack_put(w->store, vault, &name, span_of(bytes, len), &why) != OK)
		fail_msg("%s", why.msg);
	free(bytes);
	return name;
}

static void packs_come_back(void **state) {
	struct world *w = *state;
	enum { LEN = 100000 };
	static uint8_t bytes[LEN], got[LEN];
	storesuite_bytes(bytes, LEN, 7);
	struct hash name = put_pack(w, &w->vault, LEN, 7);
	uint64_t size = 0;
	assert_int_equal(store_pack_size(w->store, &w->vault, &name, &size, NULL), OK);
	assert_int_equal(size, LEN);
	static const size_t ranges[][2] = { { 0, LEN }, { 0, 1 }, { LEN - 1, 1 }, { 4095, 3 },
		{ 65536, 1 }, { 0, 0 }, { LEN, 0 } };
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		memset(got, 0, sizeof got);
		assert_int_equal(
			store_pack_get(w->store, &w->vault, &name, ranges[i][0], ranges[i][1], got, NULL), OK);
		assert_memory_equal(got, bytes + ranges[i][0], ranges[i][1]);
	}
}

static void packs_end_where_they_end(void **state) {
	struct world *w = *state;
	struct hash name = put_pack(w, &w->vault, SMALL, 8);
	uint8_t got[SMALL + 1];
	struct why why = { 0 };
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, SMALL + 1, got, &why), E_FORMAT);
	assert_true(why.msg[0] != 0);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, SMALL, 1, got, NULL), E_FORMAT);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, SMALL + 5, 1, got, NULL), E_FORMAT);
	assert_int_equal(
		store_pack_get(w->store, &w->vault, &name, UINT64_MAX, 1, got, NULL), E_FORMAT);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 1, SIZE_MAX, got, NULL), E_FORMAT);
}

static void missing_packs_are_not_found(void **state) {
	struct world *w = *state;
	struct hash name = storesuite_id(99), other = storesuite_id(98);
	uint8_t got;
	uint64_t size;
	struct why why = { 0 };
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, &why), E_NOTFOUND);
	assert_int_equal(store_pack_size(w->store, &w->vault, &name, &size, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_delete(w->store, &w->vault, &name, NULL), E_NOTFOUND);
	/* A pack of another vault is not there either. */
	name = put_pack(w, &w->vault, SMALL, 9);
	assert_int_equal(store_pack_get(w->store, &other, &name, 0, 1, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_size(w->store, &other, &name, &size, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_delete(w->store, &other, &name, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), OK);
}

static void wrong_names_are_refused(void **state) {
	struct world *w = *state;
	uint8_t bytes[SMALL];
	storesuite_bytes(bytes, sizeof bytes, 10);
	struct hash name = storesuite_name(bytes, sizeof bytes);
	bytes[SMALL / 2] ^= 1;
	struct span wrong = span_of(bytes, sizeof bytes);
	assert_int_equal(store_pack_put(w->store, &w->vault, &name, wrong, NULL), E_USAGE);
	assert_int_equal(store_object_put(w->store, &name, wrong, NULL), E_USAGE);
	uint64_t size;
	assert_int_equal(store_pack_size(w->store, &w->vault, &name, &size, NULL), E_NOTFOUND);
}

static void maxima_are_kept(void **state) {
	struct world *w = *state;
	size_t len = (size_t)STORE_PACK_MAX + 1;
	uint8_t *bytes = calloc(1, len);
	assert_non_null(bytes);
	struct hash name = storesuite_name(bytes, len);
	assert_int_equal(
		store_pack_put(w->store, &w->vault, &name, span_of(bytes, len), NULL), E_LIMIT);
	assert_int_equal(store_object_put(w->store, &name, span_of(bytes, len), NULL), E_LIMIT);
	assert_int_equal(
		store_locator_put(w->store, &name, span_of(bytes, (size_t)STORE_LOCATOR_MAX + 1), NULL),
		E_LIMIT);
	assert_int_equal(store_chain_append(
						 w->store, &w->chain, 0, span_of(bytes, (size_t)STORE_ENTRY_MAX + 1), NULL),
		E_LIMIT);
	assert_int_equal(store_chain_append(w->store, &w->chain, 0, span_of(bytes, 0), NULL), E_USAGE);
	/* The largest of each. */
	struct span most = span_of(bytes, STORE_PACK_MAX);
	name = storesuite_name(most.ptr, most.len);
	assert_int_equal(store_pack_put(w->store, &w->vault, &name, most, NULL), OK);
	assert_int_equal(store_object_put(w->store, &name, most, NULL), OK);
	assert_int_equal(
		store_locator_put(w->store, &name, span_of(bytes, STORE_LOCATOR_MAX), NULL), OK);
	assert_int_equal(
		store_chain_append(w->store, &w->chain, 0, span_of(bytes, STORE_ENTRY_MAX), NULL), OK);
	free(bytes);
}

static void packs_are_put_once(void **state) {
	struct world *w = *state;
	struct hash first = put_pack(w, &w->vault, SMALL, 11);
	struct hash second = put_pack(w, &w->vault, SMALL, 11);
	assert_true(hash_equal(&first, &second));
	assert_int_equal(store_flush(w->store, &w->vault, NULL), OK);
	assert_int_equal(store_flush(w->store, &w->vault, NULL), OK);
	struct hash never = storesuite_id(12);
	assert_int_equal(store_flush(w->store, &never, NULL), OK);
}

struct count {
	struct world *world;
	uint64_t calls;
	uint64_t bytes;
	uint64_t stop_at;
	bool delete;
};

static enum err count_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct count *c = ctx;
	c->calls++;
	c->bytes += size;
	if (c->stop_at && c->calls == c->stop_at) return why_set(why, E_CANCELLED, "enough");
	if (!c->delete) return OK;
	return store_pack_delete(c->world->store, &c->world->vault, name, why);
}

static void packs_are_listed(void **state) {
	struct world *w = *state;
	enum { PACKS = 700 };
	struct hash other = storesuite_id(13);
	struct count c = { .world = w };
	assert_int_equal(store_pack_list(w->store, &w->vault, count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	uint64_t bytes = 0;
	for (size_t i = 0; i < PACKS; i++) {
		put_pack(w, &w->vault, 100 + i, 1000 + i);
		bytes += 100 + i;
	}
	put_pack(w, &other, 50, 13);
	assert_int_equal(store_pack_list(w->store, &w->vault, count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, PACKS);
	assert_int_equal(c.bytes, bytes);
	/* What the visitor says ends it, sentence and all. */
	struct why why = { 0 };
	c = (struct count){ .world = w, .stop_at = 10 };
	assert_int_equal(store_pack_list(w->store, &w->vault, count_pack, &c, &why), E_CANCELLED);
	assert_string_equal(why.msg, "enough");
	assert_int_equal(c.calls, 10);
	/* The list can be emptied while it is read. */
	c = (struct count){ .world = w, .delete = true };
	assert_int_equal(store_pack_list(w->store, &w->vault, count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, PACKS);
	c = (struct count){ .world = w };
	assert_int_equal(store_pack_list(w->store, &w->vault, count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	assert_int_equal(store_pack_list(w->store, &other, count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 1);
}

static void packs_are_deleted(void **state) {
	struct world *w = *state;
	uint8_t got;
	struct hash name = put_pack(w, &w->vault, SMALL, 14);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), OK);
	assert_int_equal(store_pack_delete(w->store, &w->vault, &name, NULL), OK);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_pack_delete(w->store, &w->vault, &name, NULL), E_NOTFOUND);
	put_pack(w, &w->vault, SMALL, 14);
	assert_int_equal(store_pack_get(w->store, &w->vault, &name, 0, 1, &got, NULL), OK);
}

/* Entry ${seq} of the chain with this ${seed}: its length differs from one to the next. */
static size_t entry_bytes(uint8_t *out, uint64_t seed, uint64_t seq) {
	size_t len = 20 + (size_t)(seq % 37);
	storesuite_bytes(out, len, seed * 1000003 + seq);
	return len;
}

static enum err append(struct store *s, const struct hash *chain, uint64_t seed, uint64_t seq) {
	uint8_t bytes[64];
	size_t len = entry_bytes(bytes, seed, seq);
	return store_chain_append(s, chain, seq, span_of(bytes, len), NULL);
}

struct follow {
	uint64_t seed;
	uint64_t next;
	uint64_t stop_at;
};

static enum err follow_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct follow *f = ctx;
	uint8_t expected[64];
	assert_int_equal(seq, f->next);
	size_t len = entry_bytes(expected, f->seed, seq);
	assert_int_equal(bytes.len, len);
	assert_memory_equal(bytes.ptr, expected, len);
	f->next++;
	if (f->stop_at && f->next == f->stop_at) return why_set(why, E_CANCELLED, "enough");
	return OK;
}

static void check_chain(struct world *w, uint64_t seed, uint64_t from, uint64_t length) {
	static const enum store_read ways[] = { STORE_READ_FAST, STORE_READ_SINGLE };
	for (size_t i = 0; i < 2; i++) {
		struct follow f = { .seed = seed, .next = from };
		assert_int_equal(
			store_chain_read(w->store, &w->chain, from, ways[i], follow_entry, &f, NULL), OK);
		assert_int_equal(f.next, from > length ? from : length);
	}
}

static uint64_t length_of(struct world *w) {
	uint64_t length = UINT64_MAX;
	assert_int_equal(store_chain_length(w->store, &w->chain, &length, NULL), OK);
	return length;
}

static void chains_grow(void **state) {
	struct world *w = *state;
	assert_int_equal(length_of(w), 0);
	check_chain(w, 1, 0, 0);
	for (uint64_t seq = 0; seq < 5; seq++) {
		assert_int_equal(append(w->store, &w->chain, 1, seq), OK);
		assert_int_equal(length_of(w), seq + 1);
	}
	for (uint64_t from = 0; from < 8; from++) check_chain(w, 1, from, 5);
	check_chain(w, 1, UINT64_MAX, 5);
}

static void chains_are_compare_and_swap(void **state) {
	struct world *w = *state;
	/* Nothing before it. */
	assert_int_equal(append(w->store, &w->chain, 1, 1), E_NOTFOUND);
	assert_int_equal(length_of(w), 0);
	assert_int_equal(append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(append(w->store, &w->chain, 1, 2), E_NOTFOUND);
	assert_int_equal(append(w->store, &w->chain, 1, INT64_MAX - 1), E_NOTFOUND);
	/* Another entry there. */
	assert_int_equal(append(w->store, &w->chain, 2, 0), E_BUSY);
	/* The very same: a repeated call. */
	assert_int_equal(append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(append(w->store, &w->chain, 1, 1), OK);
	assert_int_equal(append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(length_of(w), 2);
	check_chain(w, 1, 0, 2);
	/* Another chain knows nothing of it. */
	struct hash other = storesuite_id(30);
	assert_int_equal(append(w->store, &other, 1, 2), E_NOTFOUND);
	assert_int_equal(append(w->store, &other, 2, 0), OK);
}

static void long_chains_are_read_from_anywhere(void **state) {
	struct world *w = *state;
	enum { LENGTH = 800 };
	for (uint64_t seq = 0; seq < LENGTH; seq++)
		assert_int_equal(append(w->store, &w->chain, 3, seq), OK);
	assert_int_equal(length_of(w), LENGTH);
	static const uint64_t starts[] = { 0, 1, 200, 250, 255, 256, 257, 511, 512, 700, 767, 768, 799,
		800 };
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		check_chain(w, 3, starts[i], LENGTH);
	struct follow f = { .seed = 3, .next = 100, .stop_at = 300 };
	struct why why = { 0 };
	assert_int_equal(
		store_chain_read(w->store, &w->chain, 100, STORE_READ_FAST, follow_entry, &f, &why),
		E_CANCELLED);
	assert_string_equal(why.msg, "enough");
	assert_int_equal(f.next, 300);
}

static enum err count_name(void *ctx, const struct hash *name, struct why *why) {
	struct count *c = ctx;
	c->calls++;
	c->bytes += name->b[0];
	if (c->stop_at && c->calls == c->stop_at) return why_set(why, E_CANCELLED, "enough");
	return OK;
}

static void chains_are_listed(void **state) {
	struct world *w = *state;
	struct count c = { 0 };
	assert_int_equal(store_chain_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	uint64_t sum = 0;
	for (uint64_t i = 0; i < 20; i++) {
		struct hash chain = storesuite_id(500 + i);
		sum += chain.b[0];
		assert_int_equal(append(w->store, &chain, i, 0), OK);
		assert_int_equal(append(w->store, &chain, i, 1), OK);
	}
	/* One that did not come to be. */
	assert_int_equal(append(w->store, &w->chain, 1, 1), E_NOTFOUND);
	assert_int_equal(store_chain_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, 20);
	assert_int_equal(c.bytes, sum);
	c = (struct count){ .stop_at = 3 };
	assert_int_equal(store_chain_list(w->store, count_name, &c, NULL), E_CANCELLED);
}

static void things_come_back(void **state) {
	struct world *w = *state;
	uint8_t bytes[SMALL];
	struct buf got;
	buf_init(&got, STORE_OBJECT_MAX);
	assert_int_equal(buf_add(&got, span_text("kept")), OK);
	storesuite_bytes(bytes, sizeof bytes, 40);
	struct hash name = storesuite_name(bytes, sizeof bytes), other = storesuite_id(41);
	struct span in = span_of(bytes, sizeof bytes);
	assert_int_equal(store_object_get(w->store, &name, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_object_put(w->store, &name, in, NULL), OK);
	assert_int_equal(store_object_put(w->store, &name, in, NULL), OK);
	assert_int_equal(store_object_get(w->store, &name, &got, NULL), OK);
	assert_int_equal(got.len, 4 + SMALL);
	assert_memory_equal(got.ptr, "kept", 4);
	assert_memory_equal(got.ptr + 4, bytes, SMALL);
	/* An object is no locator, and the other way round. */
	assert_int_equal(store_locator_get(w->store, &name, &got, NULL), E_NOTFOUND);
	assert_int_equal(store_locator_put(w->store, &other, in, NULL), OK);
	assert_int_equal(store_locator_put(w->store, &other, in, NULL), OK);
	assert_int_equal(store_locator_put(w->store, &other, span_of(bytes, 10), NULL), E_EXISTS);
	assert_int_equal(store_object_get(w->store, &other, &got, NULL), E_NOTFOUND);
	assert_int_equal(got.len, 4 + SMALL);
	buf_clear(&got);
	assert_int_equal(store_locator_get(w->store, &other, &got, NULL), OK);
	assert_int_equal(got.len, SMALL);
	assert_int_equal(store_locator_delete(w->store, &other, NULL), OK);
	assert_int_equal(store_locator_delete(w->store, &other, NULL), E_NOTFOUND);
	assert_int_equal(store_locator_put(w->store, &other, span_of(bytes, 10), NULL), OK);
	assert_int_equal(store_object_delete(w->store, &name, NULL), OK);
	assert_int_equal(store_object_delete(w->store, &name, NULL), E_NOTFOUND);
	buf_free(&got);
}

static void things_are_listed(void **state) {
	struct world *w = *state;
	enum { THINGS = 50 };
	struct count c = { 0 };
	assert_int_equal(store_object_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(store_locator_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, 0);
	for (uint64_t i = 0; i < THINGS; i++) {
		uint8_t bytes[16];
		storesuite_bytes(bytes, sizeof bytes, 600 + i);
		struct hash name = storesuite_name(bytes, sizeof bytes);
		assert_int_equal(store_object_put(w->store, &name, span_of(bytes, sizeof bytes), NULL), OK);
		if (i % 2)
			assert_int_equal(
				store_locator_put(w->store, &name, span_of(bytes, sizeof bytes), NULL), OK);
	}
	assert_int_equal(store_object_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, THINGS);
	c.calls = 0;
	assert_int_equal(store_locator_list(w->store, count_name, &c, NULL), OK);
	assert_int_equal(c.calls, THINGS / 2);
}

static void watching_sees_news(void **state) {
	struct world *w = *state;
	uint64_t length = 9;
	uint64_t start = clock_mono_ns();
	assert_int_equal(store_chain_watch(w->store, &w->chain, 0, 120, &length, NULL), OK);
	assert_int_equal(length, 0);
	assert_true(clock_mono_ns() - start >= 120000000);
	assert_int_equal(append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(store_chain_watch(w->store, &w->chain, 0, 60000, &length, NULL), OK);
	assert_int_equal(length, 1);
	assert_int_equal(store_chain_watch(w->store, &w->chain, 1, 0, &length, NULL), OK);
	assert_int_equal(length, 1);
}

/* One of several that append to one chain, each its own bytes, until it has won so often. */
struct rival {
	struct store *store;
	const struct hash *chain;
	uint64_t number;
	struct thread thread;
	uint64_t won[APPENDS];
	bool bad;
};

static void rival_bytes(uint8_t out[16], uint64_t number, uint64_t turn) {
	little_put64(out, number);
	little_put64(out + 8, turn);
}

static void run_rival(void *ctx) {
	struct rival *r = ctx;
	uint64_t seq = 0;
	for (uint64_t turn = 0; turn < APPENDS;) {
		uint8_t bytes[16];
		rival_bytes(bytes, r->number, turn);
		enum err e =
			store_chain_append(r->store, r->chain, seq, span_of(bytes, sizeof bytes), NULL);
		if (e != OK && e != E_BUSY) {
			r->bad = true;
			return;
		}
		if (e == OK) r->won[turn++] = seq;
		seq++;
	}
}

struct collected {
	uint64_t next;
	uint64_t turns[THREADS]; /* of each rival: its entries come in its order, each once */
};

static enum err collect(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	(void)why;
	struct collected *c = ctx;
	assert_int_equal(seq, c->next);
	c->next++;
	assert_int_equal(bytes.len, 16);
	uint64_t number = little_get64(bytes.ptr);
	assert_true(number < THREADS);
	assert_int_equal(little_get64(bytes.ptr + 8), c->turns[number]);
	c->turns[number]++;
	return OK;
}

static void check_rivals(struct world *w, uint64_t rivals) {
	struct collected c = { 0 };
	assert_int_equal(
		store_chain_read(w->store, &w->chain, 0, STORE_READ_FAST, collect, &c, NULL), OK);
	assert_int_equal(c.next, rivals * APPENDS);
	for (uint64_t i = 0; i < rivals; i++) assert_int_equal(c.turns[i], APPENDS);
	assert_int_equal(length_of(w), rivals * APPENDS);
}

static void of_racing_threads_one_wins(void **state) {
	struct world *w = *state;
	struct rival *rivals = calloc(THREADS, sizeof *rivals);
	assert_non_null(rivals);
	for (uint64_t i = 0; i < THREADS; i++) {
		rivals[i].store = w->store;
		rivals[i].chain = &w->chain;
		rivals[i].number = i;
		assert_int_equal(thread_start(&rivals[i].thread, run_rival, &rivals[i], NULL), OK);
	}
	for (size_t i = 0; i < THREADS; i++) thread_join(&rivals[i].thread);
	for (size_t i = 0; i < THREADS; i++) assert_false(rivals[i].bad);
	free(rivals);
	check_rivals(w, THREADS);
}

static void of_racing_processes_one_wins(void **state) {
	struct world *w = *state;
	if (!suite->again) {
		print_message("skipped: this store is one process's\n");
		skip();
	}
	pid_t children[RIVALS];
	for (uint64_t i = 0; i < RIVALS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] > 0) continue;
		struct rival r = { .store = suite->again(w->ctx), .chain = &w->chain, .number = i };
		if (!r.store) _exit(2);
		run_rival(&r);
		store_free(r.store);
		_exit(r.bad ? 1 : 0);
	}
	for (size_t i = 0; i < RIVALS; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	check_rivals(w, RIVALS);
}

static void another_process_sees_it(void **state) {
	struct world *w = *state;
	if (!suite->again) skip();
	struct store *other = suite->again(w->ctx);
	assert_non_null(other);
	assert_true(hash_equal(store_id(other), store_id(w->store)));
	struct hash name = put_pack(w, &w->vault, SMALL, 50);
	uint8_t got[SMALL];
	assert_int_equal(store_pack_get(other, &w->vault, &name, 0, SMALL, got, NULL), OK);
	uint64_t length;
	assert_int_equal(store_chain_length(other, &w->chain, &length, NULL), OK);
	assert_int_equal(append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(store_chain_length(other, &w->chain, &length, NULL), OK);
	assert_int_equal(length, 1);
	assert_int_equal(append(other, &w->chain, 1, 1), OK);
	assert_int_equal(append(w->store, &w->chain, 2, 1), E_BUSY);
	check_chain(w, 1, 0, 2);
	store_free(other);
}

/* One of several that put, read and flush at once; half of their packs are the same. */
struct worker {
	struct world *world;
	uint64_t number;
	struct thread thread;
	_Atomic bool bad;
};

static bool work_on(struct worker *k, uint64_t seed) {
	struct world *w = k->world;
	uint8_t bytes[3000], got[3000];
	storesuite_bytes(bytes, sizeof bytes, seed);
	struct hash name = storesuite_name(bytes, sizeof bytes);
	if (store_pack_put(w->store, &w->vault, &name, span_of(bytes, sizeof bytes), NULL) != OK)
		return false;
	for (size_t at = 0; at < sizeof bytes; at += 500) {
		if (store_pack_get(w->store, &w->vault, &name, at, 500, got, NULL) != OK) return false;
		if (memcmp(got, bytes + at, 500) != 0) return false;
	}
	return seed % 7 || store_flush(w->store, &w->vault, NULL) == OK;
}

static void run_worker(void *ctx) {
	struct worker *k = ctx;
	for (uint64_t i = 0; i < 60; i++) {
		uint64_t seed = 7000 + (i % 2 ? i : i + 100 * k->number);
		if (!work_on(k, seed)) k->bad = true;
	}
}

static void eight_threads_at_once(void **state) {
	struct world *w = *state;
	struct worker *workers = calloc(THREADS, sizeof *workers);
	assert_non_null(workers);
	for (uint64_t i = 0; i < THREADS; i++) {
		workers[i].world = w;
		workers[i].number = i;
		assert_int_equal(thread_start(&workers[i].thread, run_worker, &workers[i], NULL), OK);
	}
	for (size_t i = 0; i < THREADS; i++) thread_join(&workers[i].thread);
	for (size_t i = 0; i < THREADS; i++) assert_false(workers[i].bad);
	free(workers);
	struct count c = { .world = w };
	assert_int_equal(store_pack_list(w->store, &w->vault, count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 30 + 30 * THREADS);
}

/* With every allocation failing once: E_NOMEM or success, never half of it. */
static void use_it(struct world *w, uint64_t round) {
	uint8_t bytes[100], got[100];
	storesuite_bytes(bytes, sizeof bytes, 9000 + round);
	struct hash name = storesuite_name(bytes, sizeof bytes);
	struct span in = span_of(bytes, sizeof bytes);
	struct buf out;
	buf_init(&out, STORE_OBJECT_MAX);
	enum err results[8];
	size_t n = 0;
	results[n++] = store_pack_put(w->store, &w->vault, &name, in, NULL);
	results[n++] = store_pack_get(w->store, &w->vault, &name, 0, sizeof got, got, NULL);
	results[n++] = store_object_put(w->store, &name, in, NULL);
	results[n++] = store_object_get(w->store, &name, &out, NULL);
	struct hash chain = storesuite_id(9000 + round);
	results[n++] = append(w->store, &chain, 1, 0);
	struct follow f = { .seed = 1 };
	results[n++] = store_chain_read(w->store, &chain, 0, STORE_READ_FAST, follow_entry, &f, NULL);
	struct count c = { .world = w };
	results[n++] = store_pack_list(w->store, &w->vault, count_pack, &c, NULL);
	results[n++] = store_object_list(w->store, count_name, &c, NULL);
	buf_free(&out);
	for (size_t i = 0; i < n; i++)
		assert_true(results[i] == OK || results[i] == E_NOMEM || results[i] == E_NOTFOUND);
	/* And once there is memory again, all of it works. */
	mem_fail_at(0);
	assert_int_equal(store_pack_put(w->store, &w->vault, &name, in, NULL), OK);
	assert_int_equal(store_object_put(w->store, &name, in, NULL), OK);
	assert_int_equal(append(w->store, &chain, 1, 0), OK);
	assert_int_equal(append(w->store, &chain, 1, 1), OK);
}

static void memory_may_run_out(void **state) {
	struct world *w = *state;
	for (uint64_t nth = 1; nth < 40; nth++) {
		mem_fail_at(nth);
		use_it(w, nth);
	}
	mem_fail_at(0);
}

static void it_has_a_name(void **state) {
	struct world *w = *state;
	assert_false(hash_is_zero(store_id(w->store)));
	assert_true(strlen(store_address(w->store)) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int storesuite_run(const struct storesuite *under_test) {
	const struct CMUnitTest tests[] = {
		CASE(it_has_a_name),
		CASE(packs_come_back),
		CASE(packs_end_where_they_end),
		CASE(missing_packs_are_not_found),
		CASE(wrong_names_are_refused),
		CASE(maxima_are_kept),
		CASE(packs_are_put_once),
		CASE(packs_are_listed),
		CASE(packs_are_deleted),
		CASE(chains_grow),
		CASE(chains_are_compare_and_swap),
		CASE(long_chains_are_read_from_anywhere),
		CASE(chains_are_listed),
		CASE(things_come_back),
		CASE(things_are_listed),
		CASE(watching_sees_news),
		CASE(of_racing_threads_one_wins),
		CASE(of_racing_processes_one_wins),
		CASE(another_process_sees_it),
		CASE(eight_threads_at_once),
		CASE(memory_may_run_out),
	};
	suite = under_test;
	return cmocka_run_group_tests_name(under_test->label, tests, NULL, NULL);
}
