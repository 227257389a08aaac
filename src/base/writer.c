#include "base/writer.h"

#include <string.h>

struct writer writer_to(struct buf *out) {
	return (struct writer){ .out = out, .e = OK };
}

void writer_raw(struct writer *w, struct span bytes) {
	if (!w->e) w->e = buf_add(w->out, bytes);
}

static void little(struct writer *w, uint64_t v, size_t n) {
	uint8_t b[8];
	for (size_t i = 0; i < n; i++) b[i] = (uint8_t)(v >> (8 * i));
	writer_raw(w, span_of(b, n));
}

void writer_u8(struct writer *w, uint8_t v) {
	little(w, v, 1);
}

void writer_u16(struct writer *w, uint16_t v) {
	little(w, v, 2);
}

void writer_u24(struct writer *w, uint32_t v) {
	if (v >> 24 && !w->e) w->e = E_LIMIT;
	little(w, v, 3);
}

void writer_u32(struct writer *w, uint32_t v) {
	little(w, v, 4);
}

void writer_u64(struct writer *w, uint64_t v) {
	little(w, v, 8);
}

void writer_i64(struct writer *w, int64_t v) {
	uint64_t u;
	memcpy(&u, &v, sizeof u);
	little(w, u, 8);
}

void writer_varint(struct writer *w, uint64_t v) {
	uint8_t b[10];
	size_t n = 0;
	do {
		b[n] = (uint8_t)(v & 0x7f);
		v >>= 7;
		if (v) b[n] |= 0x80;
		n++;
	} while (v);
	writer_raw(w, span_of(b, n));
}

void writer_bytes(struct writer *w, struct span bytes) {
	writer_varint(w, bytes.len);
	writer_raw(w, bytes);
}

void writer_zero(struct writer *w, size_t n) {
	if (!w->e) w->e = buf_add_zero(w->out, n);
}

enum err writer_finish(const struct writer *w) {
	return w->e;
}
