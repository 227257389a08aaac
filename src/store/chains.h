/* The chains of an embedded store. Each function has the contract of its namesake in store.h. */
#ifndef STORE_CHAINS_H
#define STORE_CHAINS_H

#include "store/folder.h"
#include "store/store.h"

struct chains;

/* Over ${f}, which outlives it. NULL when out of memory. */
struct chains *chains_new(struct folder *f);
void chains_free(struct chains *c);

MUST_USE enum err chains_append(
	struct chains *c, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why);
MUST_USE enum err chains_read(struct chains *c, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why);
MUST_USE enum err chains_length(
	struct chains *c, const struct hash *chain, uint64_t *length, struct why *why);
MUST_USE enum err chains_list(
	struct chains *c, store_name_visit *visit, void *ctx, struct why *why);

#endif
