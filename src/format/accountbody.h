/* Bodies of account chain entries (doc/spec/formats.md section 8.2). Points into its input. */
#ifndef FORMAT_ACCOUNTBODY_H
#define FORMAT_ACCOUNTBODY_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "format/devicerecord.h"

enum accountbody_type {
	ACCOUNTBODY_CREATE = 1,
	ACCOUNTBODY_ADD_DEVICE = 2,
	ACCOUNTBODY_SUSPEND = 3,       /* reserved: E_UNSUPPORTED */
	ACCOUNTBODY_REMOVE_DEVICE = 4, /* reserved */
	ACCOUNTBODY_RECOVERY = 5,
	ACCOUNTBODY_VAULT = 6,
	ACCOUNTBODY_ROTATE = 7,
	ACCOUNTBODY_HOME = 8,
	ACCOUNTBODY_CLOSE = 9,    /* reserved */
	ACCOUNTBODY_VERSION = 10, /* reserved */
	ACCOUNTBODY_SUMMARY = 11, /* reserved */
};

/* One vault of the account's list. */
struct accountbody_vault {
	struct hash vault;
	struct hash store;
	uint8_t role;     /* enum role: 1 to 4 */
	struct span name; /* 1 to 255 bytes */
	uint64_t anchor_sequence;
	struct hash anchor_hash;
};

struct accountbody {
	uint8_t type;
	struct devicerecord device; /* create (kind full), add device (full or write-only) */
	struct span joined;         /* create, add device: 64 bytes */
	struct devicerecord kit;    /* create, recovery */
	struct hash home;           /* create */
	uint64_t delay;             /* recovery: seconds */
	struct accountbody_vault vault;
};

/* E_FORMAT; E_UNSUPPORTED: reserved or unknown type, or a version inside that is not 1. */
MUST_USE enum err accountbody_decode(struct accountbody *out, uint8_t type, struct span in);
MUST_USE enum err accountbody_encode(
	const struct accountbody *b, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

#endif
