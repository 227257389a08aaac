/*
 * Reading a chain from a store: each entry is checked against its predecessor (chain/chainlink.h) and kept in memory
 * until its sealed part can be opened.
 */
#ifndef CLIENT_CHAINREAD_H
#define CLIENT_CHAINREAD_H

#include "chain/chainlink.h"
#include "client/heads.h"
#include "core/epochring.h"
#include "store/store.h"

/* An entry that was read and not yet applied. */
struct chainread_entry {
	struct chainread_entry *next;
	struct hash hash;
	struct span bytes; /* owned: they stand behind this struct */
};

struct chainread {
	struct chainlink link;
	struct epochring *ring; /* grows with create and rotate entries; NULL until the first entry */
	struct chainread_entry *first, **end;
	bool unconfirmed; /* resumed from a cache: the newest entry is to be met again */
	struct head seen; /* what must be met on the way: the newest head this device saw */
	bool has_seen;
	bool may_lag; /* the store is a mirror: it may be shorter than that, but not different */
	bool lags;    /* and it is */
};

void chainread_init(struct chainread *c, enum chain_kind kind);
void chainread_done(struct chainread *c);

/*
 * Goes on from ${link}, where this device stood when it verified the chain before. The next chainread_on first holds the
 * store's entry at that place against it.
 */
void chainread_resume(struct chainread *c, const struct chainlink *link);

/*
 * Reads on from where ${c} stands until there are no more entries. ${id}: the chain. E_NOTFOUND: there is no such
 * chain; E_FORGED: an entry does not follow (the sentence names it); E_ROLLBACK: the chain is shorter than what was seen
 * (unless ${c->may_lag}), or has another entry there; E_UNSUPPORTED, E_IO, E_NOMEM. What came before an entry that was
 * refused was read.
 */
MUST_USE enum err chainread_on(
	struct chainread *c, struct store *store, const struct hash *id, struct why *why);

/* Takes the oldest entry that was read; NULL if none is left. The caller frees it with chainread_entry_free. */
struct chainread_entry *chainread_take(struct chainread *c);
void chainread_entry_free(struct chainread_entry *e);

/*
 * Opens all epochs of the ring that are not open yet, with boxes objects from ${store}. E_DENIED: no box for these
 * recipients; E_FORGED: a boxes object is missing, damaged, or another one; E_IO, E_NOMEM.
 */
MUST_USE enum err chainread_open_epochs(struct chainread *c, struct store *store,
	const struct epochring_recipient *recipients, size_t count, struct root_key *root,
	struct why *why);

#endif
