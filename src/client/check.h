/*
 * Checks a vault without changing anything: its objects, its indexes, that every pack is there, what its snapshots need;
 * packs whole if asked (doc/spec/formats.md). That the chains verify is known when the vault is open; checkstore.h looks
 * at them entry by entry, and at what needs no key.
 */
#ifndef CLIENT_CHECK_H
#define CLIENT_CHECK_H

#include "client/checkdata.h"

struct check_options {
	enum checkdata_part part;
	uint64_t a, b;    /* see checkdata.h */
	unsigned threads; /* 0: as many as processors */
};

/*
 * What is wrong goes to ${r}, when the check is over: OK means that it was made, not that all is well. Where packs were purged
 * beside it, and something is missing, it is made again. ${o->part} CHECKDATA_NONE reads no packs whole. E_IO, E_NOMEM, E_CANCELLED.
 */
MUST_USE enum err check_vault(
	struct checkreport *r, struct vault *v, const struct check_options *o, struct why *why);

#endif
