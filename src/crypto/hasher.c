#include "crypto/hasher.h"

#include <assert.h>
#include <blake3.h>
#include <stdalign.h>

#include "base/mem.h"

/* The library's struct stays out of the header, so that only this layer needs the library's. */
static_assert(sizeof(blake3_hasher) <= sizeof(struct hasher), "room for the library's state");
static_assert(alignof(blake3_hasher) <= alignof(struct hasher), "alignment of the library's state");

static blake3_hasher *state(struct hasher *h) {
	return (blake3_hasher *)(void *)h->opaque;
}

void hasher_init(struct hasher *h) {
	blake3_hasher_init(state(h));
}

void hasher_label(struct hasher *h, const char *label) {
	blake3_hasher_init_derive_key(state(h), label);
}

void hasher_keyed(struct hasher *h, const uint8_t key[HASH_SIZE]) {
	blake3_hasher_init_keyed(state(h), key);
}

void hasher_add(struct hasher *h, struct span in) {
	blake3_hasher_update(state(h), in.ptr, in.len);
}

void hasher_done(struct hasher *h, struct hash *out) {
	hasher_done_long(h, out->b, HASH_SIZE);
}

void hasher_done_long(struct hasher *h, void *out, size_t n) {
	blake3_hasher_finalize(state(h), out, n);
	mem_wipe(h, sizeof(blake3_hasher));
}
