#include "base/buf.h"

#include <string.h>

#include "base/mem.h"

enum { BUF_FIRST = 64 };

void buf_init(struct buf *b, size_t max) {
	*b = (struct buf){ .max = max };
}

void buf_free(struct buf *b) {
	mem_free(b->ptr);
	buf_init(b, b->max);
}

void buf_wipe_free(struct buf *b) {
	mem_wipe(b->ptr, b->cap);
	buf_free(b);
}

void buf_clear(struct buf *b) {
	b->len = 0;
}

enum err buf_reserve(struct buf *b, size_t n) {
	if (n > b->max - b->len) return E_LIMIT;
	if (n <= b->cap - b->len) return OK;
	size_t want = b->cap ? b->cap : BUF_FIRST;
	while (want - b->len < n) want = want > b->max / 2 ? b->max : want * 2;
	/* not realloc: a buffer may hold secrets, and realloc leaves copies behind */
	uint8_t *p = mem_alloc(want);
	if (!p) return E_NOMEM;
	if (b->len) memcpy(p, b->ptr, b->len);
	mem_wipe(b->ptr, b->len);
	mem_free(b->ptr);
	b->ptr = p;
	b->cap = want;
	return OK;
}

enum err buf_extend(struct buf *b, size_t n, uint8_t **at) {
	enum err e = buf_reserve(b, n);
	if (e) return e;
	*at = b->ptr ? b->ptr + b->len : NULL;
	b->len += n;
	return OK;
}

enum err buf_add(struct buf *b, struct span bytes) {
	uint8_t *at;
	enum err e = buf_extend(b, bytes.len, &at);
	if (e) return e;
	if (bytes.len) memcpy(at, bytes.ptr, bytes.len);
	return OK;
}

enum err buf_add_zero(struct buf *b, size_t n) {
	uint8_t *at;
	enum err e = buf_extend(b, n, &at);
	if (e) return e;
	if (n) memset(at, 0, n);
	return OK;
}

struct span buf_span(const struct buf *b) {
	return span_of(b->ptr, b->len);
}
