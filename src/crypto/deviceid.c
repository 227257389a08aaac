#include "crypto/deviceid.h"

#include "base/little.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "crypto/verify.h"

void deviceid_of(struct hash *out, const uint8_t entry_key[SIGN_PUBLIC],
	const uint8_t request_key[SIGN_PUBLIC], const uint8_t kem_key[KEM_PUBLIC]) {
	struct derive d;
	derive_start(&d, LABEL_DEVICE_ID, span_of(entry_key, SIGN_PUBLIC));
	derive_bytes(&d, span_of(request_key, SIGN_PUBLIC));
	derive_bytes(&d, span_of(kem_key, KEM_PUBLIC));
	derive_done(&d, out->b, HASH_SIZE);
}

enum err deviceid_check_joined(const uint8_t entry_key[SIGN_PUBLIC], const struct hash *account,
	struct span device_record, const uint8_t joined[SIGN_SIGNATURE]) {
	uint8_t length[4];
	little_put32(length, HASH_SIZE);
	struct span parts[] = { span_of(length, sizeof length), hash_span(account), device_record };
	return verify_signature(entry_key, LABEL_DEVICE_JOINS, parts, 3, joined);
}
