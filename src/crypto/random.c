#include "crypto/random.h"

#include <sodium.h>

#include "crypto/ct.h"

/* From this length on, zeros alone come from a broken generator and not from chance (2^-128). */
enum { RANDOM_JUDGED = 16 };

enum err random_bytes(void *out, size_t n) {
	randombytes_buf(out, n);
	if (n >= RANDOM_JUDGED && ct_is_zero(out, n)) return E_IO;
	return OK;
}
