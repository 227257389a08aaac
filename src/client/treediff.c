#include "client/treediff.h"

#include <string.h>

static const size_t path_max = (size_t)1 << 32;

/* One of the two trees: where its list stands. */
struct side {
	struct treelist *list;
	struct treelist_item item;
	bool more;
	bool is_broken;
	struct buf broken; /* the folder that could not be read last */
};

static enum err advance(const struct treediff *d, struct side *s, struct why *why) {
	enum err e;

	do {
		struct why reason = { 0 };

		s->more = false;
		e = treelist_next(s->list, &s->item, &s->more, &reason);
		if (!e) return OK;
		if (why) *why = reason;
		if (e == E_NOMEM || e == E_CANCELLED) return e;
		s->is_broken = true;
		buf_clear(&s->broken);
		if (buf_add(&s->broken, treelist_broken(s->list)))
			return why_err(why, E_NOMEM, "comparing trees");
		e = d->broken(d->ctx, e, &reason);
	} while (!e && s->more);
	return e;
}

/* Whether ${s}'s entry lies in a folder that the other tree has and could not read: nobody knows if it differs. */
static bool is_unknown(const struct side *s, const struct side *other) {
	struct span path = s->item.path, folder = buf_span(&other->broken);

	if (!s->more || !other->is_broken || path.len <= folder.len) return false;
	return path.ptr[folder.len] == '/' && span_equal(span_of(path.ptr, folder.len), folder);
}

/* In the order of the lists: component by component, so that a slash comes before any byte of a name. */
static int path_order(struct span a, struct span b) {
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		if (a.ptr[i] == b.ptr[i]) continue;
		if (a.ptr[i] == '/') return -1;
		if (b.ptr[i] == '/') return 1;
		return a.ptr[i] < b.ptr[i] ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

static bool same_content(const struct direntry *a, const struct direntry *b) {
	switch ((enum direntry_type)a->type) {
	case DIRENTRY_FILE:
		return streamref_equal(&a->stream, &b->stream) &&
			span_equal(a->holes.items, b->holes.items);
	case DIRENTRY_DIRECTORY:
	case DIRENTRY_FIFO: return true;
	case DIRENTRY_SYMLINK: return span_equal(a->target, b->target);
	case DIRENTRY_CHAR:
	case DIRENTRY_BLOCK: return a->major == b->major && a->minor == b->minor;
	case DIRENTRY_VAULT:
		return hash_equal(&a->vault, &b->vault) && a->epoch == b->epoch &&
			span_equal(a->path, b->path);
	}
	return span_equal(a->rest, b->rest);
}

/* The group of hard links is not compared: it changes with the inode. */
static bool same_metadata(const struct direntry *a, const struct direntry *b) {
	if (!direntry_type_is_known(a->type)) return true;
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
		a->mtime.seconds == b->mtime.seconds && a->mtime.nanos == b->mtime.nanos &&
		span_equal(a->xattrs.items, b->xattrs.items);
}

static enum err one_side(
	const struct treediff *d, struct side *s, enum treediff_kind kind, struct why *why) {
	struct treediff_change c = {
		.kind = kind,
		.before = kind == TREEDIFF_REMOVED ? &s->item.entry : NULL,
		.after = kind == TREEDIFF_ADDED ? &s->item.entry : NULL,
		.path = s->item.path,
	};
	enum err e = d->change(d->ctx, &c, why);

	return e ? e : advance(d, s, why);
}

static enum err both_sides(
	const struct treediff *d, struct side *a, struct side *b, struct why *why) {
	const struct direntry *x = &a->item.entry, *y = &b->item.entry;
	struct treediff_change c = { .before = x, .after = y, .path = b->item.path };
	bool differs = true;
	enum err e = OK;

	if (x->type != y->type) c.kind = TREEDIFF_TYPE;
	else if (!same_content(x, y)) c.kind = TREEDIFF_CONTENT;
	else if (!same_metadata(x, y)) c.kind = TREEDIFF_METADATA;
	else differs = false;
	if (differs) e = d->change(d->ctx, &c, why);
	if (x->type == DIRENTRY_DIRECTORY && y->type == DIRENTRY_DIRECTORY &&
		streamref_equal(&x->stream, &y->stream)) {
		treelist_skip(a->list);
		treelist_skip(b->list);
	}
	if (!e) e = advance(d, a, why);
	return e ? e : advance(d, b, why);
}

static enum err merge(const struct treediff *d, struct side *a, struct side *b, struct why *why) {
	enum err e = advance(d, a, why);

	if (!e) e = advance(d, b, why);
	while (!e && (a->more || b->more)) {
		if (is_unknown(a, b) || is_unknown(b, a)) {
			e = advance(d, is_unknown(a, b) ? a : b, why);
			continue;
		}
		int order = !a->more ? 1 : !b->more ? -1 : path_order(a->item.path, b->item.path);

		if (order < 0) e = one_side(d, a, TREEDIFF_REMOVED, why);
		else if (order > 0) e = one_side(d, b, TREEDIFF_ADDED, why);
		else e = both_sides(d, a, b, why);
	}
	return e;
}

enum err treediff_run(const struct treediff *d, const struct streamref *before,
	const struct streamref *after, struct why *why) {
	struct treelist_params p = { .fetch = d->fetch, .root = before };
	struct side a = { .list = NULL }, b = { .list = NULL };
	enum err e;

	if (streamref_equal(before, after)) return OK;
	buf_init(&a.broken, path_max);
	buf_init(&b.broken, path_max);
	e = treelist_new(&a.list, &p, why);
	p.root = after;
	if (!e) e = treelist_new(&b.list, &p, why);
	if (!e) e = merge(d, &a, &b, why);
	treelist_free(a.list);
	treelist_free(b.list);
	buf_free(&a.broken);
	buf_free(&b.broken);
	return e;
}
