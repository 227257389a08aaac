/* A buf owns bytes, grows by itself, and never beyond the maximum it was made with. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/span.h"

struct buf {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	size_t max;
};

/* An empty buf that may grow to ${max} bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Releases the memory and leaves an empty buf with the same maximum. */
void buf_free(struct buf *b);

/* Like buf_free, but overwrites the bytes first. For buffers that held secrets. */
void buf_wipe_free(struct buf *b);

/* Forgets the contents, keeps the memory. */
void buf_clear(struct buf *b);

/* Room for ${n} more bytes without another allocation. E_LIMIT over the maximum, E_NOMEM. */
MUST_USE enum err buf_reserve(struct buf *b, size_t n);

/* Appends. On failure the buf is as before. E_LIMIT, E_NOMEM. */
MUST_USE enum err buf_add(struct buf *b, struct span bytes);
MUST_USE enum err buf_add_zero(struct buf *b, size_t n);

/* Appends ${n} bytes to be filled by the caller; their place goes to ${*at}, valid until the next growth. */
MUST_USE enum err buf_extend(struct buf *b, size_t n, uint8_t **at);

/* The contents, valid until the buf changes. */
struct span buf_span(const struct buf *b);

#endif
