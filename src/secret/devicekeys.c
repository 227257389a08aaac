#include "secret/devicekeys.h"

#include "base/little.h"
#include "base/mem.h"
#include "crypto/deviceid.h"
#include "crypto/label.h"
#include "secret/signer.h"
#include "secret/xwing.h"

enum err devicekeys_generate(struct device_keys *out, struct fresh *fresh) {
	enum err e = fresh_bytes(fresh, &out->kem, sizeof out->kem);
	if (!e) e = fresh_bytes(fresh, &out->entry, sizeof out->entry);
	if (!e) e = fresh_bytes(fresh, &out->request, sizeof out->request);
	if (!e) e = fresh_bytes(fresh, &out->secret, sizeof out->secret);
	if (e) mem_wipe(out, sizeof *out);
	return e;
}

void devicekeys_public_of(struct device_public *out, const struct kem_seed *kem,
	const struct sign_seed *entry, const struct sign_seed *request) {
	signer_public_of(out->entry, entry);
	signer_public_of(out->request, request);
	xwing_public(out->kem, kem);
	deviceid_of(&out->id, out->entry, out->request, out->kem);
}

void devicekeys_public(struct device_public *out, const struct device_keys *keys) {
	devicekeys_public_of(out, &keys->kem, &keys->entry, &keys->request);
}

enum err devicekeys_join(uint8_t out[SIGN_SIGNATURE], const struct device_keys *keys,
	const struct hash *account, struct span device_record) {
	struct signer signer;
	uint8_t length[4];
	little_put32(length, HASH_SIZE);
	struct span parts[] = { span_of(length, sizeof length), hash_span(account), device_record };
	signer_init(&signer, &keys->entry);
	enum err e = signer_sign(out, &signer, LABEL_DEVICE_JOINS, parts, 3);
	signer_done(&signer);
	return e;
}
