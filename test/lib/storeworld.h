/* What the tests of storesuite are made of: a store, a vault and a chain in it, and packs and entries whose bytes are known. */
#ifndef TEST_STOREWORLD_H
#define TEST_STOREWORLD_H

#include "storesuite.h"

struct storeworld {
	const struct storesuite *suite;
	struct store *store; /* new and empty at first */
	void *ctx;           /* of the suite's ${done} and ${again} */
	struct hash vault;
	struct hash chain;
};

/* For cmocka; first storeworld_use says which stores they are to make. */
void storeworld_use(const struct storesuite *suite);
int storeworld_setup(void **state);
int storeworld_teardown(void **state);

/* Puts ${len} bytes made of ${seed}; their name. */
struct hash storeworld_pack(
	struct storeworld *w, const struct hash *vault, size_t len, uint64_t seed);

/* For lists: counts, ends with E_CANCELLED and "enough" at the call ${stop_at}, unless that is 0, and may delete the packs. */
struct storeworld_count {
	struct storeworld *world;
	uint64_t calls;
	uint64_t bytes;
	uint64_t stop_at;
	bool delete;
};
enum err storeworld_count_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why);

/* Appends entry ${seq} of the chain with this ${seed}: entries differ in length from one to the next. */
enum err storeworld_append(struct store *s, const struct hash *chain, uint64_t seed, uint64_t seq);

/* For reading a chain: fails the test unless what comes is those entries, from ${next} on. ${stop_at}: as above. */
struct storeworld_follow {
	uint64_t seed;
	uint64_t next;
	uint64_t stop_at;
};
enum err storeworld_follow_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why);

/* Fails the test unless the chain, read in each way from ${from} on, has those entries up to ${length}. */
void storeworld_check(struct storeworld *w, uint64_t seed, uint64_t from, uint64_t length);

uint64_t storeworld_length(struct storeworld *w);

#endif
