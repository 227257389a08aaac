/* The packs of an embedded store. Each function has the contract of its namesake in store.h. */
#ifndef STORE_PACKS_H
#define STORE_PACKS_H

#include "store/folder.h"
#include "store/store.h"

struct packs;

/* Over ${f}, which outlives it. NULL when out of memory. */
struct packs *packs_new(struct folder *f);
void packs_free(struct packs *p);

MUST_USE enum err packs_put(struct packs *p, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why);
MUST_USE enum err packs_get(struct packs *p, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why);
MUST_USE enum err packs_size(struct packs *p, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why);
MUST_USE enum err packs_list(
	struct packs *p, const struct hash *vault, store_pack_visit *visit, void *ctx, struct why *why);
MUST_USE enum err packs_delete(
	struct packs *p, const struct hash *vault, const struct hash *name, struct why *why);
MUST_USE enum err packs_flush(struct packs *p, const struct hash *vault, struct why *why);

#endif
