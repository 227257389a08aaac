/*
 * Argon2id of a passphrase (doc/spec/crypto.md section 8). The bounds are compiled in and checked
 * before any work.
 */
#ifndef SECRET_ARGON_H
#define SECRET_ARGON_H

#include "base/err.h"
#include "base/span.h"
#include "secret/keys.h"

enum {
	ARGON_SALT = 16,
	ARGON_T_MIN = 1,
	ARGON_T_MAX = 16,
	ARGON_M_MIN = 19456,     /* KiB */
	ARGON_M_MAX = 1048576,   /* KiB */
	ARGON_WORK_MIN = 131072, /* least t * m */
	ARGON_T = 2,             /* what the writer uses */
	ARGON_M = 65536,
	ARGON_PASSPHRASE_MAX = 65536, /* bytes */
};

struct argon_cost {
	uint32_t t; /* passes */
	uint32_t m_kib;
};

bool argon_accepts(struct argon_cost cost);

/*
 * E_LIMIT at once for a cost out of bounds or a passphrase too long; E_NOMEM if there is not that
 * much memory.
 */
MUST_USE enum err argon_key(struct passphrase_key *out, struct span passphrase,
	const uint8_t salt[ARGON_SALT], struct argon_cost cost);

#endif
