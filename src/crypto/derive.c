#include "crypto/derive.h"

#include <assert.h>

#include "base/little.h"

void derive_start(struct derive *d, const char *label, struct span key) {
	hasher_label(&d->h, label);
	derive_bytes(d, key);
}

/* The length before each field keeps two different lists of fields from giving the same input. */
void derive_bytes(struct derive *d, struct span field) {
	uint8_t length[4];
	assert(field.len <= UINT32_MAX);
	little_put32(length, (uint32_t)field.len);
	hasher_add(&d->h, span_of(length, sizeof length));
	hasher_add(&d->h, field);
}

void derive_hash(struct derive *d, const struct hash *field) {
	derive_bytes(d, hash_span(field));
}

void derive_u8(struct derive *d, uint8_t field) {
	derive_bytes(d, span_of(&field, 1));
}

void derive_u32(struct derive *d, uint32_t field) {
	uint8_t b[4];
	little_put32(b, field);
	derive_bytes(d, span_of(b, sizeof b));
}

void derive_u64(struct derive *d, uint64_t field) {
	uint8_t b[8];
	little_put64(b, field);
	derive_bytes(d, span_of(b, sizeof b));
}

void derive_done(struct derive *d, void *out, size_t n) {
	hasher_done_long(&d->h, out, n);
}
