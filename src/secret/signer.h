/* Ed25519 signatures: SIGN of doc/spec/crypto.md section 2. Verified by crypto/verify.h. */
#ifndef SECRET_SIGNER_H
#define SECRET_SIGNER_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/public.h"
#include "secret/keys.h"

struct signer {
	uint8_t expanded[2 * KEY_SIZE]; /* seed || public key */
};

void signer_init(struct signer *s, const struct sign_seed *seed);
void signer_done(struct signer *s); /* wipes */

void signer_public(uint8_t out[SIGN_PUBLIC], const struct signer *s);

/* The public key of a seed, without keeping a signer. */
void signer_public_of(uint8_t out[SIGN_PUBLIC], const struct sign_seed *seed);

/* Signs context || 0x00 || the joined ${count} ${parts}. E_LIMIT (message too long), E_NOMEM. */
MUST_USE enum err signer_sign(uint8_t out[SIGN_SIGNATURE], const struct signer *s,
	const char *context, const struct span *parts, size_t count);

#endif
