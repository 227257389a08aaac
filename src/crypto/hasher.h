/* BLAKE3 over input in pieces. Lies in the caller's memory and allocates nothing; done wipes it. */
#ifndef CRYPTO_HASHER_H
#define CRYPTO_HASHER_H

#include "crypto/hash.h"

struct hasher {
	uint64_t opaque[256];
};

/* Plain; with a label (derive_key mode); with a key (keyed_hash mode). */
void hasher_init(struct hasher *h);
void hasher_label(struct hasher *h, const char *label);
void hasher_keyed(struct hasher *h, const uint8_t key[HASH_SIZE]);

void hasher_add(struct hasher *h, struct span in);

/*
 * The result of 32 or, from the extendable output, ${n} bytes. Wipes ${h}: begin anew for
 * another.
 */
void hasher_done(struct hasher *h, struct hash *out);
void hasher_done_long(struct hasher *h, void *out, size_t n);

#endif
