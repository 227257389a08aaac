/* What every store must do, whatever it is made of: one suite of tests that each of them passes. */
#ifndef TEST_STORESUITE_H
#define TEST_STORESUITE_H

#include "store/store.h"

/* How to get at the stores under test. */
struct storesuite {
	const char *label;

	/* A new empty store. ${*ctx} is for ${done}, which comes after store_free. */
	struct store *(*make)(void **ctx);
	void (*done)(void *ctx);

	/* The same store again, as another process would open it; NULL where no other process can. */
	struct store *(*again)(void *ctx);
};

/* Runs all of it; the number of tests that failed. */
int storesuite_run(const struct storesuite *suite);

/* Bytes that look random, the same for the same ${seed}. And their name. */
void storesuite_bytes(uint8_t *out, size_t len, uint64_t seed);
struct hash storesuite_name(const uint8_t *bytes, size_t len);

/* An id made of ${seed}. */
struct hash storesuite_id(uint64_t seed);

#endif
