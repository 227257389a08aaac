/*
 * Ed25519 verification, as strict as libsodium's: canonical S and A, no points of small order, no
 * cofactor.
 */
#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/public.h"

/*
 * Checks the signature over context || 0x00 || the joined ${count} ${parts}. E_FORGED if it is
 * not that of ${public_key}; E_LIMIT (message too long), E_NOMEM.
 */
MUST_USE enum err verify_signature(const uint8_t public_key[SIGN_PUBLIC], const char *context,
	const struct span *parts, size_t count, const uint8_t signature[SIGN_SIGNATURE]);

#endif
