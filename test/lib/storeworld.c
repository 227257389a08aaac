#include "storeworld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct storesuite *suite; /* the one under way */

void storeworld_use(const struct storesuite *under_test) {
	suite = under_test;
}

int storeworld_setup(void **state) {
	struct storeworld *w = calloc(1, sizeof *w);
	if (!w) return -1;
	w->suite = suite;
	w->store = suite->make(&w->ctx);
	w->vault = storesuite_id(1);
	w->chain = storesuite_id(2);
	*state = w;
	return w->store ? 0 : -1;
}

int storeworld_teardown(void **state) {
	struct storeworld *w = *state;
	store_free(w->store);
	if (w->suite->done) w->suite->done(w->ctx);
	free(w);
	return 0;
}

struct hash storeworld_pack(
	struct storeworld *w, const struct hash *vault, size_t len, uint64_t seed) {
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

enum err storeworld_count_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct storeworld_count *c = ctx;
	c->calls++;
	c->bytes += size;
	if (c->stop_at && c->calls == c->stop_at) return why_set(why, E_CANCELLED, "enough");
	if (!c->delete) return OK;
	return store_pack_delete(c->world->store, &c->world->vault, name, why);
}

/* Entry ${seq} of the chain with this ${seed}: its length differs from one to the next. */
static size_t entry_bytes(uint8_t *out, uint64_t seed, uint64_t seq) {
	size_t len = 20 + (size_t)(seq % 37);
	storesuite_bytes(out, len, seed * 1000003 + seq);
	return len;
}

enum err storeworld_append(struct store *s, const struct hash *chain, uint64_t seed, uint64_t seq) {
	uint8_t bytes[64];
	size_t len = entry_bytes(bytes, seed, seq);
	return store_chain_append(s, chain, seq, span_of(bytes, len), NULL);
}

enum err storeworld_follow_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct storeworld_follow *f = ctx;
	uint8_t expected[64];
	assert_int_equal(seq, f->next);
	size_t len = entry_bytes(expected, f->seed, seq);
	assert_int_equal(bytes.len, len);
	assert_memory_equal(bytes.ptr, expected, len);
	f->next++;
	if (f->stop_at && f->next == f->stop_at) return why_set(why, E_CANCELLED, "enough");
	return OK;
}

void storeworld_check(struct storeworld *w, uint64_t seed, uint64_t from, uint64_t length) {
	static const enum store_read ways[] = { STORE_READ_FAST, STORE_READ_SINGLE };
	for (size_t i = 0; i < 2; i++) {
		struct storeworld_follow f = { .seed = seed, .next = from };
		assert_int_equal(
			store_chain_read(w->store, &w->chain, from, ways[i], storeworld_follow_entry, &f, NULL),
			OK);
		assert_int_equal(f.next, from > length ? from : length);
	}
}

uint64_t storeworld_length(struct storeworld *w) {
	uint64_t length = UINT64_MAX;
	assert_int_equal(store_chain_length(w->store, &w->chain, &length, NULL), OK);
	return length;
}
