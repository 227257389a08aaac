/*
 * Repairing a vault: the index is made anew from the packs. Only new objects are written, and nothing is deleted
 * (doc/spec/formats.md section 6).
 *
 * What a readable index says of a pack that is there is kept. Other packs are read whole, and only chunks whose ids were
 * recomputed get into the new index: a pack's table alone proves nothing, anybody with the vault's public key can make one.
 */
#ifndef CLIENT_REPAIR_H
#define CLIENT_REPAIR_H

#include "client/checkreport.h"
#include "client/vault.h"

struct repair_options {
	bool apply; /* else nothing is written */
	bool
		read_data; /* read all packs, whatever the indexes say: chunks that are damaged are left out */
	unsigned threads; /* 0: as many as processors */
};

struct repair_result {
	uint64_t indexes, indexes_damaged;
	uint64_t rows_before, rows;      /* that readable indexes have; that the new one has */
	uint64_t rows_dropped, rows_new; /* places that are no more; places that no index had */
	uint64_t packs_read;
	bool needed; /* the new index says something else than those in force */
	bool written;
};

/* Damage found on the way goes to ${r}. E_BUSY: others kept changing the vault. */
MUST_USE enum err repair_run(struct checkreport *r, struct vault *v, const struct repair_options *o,
	struct repair_result *out, struct why *why);

#endif
