#include "storerace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/little.h"
#include "os/thread.h"
#include "storeworld.h"

enum { SMALL = 1000, THREADS = 8, APPENDS = 30, RIVALS = 4 };

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

static void check_rivals(struct storeworld *w, uint64_t rivals) {
	struct collected c = { 0 };
	assert_int_equal(
		store_chain_read(w->store, &w->chain, 0, STORE_READ_FAST, collect, &c, NULL), OK);
	assert_int_equal(c.next, rivals * APPENDS);
	for (uint64_t i = 0; i < rivals; i++) assert_int_equal(c.turns[i], APPENDS);
	assert_int_equal(storeworld_length(w), rivals * APPENDS);
}

void storerace_of_threads_one_wins(void **state) {
	struct storeworld *w = *state;
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

void storerace_of_processes_one_wins(void **state) {
	struct storeworld *w = *state;
	if (!w->suite->again) {
		print_message("skipped: this store is one process's\n");
		skip();
	}
	pid_t children[RIVALS];
	for (uint64_t i = 0; i < RIVALS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] > 0) continue;
		struct rival r = { .store = w->suite->again(w->ctx), .chain = &w->chain, .number = i };
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

void storerace_another_process_sees_it(void **state) {
	struct storeworld *w = *state;
	if (!w->suite->again) skip();
	struct store *other = w->suite->again(w->ctx);
	assert_non_null(other);
	assert_true(hash_equal(store_id(other), store_id(w->store)));
	struct hash name = storeworld_pack(w, &w->vault, SMALL, 50);
	uint8_t got[SMALL];
	assert_int_equal(store_pack_get(other, &w->vault, &name, 0, SMALL, got, NULL), OK);
	uint64_t length;
	assert_int_equal(store_chain_length(other, &w->chain, &length, NULL), OK);
	assert_int_equal(storeworld_append(w->store, &w->chain, 1, 0), OK);
	assert_int_equal(store_chain_length(other, &w->chain, &length, NULL), OK);
	assert_int_equal(length, 1);
	assert_int_equal(storeworld_append(other, &w->chain, 1, 1), OK);
	assert_int_equal(storeworld_append(w->store, &w->chain, 2, 1), E_BUSY);
	storeworld_check(w, 1, 0, 2);
	store_free(other);
}

/* One of several that put, read and flush at once; half of their packs are the same. */
struct worker {
	struct storeworld *world;
	uint64_t number;
	struct thread thread;
	_Atomic bool bad;
};

static bool work_on(struct worker *k, uint64_t seed) {
	struct storeworld *w = k->world;
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

void storerace_eight_threads(void **state) {
	struct storeworld *w = *state;
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
	struct storeworld_count c = { .world = w };
	assert_int_equal(store_pack_list(w->store, &w->vault, storeworld_count_pack, &c, NULL), OK);
	assert_int_equal(c.calls, 30 + 30 * THREADS);
}
