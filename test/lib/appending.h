/* Appends to a vault's chain, for tests of who may: snapshots that are nothing but an id, which is made of a seed. */
#ifndef TEST_APPENDING_H
#define TEST_APPENDING_H

#include "client/vault.h"

struct appending {
	uint64_t seed;
	unsigned asked;      /* how often it was asked what to append */
	uint64_t count_seen; /* the vault's entries when it was asked last */
	enum err refuse;     /* says this instead, with "not now" */
	unsigned refuse_at;  /* the how manieth time, and from then on */
};

/* The error, which the sentence has too. */
enum err appending_try(struct vault *v, struct appending *d, struct why *why);

/* Fails the test unless it is appended. */
void appending_one(struct vault *v, uint64_t seed);

/* Whether the vault, as it was read last, has the snapshot. */
bool appending_has(struct vault *v, uint64_t seed);

#endif
