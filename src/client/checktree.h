/*
 * The part of a check that walks snapshots: each folder is read and verified, each chunk of a file must have a place in a
 * pack that is there. What lies in a pack with damage is read, to know what is lost.
 */
#ifndef CLIENT_CHECKTREE_H
#define CLIENT_CHECKTREE_H

#include "client/checkreport.h"
#include "client/fetch.h"
#include "client/packset.h"

struct checktree;

/* All three outlive it. */
MUST_USE enum err checktree_new(struct checktree **out, struct checkreport *r, struct fetch *fetch,
	struct packset *packs, struct why *why);
void checktree_free(struct checktree *t);

/*
 * Checks the snapshot ${id}; folders that were whole in an earlier one are not walked again. What is wrong, and what the
 * snapshot lost, goes to the report. E_NOMEM, E_CANCELLED.
 */
MUST_USE enum err checktree_snapshot(struct checktree *t, const struct hash *id, struct why *why);

/* How many chunks that snapshots need lie only in packs that an intent in force names; and one of those packs. */
uint64_t checktree_doomed(const struct checktree *t, struct hash *pack);

#endif
