/*
 * D(label, key, f1, ..., fn) of doc/spec/crypto.md section 2: start, the fields in order, done. A
 * derive lies in the caller's memory; done wipes it. It holds what is derived from: never leave
 * one without calling done.
 */
#ifndef CRYPTO_DERIVE_H
#define CRYPTO_DERIVE_H

#include "crypto/hasher.h"

struct derive {
	struct hasher h;
};

void derive_start(struct derive *d, const char *label, struct span key);
void derive_bytes(struct derive *d, struct span field);
void derive_hash(struct derive *d, const struct hash *field);
void derive_u8(struct derive *d, uint8_t field);
void derive_u32(struct derive *d, uint32_t field);
void derive_u64(struct derive *d, uint64_t field);
void derive_done(struct derive *d, void *out, size_t n);

#endif
