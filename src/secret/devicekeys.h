/* The four secrets of a device and their public side (doc/spec/crypto.md section 6). */
#ifndef SECRET_DEVICEKEYS_H
#define SECRET_DEVICEKEYS_H

#include "crypto/hash.h"
#include "crypto/public.h"
#include "secret/fresh.h"
#include "secret/keys.h"

struct device_keys {
	struct kem_seed kem;
	struct sign_seed entry;
	struct sign_seed request;
	struct device_secret secret;
};

/* What a device record holds of a device's or kit's keys, and the id they give. */
struct device_public {
	uint8_t entry[SIGN_PUBLIC];
	uint8_t request[SIGN_PUBLIC];
	uint8_t kem[KEM_PUBLIC];
	struct hash id;
};

/* All fresh. E_IO (fresh.h); then ${out} is wiped. */
MUST_USE enum err devicekeys_generate(struct device_keys *out, struct fresh *fresh);

void devicekeys_public(struct device_public *out, const struct device_keys *keys);

/* The public side of any such three secrets (also a kit's). */
void devicekeys_public_of(struct device_public *out, const struct kem_seed *kem,
	const struct sign_seed *entry, const struct sign_seed *request);

/*
 * The signature "joined" by which a device shows that it holds the keys of its ${device_record},
 * for ${account} (32 zero bytes in an account's first entry). E_LIMIT, E_NOMEM. Checked by
 * deviceid_check_joined.
 */
MUST_USE enum err devicekeys_join(uint8_t out[SIGN_SIGNATURE], const struct device_keys *keys,
	const struct hash *account, struct span device_record);

#endif
