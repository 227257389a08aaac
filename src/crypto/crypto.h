/*
 * Starts the cryptographic library. What lies in crypto/ needs no secret: a server may have all
 * of it.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/err.h"

/*
 * Call once at the start of the program, before any other function of crypto/ and secret/.
 * E_UNSUPPORTED.
 */
MUST_USE enum err crypto_start(void);

#endif
