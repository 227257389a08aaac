/*
 * The operating system's random generator. Secrets and nonces come from secret/fresh.h, which
 * mixes this with more.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>

#include "base/err.h"

/*
 * Fills ${out} with ${n} random bytes. E_IO if the generator gave what no generator gives (16 or
 * more bytes, all zero): stop then. Where the system has no generator at all, the process ends.
 */
MUST_USE enum err random_bytes(void *out, size_t n);

#endif
