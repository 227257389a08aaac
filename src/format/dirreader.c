#include "format/dirreader.h"

#include <string.h>

#include "base/reader.h"

enum { PREFIX_MAX = 3 }; /* varint of LIMIT_DIRENTRY */

struct dirreader dirreader_over(struct span directory) {
	return (struct dirreader){ .rest = directory };
}

enum err dirreader_next(struct dirreader *d, struct direntry *out, bool *more) {
	if (d->rest.len == 0) {
		*more = false;
		return OK;
	}
	struct reader r = reader_over(d->rest);
	struct span body = reader_bytes(&r, LIMIT_DIRENTRY);
	struct direntry entry;
	if (r.bad || direntry_decode(&entry, body)) return E_FORMAT;
	if (d->last.len && span_order(d->last, entry.name) >= 0) return E_FORMAT;
	d->rest = r.rest;
	d->last = entry.name;
	*out = entry;
	*more = true;
	return OK;
}

void dirreader_feed_init(struct dirreader_feed *f) {
	*f = (struct dirreader_feed){ 0 };
	buf_init(&f->carry, LIMIT_DIRENTRY + PREFIX_MAX);
}

void dirreader_feed_done(struct dirreader_feed *f) {
	buf_free(&f->carry);
}

void dirreader_feed_push(struct dirreader_feed *f, struct span piece) {
	f->piece = piece;
}

/*
 * The length before an entry: E_FORMAT; else ${*total} is how many bytes are needed to go on: of the whole entry once
 * its length is there (${*header} is then not 0), one more than there are before.
 */
static enum err prefix(struct span have, size_t *header, size_t *total) {
	size_t v = 0;
	for (size_t i = 0; i < PREFIX_MAX; i++) {
		if (i == have.len) {
			*header = 0;
			*total = i + 1;
			return OK;
		}
		v |= (size_t)(have.ptr[i] & 0x7f) << (7 * i);
		if (have.ptr[i] & 0x80) continue;
		if ((have.ptr[i] == 0 && i) || v > LIMIT_DIRENTRY) return E_FORMAT;
		*header = i + 1;
		*total = i + 1 + v;
		return OK;
	}
	return E_FORMAT;
}

static enum err give(struct dirreader_feed *f, struct span body, struct direntry *out, bool *have) {
	struct direntry entry;
	if (direntry_decode(&entry, body)) return E_FORMAT;
	if (f->last_len && span_order(span_of(f->last, f->last_len), entry.name) >= 0) return E_FORMAT;
	memcpy(f->last, entry.name.ptr, entry.name.len);
	f->last_len = (uint16_t)entry.name.len;
	*out = entry;
	*have = true;
	return OK;
}

/* Moves up to ${n} bytes of the piece to the carry. */
static enum err carry(struct dirreader_feed *f, size_t n) {
	if (n > f->piece.len) n = f->piece.len;
	if (n == 0) return OK;
	enum err e = buf_add(&f->carry, span_of(f->piece.ptr, n));
	if (!e) f->piece = span_skip(f->piece, n);
	return e;
}

static enum err next_carried(struct dirreader_feed *f, struct direntry *out, bool *have) {
	for (;;) {
		size_t header, total;
		enum err e = prefix(buf_span(&f->carry), &header, &total);
		if (e) return e;
		if (header && f->carry.len == total) {
			f->carry_used = true;
			return give(f, span_skip(buf_span(&f->carry), header), out, have);
		}
		if (f->piece.len == 0) {
			*have = false;
			return OK;
		}
		e = carry(f, total - f->carry.len);
		if (e) return e;
	}
}

enum err dirreader_feed_next(struct dirreader_feed *f, struct direntry *out, bool *have) {
	size_t header, total;
	if (f->carry_used) {
		buf_clear(&f->carry);
		f->carry_used = false;
	}
	if (f->carry.len) return next_carried(f, out, have);
	if (f->piece.len == 0) {
		*have = false;
		return OK;
	}
	enum err e = prefix(f->piece, &header, &total);
	if (e) return e;
	if (header == 0 || total > f->piece.len) {
		e = carry(f, f->piece.len);
		if (!e) *have = false;
		return e;
	}
	struct span body = span_of(f->piece.ptr + header, total - header);
	f->piece = span_skip(f->piece, total);
	return give(f, body, out, have);
}

enum err dirreader_feed_end(const struct dirreader_feed *f) {
	return f->piece.len || (f->carry.len && !f->carry_used) ? E_FORMAT : OK;
}
