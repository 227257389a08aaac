#include "storeplace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/embedded.h"
#include "storesuite.h"

void storeplace_create(const struct storeplace *p) {
	struct hash id = storesuite_id(1);
	struct why why;
	if (embedded_create(p->path, &id, &why) != OK) fail_msg("%s", why.msg);
}

int storeplace_bare(void **state) {
	struct storeplace *p = calloc(1, sizeof *p);
	if (!p) return -1;
	scratch_make(p->folder);
	scratch_join(p->path, p->folder, "s");
	p->vault = storesuite_id(2);
	p->chain = storesuite_id(3);
	*state = p;
	return 0;
}

int storeplace_new(void **state) {
	if (storeplace_bare(state) != 0) return -1;
	storeplace_create(*state);
	return 0;
}

int storeplace_done(void **state) {
	struct storeplace *p = *state;
	scratch_remove(p->folder);
	free(p);
	return 0;
}

struct store *storeplace_open(const struct storeplace *p) {
	struct store *s = NULL;
	struct why why;
	if (embedded_open(p->path, &s, &why) != OK) fail_msg("%s", why.msg);
	return s;
}

char *storeplace_inside(char *out, const struct storeplace *p, const char *format, ...) {
	va_list args;
	size_t n = (size_t)snprintf(out, SCRATCH_MAX, "%s/", p->path);
	va_start(args, format);
	int more = vsnprintf(out + n, SCRATCH_MAX - n, format, args);
	va_end(args);
	assert_true(more >= 0 && n + (size_t)more < SCRATCH_MAX);
	return out;
}

const char *storeplace_hex(const struct hash *h) {
	static char hex[4][HASH_HEX];
	static size_t next;
	char *out = hex[next++ % 4];
	hash_hex(out, h);
	return out;
}

enum err storeplace_put(struct store *s, const struct storeplace *p, uint64_t seed,
	struct hash *name, struct why *why) {
	uint8_t bytes[STOREPLACE_PACK];
	storesuite_bytes(bytes, sizeof bytes, seed);
	*name = storesuite_name(bytes, sizeof bytes);
	return store_pack_put(s, &p->vault, name, span_of(bytes, sizeof bytes), why);
}

enum err storeplace_append(
	struct store *s, const struct storeplace *p, uint64_t seq, struct why *why) {
	uint8_t bytes[40];
	storesuite_bytes(bytes, sizeof bytes, 100 + seq);
	return store_chain_append(s, &p->chain, seq, span_of(bytes, sizeof bytes), why);
}

enum err storeplace_follow_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	(void)why;
	struct storeplace_follow *f = ctx;
	uint8_t expected[40];
	storesuite_bytes(expected, sizeof expected, 100 + seq);
	assert_int_equal(seq, f->next);
	if (!span_equal(bytes, span_of(expected, sizeof expected))) f->wrong++;
	f->next++;
	return OK;
}

struct storeplace_follow storeplace_read(
	const struct storeplace *p, uint64_t from, enum store_read how, enum err expected) {
	struct store *s = storeplace_open(p);
	struct storeplace_follow f = { .next = from };
	assert_int_equal(
		store_chain_read(s, &p->chain, from, how, storeplace_follow_entry, &f, NULL), expected);
	store_free(s);
	return f;
}
