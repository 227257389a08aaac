#include "client/treewalk.h"

#include <string.h>

#include "base/mem.h"
#include "client/folderread.h"
#include "format/chunktype.h"
#include "format/snapshot.h"

/* Of the string of a folder; and of what is kept of the folders in folders under way. */
static const uint64_t folder_max = (uint64_t)1 << 32;
static const size_t later_max = (size_t)1 << 30;

/* A stream being walked, depth first; what of each level's items lies across two lists is kept. */
struct walk {
	const struct treewalk *t;
	uint8_t type;
	uint64_t left; /* bytes of the string that were not named yet */
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
	if (!depth && length > w->left) return malformed(why);
	if (!depth) w->left -= length;
	enum err e = w->t->chunk(w->t->ctx, depth ? CHUNKTYPE_LIST : w->type, id, length, why);
	if (e || !depth) return e;
	e = fetch_chunk(w->t->fetch, CHUNKTYPE_LIST, id, &chunk, why);
	if (e) return e;
	e = walk_items(w, depth, chunk.bytes, why);
	fetch_release(w->t->fetch, &chunk);
	return e;
}

static enum err walk_stream(
	const struct treewalk *t, uint8_t type, const struct streamref *ref, struct why *why) {
	struct walk w = { .t = t, .type = type, .left = ref->length };
	enum err e = OK;
	if (ref->length == 0) return OK;
	if (ref->origin.kind != ORIGIN_OWN)
		return why_set(
			why, E_UNSUPPORTED, "its chunks are of an origin that this version cannot read");
	if (type == CHUNKTYPE_DIRECTORY && ref->length > folder_max)
		return why_set(why, E_FORGED, "a folder is longer than any that this program reads");
	e = walk_chunk(&w, ref->depth, &ref->id, ref->depth ? 0 : ref->length, why);
	for (unsigned i = 0; i <= ref->depth && !e; i++)
		if (w.carried[i]) e = malformed(why);
	return e;
}

/* A folder that was read: the folders in it that were not gone into yet. */
struct frame {
	struct frame *above;
	struct folderread_later later;
};

struct folders {
	const struct treewalk *t;
	struct frame *top;
	size_t kept; /* bytes, in all frames */
};

/* The files of a folder; its folders are kept for later. */
static enum err walk_entries(
	const struct treewalk *t, struct folderread *r, struct frame *f, struct why *why) {
	bool more = true;
	enum err e = OK;
	while (!e && more) {
		struct direntry d;
		e = folderread_next(r, &d, &more, why);
		if (e == E_FORMAT) return why_set(why, E_FORGED, "a folder is malformed");
		if (e || !more) return e;
		if (d.type == DIRENTRY_FILE) e = walk_stream(t, CHUNKTYPE_CONTENT, &d.stream, why);
		else if (d.type == DIRENTRY_DIRECTORY)
			e = why_err(why, folderread_later_add(&f->later, span_of(NULL, 0), &d.stream),
				"walking a tree with so many folders");
	}
	return e;
}

static void pop(struct folders *w) {
	struct frame *f = w->top;
	w->top = f->above;
	w->kept -= f->later.bytes.len;
	folderread_later_done(&f->later);
	mem_free(f);
}

static enum err push(struct folders *w, const struct streamref *ref, struct why *why) {
	struct folderread r;
	if (!ref->length || (w->t->folder && w->t->folder(w->t->ctx, &ref->id))) return OK;
	enum err e = walk_stream(w->t, CHUNKTYPE_DIRECTORY, ref, why);
	if (e) return e;
	struct frame *f = mem_zalloc(sizeof *f);
	if (!f) return why_err(why, E_NOMEM, "walking a tree");
	folderread_later_init(&f->later, later_max - w->kept);
	f->above = w->top;
	w->top = f;
	e = folderread_open(&r, w->t->fetch, ref, why);
	if (!e) e = walk_entries(w->t, &r, f, why);
	folderread_close(&r);
	w->kept += f->later.bytes.len;
	return e;
}

enum err treewalk_run(const struct treewalk *t, const struct streamref *root, struct why *why) {
	struct folders w = { .t = t };
	enum err e = push(&w, root, why);
	while (w.top && !e) {
		struct span name;
		struct streamref ref;
		if (folderread_later_next(&w.top->later, &name, &ref)) e = push(&w, &ref, why);
		else pop(&w);
	}
	while (w.top) pop(&w);
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
