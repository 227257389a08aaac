#include "format/packhead.h"

#include "base/little.h"
#include "format/field.h"
#include "format/limits.h"

enum err packhead_decode(struct packhead *out, struct span in) {
	struct reader r = reader_over(in);
	enum err e = field_magic(&r, 'p');
	if (e) return e;
	struct packhead h = { .epoch = reader_u32(&r) };
	h.enc = reader_raw(&r, SIZE_KEM_ENC);
	h.commitment = field_hash(&r);
	if (reader_finish(&r) || h.epoch == 0) return E_FORMAT;
	*out = h;
	return OK;
}

enum err packhead_encode(const struct packhead *h, struct buf *out) {
	size_t start = out->len;
	struct packhead check;
	struct writer w = writer_to(out);
	field_put_magic(&w, 'p');
	writer_u32(&w, h->epoch);
	writer_raw(&w, h->enc);
	field_put_hash(&w, &h->commitment);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : packhead_decode(&check, span_skip(buf_span(out), start)));
}

static unsigned log2_floor(uint64_t v) {
	unsigned n = 0;
	while (v >>= 1) n++;
	return n;
}

uint32_t packhead_padded_size(uint64_t need) {
	if (need > LIMIT_PACK) return 0;
	if (need <= LIMIT_PACK_LEAST) return LIMIT_PACK_LEAST;
	unsigned e = log2_floor(need);
	unsigned z = e - (log2_floor(e) + 1);
	uint64_t mask = (UINT64_C(1) << z) - 1;
	return (uint32_t)((need + mask) & ~mask);
}

bool packhead_size_ok(uint64_t size) {
	return size > 0 && packhead_padded_size(size) == size;
}

static bool trailer_ok(const struct packhead_trailer *t) {
	if (!packhead_size_ok(t->pack_length)) return false;
	if (t->table_offset < SIZE_PACK_HEADER + LIMIT_RECORD_LEAST) return false;
	if (t->table_length <= SIZE_TAG || t->table_length > LIMIT_PACK_TABLE + SIZE_TAG) return false;
	uint64_t need = (uint64_t)t->table_offset + t->table_length + SIZE_PACK_TRAILER_SEALED;
	if (need > t->pack_length) return false;
	return t->pack_length == LIMIT_PACK || t->pack_length == packhead_padded_size(need);
}

enum err packhead_trailer_decode(
	struct packhead_trailer *out, struct span in, uint64_t pack_length) {
	struct reader r = reader_over(in);
	struct packhead_trailer t = { .table_offset = reader_u32(&r) };
	t.table_length = reader_u32(&r);
	t.pack_length = reader_u32(&r);
	uint32_t zero = reader_u32(&r);
	if (reader_finish(&r) || zero != 0 || t.pack_length != pack_length || !trailer_ok(&t))
		return E_FORMAT;
	*out = t;
	return OK;
}

enum err packhead_trailer_encode(const struct packhead_trailer *t, uint8_t out[16]) {
	if (!trailer_ok(t)) return E_USAGE;
	little_put32(out, t->table_offset);
	little_put32(out + 4, t->table_length);
	little_put32(out + 8, t->pack_length);
	little_put32(out + 12, 0);
	return OK;
}
