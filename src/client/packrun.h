/*
 * Everything a run stores: chunks claimed once, blocks put into packs, the packs into the store, and at the end the index
 * that finds them (doc/spec/formats.md sections 3 and 6). Used by several threads at once.
 *
 * Data and metadata go to packs of their own; a run that stays small goes into one mixed pack. Nothing of a run is
 * visible until its index is named by a chain entry.
 */
#ifndef CLIENT_PACKRUN_H
#define CLIENT_PACKRUN_H

#include "core/chunkset.h"
#include "core/indexplan.h"
#include "format/location.h"
#include "os/why.h"
#include "secret/fresh.h"
#include "store/store.h"

struct packrun;

struct packrun_params {
	struct store *store;
	struct hash vault;
	uint32_t epoch;
	const uint8_t *epoch_public; /* SIZE_KEM_PUBLIC; copied */
	uint64_t start_sequence;
	struct hash start_head;
	struct hash writer; /* device id */
	struct fresh *fresh;
	/* For the device's own record, or NULL: called, with the run's lock not held, right before a pack is put. */
	store_pack_named *named;
	void *ctx;
	uint32_t pack_limit; /* tests: smaller packs; 0: LIMIT_PACK */
};

MUST_USE enum err packrun_new(
	struct packrun **out, const struct packrun_params *p, struct why *why);
void packrun_free(struct packrun *r);

/* See chunkset_claim. */
MUST_USE enum err packrun_claim(
	struct packrun *r, const struct hash *id, uint32_t *number, bool *fresh);

/* Whether this run has stored ${id}, at a place that is not in doubt. */
bool packrun_has(struct packrun *r, const struct hash *id);

/* A block of claimed chunks: ${numbers} from packrun_claim in the order of the ids. ${stored}: see squeeze_pack. */
struct packrun_block {
	uint8_t type;
	const struct hash *ids;
	const uint32_t *numbers;
	size_t count;
	struct span stored;
};
MUST_USE enum err packrun_put(
	struct packrun *r, const struct packrun_block *block, struct why *why);

/* Bytes of packs in the store so far, and in blocks that are still in memory. */
uint64_t packrun_bytes(struct packrun *r);

/*
 * Puts all blocks given so far into the store, makes them durable, and writes an index of what no earlier index of
 * this run holds and of ${also} (rows and packs of elsewhere; may be NULL; taken over: sorted and changed). The
 * locations are appended to ${locations} (location_add). Nothing new and no ${also}: nothing is appended. One thread only.
 */
MUST_USE enum err packrun_index(
	struct packrun *r, struct indexplan *also, struct buf *locations, struct why *why);

/*
 * An index of the packs that are in the store now and that no index of this run holds, written while other threads go on:
 * a long run names what it has, so that a later one finds it. Nothing to name: nothing is appended to ${locations}.
 */
MUST_USE enum err packrun_checkpoint(struct packrun *r, struct buf *locations, struct why *why);

/*
 * Packs of this run that another device names in an intent, or that are gone, are not to be relied on: their chunks are
 * as if they had never been claimed. And whatever indexes this run wrote may have been replaced meanwhile: the next
 * packrun_index holds everything. ${gone}: names, ascending. One thread only.
 */
void packrun_doubt(struct packrun *r, struct span gone);

/* The number of packs this run has put, and their names. */
size_t packrun_packs(const struct packrun *r);
struct hash packrun_pack_name(const struct packrun *r, size_t i);

#endif
