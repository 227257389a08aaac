#include "client/folderread.h"

#include <string.h>

#include "format/chunktype.h"

enum err folderread_open(
	struct folderread *r, struct fetch *f, const struct streamref *ref, struct why *why) {
	r->chunk = (struct fetch_chunk){ .block = NULL };
	dirreader_feed_init(&r->feed);
	return streamread_open(&r->stream, f, CHUNKTYPE_DIRECTORY, ref, why);
}

void folderread_close(struct folderread *r) {
	fetch_release(r->stream.fetch, &r->chunk);
	streamread_close(&r->stream);
	dirreader_feed_done(&r->feed);
}

static enum err malformed(struct why *why) {
	return why_set(why, E_FORMAT, "the folder is malformed");
}

/* The next chunk of the string, held in ${r->chunk}. */
static enum err next_chunk(struct folderread *r, bool *more, struct why *why) {
	struct streamref_item item;
	fetch_release(r->stream.fetch, &r->chunk);
	enum err e = streamread_next(&r->stream, &item, more, why);
	if (e || !*more) return e;
	e = fetch_chunk(r->stream.fetch, CHUNKTYPE_DIRECTORY, &item.id, &r->chunk, why);
	if (!e && r->chunk.bytes.len != item.length)
		e = why_set(why, E_FORGED, "a chunk of it is not as long as it should be");
	return e;
}

static enum err next_entry(
	struct folderread *r, struct direntry *out, bool *have, struct why *why) {
	enum err e = dirreader_feed_next(&r->feed, out, have);
	return e == E_FORMAT ? malformed(why) : why_err(why, e, "reading a folder");
}

enum err folderread_next(struct folderread *r, struct direntry *out, bool *more, struct why *why) {
	for (;;) {
		enum err e = next_entry(r, out, more, why);
		if (e || *more) return e;
		e = next_chunk(r, more, why);
		if (e) return e;
		if (!*more) return dirreader_feed_end(&r->feed) ? malformed(why) : OK;
		dirreader_feed_push(&r->feed, r->chunk.bytes);
	}
}

/* Appends what was read so far and looks at its entries. E_FORMAT: one is malformed. */
static enum err add_chunk(struct folderread *r, struct buf *out, struct why *why) {
	struct direntry d;
	bool have = true;
	enum err e = why_err(why, buf_add(out, r->chunk.bytes), "reading a folder");
	dirreader_feed_push(&r->feed, r->chunk.bytes);
	while (!e && have) e = next_entry(r, &d, &have, why);
	return e;
}

enum err folderread_whole(
	struct fetch *f, const struct streamref *ref, struct buf *out, struct why *why) {
	struct folderread r;
	bool more = true;
	enum err e = folderread_open(&r, f, ref, why);
	while (!e && more) {
		e = next_chunk(&r, &more, why);
		if (!e && more) e = add_chunk(&r, out, why);
	}
	folderread_close(&r);
	return e == E_FORMAT ? OK : e;
}

void folderread_later_init(struct folderread_later *l, size_t max) {
	buf_init(&l->bytes, max);
	l->read = 0;
}

void folderread_later_done(struct folderread_later *l) {
	buf_free(&l->bytes);
}

enum err folderread_later_add(
	struct folderread_later *l, struct span name, const struct streamref *ref) {
	uint8_t *len;
	enum err e = buf_extend(&l->bytes, 1, &len);
	if (e) return e;
	*len = (uint8_t)name.len; /* LIMIT_NAME */
	e = buf_add(&l->bytes, name);
	return e ? e : streamref_encode(ref, &l->bytes);
}

bool folderread_later_next(struct folderread_later *l, struct span *name, struct streamref *ref) {
	struct reader r = reader_over(span_skip(buf_span(&l->bytes), l->read));
	if (!reader_more(&r)) return false;
	*name = reader_raw(&r, reader_u8(&r));
	streamref_read(&r, ref);
	l->read = l->bytes.len - r.rest.len;
	return !r.bad;
}
