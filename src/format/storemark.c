#include "format/storemark.h"

#include <string.h>

static const char head[] = "broch store 1\nid ";

enum {
	HEAD_LEN = sizeof head - 1,
	VERSION_AT = 12, /* where the version stands in the head */
	HEX_LEN = HASH_HEX - 1,
};

_Static_assert(STOREMARK_SIZE == HEAD_LEN + HEX_LEN + 1, "head, digits, newline");

enum err storemark_decode(struct hash *store_id, struct span in) {
	if (in.len < VERSION_AT + 2 ||
		!span_equal(span_of(in.ptr, VERSION_AT), span_of(head, VERSION_AT)))
		return E_FORMAT;
	const uint8_t *version = in.ptr + VERSION_AT;
	if (version[0] < '1' || version[0] > '9') return E_FORMAT;
	if (!span_equal(span_of(version, 2), span_of(head + VERSION_AT, 2))) return E_UNSUPPORTED;
	if (in.len != STOREMARK_SIZE || in.ptr[STOREMARK_SIZE - 1] != '\n') return E_FORMAT;
	if (!span_equal(span_of(in.ptr, HEAD_LEN), span_of(head, HEAD_LEN))) return E_FORMAT;
	return hash_parse_hex(store_id, span_of(in.ptr + HEAD_LEN, HEX_LEN));
}

void storemark_encode(const struct hash *store_id, char out[STOREMARK_SIZE]) {
	char hex[HASH_HEX];
	hash_hex(hex, store_id);
	memcpy(out, head, HEAD_LEN);
	memcpy(out + HEAD_LEN, hex, HEX_LEN);
	out[STOREMARK_SIZE - 1] = '\n';
}
