/* A span borrows bytes: it owns nothing and is valid as long as what it points into. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *ptr;
	size_t len;
};

static inline struct span span_of(const void *ptr, size_t len) {
	return (struct span){ .ptr = ptr, .len = len };
}

/* The bytes of a NUL-terminated ${text}, without the NUL. */
struct span span_text(const char *text);

/* Byte-wise equality and order (shorter first); not in constant time: never for secrets. */
bool span_equal(struct span a, struct span b);
int span_order(struct span a, struct span b);

/* ${in} without its first ${n} bytes; ${n} must not exceed its length. */
struct span span_skip(struct span in, size_t n);

#endif
