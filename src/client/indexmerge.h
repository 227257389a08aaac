/* Indexes, merged: many small ones become one, so that a lookup asks few (doc/spec/formats.md section 6). */
#ifndef CLIENT_INDEXMERGE_H
#define CLIENT_INDEXMERGE_H

#include "client/fetch.h"

/*
 * Merges the smaller indexes if there are more than a lookup should ask. OK also when there is nothing to do, or when another
 * device replaced one of them meanwhile. E_FORGED: one is damaged.
 */
MUST_USE enum err indexmerge_if_many(struct vault *v, struct why *why);

/*
 * Replaces every index in force that names one of ${names} (packs, ascending), or lies in one, by one that does not: the
 * packs may go then. Nothing to replace: OK. E_FORGED: one is damaged; E_BUSY: others kept replacing them.
 */
MUST_USE enum err indexmerge_without(
	struct vault *v, struct span names, uint32_t pack_limit, struct why *why);

#endif
