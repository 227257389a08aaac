/*
 * Going on with a store that shows an older or another state than this device has seen: the owner's decision
 * (doc/spec/chains.md section 7).
 */
#ifndef CLIENT_ACCEPT_H
#define CLIENT_ACCEPT_H

#include "client/session.h"

/* One chain as it was seen and as it is. */
struct accept_chain {
	const char *name; /* of the vault; "" for the account's own */
	struct hash id;
	struct head seen, there;
	bool has_seen;
	bool is_older; /* the store ends before what was seen */
	bool is_other; /* or has another entry at that place */
	int64_t time;  /* of the newest entry there, ns */
};

/*
 * Calls ${visit} for the account's chain and for each vault's. ${s} was opened with ignore_heads. What ${visit} returns other
 * than OK ends it. E_FORGED and others: a chain cannot be read at all.
 */
typedef enum err accept_visit(void *ctx, const struct accept_chain *chain, struct why *why);
MUST_USE enum err accept_look(struct session *s, accept_visit *visit, void *ctx, struct why *why);

/* From now on this device holds the store to what it shows now. Recorded; caches of what is no more are dropped. */
MUST_USE enum err accept_now(struct session *s, struct why *why);

#endif
