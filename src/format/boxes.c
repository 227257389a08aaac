#include "format/boxes.h"

#include "crypto/ct.h"
#include "crypto/hash.h"
#include "format/field.h"

enum { ROW = HASH_SIZE + SIZE_BOX };

enum err boxes_decode(struct boxes *out, struct span in) {
	struct reader r = reader_over(in);
	enum err e = field_magic(&r, 'b');
	if (e) return e;
	struct boxes b = { .epoch = reader_u32(&r) };
	b.count = reader_u16(&r);
	if (b.epoch < 1 || b.count < LIMIT_BOXES_LEAST || b.count > LIMIT_BOXES ||
		b.count & (b.count - 1))
		return E_FORMAT;
	b.rows = reader_raw(&r, (size_t)b.count * ROW);
	if (b.epoch > 1) b.wrap = reader_raw(&r, SIZE_PREVIOUS_WRAP);
	if (reader_finish(&r)) return E_FORMAT;
	*out = b;
	return OK;
}

enum err boxes_encode(const struct boxes *b, struct buf *out) {
	size_t start = out->len;
	struct boxes check;
	struct writer w = writer_to(out);
	field_put_magic(&w, 'b');
	writer_u32(&w, b->epoch);
	writer_u16(&w, b->count);
	writer_raw(&w, b->rows);
	writer_raw(&w, b->wrap);
	enum err e = writer_finish(&w);
	if (!e && (b->rows.len != (size_t)b->count * ROW)) e = E_USAGE;
	return field_encoded(
		out, start, e, e ? e : boxes_decode(&check, span_skip(buf_span(out), start)));
}

void boxes_at(const struct boxes *b, uint16_t i, struct span *tag, struct span *box) {
	const uint8_t *row = b->rows.ptr + (size_t)i * ROW;
	*tag = span_of(row, HASH_SIZE);
	*box = span_of(row + HASH_SIZE, SIZE_BOX);
}

/* Tags are keyed: comparing them in constant time keeps ours to ourselves. */
bool boxes_find(const struct boxes *b, struct span tag, struct span *box) {
	if (tag.len != HASH_SIZE) return false;
	for (uint16_t i = 0; i < b->count; i++) {
		struct span t, found;
		boxes_at(b, i, &t, &found);
		if (!ct_equal(t.ptr, tag.ptr, HASH_SIZE)) continue;
		*box = found;
		return true;
	}
	return false;
}
