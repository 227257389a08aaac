#include "base/span.h"

#include <assert.h>
#include <string.h>

struct span span_text(const char *text) {
	return span_of(text, strlen(text));
}

bool span_equal(struct span a, struct span b) {
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int span_order(struct span a, struct span b) {
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
	if (c) return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

struct span span_skip(struct span in, size_t n) {
	assert(n <= in.len);
	if (n == 0)
		return in; /* of an empty span the pointer may be NULL, to which even 0 can't be added */
	return span_of(in.ptr + n, in.len - n);
}
