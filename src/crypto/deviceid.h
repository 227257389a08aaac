/*
 * The id of a device or a kit, and the proof that a new device holds its keys (doc/spec/crypto.md
 * section 6).
 */
#ifndef CRYPTO_DEVICEID_H
#define CRYPTO_DEVICEID_H

#include "crypto/hash.h"
#include "crypto/public.h"

void deviceid_of(struct hash *out, const uint8_t entry_key[SIGN_PUBLIC],
	const uint8_t request_key[SIGN_PUBLIC], const uint8_t kem_key[KEM_PUBLIC]);

/*
 * Checks the signature "joined" over a ${device_record} for ${account} (32 zero bytes in an
 * account's first entry) by the record's own ${entry_key}. E_FORGED, E_LIMIT, E_NOMEM.
 */
MUST_USE enum err deviceid_check_joined(const uint8_t entry_key[SIGN_PUBLIC],
	const struct hash *account, struct span device_record, const uint8_t joined[SIGN_SIGNATURE]);

#endif
