#include "crypto/ct.h"

#include <sodium.h>

bool ct_equal(const void *a, const void *b, size_t n) {
	return n == 0 || sodium_memcmp(a, b, n) == 0;
}

bool ct_is_zero(const void *a, size_t n) {
	return n == 0 || sodium_is_zero(a, n) == 1;
}
