/*
 * Pruning: finds what no snapshot needs, stores again what is needed from packs that are mostly waste, names the packs to
 * go in an intent, and purges them when the hold is over (doc/spec/chains.md sections 4 to 6). Never exclusive.
 */
#ifndef CLIENT_PRUNE_H
#define CLIENT_PRUNE_H

#include "client/places.h"
#include "client/vault.h"

struct prune_progress {
	const char *step; /* what is being done, for people */
	uint64_t done, total;
};
typedef void prune_ticked(void *ctx, const struct prune_progress *p);

#define PRUNE_ANY_UNUSED UINT64_MAX

struct prune_options {
	bool dry_run;
	/* in a dry run: snapshots (ids of HASH_SIZE bytes) that are looked at as if they were forgotten */
	struct span forgotten;
	uint64_t max_unused;      /* waste that may stay: bytes; PRUNE_ANY_UNUSED: any */
	bool max_unused_is_share; /* instead: millionths of what is used */
	prune_ticked *ticked;
	places_warn *warn;
	void *ctx;
	uint32_t pack_limit; /* tests: smaller packs; 0: full size */
};

struct prune_result {
	uint64_t packs, bytes; /* in the store before */
	uint64_t chunks, chunks_used;
	uint64_t used; /* bytes of packs that snapshots need, nearly */
	uint64_t repacked_packs, repacked_bytes;
	uint64_t named_packs, named_bytes;   /* in a new intent */
	uint64_t purged_packs, purged_bytes; /* deleted now */
	uint64_t rescued_packs;              /* left out of a purge because a snapshot needs them */
	uint64_t waiting_intents;            /* whose hold is not over */
	int64_t waiting_until;               /* the first of them, ns; 0: none */
};

/* E_FORGED, E_NOTFOUND: something that a snapshot needs is damaged or missing: nothing was removed. E_BUSY, E_CANCELLED. */
MUST_USE enum err prune_run(
	struct vault *v, const struct prune_options *o, struct prune_result *out, struct why *why);

#endif
