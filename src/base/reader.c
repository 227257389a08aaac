#include "base/reader.h"

#include <string.h>

struct reader reader_over(struct span in) {
	return (struct reader){ .rest = in };
}

void reader_fail(struct reader *r) {
	r->bad = true;
	r->rest = span_of(NULL, 0);
}

struct span reader_raw(struct reader *r, size_t n) {
	if (n > r->rest.len) {
		reader_fail(r);
		return span_of(NULL, 0);
	}
	struct span out = span_of(r->rest.ptr, n);
	r->rest = span_skip(r->rest, n);
	return out;
}

static uint64_t little(struct reader *r, size_t n) {
	struct span s = reader_raw(r, n);
	uint64_t v = 0;
	for (size_t i = s.len; i > 0; i--) v = v << 8 | s.ptr[i - 1];
	return v;
}

uint8_t reader_u8(struct reader *r) {
	return (uint8_t)little(r, 1);
}

uint16_t reader_u16(struct reader *r) {
	return (uint16_t)little(r, 2);
}

uint32_t reader_u24(struct reader *r) {
	return (uint32_t)little(r, 3);
}

uint32_t reader_u32(struct reader *r) {
	return (uint32_t)little(r, 4);
}

uint64_t reader_u64(struct reader *r) {
	return little(r, 8);
}

int64_t reader_i64(struct reader *r) {
	uint64_t u = little(r, 8);
	int64_t v;
	memcpy(&v, &u, sizeof v);
	return v;
}

uint64_t reader_varint(struct reader *r, uint64_t max) {
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = reader_u8(r);
		if (r->bad) return 0;
		uint64_t bits = b & 0x7f;
		if (shift == 63 && bits > 1) break;
		v |= bits << shift;
		if (b & 0x80) continue;
		if (b == 0 && shift > 0) break; /* not the shortest form */
		if (v > max) break;
		return v;
	}
	reader_fail(r);
	return 0;
}

struct span reader_bytes(struct reader *r, size_t max) {
	return reader_raw(r, (size_t)reader_varint(r, max));
}

void reader_copy(struct reader *r, void *out, size_t n) {
	struct span s = reader_raw(r, n);
	if (s.len == n && n) memcpy(out, s.ptr, n);
	else if (n) memset(out, 0, n);
}

struct reader reader_part(struct reader *r, size_t max) {
	struct reader part = reader_over(reader_bytes(r, max));
	part.bad = r->bad;
	return part;
}

bool reader_more(const struct reader *r) {
	return !r->bad && r->rest.len > 0;
}

enum err reader_finish(const struct reader *r) {
	return r->bad || r->rest.len ? E_FORMAT : OK;
}
