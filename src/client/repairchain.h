/*
 * Entries of a chain that are damaged or missing in a store, and what can be done about each: a missing one of which there is a
 * good copy is appended again; a damaged file is never replaced, but a good copy is put aside for the owner to do it.
 */
#ifndef CLIENT_REPAIRCHAIN_H
#define CLIENT_REPAIRCHAIN_H

#include "client/statefolder.h"
#include "store/store.h"

struct repairchain_entry {
	struct hash chain;
	uint64_t sequence;
	bool is_missing;
	bool has_copy;         /* in a segment, verified */
	bool is_mended;        /* it was missing, and is there again */
	char place[160];       /* its file, below the store's folder */
	char aside[PATHS_MAX]; /* where the copy was put; "": nowhere */
};

typedef enum err repairchain_visit(void *ctx, const struct repairchain_entry *e, struct why *why);

/* Looks at every chain of ${store}; ${apply}: really mends and puts aside. */
MUST_USE enum err repairchain_run(struct store *store, const struct statefolder *folder, bool apply,
	repairchain_visit *visit, void *ctx, struct why *why);

#endif
