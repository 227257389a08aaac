/* The bytes that are signed: context || 0x00 || message. For verify.c and secret/signer.c. */
#ifndef CRYPTO_MESSAGE_H
#define CRYPTO_MESSAGE_H

#include "base/buf.h"

enum { MESSAGE_MAX = 1 << 20 }; /* with the context; an entry is at most 262,144 bytes */

/*
 * Writes the joined bytes of ${count} ${parts} into ${out}, an uninitialised buf that the caller
 * frees. E_LIMIT, E_NOMEM.
 */
MUST_USE enum err message_build(
	struct buf *out, const char *context, const struct span *parts, size_t count);

#endif
