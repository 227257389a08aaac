/*
 * HPKE (RFC 9180) base mode with X-Wing and HKDF-SHA256: one message sealed to a public key with
 * ChaCha20-Poly1305, or keys exported for packs (doc/spec/crypto.md section 4). ${info} binds the
 * context; the aad is empty.
 */
#ifndef SECRET_HPKE_H
#define SECRET_HPKE_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/public.h"
#include "secret/fresh.h"
#include "secret/keys.h"

enum {
	HPKE_TAG = 16,
	HPKE_OVERHEAD = KEM_ENC + HPKE_TAG,
};

/*
 * Writes ${x.len} + HPKE_OVERHEAD bytes to ${out}, which must not overlap ${x}. E_FORMAT if
 * ${public_key} is none; E_IO (fresh.h).
 */
MUST_USE enum err hpke_seal(uint8_t *out, const uint8_t public_key[KEM_PUBLIC], struct span info,
	struct span x, struct fresh *fresh);

/*
 * Writes ${sealed.len} - HPKE_OVERHEAD bytes to ${out}, which must not overlap ${sealed}.
 * E_FORGED if it does not open with ${seed} and ${info}; then ${out} is wiped.
 */
MUST_USE enum err hpke_open(
	uint8_t *out, const struct kem_seed *seed, struct span info, struct span sealed);

/* An exporter secret, from an export-only encapsulation. Wipe it when the exports are taken. */
struct hpke_context {
	uint8_t exporter[KEY_SIZE];
};

MUST_USE enum err hpke_export_sender(struct hpke_context *out, uint8_t enc[KEM_ENC],
	const uint8_t public_key[KEM_PUBLIC], struct span info, struct fresh *fresh);
MUST_USE enum err hpke_export_receiver(struct hpke_context *out, const struct kem_seed *seed,
	struct span info, const uint8_t enc[KEM_ENC]);

/* Export(exporter_context), 32 bytes. */
void hpke_export(
	uint8_t out[KEY_SIZE], const struct hpke_context *context, const char *exporter_context);

#endif
