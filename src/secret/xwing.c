#include "secret/xwing.h"

#include <assert.h>
#include <sodium.h>

#include "base/mem.h"

static_assert(KEM_PUBLIC == crypto_kem_xwing_PUBLICKEYBYTES, "X-Wing public key");
static_assert(KEM_ENC == crypto_kem_xwing_CIPHERTEXTBYTES, "X-Wing encapsulation");
static_assert(KEY_SIZE == crypto_kem_xwing_SECRETKEYBYTES, "X-Wing secret key");
static_assert(KEY_SIZE == crypto_kem_xwing_SEEDBYTES, "X-Wing seed");
static_assert(KEY_SIZE == crypto_kem_xwing_SHAREDSECRETBYTES, "X-Wing shared secret");

void xwing_public(uint8_t out[KEM_PUBLIC], const struct kem_seed *seed) {
	uint8_t secret[KEY_SIZE]; /* the seed again */
	int r = crypto_kem_xwing_seed_keypair(out, secret, seed->b);
	assert(r == 0);
	(void)r;
	mem_wipe(secret, sizeof secret);
}

enum err xwing_encapsulate(uint8_t enc[KEM_ENC], struct xwing_shared *shared,
	const uint8_t public_key[KEM_PUBLIC], const struct xwing_coins *coins) {
	if (crypto_kem_xwing_enc_deterministic(enc, shared->b, public_key, coins->b) == 0) return OK;
	mem_wipe(enc, KEM_ENC);
	mem_wipe(shared, sizeof *shared);
	return E_FORMAT;
}

enum err xwing_decapsulate(
	struct xwing_shared *shared, const uint8_t enc[KEM_ENC], const struct kem_seed *seed) {
	if (crypto_kem_xwing_dec(shared->b, enc, seed->b) == 0) return OK;
	mem_wipe(shared, sizeof *shared);
	return E_FORGED;
}
