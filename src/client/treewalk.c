#include "client/treewalk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/streamread.h"
#include "format/chunktype.h"
#include "format/dirreader.h"
#include "format/snapshot.h"

static const size_t folder_max = (size_t)1 << 32;

/* The lists of a stream, level by level from the top, then the chunks of the string. */
static enum err walk_list(const struct treewalk *t, uint8_t type, unsigned depth,
	const struct hash *id, uint64_t length, bool *leaf_skipped, struct why *why);

static enum err walk_items(const struct treewalk *t, uint8_t type, unsigned depth,
	struct span items, bool *leaf_skipped, struct why *why) {
	enum err e = OK;
	for (size_t at = 0; at + SIZE_STREAM_ITEM <= items.len && !e; at += SIZE_STREAM_ITEM) {
		struct streamref_item item;
		if (streamref_item_decode(&item, items.ptr + at))
			return why_set(why, E_FORGED, "a list is malformed");
		e = walk_list(t, type, depth, &item.id, item.length, leaf_skipped, why);
	}
	return e;
}

/* All items of one level joined: an item may lie across two list chunks. */
static enum err walk_list(const struct treewalk *t, uint8_t type, unsigned depth,
	const struct hash *id, uint64_t length, bool *leaf_skipped, struct why *why) {
	(void)length;
	bool skip = false;
	enum err e = t->chunk(t->ctx, depth ? CHUNKTYPE_LIST : type, id, length, &skip, why);
	/* a string was walked before only if all of its chunks were: what is new may be in any of them */
	if (!depth && !skip) *leaf_skipped = false;
	return e;
}

/* Walks the chunks of a stream: each level's byte string of items is read whole, names the next. */
static enum err walk_stream(const struct treewalk *t, uint8_t type, const struct streamref *ref,
	bool *skipped, struct why *why) {
	struct buf level, below;
	struct streamref at = *ref;
	*skipped = ref->length > 0;
	if (ref->length == 0) return OK;
	if (ref->origin.kind != ORIGIN_OWN)
		return why_set(
			why, E_UNSUPPORTED, "its chunks are of an origin that this version cannot read");
	if (ref->depth == 0) return walk_list(t, type, 0, &at.id, ref->length, skipped, why);
	enum err e = walk_list(t, type, ref->depth, &at.id, 0, skipped, why);
	buf_init(&level, folder_max);
	if (!e) {
		struct fetch_chunk chunk;
		e = fetch_chunk(t->fetch, CHUNKTYPE_LIST, &at.id, &chunk, why);
		if (!e) {
			e = why_err(why, buf_add(&level, chunk.bytes), "reading a list");
			fetch_release(t->fetch, &chunk);
		}
	}
	for (unsigned depth = ref->depth; depth > 0 && !e; depth--) {
		if (level.len % SIZE_STREAM_ITEM) e = why_set(why, E_FORGED, "a list is malformed");
		if (!e) e = walk_items(t, type, depth - 1, buf_span(&level), skipped, why);
		if (e || depth == 1) break;
		buf_init(&below, folder_max);
		for (size_t i = 0; i + SIZE_STREAM_ITEM <= level.len && !e; i += SIZE_STREAM_ITEM) {
			struct streamref_item item;
			struct fetch_chunk chunk;
			e = why_err(why, streamref_item_decode(&item, level.ptr + i), "reading a list");
			if (!e) e = fetch_chunk(t->fetch, CHUNKTYPE_LIST, &item.id, &chunk, why);
			if (e) break;
			e = why_err(why, buf_add(&below, chunk.bytes), "reading a list");
			fetch_release(t->fetch, &chunk);
		}
		buf_free(&level);
		level = below;
	}
	buf_free(&level);
	return e;
}

/* A folder being walked; its string stays in memory until its end is reached. */
struct frame {
	struct frame *above;
	struct buf string;
	struct dirreader reader;
	char name[LIMIT_NAME + 1];
};

static void path_of(const struct frame *f, const struct span *name, char *out, size_t room) {
	char old[1024];
	(void)snprintf(
		out, room, "%.*s", name ? (int)name->len : 0, name ? (const char *)name->ptr : "");
	for (; f && f->above; f = f->above) {
		(void)snprintf(old, sizeof old, "%s", out);
		(void)snprintf(out, room, "%.255s/%.700s", f->name, old);
	}
}

static enum err broken(const struct treewalk *t, const struct frame *f, const struct span *name,
	enum err e, const struct why *why) {
	char path[1024];
	if (!t->broken || e == E_NOMEM || e == E_CANCELLED) return e;
	path_of(f, name, path, sizeof path);
	return t->broken(t->ctx, path, e, why);
}

static enum err push(const struct treewalk *t, struct frame **top, const struct streamref *ref,
	struct span name, struct why *why) {
	bool skip = false;
	struct frame *f = mem_zalloc(sizeof *f);
	if (!f) return why_err(why, E_NOMEM, "walking a tree");
	buf_init(&f->string, folder_max);
	if (name.len) memcpy(f->name, name.ptr, name.len);
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
	if (d->type == DIRENTRY_DIRECTORY) return push(t, top, &d->stream, d->name, why);
	return OK;
}

enum err treewalk_run(const struct treewalk *t, const struct streamref *root, struct why *why) {
	struct frame *top = NULL;
	struct why reason = { OK, "" };
	enum err e = push(t, &top, root, span_of(NULL, 0), &reason);
	if (e) e = broken(t, NULL, NULL, e, &reason);
	while (top && !e) {
		struct direntry d;
		bool more = false;
		struct frame *f = top;
		e = dirreader_next(&f->reader, &d, &more);
		if (e) {
			e = why_set(&reason, E_FORGED, "the folder is malformed");
			e = broken(t, f, NULL, e, &reason);
			more = false;
		}
		if (!e && more) {
			struct span name = d.name;
			e = walk_entry(t, &top, &d, &reason);
			if (e) e = broken(t, f, &name, e, &reason);
			continue;
		}
		if (e) break;
		top = f->above;
		buf_free(&f->string);
		mem_free(f);
	}
	while (top) {
		struct frame *f = top;
		top = f->above;
		buf_free(&f->string);
		mem_free(f);
	}
	if (e && why) *why = reason;
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
	if (!e && snapshot_decode(out, buf_span(bytes)))
		e = why_set(why, E_FORGED, "the snapshot object is malformed");
	return e;
}
