#include "formatparts.h"

void formatparts_hash(FILE *f, const char *name, const struct hash *h) {
	formatcase_b(f, name, hash_span(h));
}

void formatparts_moment(FILE *f, const char *name, struct moment m) {
	formatcase_i(f, name, m.seconds);
	formatcase_u(f, "nanoseconds", m.nanos);
}

void formatparts_origin(FILE *f, const struct chunkorigin *o) {
	formatcase_u(f, "origin", o->kind);
	if (o->kind != ORIGIN_OWN) formatparts_hash(f, "origin id", &o->id);
}

void formatparts_streamref(FILE *f, const struct streamref *s) {
	formatparts_origin(f, &s->origin);
	formatcase_u(f, "length", s->length);
	formatcase_u(f, "depth", s->depth);
	if (s->length) formatparts_hash(f, "id", &s->id);
}

void formatparts_hashes(FILE *f, const char *name, const struct hashlist *l) {
	bool ascending = hashlist_is_ascending(l);
	formatcase_u(f, name, hashlist_count(l));
	for (size_t i = 0; i < hashlist_count(l); i++) {
		struct hash h = hashlist_at(l, i);
		formatparts_hash(f, "name", &h);
		if (ascending) formatcase_check(hashlist_has(l, &h), "hashlist_has misses");
	}
}

static void dump_known(FILE *f, const struct direntry *d) {
	formatcase_u(f, "mode", d->mode);
	formatcase_u(f, "uid", d->uid);
	formatcase_u(f, "gid", d->gid);
	formatparts_moment(f, "mtime", d->mtime);
	formatcase_u(f, "flags", d->flags);
	if (d->flags & DIRENTRY_HAS_LINK_GROUP)
		formatcase_b(f, "link group", span_of(d->link_group, sizeof d->link_group));
	if (d->type == DIRENTRY_FILE || d->type == DIRENTRY_DIRECTORY)
		formatparts_streamref(f, &d->stream);
	if (d->type == DIRENTRY_FILE) formatcase_u(f, "size", direntry_size(d));
	if (d->type == DIRENTRY_SYMLINK) formatcase_b(f, "target", d->target);
	if (d->type == DIRENTRY_CHAR || d->type == DIRENTRY_BLOCK) {
		formatcase_u(f, "major", d->major);
		formatcase_u(f, "minor", d->minor);
	}
}

void formatparts_direntry(FILE *f, const struct direntry *d) {
	formatcase_u(f, "type", d->type);
	formatcase_b(f, "name", d->name);
	if (direntry_type_is_known(d->type)) {
		dump_known(f, d);
	} else if (d->type == DIRENTRY_VAULT) {
		formatparts_hash(f, "vault", &d->vault);
		formatcase_u(f, "epoch", d->epoch);
		formatcase_b(f, "path", d->path);
	} else {
		formatcase_b(f, "rest", d->rest);
	}
}

enum err formatparts_list(FILE *f, const char *name, const struct bytelist *l) {
	struct bytelist_build build;
	struct span rest = l->items, item;
	enum err e = OK;
	formatcase_u(f, name, l->count);
	bytelist_build_init(&build);
	while (!e && bytelist_next(&rest, &item)) {
		formatcase_b(f, "item", item);
		e = formatcase_again(bytelist_build_add(&build, item));
	}
	struct bytelist made = bytelist_build_list(&build);
	formatcase_check(e || bytelist_equal(&made, l), "a list made anew differs");
	bytelist_build_done(&build);
	return e;
}

enum err formatparts_locations(FILE *f, const char *name, const struct locationlist *l) {
	struct buf rows;
	enum err e = OK;
	formatcase_u(f, name, location_count(l));
	buf_init(&rows, l->rows.len);
	for (size_t i = 0; !e && i < location_count(l); i++) {
		struct location at = location_at(l, i);
		formatparts_hash(f, "pack", &at.pack);
		formatcase_u(f, "offset", at.offset);
		formatcase_u(f, "length", at.length);
		e = formatcase_again(location_add(&rows, &at));
	}
	formatcase_check(e || span_equal(buf_span(&rows), l->rows), "locations made anew differ");
	buf_free(&rows);
	return e;
}
