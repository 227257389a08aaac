/*
 * What the tables of the packs in a store say of where chunks are: the truth behind all indexes
 * (doc/spec/formats.md section 3). A block that is cut counts where both of its pieces are there.
 */
#ifndef CLIENT_TABLESCAN_H
#define CLIENT_TABLESCAN_H

#include "client/packread.h"
#include "client/tablejoin.h"

struct tablescan_params {
	struct packread *packs;
	struct store *store;
	struct hash vault;
	bool (*skip)(void *ctx, const struct hash *pack); /* NULL: the tables of all packs are read */
	void *skip_ctx;
	void (*warn)(void *ctx, const struct why *why); /* or NULL: of packs that cannot be read */
	void *warn_ctx;
	tablejoin_reads *reads; /* see struct tablejoin */
	void *reads_ctx;
};

/* All of it as a plan, sorted; free it. Packs that cannot be read are warned of and left out. E_IO, E_NOMEM. */
MUST_USE enum err tablescan_run(
	const struct tablescan_params *p, struct indexplan **out, struct why *why);

#endif
