/*
 * What this device remembers of runs that did not end: the packs they put into the store. The next run reads their
 * tables and uses what is there, without asking the store to vouch for it (doc/spec/chains.md section 6).
 */
#ifndef CLIENT_RUNRECORD_H
#define CLIENT_RUNRECORD_H

#include "client/places.h"
#include "core/indexplan.h"
#include "store/store.h"

struct runrecord;

/*
 * Starts the record of a run on ${vault} below the state folder ${state}, and takes over the records of runs that died:
 * packs of theirs that are in the store at their length, that no index of ${places} names and that are not among ${avoid} (ascending), are added to ${plan}. E_IO, E_NOMEM.
 */
MUST_USE enum err runrecord_open(struct runrecord **out, int state, const struct hash *vault,
	struct store *store, struct packread *packs, struct places *places, struct span avoid,
	struct indexplan *plan, struct why *why);

/* Remembers a pack that is about to be put. From any thread. Failure only costs the reuse. */
void runrecord_add(struct runrecord *r, const struct hash *name, uint32_t size);

/* The run's packs (and those it took over) are named by the chain now: the records go. Else: they stay for the next run. */
void runrecord_close(struct runrecord *r, bool committed);

#endif
