#include "client/backupsame.h"

#include <string.h>

#include "client/treelist.h"
#include "client/treewalk.h"
#include "format/snapshot.h"

static bool paths_equal(const struct backupsources *s, const struct snapshot *parent) {
	struct span rest = parent->paths.items, path;
	if (parent->paths.count != s->count) return false;
	for (size_t i = 0; i < s->count; i++)
		if (!bytelist_next(&rest, &path) || !span_equal(path, span_text(s->paths[i]))) return false;
	return true;
}

/* The source that ${path} belongs to, which may lie above it, or NULL: it was not there. ${*len}: how much of the path leads to it. */
static const struct backupsources_node *find_source(
	const struct backupsources_node *s, const char *path, size_t *len) {
	const char *p = path + 1;
	while (s && !s->whole) {
		size_t n = strcspn(p, "/");
		struct span name = span_of(p, n);
		for (s = s->children; s && !span_equal(span_text(s->name), name);) s = s->next;
		p += n + (p[n] == '/');
	}
	*len = (size_t)(p - path);
	return s;
}

/* An entry has one encoding. */
static bool is_encoded_as(const struct direntry *d, struct span body) {
	struct buf encoded;
	buf_init(&encoded, 2 * LIMIT_DIRENTRY);
	bool same = direntry_encode(d, &encoded) == OK;
	struct reader r = reader_over(buf_span(&encoded));
	same = same && span_equal(reader_bytes(&r, LIMIT_DIRENTRY), body);
	buf_free(&encoded);
	return same;
}

static bool source_equal(struct fetch *f, const struct streamref *parent,
	const struct backupsources *s, const char *path, const struct streamref *root) {
	struct direntry d;
	struct buf bytes;
	bool is_root = false;
	size_t len;
	const struct backupsources_node *source = find_source(s->root, path, &len);
	buf_init(&bytes, (size_t)1 << 32);
	enum err e = treelist_find(f, parent, span_of(path, len), &d, &is_root, &bytes, NULL);
	bool same, was_there = source && source->entry.ptr;
	if (e == E_NOTFOUND) same = !was_there;
	else if (e) same = false;
	else if (is_root) same = streamref_equal(parent, root);
	else same = was_there && is_encoded_as(&d, source->entry);
	buf_free(&bytes);
	return same;
}

bool backupsame_as(struct fetch *f, const struct hash *snapshot, const struct backupsources *s,
	const struct streamref *root) {
	struct snapshot parent;
	struct buf bytes;
	buf_init(&bytes, LIMIT_SNAPSHOT);
	bool same = !treewalk_snapshot(f, snapshot, &parent, &bytes, NULL) && paths_equal(s, &parent);
	if (same && !s->root) same = streamref_equal(&parent.root, root);
	for (size_t i = 0; same && s->root && i < s->count; i++)
		same = source_equal(f, &parent.root, s, s->paths[i], root);
	buf_free(&bytes);
	return same;
}
