/*
 * What the 16 bytes of a recovery kit give (doc/spec/crypto.md section 6). Their text form:
 * secret/kitcode.h.
 */
#ifndef SECRET_KITKEYS_H
#define SECRET_KITKEYS_H

#include "secret/devicekeys.h"

struct kit_keys {
	struct kem_seed kem;
	struct sign_seed entry;
	struct sign_seed request;
	struct hash locator; /* under which a store keeps the locator object: known to that store */
};

/* E_IO (fresh.h). */
MUST_USE enum err kitkeys_generate(struct kit_secret *out, struct fresh *fresh);

void kitkeys_derive(struct kit_keys *out, const struct kit_secret *kit);
void kitkeys_public(struct device_public *out, const struct kit_keys *keys);

#endif
