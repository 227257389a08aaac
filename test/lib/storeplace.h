/* A folder with an embedded store in it, for tests that look under its hood. */
#ifndef TEST_STOREPLACE_H
#define TEST_STOREPLACE_H

#include "scratch.h"
#include "store/store.h"

enum { STOREPLACE_PACK = 5000 };

/* A scratch folder, in it the store "s"; and a vault and a chain to use in it. */
struct storeplace {
	char folder[SCRATCH_MAX];
	char path[SCRATCH_MAX];
	struct hash vault;
	struct hash chain;
};

/* For cmocka: the folder with a store in it, the folder alone, and the end of both. */
int storeplace_new(void **state);
int storeplace_bare(void **state);
int storeplace_done(void **state);

/* Makes the store at ${p->path}, opens it. Fails the test. */
void storeplace_create(const struct storeplace *p);
struct store *storeplace_open(const struct storeplace *p);

/* A path in the store to ${out}, which has SCRATCH_MAX bytes; returns ${out}. */
char *storeplace_inside(char *out, const struct storeplace *p, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The digits of a hash; valid until the fourth call after this one. */
const char *storeplace_hex(const struct hash *h);

/*
 * Puts the pack made of ${seed}, STOREPLACE_PACK bytes, whose name goes to ${name}. Appends the
 * chain's entry ${seq}.
 */
enum err storeplace_put(
	struct store *s, const struct storeplace *p, uint64_t seed, struct hash *name, struct why *why);
enum err storeplace_append(
	struct store *s, const struct storeplace *p, uint64_t seq, struct why *why);

/*
 * Reads the chain that storeplace_append made: how far, and how many entries were not what was
 * appended.
 */
struct storeplace_follow {
	uint64_t next;
	uint64_t wrong;
};
enum err storeplace_follow_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why);
struct storeplace_follow storeplace_read(
	const struct storeplace *p, uint64_t from, enum store_read how, enum err expected);

#endif
