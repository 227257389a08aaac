#include "secret/aead.h"

#include <assert.h>
#include <sodium.h>

#include "base/little.h"
#include "base/mem.h"

static_assert(KEY_SIZE == crypto_aead_aegis256_KEYBYTES, "AEGIS-256 key");
static_assert(AEAD_NONCE == crypto_aead_aegis256_NPUBBYTES, "AEGIS-256 nonce");
static_assert(AEAD_TAG == crypto_aead_aegis256_ABYTES, "AEGIS-256 tag of 256 bits");

struct aead_nonce aead_nonce_at(uint64_t offset) {
	struct aead_nonce n = { { 0 } };
	little_put64(n.b, offset);
	return n;
}

void aead_seal(uint8_t *out, const struct aead_key *key, const struct aead_nonce *nonce,
	struct span aad, struct span x) {
	/* cannot fail: lengths are far below the algorithm's limit */
	(void)crypto_aead_aegis256_encrypt(
		out, NULL, x.ptr, x.len, aad.ptr, aad.len, NULL, nonce->b, key->b);
}

enum err aead_open(uint8_t *out, const struct aead_key *key, const struct aead_nonce *nonce,
	struct span aad, struct span sealed) {
	if (sealed.len < AEAD_TAG) return E_FORGED;
	if (crypto_aead_aegis256_decrypt(
			out, NULL, NULL, sealed.ptr, sealed.len, aad.ptr, aad.len, nonce->b, key->b) == 0)
		return OK;
	mem_wipe(out, sealed.len - AEAD_TAG);
	return E_FORGED;
}
