#include "secret/secretmem.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

enum { SECRETMEM_ALIGN = 16 };

void *secretmem_alloc(size_t n) {
	if (n > SIZE_MAX - SECRETMEM_ALIGN) return NULL;
	/*
	 * the library puts the end of a piece at a page's end, so only a round length begins at a
	 * round address
	 */
	size_t round = (n + SECRETMEM_ALIGN - 1) / SECRETMEM_ALIGN * SECRETMEM_ALIGN;
	void *p = sodium_malloc(round ? round : SECRETMEM_ALIGN);
	if (p) memset(p, 0, round);
	return p;
}

void secretmem_free(void *p) {
	sodium_free(p);
}
