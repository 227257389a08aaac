/*
 * The chunks that a run stores: each id once, with the place it got. Not locked: the caller holds a lock around it.
 */
#ifndef CORE_CHUNKSET_H
#define CORE_CHUNKSET_H

#include <stddef.h>

#include "base/err.h"
#include "crypto/hash.h"

enum { CHUNKSET_UNPLACED = 0xfffffffe };

struct chunkset_item {
	struct hash id;
	uint32_t pack; /* the run's number of the pack, or CHUNKSET_UNPLACED */
	uint32_t offset;
	uint32_t length;
	uint32_t slot;
	bool lost; /* claimed, but to be stored again */
};

struct chunkset;

MUST_USE enum err chunkset_new(struct chunkset **out);
void chunkset_free(struct chunkset *s);

/*
 * Looks for ${id}. ${*fresh} is true if it was not there: it is now, unplaced, and the caller stores it. Its number
 * goes to ${*number}. E_NOMEM; E_LIMIT above 2^31 chunks.
 */
MUST_USE enum err chunkset_claim(
	struct chunkset *s, const struct hash *id, uint32_t *number, bool *fresh);

/* Takes back that chunk ${number} is stored: the next claim of its id is fresh again, under the same number. */
void chunkset_lose(struct chunkset *s, uint32_t number);

/* Finds without adding; NULL if it is not there. Valid until the next claim. */
const struct chunkset_item *chunkset_find(const struct chunkset *s, const struct hash *id);

size_t chunkset_count(const struct chunkset *s);
struct chunkset_item *chunkset_at(struct chunkset *s, size_t number);

#endif
