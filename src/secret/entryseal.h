/*
 * The sealed inner part of a chain entry and the two signatures (doc/spec/crypto.md section 5).
 * Layout and padding are format/'s: here the inner part is ${padded}, opaque. Verifying:
 * crypto/entryproof.h.
 */
#ifndef SECRET_ENTRYSEAL_H
#define SECRET_ENTRYSEAL_H

#include "crypto/hash.h"
#include "secret/epochkeys.h"
#include "secret/hpke.h"

/*
 * By how many bytes the sealed part is longer than ${padded}; the most of all kinds is
 * ENTRYSEAL_OVERHEAD_MAX.
 */
enum { ENTRYSEAL_OVERHEAD_MAX = HPKE_OVERHEAD };
size_t entryseal_overhead(enum seal seal);

/* The entry's field nonce: 32 fresh bytes. E_IO (fresh.h). */
MUST_USE enum err entryseal_nonce(struct aead_nonce *out, struct fresh *fresh);

/*
 * SEAL_BODY or SEAL_CONTACT. ${outer} is the outer hash; it covers ${nonce}. Writes ${padded.len}
 * + AEAD_TAG bytes.
 */
void entryseal_seal(uint8_t *out, enum seal seal, const struct epoch_secrets *secrets,
	const struct aead_nonce *nonce, const struct hash *outer, struct span padded);

/*
 * SEAL_HPKE. Writes ${padded.len} + HPKE_OVERHEAD bytes. E_FORMAT if ${epoch_public} is no key;
 * E_IO (fresh.h).
 */
MUST_USE enum err entryseal_seal_to(uint8_t *out, const uint8_t epoch_public[KEM_PUBLIC],
	const struct hash *outer, struct span padded, struct fresh *fresh);

/*
 * Opens any kind to ${sealed.len} - entryseal_overhead(seal) bytes; ${out} and ${sealed} must not
 * overlap. E_FORGED if it does not authenticate; then ${out} is wiped.
 */
MUST_USE enum err entryseal_open(uint8_t *out, enum seal seal, const struct epoch_secrets *secrets,
	const struct aead_nonce *nonce, const struct hash *outer, struct span sealed);

/* The access signature over ${before}, all bytes of the entry before it. E_LIMIT, E_NOMEM. */
MUST_USE enum err entryseal_sign_access(
	uint8_t out[SIGN_SIGNATURE], const struct signer *access, struct span before);

/*
 * The author signature over the outer hash and ${inner}, the inner bytes before it. E_LIMIT,
 * E_NOMEM.
 */
MUST_USE enum err entryseal_sign_author(uint8_t out[SIGN_SIGNATURE], const struct signer *entry_key,
	const struct hash *outer, struct span inner);

#endif
