/*
 * The bytes of a device's key store: sealed under a passphrase or, without one, under a known key
 * so that the file's mode is the only protection (doc/spec/crypto.md section 8, formats.md
 * section 10).
 */
#ifndef SECRET_KEYSTORECRYPT_H
#define SECRET_KEYSTORECRYPT_H

#include "secret/devicekeys.h"

enum {
	KEYSTORE_SIZE = 4221,
	KEYSTORE_NAME_MAX = 64,
};

struct keystore {
	struct hash account;
	struct hash device; /* the id; on sealing and opening it must be that of ${keys} */
	struct device_keys keys;
	uint8_t name[KEYSTORE_NAME_MAX];
	uint8_t name_len;
	uint64_t anchor_sequence; /* the account's head when the device joined */
	struct hash anchor_head;
};

/*
 * Seals for ${passphrase}; NULL: no protection. E_USAGE if the passphrase is empty, the name too
 * long or the device id not that of the keys; E_LIMIT (argon.h), E_NOMEM, E_IO (fresh.h).
 */
MUST_USE enum err keystorecrypt_seal(uint8_t out[KEYSTORE_SIZE], const struct keystore *store,
	const struct span *passphrase, struct fresh *fresh);

/*
 * Whether these bytes are protected by a passphrase. E_FORMAT, E_UNSUPPORTED, E_LIMIT (costs out
 * of bounds), at once.
 */
MUST_USE enum err keystorecrypt_is_protected(bool *out, struct span in);

/*
 * Opens with ${passphrase} (NULL: none; not looked at if the store is not protected). E_DENIED:
 * wrong or missing passphrase; E_FORGED: altered; E_FORMAT, E_UNSUPPORTED: no key store, or of
 * another version; E_LIMIT: costs out of bounds, found before any work; E_NOMEM. ${out} is
 * written on OK only.
 */
MUST_USE enum err keystorecrypt_open(
	struct keystore *out, struct span in, const struct span *passphrase);

#endif
