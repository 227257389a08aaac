#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t asked;
static _Atomic uint64_t fail_at;

static bool refused(void) {
	uint64_t nth = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
	return nth == atomic_load_explicit(&fail_at, memory_order_relaxed);
}

void *mem_alloc(size_t n) {
	if (refused()) return NULL;
	return malloc(n ? n : 1);
}

void *mem_zalloc(size_t n) {
	if (refused()) return NULL;
	return calloc(1, n ? n : 1);
}

void *mem_array(size_t n, size_t size) {
	if (refused()) return NULL;
	return calloc(n ? n : 1, size ? size : 1);
}

void *mem_resize(void *p, size_t n, size_t size) {
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) return NULL;
	if (refused()) return NULL;
	return realloc(p, bytes ? bytes : 1);
}

void mem_free(void *p) {
	free(p);
}

void mem_wipe(void *p, size_t n) {
	if (!p || !n) return;
	memset(p, 0, n);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

void mem_fail_at(uint64_t nth) {
	atomic_store(&fail_at, nth ? atomic_load(&asked) + nth : 0);
}

uint64_t mem_count(void) {
	return atomic_load(&asked);
}
