#include "format/streamref.h"

#include "base/little.h"
#include "format/field.h"

void streamref_read(struct reader *r, struct streamref *out) {
	struct streamref s = { .origin = chunkorigin_read(r) };
	s.length = reader_varint(r, INT64_MAX);
	s.depth = reader_u8(r);
	if (s.length) s.id = field_hash(r);
	if (s.depth > LIMIT_STREAM_DEPTH || (s.length == 0 && s.depth)) reader_fail(r);
	if (s.depth == 0 && s.length > LIMIT_CHUNK) reader_fail(r);
	*out = s;
}

void streamref_write(struct writer *w, const struct streamref *s) {
	chunkorigin_write(w, &s->origin);
	writer_varint(w, s->length);
	writer_u8(w, s->depth);
	if (s->length) field_put_hash(w, &s->id);
}

enum err streamref_decode(struct streamref *out, struct span in) {
	struct reader r = reader_over(in);
	struct streamref s;
	streamref_read(&r, &s);
	if (reader_finish(&r)) return E_FORMAT;
	*out = s;
	return OK;
}

enum err streamref_encode(const struct streamref *s, struct buf *out) {
	size_t start = out->len;
	struct streamref check;
	struct writer w = writer_to(out);
	streamref_write(&w, s);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : streamref_decode(&check, span_skip(buf_span(out), start)));
}

bool streamref_equal(const struct streamref *a, const struct streamref *b) {
	return chunkorigin_equal(&a->origin, &b->origin) && a->length == b->length &&
		a->depth == b->depth && hash_equal(&a->id, &b->id);
}

enum err streamref_item_decode(struct streamref_item *out, const uint8_t in[SIZE_STREAM_ITEM]) {
	uint32_t length = little_get24(in + HASH_SIZE);
	if (length < 1 || length > LIMIT_CHUNK) return E_FORMAT;
	out->id = hash_from(in);
	out->length = length;
	return OK;
}

void streamref_item_encode(const struct streamref_item *item, uint8_t out[SIZE_STREAM_ITEM]) {
	memcpy(out, item->id.b, HASH_SIZE);
	little_put24(out + HASH_SIZE, item->length);
}
