/* Comparison in constant time: for secrets, commitments and whatever authenticates. */
#ifndef CRYPTO_CT_H
#define CRYPTO_CT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether ${n} bytes at ${a} and ${b} are equal; the time depends on ${n} alone. */
bool ct_equal(const void *a, const void *b, size_t n);

/* Whether ${n} bytes at ${a} are all zero; the time depends on ${n} alone. */
bool ct_is_zero(const void *a, size_t n);

#endif
