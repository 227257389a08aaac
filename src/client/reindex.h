/* An index for packs that had left the indexes, because they were on their way out, and stay after all. */
#ifndef CLIENT_REINDEX_H
#define CLIENT_REINDEX_H

#include "client/fetch.h"

/*
 * An index of all that is in the packs ${names} (ascending), with the blocks that they have in common with others, unless
 * each of them is in an index of ${f} already. It lies in a new pack, durable; its place is appended to ${locations}, for an
 * entry to name. The tables of all packs are read. ${pack_limit}: see packrun.h. E_IO, E_NOMEM.
 */
MUST_USE enum err reindex_packs(struct vault *v, struct fetch *f, struct span names,
	uint32_t pack_limit, struct buf *locations, struct why *why);

#endif
