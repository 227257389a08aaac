#include "format/devicerecord.h"

#include "format/field.h"
#include "format/limits.h"

void devicerecord_read(struct reader *r, struct devicerecord *out) {
	struct span before = r->rest;
	struct devicerecord d = { .kind = reader_u8(r) };
	d.entry_key = reader_raw(r, SIZE_SIGN_PUBLIC);
	d.request_key = reader_raw(r, SIZE_SIGN_PUBLIC);
	d.kem_key = reader_raw(r, SIZE_KEM_PUBLIC);
	d.name = reader_bytes(r, LIMIT_DEVICE_NAME);
	d.created = reader_i64(r);
	if (d.kind < DEVICERECORD_FULL || d.kind > DEVICERECORD_KIT) reader_fail(r);
	d.bytes = field_taken(before, r);
	*out = d;
}

void devicerecord_write(struct writer *w, const struct devicerecord *d) {
	bool sizes = d->entry_key.len == SIZE_SIGN_PUBLIC && d->request_key.len == SIZE_SIGN_PUBLIC &&
		d->kem_key.len == SIZE_KEM_PUBLIC;
	if (!w->e && !sizes) w->e = E_USAGE;
	writer_u8(w, d->kind);
	writer_raw(w, d->entry_key);
	writer_raw(w, d->request_key);
	writer_raw(w, d->kem_key);
	writer_bytes(w, d->name);
	writer_i64(w, d->created);
}

enum err devicerecord_decode(struct devicerecord *out, struct span in) {
	struct reader r = reader_over(in);
	struct devicerecord d;
	devicerecord_read(&r, &d);
	if (reader_finish(&r)) return E_FORMAT;
	*out = d;
	return OK;
}

enum err devicerecord_encode(const struct devicerecord *d, struct buf *out) {
	size_t start = out->len;
	struct devicerecord check;
	struct writer w = writer_to(out);
	devicerecord_write(&w, d);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : devicerecord_decode(&check, span_skip(buf_span(out), start)));
}
