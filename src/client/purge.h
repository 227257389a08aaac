/* The second half of a prune: packs whose intent's hold is over are deleted (doc/spec/chains.md sections 4 and 6). */
#ifndef CLIENT_PURGE_H
#define CLIENT_PURGE_H

#include "client/prune.h"

/*
 * Purges every intent whose hold is over, by its entry and by when this device first saw it; counts the others as waiting. What
 * a snapshot needs after all is left out (rescued_packs); an intent of which that is all is taken back.
 * Also deletes packs that earlier purges named and that are in the store still.
 */
MUST_USE enum err purge_due(
	struct vault *v, const struct prune_options *o, struct prune_result *out, struct why *why);

#endif
