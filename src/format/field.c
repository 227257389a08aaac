#include "format/field.h"

struct hash field_hash(struct reader *r) {
	struct hash h;
	reader_copy(r, h.b, sizeof h.b);
	return h;
}

void field_put_hash(struct writer *w, const struct hash *h) {
	writer_raw(w, span_of(h->b, sizeof h->b));
}

bool field_is_zero(struct span bytes) {
	uint8_t any = 0;
	for (size_t i = 0; i < bytes.len; i++) any |= bytes.ptr[i];
	return any == 0;
}

enum err field_magic(struct reader *r, char letter) {
	struct span s = reader_raw(r, 4);
	if (r->bad || s.ptr[0] != 'b' || s.ptr[1] != 'r' || s.ptr[2] != (uint8_t)letter)
		return E_FORMAT;
	return s.ptr[3] == 1 ? OK : E_UNSUPPORTED;
}

void field_put_magic(struct writer *w, char letter) {
	uint8_t magic[4] = { 'b', 'r', (uint8_t)letter, 1 };
	writer_raw(w, span_of(magic, sizeof magic));
}

void field_zero_rest(struct reader *r) {
	if (!field_is_zero(reader_raw(r, r->rest.len))) reader_fail(r);
}

struct span field_taken(struct span before, const struct reader *r) {
	return r->bad ? span_of(NULL, 0) : span_of(before.ptr, before.len - r->rest.len);
}

bool field_bool(struct reader *r) {
	uint8_t v = reader_u8(r);
	if (v > 1) reader_fail(r);
	return v == 1;
}

enum err field_encoded(struct buf *out, size_t start, enum err e, enum err decoded) {
	if (!e && decoded) e = decoded == E_NOMEM ? E_NOMEM : E_USAGE;
	if (e) out->len = start;
	return e;
}
