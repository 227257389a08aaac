#include "format/location.h"

#include "format/field.h"
#include "format/limits.h"

bool location_fits(uint32_t offset, uint32_t length) {
	return offset >= SIZE_PACK_HEADER && length >= LIMIT_RECORD_LEAST && length <= LIMIT_RECORD &&
		offset <= LIMIT_PACK - length;
}

struct location location_read(struct reader *r) {
	struct location l;
	l.pack = field_hash(r);
	l.offset = reader_u24(r);
	l.length = reader_u24(r);
	if (!location_fits(l.offset, l.length)) reader_fail(r);
	return l;
}

void location_write(struct writer *w, const struct location *l) {
	field_put_hash(w, &l->pack);
	writer_u24(w, l->offset);
	writer_u24(w, l->length);
}

int location_order(const struct location *a, const struct location *b) {
	int c = hash_order(&a->pack, &b->pack);
	if (c) return c;
	if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
	if (a->length != b->length) return a->length < b->length ? -1 : 1;
	return 0;
}

enum err location_add(struct buf *rows, const struct location *l) {
	size_t start = rows->len;
	if (!location_fits(l->offset, l->length)) return E_USAGE;
	struct writer w = writer_to(rows);
	location_write(&w, l);
	return field_encoded(rows, start, writer_finish(&w), OK);
}

struct locationlist location_read_list(struct reader *r, size_t count, bool named) {
	struct span before = r->rest;
	for (size_t i = 0; i < count && !r->bad; i++) {
		struct location l = location_read(r);
		if (named && hash_is_zero(&l.pack)) reader_fail(r);
	}
	return (struct locationlist){ .rows = field_taken(before, r) };
}

size_t location_count(const struct locationlist *l) {
	return l->rows.len / SIZE_LOCATION;
}

struct location location_at(const struct locationlist *l, size_t i) {
	struct reader r = reader_over(span_of(l->rows.ptr + i * SIZE_LOCATION, SIZE_LOCATION));
	return location_read(&r);
}
