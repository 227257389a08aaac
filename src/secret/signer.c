#include "secret/signer.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/message.h"

static_assert(sizeof(struct signer) == crypto_sign_ed25519_SECRETKEYBYTES, "Ed25519 secret key");

void signer_init(struct signer *s, const struct sign_seed *seed) {
	uint8_t public_key[SIGN_PUBLIC];
	int r = crypto_sign_ed25519_seed_keypair(public_key, s->expanded, seed->b);
	assert(r == 0);
	(void)r;
}

void signer_done(struct signer *s) {
	mem_wipe(s, sizeof *s);
}

void signer_public(uint8_t out[SIGN_PUBLIC], const struct signer *s) {
	memcpy(out, s->expanded + KEY_SIZE, SIGN_PUBLIC);
}

void signer_public_of(uint8_t out[SIGN_PUBLIC], const struct sign_seed *seed) {
	struct signer s;
	signer_init(&s, seed);
	signer_public(out, &s);
	signer_done(&s);
}

enum err signer_sign(uint8_t out[SIGN_SIGNATURE], const struct signer *s, const char *context,
	const struct span *parts, size_t count) {
	struct buf message;
	enum err e = message_build(&message, context, parts, count);
	if (e) return e;
	int r = crypto_sign_ed25519_detached(out, NULL, message.ptr, message.len, s->expanded);
	assert(r == 0);
	(void)r;
	buf_wipe_free(&message); /* inner parts of entries are not for others */
	return OK;
}
