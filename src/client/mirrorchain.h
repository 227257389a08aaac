/* One chain, copied to a mirror: entries that extend what is there, never others (doc/spec/chains.md section 7). */
#ifndef CLIENT_MIRRORCHAIN_H
#define CLIENT_MIRRORCHAIN_H

#include "chain/chainlink.h"
#include "store/store.h"

struct mirrorchain {
	struct store *from, *to;
	struct hash chain;
	enum chain_kind kind;
	uint64_t count; /* entries to be there in the end, at least */
};

/*
 * Appends what ${m->to} lacks of the first ${m->count} entries; their number is added to ${copied}. Every entry is
 * verified on the way, those that are there already too. E_ROLLBACK: the mirror has more entries than the source, or
 * another one at some place; E_FORGED: an entry of either is damaged.
 */
MUST_USE enum err mirrorchain_copy(const struct mirrorchain *m, uint64_t *copied, struct why *why);

#endif
