#include "crypto/verify.h"

#include <sodium.h>

#include "crypto/message.h"

enum err verify_signature(const uint8_t public_key[SIGN_PUBLIC], const char *context,
	const struct span *parts, size_t count, const uint8_t signature[SIGN_SIGNATURE]) {
	struct buf message;
	enum err e = message_build(&message, context, parts, count);
	if (e) return e;
	/* in one piece, because the library's check of a signature is part of what the format means */
	if (crypto_sign_ed25519_verify_detached(signature, message.ptr, message.len, public_key) != 0)
		e = E_FORGED;
	buf_free(&message);
	return e;
}
