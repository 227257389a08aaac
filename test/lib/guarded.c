#include "guarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void guarded_init(struct guarded *g, size_t len) {
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (len + page - 1) / page * page;
	g->len = len;
	g->map_len = pages + page;
	g->map = mmap(NULL, g->map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->map == MAP_FAILED || mprotect((uint8_t *)g->map + pages, page, PROT_NONE) != 0) {
		perror("guarded memory");
		abort();
	}
	g->ptr = (uint8_t *)g->map + pages - len;
}

void guarded_done(struct guarded *g) {
	munmap(g->map, g->map_len);
}

struct span guarded_copy(struct guarded *g, struct span bytes, size_t n) {
	uint8_t *at = g->ptr + g->len - n;
	if (n) memcpy(at, bytes.ptr, n);
	return span_of(at, n);
}
