#include "crypto/hash.h"

#include <blake3.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/ct.h"
#include "crypto/hasher.h"

void hash_of(struct hash *out, struct span in) {
	blake3_hasher h;
	blake3_hasher_init(&h);
	blake3_hasher_update(&h, in.ptr, in.len);
	blake3_hasher_finalize(&h, out->b, HASH_SIZE);
}

void hash_label(struct hash *out, const char *label, struct span in) {
	struct hasher h;
	hasher_label(&h, label);
	hasher_add(&h, in);
	hasher_done(&h, out);
}

void hash_keyed(struct hash *out, const uint8_t key[HASH_SIZE], struct span in) {
	blake3_hasher h;
	blake3_hasher_init_keyed(&h, key);
	blake3_hasher_update(&h, in.ptr, in.len);
	blake3_hasher_finalize(&h, out->b, HASH_SIZE);
	mem_wipe(&h, sizeof h);
}

bool hash_equal(const struct hash *a, const struct hash *b) {
	return ct_equal(a->b, b->b, HASH_SIZE);
}

bool hash_is_zero(const struct hash *h) {
	return ct_is_zero(h->b, HASH_SIZE);
}

int hash_order(const struct hash *a, const struct hash *b) {
	return span_order(hash_span(a), hash_span(b));
}

struct span hash_span(const struct hash *h) {
	return span_of(h->b, HASH_SIZE);
}

struct hash hash_from(const uint8_t bytes[HASH_SIZE]) {
	struct hash h;
	memcpy(h.b, bytes, HASH_SIZE);
	return h;
}

void hash_hex(char out[HASH_HEX], const struct hash *h) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < HASH_SIZE; i++) {
		out[2 * i] = digits[h->b[i] >> 4];
		out[2 * i + 1] = digits[h->b[i] & 15];
	}
	out[HASH_HEX - 1] = 0;
}

/* 16 for what is no lower-case digit. */
static unsigned digit(uint8_t c) {
	if (c >= '0' && c <= '9') return c - (unsigned)'0';
	if (c >= 'a' && c <= 'f') return c - (unsigned)'a' + 10;
	return 16;
}

enum err hash_parse_hex(struct hash *out, struct span text) {
	if (text.len != HASH_HEX - 1) return E_FORMAT;
	struct hash h;
	for (size_t i = 0; i < HASH_SIZE; i++) {
		unsigned high = digit(text.ptr[2 * i]), low = digit(text.ptr[2 * i + 1]);
		if (high > 15 || low > 15) return E_FORMAT;
		h.b[i] = (uint8_t)(high << 4 | low);
	}
	*out = h;
	return OK;
}
