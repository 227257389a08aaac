/* X-Wing (ML-KEM-768 + X25519), the key encapsulation. Used through hpke.h. */
#ifndef SECRET_XWING_H
#define SECRET_XWING_H

#include "base/err.h"
#include "crypto/public.h"
#include "secret/keys.h"

enum { XWING_COINS = 64 };

struct xwing_coins {
	uint8_t b[XWING_COINS];
}; /* 64 fresh bytes, for one encapsulation */
struct xwing_shared {
	uint8_t b[KEY_SIZE];
};

/* The public key of ${seed}. */
void xwing_public(uint8_t out[KEM_PUBLIC], const struct kem_seed *seed);

/* E_FORMAT if ${public_key} is no key of this kind; then the outputs are wiped. */
MUST_USE enum err xwing_encapsulate(uint8_t enc[KEM_ENC], struct xwing_shared *shared,
	const uint8_t public_key[KEM_PUBLIC], const struct xwing_coins *coins);

/*
 * A wrong or altered ${enc} gives another secret and no error (what is sealed under it fails
 * then); E_FORGED only for what cannot be an encapsulation at all.
 */
MUST_USE enum err xwing_decapsulate(
	struct xwing_shared *shared, const uint8_t enc[KEM_ENC], const struct kem_seed *seed);

#endif
