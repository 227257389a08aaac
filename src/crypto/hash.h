/*
 * BLAKE3 over one span: plain (names of packs and objects), with a label (H of
 * doc/spec/crypto.md), with a key (MAC). A hash, an id or a name is a struct hash everywhere. For
 * input in pieces: crypto/hasher.h.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/err.h"
#include "base/span.h"

enum {
	HASH_SIZE = 32,
	HASH_HEX = 65, /* 64 digits and a NUL */
};

struct hash {
	uint8_t b[HASH_SIZE];
};

void hash_of(struct hash *out, struct span in);
void hash_label(struct hash *out, const char *label, struct span in);
void hash_keyed(struct hash *out, const uint8_t key[HASH_SIZE], struct span in);

/* In constant time. */
bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *h);

/* Order of the bytes, as strcmp gives it; not in constant time. */
int hash_order(const struct hash *a, const struct hash *b);

struct span hash_span(const struct hash *h); /* its 32 bytes, valid as long as ${h} is */
struct hash hash_from(const uint8_t bytes[HASH_SIZE]);

/*
 * Lower-case hexadecimal. Parsing takes exactly 64 lower-case digits: else E_FORMAT, and ${out}
 * is as before.
 */
void hash_hex(char out[HASH_HEX], const struct hash *h);
MUST_USE enum err hash_parse_hex(struct hash *out, struct span text);

#endif
