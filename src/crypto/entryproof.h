/*
 * What proves a chain entry to one who holds no secret: its hashes and its two signatures
 * (doc/spec/crypto.md section 5).
 */
#ifndef CRYPTO_ENTRYPROOF_H
#define CRYPTO_ENTRYPROOF_H

#include "crypto/hash.h"
#include "crypto/public.h"

/* The entry hash, over all bytes; of a chain's first entry it is the chain's id. */
void entryproof_hash(struct hash *out, struct span entry);

/* The outer hash, over the bytes from the start to the end of the field nonce. */
void entryproof_outer(struct hash *out, struct span outer);

/*
 * The access signature over ${before}, all bytes of the entry before it. E_FORGED, E_LIMIT,
 * E_NOMEM.
 */
MUST_USE enum err entryproof_access(const uint8_t access_key[SIGN_PUBLIC], struct span before,
	const uint8_t signature[SIGN_SIGNATURE]);

/*
 * The author signature over the outer hash and ${inner}, the inner bytes before it. E_FORGED,
 * E_LIMIT, E_NOMEM.
 */
MUST_USE enum err entryproof_author(const uint8_t entry_key[SIGN_PUBLIC], const struct hash *outer,
	struct span inner, const uint8_t signature[SIGN_SIGNATURE]);

#endif
