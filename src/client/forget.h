/* Giving up snapshots, and taking that back (doc/spec/chains.md sections 4 and 5). */
#ifndef CLIENT_FORGET_H
#define CLIENT_FORGET_H

#include "client/vault.h"

/* Appends entries that forget these snapshots; those that are forgotten already are left out. */
MUST_USE enum err forget_snapshots(
	struct vault *v, const struct hash *ids, size_t count, struct why *why);

/*
 * Takes back the forgetting of ${id}. First looks that everything it needs is still in the store, in packs that the
 * store lists: E_FORGED with what is missing if not.
 */
MUST_USE enum err forget_undo(struct vault *v, const struct hash *id, struct why *why);

/* Takes back the intent of entry ${sequence}. E_NOTFOUND: there is none in force. */
MUST_USE enum err forget_undo_intent(struct vault *v, uint64_t sequence, struct why *why);

#endif
