#include "cut.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "core/chunker.h"

static struct chunker *chunker;

/* Made before main: every thread of a program here shares it. The key is no secret, so cuts repeat. */
__attribute__((constructor)) static void chunker_make(void) {
	static uint8_t key[CHUNKER_KEY_BYTES];
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < sizeof(key); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		key[i] = (uint8_t)(x >> 24);
	}
	if (sodium_init() < 0 || chunker_new(&chunker, key, &chunker_default) != OK) {
		fprintf(stderr, "no chunker\n");
		exit(1);
	}
}

size_t cut(const unsigned char *p, size_t n) {
	return chunker_next(chunker, p, n, n < CUT_MAX);
}

const char *cut_name(void) {
	return chunker_path_name(chunker_path_of(chunker));
}
