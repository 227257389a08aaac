#include "format/bytelist.h"

#include "format/field.h"

enum { BYTELIST_BUILD_MAX = 1048576 };

struct bytelist bytelist_read(
	struct reader *r, uint32_t max_count, size_t max_len, bool ascending) {
	struct bytelist l = { .count = (uint32_t)reader_varint(r, max_count) };
	struct span before = r->rest, last = span_of(NULL, 0);
	for (uint32_t i = 0; i < l.count && !r->bad; i++) {
		struct span item = reader_bytes(r, max_len);
		if (ascending && i && span_order(last, item) >= 0) reader_fail(r);
		last = item;
	}
	l.items = field_taken(before, r);
	return l;
}

bool bytelist_next(struct span *rest, struct span *item) {
	struct reader r = reader_over(*rest);
	if (!reader_more(&r)) return false;
	struct span s = reader_bytes(&r, SIZE_MAX);
	if (r.bad) return false;
	*item = s;
	*rest = r.rest;
	return true;
}

/* A count that isn't that of the items would turn an item into the field behind the list. */
void bytelist_write(struct writer *w, const struct bytelist *l) {
	struct span rest = l->items, item;
	uint32_t n = 0;
	while (bytelist_next(&rest, &item)) n++;
	if (!w->e && (n != l->count || rest.len)) w->e = E_USAGE;
	writer_varint(w, l->count);
	writer_raw(w, l->items);
}

bool bytelist_equal(const struct bytelist *a, const struct bytelist *b) {
	return a->count == b->count && span_equal(a->items, b->items);
}

void bytelist_build_init(struct bytelist_build *b) {
	b->count = 0;
	buf_init(&b->items, BYTELIST_BUILD_MAX);
}

enum err bytelist_build_add(struct bytelist_build *b, struct span item) {
	size_t start = b->items.len;
	struct writer w = writer_to(&b->items);
	writer_bytes(&w, item);
	enum err e = writer_finish(&w);
	if (e) b->items.len = start;
	else b->count++;
	return e;
}

struct bytelist bytelist_build_list(const struct bytelist_build *b) {
	return (struct bytelist){ .count = b->count, .items = buf_span(&b->items) };
}

void bytelist_build_done(struct bytelist_build *b) {
	buf_free(&b->items);
	b->count = 0;
}
