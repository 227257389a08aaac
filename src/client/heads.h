/*
 * The newest head that this device has seen of each chain, kept durably outside every store: what makes an older or
 * another state visible (doc/spec/chains.md section 7).
 */
#ifndef CLIENT_HEADS_H
#define CLIENT_HEADS_H

#include "crypto/hash.h"
#include "os/why.h"

struct head {
	uint64_t seq;
	struct hash hash;
};

/* The head kept for ${chain} below the state folder ${state}. E_NOTFOUND if none was seen; E_FORMAT if the file is damaged. */
MUST_USE enum err heads_get(int state, const struct hash *chain, struct head *out, struct why *why);

/*
 * Keeps ${head} unless a later one is kept already (by another process). Durable when it returns OK. E_ROLLBACK: another
 * process has seen another entry at that place; E_FORMAT: what is kept is damaged. What is kept then stays.
 */
MUST_USE enum err heads_advance(
	int state, const struct hash *chain, const struct head *head, struct why *why);

/* Keeps ${head} even if it is older: the owner said so. */
MUST_USE enum err heads_set(
	int state, const struct hash *chain, const struct head *head, struct why *why);

#endif
