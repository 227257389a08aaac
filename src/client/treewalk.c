#include "client/treewalk.h"

#include <string.h>

#include "base/mem.h"
#include "client/streamread.h"
#include "format/chunktype.h"
#include "format/dirreader.h"
#include "format/snapshot.h"

static const size_t folder_max = (size_t)1 << 32;

/* A stream being walked, depth first; what of each level's items lies across two lists is kept. */
struct walk {
	const struct treewalk *t;
	uint8_t type;
	bool is_known; /* the caller has passed over each chunk of the string so far */
	uint8_t carry[LIMIT_STREAM_DEPTH + 1][SIZE_STREAM_ITEM];
	size_t carried[LIMIT_STREAM_DEPTH + 1];
};

static enum err malformed(struct why *why) {
	return why_set(why, E_FORGED, "a list is malformed");
}

static enum err walk_chunk(
	struct walk *w, unsigned depth, const struct hash *id, uint64_t length, struct why *why);

/* What a list chunk of ${depth} names. */
static enum err walk_items(struct walk *w, unsigned depth, struct span items, struct why *why) {
	enum err e = OK;
	while (items.len && !e) {
		struct streamref_item item;
		size_t n = SIZE_STREAM_ITEM - w->carried[depth];
		if (n > items.len) n = items.len;
		memcpy(w->carry[depth] + w->carried[depth], items.ptr, n);
		w->carried[depth] += n;
		items = span_skip(items, n);
		if (w->carried[depth] < SIZE_STREAM_ITEM) break;
		w->carried[depth] = 0;
		if (streamref_item_decode(&item, w->carry[depth])) return malformed(why);
		e = walk_chunk(w, depth - 1, &item.id, item.length, why);
	}
	return e;
}

static enum err walk_chunk(
	struct walk *w, unsigned depth, const struct hash *id, uint64_t length, struct why *why) {
	struct fetch_chunk chunk;
	bool skip = false;
	enum err e = w->t->chunk(w->t->ctx, depth ? CHUNKTYPE_LIST : w->type, id, length, &skip, why);
	/* a string was walked before only if all of its chunks were: what is new may be in any of them */
	if (!depth && !skip) w->is_known = false;
	if (e || !depth) return e;
	e = fetch_chunk(w->t->fetch, CHUNKTYPE_LIST, id, &chunk, why);
	if (e) return e;
	e = walk_items(w, depth, chunk.bytes, why);
	fetch_release(w->t->fetch, &chunk);
	return e;
}

static enum err walk_stream(const struct treewalk *t, uint8_t type, const struct streamref *ref,
	bool *skipped, struct why *why) {
	struct walk w = { .t = t, .type = type, .is_known = ref->length > 0 };
	enum err e = OK;
	*skipped = false;
	if (ref->length == 0) return OK;
	if (ref->origin.kind != ORIGIN_OWN)
		return why_set(
			why, E_UNSUPPORTED, "its chunks are of an origin that this version cannot read");
	e = walk_chunk(&w, ref->depth, &ref->id, ref->depth ? 0 : ref->length, why);
	for (unsigned i = 0; i <= ref->depth && !e; i++)
		if (w.carried[i]) e = malformed(why);
	*skipped = w.is_known;
	return e;
}

/* A folder being walked; its string stays in memory until its end is reached. */
struct frame {
	struct frame *above;
	struct buf string;
	struct dirreader reader;
};

static enum err push(
	const struct treewalk *t, struct frame **top, const struct streamref *ref, struct why *why) {
	bool skip = false;
	struct frame *f = mem_zalloc(sizeof *f);
	if (!f) return why_err(why, E_NOMEM, "walking a tree");
	buf_init(&f->string, folder_max);
	enum err e = walk_stream(t, CHUNKTYPE_DIRECTORY, ref, &skip, why);
	if (!e && !skip) e = streamread_whole(t->fetch, CHUNKTYPE_DIRECTORY, ref, &f->string, why);
	f->reader = dirreader_over(buf_span(&f->string));
	f->above = *top;
	if (e || skip) {
		buf_free(&f->string);
		mem_free(f);
	} else {
		*top = f;
	}
	return e;
}

static enum err walk_entry(
	const struct treewalk *t, struct frame **top, const struct direntry *d, struct why *why) {
	bool skip = false;
	if (d->type == DIRENTRY_FILE) return walk_stream(t, CHUNKTYPE_CONTENT, &d->stream, &skip, why);
	if (d->type == DIRENTRY_DIRECTORY) return push(t, top, &d->stream, why);
	return OK;
}

static void pop(struct frame **top) {
	struct frame *f = *top;
	*top = f->above;
	buf_free(&f->string);
	mem_free(f);
}

enum err treewalk_run(const struct treewalk *t, const struct streamref *root, struct why *why) {
	struct frame *top = NULL;
	enum err e = push(t, &top, root, why);
	while (top && !e) {
		struct direntry d;
		bool more = false;
		if (dirreader_next(&top->reader, &d, &more))
			e = why_set(why, E_FORGED, "a folder is malformed");
		else if (more) e = walk_entry(t, &top, &d, why);
		else pop(&top);
	}
	while (top) pop(&top);
	return e;
}

enum err treewalk_snapshot(struct fetch *f, const struct hash *id, struct snapshot *out,
	struct buf *bytes, struct why *why) {
	struct fetch_chunk chunk;
	enum err e = fetch_chunk(f, CHUNKTYPE_SNAPSHOT, id, &chunk, why);
	if (e) return e;
	buf_clear(bytes);
	e = why_err(why, buf_add(bytes, chunk.bytes), "reading a snapshot");
	fetch_release(f, &chunk);
	if (e) return e;
	e = snapshot_decode(out, buf_span(bytes));
	if (e == E_UNSUPPORTED) return why_set(why, e, "the snapshot object needs a newer program");
	return e ? why_set(why, E_FORGED, "the snapshot object is malformed") : OK;
}
