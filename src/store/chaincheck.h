/* The copies that an embedded store keeps of a chain, compared with its entries: store_chain_check. */
#ifndef STORE_CHAINCHECK_H
#define STORE_CHAINCHECK_H

#include "store/folder.h"
#include "store/store.h"

MUST_USE enum err chaincheck_run(struct folder *f, const struct hash *chain,
	store_copy_visit *visit, void *ctx, struct why *why);

#endif
