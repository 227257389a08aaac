/*
 * The locator object: where an account's home is, sealed to its recovery kit and stored under the
 * kit's locator (doc/spec/crypto.md section 6, formats.md section 11). Anybody who knows the
 * kit's public key can make one: what it says is a hint, proved by the account's chain.
 */
#ifndef SECRET_LOCATOR_H
#define SECRET_LOCATOR_H

#include "secret/fresh.h"
#include "secret/kitkeys.h"

enum {
	LOCATOR_SIZE = 1652,
	LOCATOR_ADDRESS_MAX = 255,
};

struct locator_content {
	struct hash account;
	struct hash store;
	uint8_t address[LOCATOR_ADDRESS_MAX];
	uint8_t address_len; /* 0: unknown */
};

/* For the kit with ${kem_key} and ${locator}. E_FORMAT if ${kem_key} is no key; E_IO (fresh.h). */
MUST_USE enum err locator_seal(uint8_t out[LOCATOR_SIZE], const uint8_t kem_key[KEM_PUBLIC],
	const struct hash *locator, const struct locator_content *content, struct fresh *fresh);

/*
 * E_FORGED if it is not sealed to this kit; E_FORMAT, E_UNSUPPORTED. ${out} is written on OK
 * only.
 */
MUST_USE enum err locator_open(
	struct locator_content *out, const struct kit_keys *kit, struct span in);

#endif
