/*
 * Copying to a mirror: another store that gets the same chains, always in an order that leaves a store that opens: packs and
 * objects, then entries; what the home purged goes last (doc/spec/chains.md section 7, formats.md section 12).
 */
#ifndef CLIENT_MIRROR_H
#define CLIENT_MIRROR_H

#include "client/vault.h"

struct mirror_progress {
	uint64_t packs_done, packs_total;
	uint64_t bytes_done, bytes_total;
};

/* An object of the source that is damaged: it is not copied, and nothing that names it is. */
typedef void mirror_damaged(void *ctx, const struct why *why);

struct mirror_options {
	void (*ticked)(void *ctx, const struct mirror_progress *p);
	mirror_damaged *damaged;
	void *ctx;
	unsigned threads; /* 0: as many as processors, a few at most */
};

struct mirror_result {
	struct hash store; /* the mirror's id */
	bool made;
	uint64_t vaults;
	uint64_t packs, bytes;                 /* copied */
	uint64_t objects, entries;             /* copied */
	uint64_t packs_deleted, bytes_deleted; /* purged at home since */
	uint64_t packs_replaced;               /* that were damaged in the mirror: of another length */
	uint64_t damaged;
};

/*
 * Makes a mirror of ${s}'s account in the folder ${to}, or brings it up to date. It may be interrupted and run again, and
 * run by several processes. E_EXISTS: the folder holds something else; E_USAGE: it is the store itself; E_ROLLBACK: the mirror
 * has entries that the store does not have, or others; E_FORGED: something is damaged (what is whole was copied).
 */
MUST_USE enum err mirror_run(struct session *s, const char *to, const struct mirror_options *o,
	struct mirror_result *out, struct why *why);

#endif
