#include "format/snapshot.h"

#include <string.h>

#include "format/field.h"

static struct snapshot_names read_names(struct reader *r) {
	struct snapshot_names n = { .count = (uint32_t)reader_varint(r, LIMIT_SNAPSHOT_NAMES) };
	struct span before = r->rest;
	uint64_t last = 0;
	for (uint32_t i = 0; i < n.count && !r->bad; i++) {
		uint64_t id = reader_varint(r, UINT32_MAX);
		(void)reader_bytes(r, LIMIT_TEXT);
		if (i && id <= last) reader_fail(r);
		last = id;
	}
	n.items = field_taken(before, r);
	return n;
}

static void write_names(struct writer *w, const struct snapshot_names *n) {
	struct span rest = n->items, name;
	uint32_t id, count = 0;
	while (snapshot_next_name(&rest, &id, &name)) count++;
	if (!w->e && (count != n->count || rest.len)) w->e = E_USAGE;
	writer_varint(w, n->count);
	writer_raw(w, n->items);
}

static bool paths_ok(const struct bytelist *paths) {
	struct span rest = paths->items, path;
	while (bytelist_next(&rest, &path)) {
		if (path.len == 0 || path.ptr[0] != '/' || memchr(path.ptr, 0, path.len)) return false;
	}
	return true;
}

enum err snapshot_decode(struct snapshot *out, struct span in) {
	struct reader r = reader_over(in);
	struct snapshot s = { 0 };
	if (in.len == 0 || in.len > LIMIT_SNAPSHOT) return E_FORMAT;
	if (reader_u8(&r) != 1) return E_UNSUPPORTED;
	s.started = moment_read(&r);
	s.ended = moment_read(&r);
	s.host = reader_bytes(&r, LIMIT_TEXT);
	s.user = reader_bytes(&r, LIMIT_TEXT);
	s.program = reader_bytes(&r, LIMIT_TEXT);
	s.branch = reader_bytes(&r, LIMIT_TEXT);
	s.parent = field_hash(&r);
	s.paths = bytelist_read(&r, LIMIT_PATHS, LIMIT_PATH, false);
	s.tags = bytelist_read(&r, LIMIT_TAGS, LIMIT_TEXT, true);
	streamref_read(&r, &s.root);
	s.files = reader_varint(&r, UINT64_MAX);
	s.directories = reader_varint(&r, UINT64_MAX);
	s.others = reader_varint(&r, UINT64_MAX);
	s.bytes = reader_varint(&r, UINT64_MAX);
	s.unreadable = reader_varint(&r, UINT64_MAX);
	s.changed = reader_varint(&r, UINT64_MAX);
	s.users = read_names(&r);
	s.groups = read_names(&r);
	if (reader_finish(&r) || !paths_ok(&s.paths)) return E_FORMAT;
	*out = s;
	return OK;
}

enum err snapshot_encode(const struct snapshot *s, struct buf *out) {
	size_t start = out->len;
	struct snapshot check;
	struct writer w = writer_to(out);
	writer_u8(&w, 1);
	moment_write(&w, s->started);
	moment_write(&w, s->ended);
	writer_bytes(&w, s->host);
	writer_bytes(&w, s->user);
	writer_bytes(&w, s->program);
	writer_bytes(&w, s->branch);
	field_put_hash(&w, &s->parent);
	bytelist_write(&w, &s->paths);
	bytelist_write(&w, &s->tags);
	streamref_write(&w, &s->root);
	writer_varint(&w, s->files);
	writer_varint(&w, s->directories);
	writer_varint(&w, s->others);
	writer_varint(&w, s->bytes);
	writer_varint(&w, s->unreadable);
	writer_varint(&w, s->changed);
	write_names(&w, &s->users);
	write_names(&w, &s->groups);
	enum err e = writer_finish(&w);
	if (!e && out->len - start > LIMIT_SNAPSHOT) e = E_LIMIT;
	return field_encoded(
		out, start, e, e ? e : snapshot_decode(&check, span_skip(buf_span(out), start)));
}

bool snapshot_next_name(struct span *rest, uint32_t *id, struct span *name) {
	struct reader r = reader_over(*rest);
	if (!reader_more(&r)) return false;
	uint64_t i = reader_varint(&r, UINT32_MAX);
	struct span n = reader_bytes(&r, LIMIT_TEXT);
	if (r.bad) return false;
	*id = (uint32_t)i;
	*name = n;
	*rest = r.rest;
	return true;
}

enum err snapshot_add_name(struct buf *items, uint32_t id, struct span name) {
	size_t start = items->len;
	if (name.len > LIMIT_TEXT) return E_LIMIT;
	struct writer w = writer_to(items);
	writer_varint(&w, id);
	writer_bytes(&w, name);
	return field_encoded(items, start, writer_finish(&w), OK);
}
