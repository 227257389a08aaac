#include "client/streamread.h"

#include <string.h>

#include "format/chunktype.h"

enum err streamread_open(struct streamread *s, struct fetch *f, uint8_t type,
	const struct streamref *ref, struct why *why) {
	memset(s, 0, sizeof *s);
	s->fetch = f;
	s->type = type;
	s->ref = *ref;
	s->ended = ref->length == 0;
	if (ref->origin.kind != ORIGIN_OWN)
		return why_set(
			why, E_UNSUPPORTED, "its chunks are of an origin that this version cannot read");
	return OK;
}

void streamread_close(struct streamread *s) {
	for (size_t i = 0; i <= LIMIT_STREAM_DEPTH; i++) fetch_release(s->fetch, &s->levels[i].chunk);
}

static enum err malformed(const struct streamread *s, struct why *why) {
	char hex[HASH_HEX];
	hash_hex(hex, &s->ref.id);
	return why_set(why, E_FORGED, "the list %s is not what its reference says", hex);
}

static enum err next_item(
	struct streamread *s, unsigned level, struct streamref_item *item, bool *more, struct why *why);

/* The next list chunk of a level: named by the level above, or by the reference itself at the top. */
static enum err next_list(struct streamread *s, unsigned level, bool *more, struct why *why) {
	struct streamread_level *l = &s->levels[level];
	struct streamref_item item = { .id = s->ref.id };
	enum err e = OK;
	fetch_release(s->fetch, &l->chunk);
	*more = !l->ended;
	if (level == s->ref.depth) l->ended = true;
	else e = next_item(s, level + 1, &item, more, why);
	if (e || !*more) return e;
	e = fetch_chunk(s->fetch, CHUNKTYPE_LIST, &item.id, &l->chunk, why);
	if (e) return e;
	if (level != s->ref.depth && l->chunk.bytes.len != item.length) return malformed(s, why);
	l->rest = l->chunk.bytes;
	return OK;
}

/* The next item that the lists of ${level} name. */
static enum err next_item(struct streamread *s, unsigned level, struct streamref_item *item,
	bool *more, struct why *why) {
	struct streamread_level *l = &s->levels[level];
	while (l->carried < SIZE_STREAM_ITEM) {
		if (l->rest.len == 0) {
			enum err e = next_list(s, level, more, why);
			if (e) return e;
			if (!*more) return l->carried ? malformed(s, why) : OK;
		}
		size_t n = SIZE_STREAM_ITEM - l->carried;
		if (n > l->rest.len) n = l->rest.len;
		memcpy(l->carry + l->carried, l->rest.ptr, n);
		l->carried += n;
		l->rest = span_skip(l->rest, n);
	}
	l->carried = 0;
	*more = true;
	return streamref_item_decode(item, l->carry) ? malformed(s, why) : OK;
}

enum err streamread_next(
	struct streamread *s, struct streamref_item *item, bool *more, struct why *why) {
	*more = false;
	if (s->ended) return OK;
	if (s->ref.depth == 0) {
		if (s->ref.length > LIMIT_CHUNK) return malformed(s, why);
		*item = (struct streamref_item){ .id = s->ref.id, .length = (uint32_t)s->ref.length };
		s->ended = true;
		*more = true;
		return OK;
	}
	enum err e = next_item(s, 1, item, more, why);
	if (e) return e;
	if (*more) {
		s->given += item->length;
		return s->given > s->ref.length ? malformed(s, why) : OK;
	}
	s->ended = true;
	return s->given == s->ref.length ? OK : malformed(s, why);
}

enum err streamread_whole(
	struct fetch *f, uint8_t type, const struct streamref *ref, struct buf *out, struct why *why) {
	struct streamread s;
	struct streamref_item item;
	struct fetch_chunk chunk = { .block = NULL };
	bool more = false;
	enum err e = streamread_open(&s, f, type, ref, why);
	while (!e) {
		e = streamread_next(&s, &item, &more, why);
		if (e || !more) break;
		e = fetch_chunk(f, type, &item.id, &chunk, why);
		if (e) break;
		if (chunk.bytes.len != item.length) e = malformed(&s, why);
		else e = why_err(why, buf_add(out, chunk.bytes), "reading a stream");
		fetch_release(f, &chunk);
	}
	streamread_close(&s);
	return e;
}
