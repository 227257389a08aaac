#include "secret/kitkeys.h"

#include "crypto/derive.h"
#include "crypto/label.h"

enum err kitkeys_generate(struct kit_secret *out, struct fresh *fresh) {
	return fresh_bytes(fresh, out, sizeof *out);
}

static void from_kit(uint8_t out[KEY_SIZE], const char *label, const struct kit_secret *kit) {
	struct derive d;
	derive_start(&d, label, span_of(kit->b, sizeof kit->b));
	derive_done(&d, out, KEY_SIZE);
}

void kitkeys_derive(struct kit_keys *out, const struct kit_secret *kit) {
	from_kit(out->kem.b, LABEL_KIT_KEM, kit);
	from_kit(out->entry.b, LABEL_KIT_ENTRY, kit);
	from_kit(out->request.b, LABEL_KIT_REQUEST, kit);
	from_kit(out->locator.b, LABEL_KIT_LOCATOR, kit);
}

void kitkeys_public(struct device_public *out, const struct kit_keys *keys) {
	devicekeys_public_of(out, &keys->kem, &keys->entry, &keys->request);
}
