/*
 * A small vault in a rawstore that has every kind of object: account and vault chains with every type of entry that this
 * version writes, boxes of several epochs, a list object, a locator object, packs of 64 KiB with cut blocks, streams with
 * lists of lists, several indexes after a prune. And the states it went through.
 */
#ifndef TEST_FULLSTORE_H
#define TEST_FULLSTORE_H

#include "rawstore.h"
#include "scratch.h"
#include "testvault.h"

enum { FULLSTORE_STATES = 24, FULLSTORE_SNAPSHOTS = 3 };

struct fullstore {
	char folder[SCRATCH_MAX]; /* BROCH_HOME is in it, and the tree */
	char tree[SCRATCH_MAX];
	struct store *store;
	struct kit_secret kit;
	struct hash vault;
	struct hash snapshots[FULLSTORE_SNAPSHOTS]; /* in force at the end */
	size_t snapshot_count;
	struct rawstore_copy *states[FULLSTORE_STATES]; /* each earlier state; the last is the whole */
	size_t state_count;
};

/* Stops the program if anything fails. */
void fullstore_make(struct fullstore *f);
/* One backup in one pack, still with every kind of object: so few bytes that each bit of them can be tried. */
void fullstore_make_small(struct fullstore *f);
void fullstore_done(struct fullstore *f);

/* A file below the tree, of pseudo-random bytes or of text. */
void fullstore_file(
	const struct fullstore *f, const char *name, size_t len, uint64_t seed, bool text);

/* Replaces the kit of an open account: what `broch kit replace` does. */
void fullstore_replace_kit(struct testvault *t, struct kit_secret *kit);

#endif
