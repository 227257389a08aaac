/*
 * AEGIS-256. Not committing: wherever somebody else could choose the key, a commitment is
 * compared before. No allocation. ${out} may be the very place of the input (in place), else they
 * must not overlap.
 */
#ifndef SECRET_AEAD_H
#define SECRET_AEAD_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/public.h"
#include "secret/keys.h"

struct aead_nonce {
	uint8_t b[AEAD_NONCE];
};

/*
 * The nonce of a place in an object: u64(offset) || 24 zero bytes. The key must be new for the
 * object.
 */
struct aead_nonce aead_nonce_at(uint64_t offset);

/* Writes ${x.len} + AEAD_TAG bytes to ${out}. */
void aead_seal(uint8_t *out, const struct aead_key *key, const struct aead_nonce *nonce,
	struct span aad, struct span x);

/*
 * Writes ${sealed.len} - AEAD_TAG bytes to ${out}. E_FORGED if it does not authenticate (or is
 * shorter than a tag); then all that could have been written to ${out} is zero.
 */
MUST_USE enum err aead_open(uint8_t *out, const struct aead_key *key,
	const struct aead_nonce *nonce, struct span aad, struct span sealed);

#endif
