#include "format/direntry.h"

#include <string.h>

#include "format/field.h"

enum {
	MODE_MAX = 07777,
	FLAGS_ALL =
		DIRENTRY_HAS_XATTRS | DIRENTRY_HAS_HOLES | DIRENTRY_HAS_LINK_GROUP | DIRENTRY_CHANGED,
	PREFIX_MAX = 3, /* varint of LIMIT_DIRENTRY */
};

static bool has_zero(struct span s) {
	return s.len && memchr(s.ptr, 0, s.len);
}

bool direntry_name_ok(struct span name) {
	if (name.len < 1 || name.len > LIMIT_NAME || has_zero(name)) return false;
	if (memchr(name.ptr, '/', name.len)) return false;
	return name.ptr[0] != '.' || !(name.len == 1 || (name.len == 2 && name.ptr[1] == '.'));
}

bool direntry_type_is_known(uint8_t type) {
	return type >= DIRENTRY_FILE && type <= DIRENTRY_BLOCK;
}

static bool flags_ok(uint8_t type, uint8_t flags) {
	if (flags & ~FLAGS_ALL) return false;
	if (type != DIRENTRY_FILE && flags & (DIRENTRY_HAS_HOLES | DIRENTRY_CHANGED)) return false;
	return type != DIRENTRY_DIRECTORY || !(flags & DIRENTRY_HAS_LINK_GROUP);
}

static void read_xattrs(struct reader *r, struct direntry_items *x) {
	x->count = (uint32_t)reader_varint(r, LIMIT_XATTRS);
	if (x->count == 0) reader_fail(r);
	struct span before = r->rest, last = span_of(NULL, 0);
	for (uint32_t i = 0; i < x->count && !r->bad; i++) {
		struct span name = reader_bytes(r, LIMIT_XATTR_NAME);
		(void)reader_bytes(r, LIMIT_XATTR_VALUE);
		if (name.len == 0 || has_zero(name) || (i && span_order(last, name) >= 0)) reader_fail(r);
		last = name;
	}
	x->items = field_taken(before, r);
}

/* Distances and lengths; the data before and between the holes can't be more than the stream has. */
static void read_holes(struct reader *r, struct direntry *d) {
	uint64_t data = 0;
	d->holes.count = (uint32_t)reader_varint(r, LIMIT_HOLES);
	if (d->holes.count == 0) reader_fail(r);
	struct span before = r->rest;
	for (uint32_t i = 0; i < d->holes.count && !r->bad; i++) {
		uint64_t distance = reader_varint(r, d->stream.length - data);
		uint64_t length = reader_varint(r, INT64_MAX - d->stream.length - d->holes_total);
		if (length == 0 || (distance == 0 && i)) reader_fail(r);
		data += distance;
		d->holes_total += length;
	}
	d->holes.items = field_taken(before, r);
}

static void read_known(struct reader *r, struct direntry *d) {
	d->mode = reader_u16(r);
	d->uid = (uint32_t)reader_varint(r, UINT32_MAX);
	d->gid = (uint32_t)reader_varint(r, UINT32_MAX);
	d->mtime = moment_read(r);
	d->flags = reader_u8(r);
	if (d->mode > MODE_MAX || !flags_ok(d->type, d->flags)) reader_fail(r);
	if (d->flags & DIRENTRY_HAS_LINK_GROUP) reader_copy(r, d->link_group, sizeof d->link_group);
	if (d->flags & DIRENTRY_HAS_XATTRS) read_xattrs(r, &d->xattrs);
	switch (d->type) {
	case DIRENTRY_FILE:
		streamref_read(r, &d->stream);
		if (!r->bad && d->flags & DIRENTRY_HAS_HOLES) read_holes(r, d);
		break;
	case DIRENTRY_DIRECTORY: streamref_read(r, &d->stream); break;
	case DIRENTRY_SYMLINK:
		d->target = reader_bytes(r, LIMIT_LINK_TARGET);
		if (d->target.len == 0 || has_zero(d->target)) reader_fail(r);
		break;
	case DIRENTRY_CHAR:
	case DIRENTRY_BLOCK:
		d->major = reader_u32(r);
		d->minor = reader_u32(r);
		break;
	default: break;
	}
}

enum err direntry_decode(struct direntry *out, struct span body) {
	struct reader r = reader_over(body);
	if (body.len > LIMIT_DIRENTRY) return E_FORMAT;
	struct direntry d = { .type = reader_u8(&r) };
	d.name = reader_bytes(&r, LIMIT_NAME);
	if (!direntry_name_ok(d.name)) return E_FORMAT;
	if (direntry_type_is_known(d.type)) {
		read_known(&r, &d);
	} else if (d.type == DIRENTRY_VAULT) {
		d.vault = field_hash(&r);
		d.epoch = reader_u32(&r);
		d.path = reader_bytes(&r, LIMIT_VAULT_LINK_PATH);
	} else {
		d.rest = reader_raw(&r, r.rest.len);
	}
	if (reader_finish(&r)) return E_FORMAT;
	*out = d;
	return OK;
}

static uint32_t count_xattrs(struct span items) {
	struct span name, value;
	uint32_t n = 0;
	while (direntry_next_xattr(&items, &name, &value)) n++;
	return items.len ? UINT32_MAX : n;
}

static uint32_t count_holes(struct span items) {
	struct direntry_hole hole = { .rest = items };
	uint32_t n = 0;
	while (direntry_next_hole(&hole)) n++;
	return hole.rest.len ? UINT32_MAX : n;
}

/* What decode can't see: a count that isn't that of the items, and what the flags would leave out. */
static bool items_ok(const struct direntry *d) {
	if ((d->xattrs.count != 0) != ((d->flags & DIRENTRY_HAS_XATTRS) != 0)) return false;
	if ((d->holes.count != 0) != ((d->flags & DIRENTRY_HAS_HOLES) != 0)) return false;
	return count_xattrs(d->xattrs.items) == d->xattrs.count &&
		count_holes(d->holes.items) == d->holes.count;
}

static void write_known(struct writer *w, const struct direntry *d) {
	if (!w->e && !items_ok(d)) w->e = E_USAGE;
	writer_u16(w, d->mode);
	writer_varint(w, d->uid);
	writer_varint(w, d->gid);
	moment_write(w, d->mtime);
	writer_u8(w, d->flags);
	if (d->flags & DIRENTRY_HAS_LINK_GROUP)
		writer_raw(w, span_of(d->link_group, sizeof d->link_group));
	if (d->flags & DIRENTRY_HAS_XATTRS) {
		writer_varint(w, d->xattrs.count);
		writer_raw(w, d->xattrs.items);
	}
	if (d->type == DIRENTRY_FILE || d->type == DIRENTRY_DIRECTORY) streamref_write(w, &d->stream);
	if (d->flags & DIRENTRY_HAS_HOLES) {
		writer_varint(w, d->holes.count);
		writer_raw(w, d->holes.items);
	}
	if (d->type == DIRENTRY_SYMLINK) writer_bytes(w, d->target);
	if (d->type == DIRENTRY_CHAR || d->type == DIRENTRY_BLOCK) {
		writer_u32(w, d->major);
		writer_u32(w, d->minor);
	}
}

static void write_body(struct writer *w, const struct direntry *d) {
	writer_u8(w, d->type);
	writer_bytes(w, d->name);
	if (direntry_type_is_known(d->type)) {
		write_known(w, d);
	} else if (d->type == DIRENTRY_VAULT) {
		field_put_hash(w, &d->vault);
		writer_u32(w, d->epoch);
		writer_bytes(w, d->path);
	} else {
		writer_raw(w, d->rest);
	}
}

/* Puts the varint ${n} before the body that stands PREFIX_MAX bytes behind ${start}, and moves the body up to it. */
static void put_prefix(struct buf *out, size_t start, size_t n) {
	size_t len = 0;
	uint8_t *p = out->ptr + start;
	for (size_t v = n; v || len == 0; v >>= 7)
		p[len++] = (uint8_t)((v & 0x7f) | (v >> 7 ? 0x80 : 0));
	if (len < PREFIX_MAX) memmove(p + len, p + PREFIX_MAX, n);
	out->len = start + len + n;
}

enum err direntry_encode(const struct direntry *d, struct buf *out) {
	size_t start = out->len;
	struct direntry check;
	struct writer w = writer_to(out);
	writer_zero(&w, PREFIX_MAX);
	write_body(&w, d);
	enum err e = writer_finish(&w);
	if (!e && out->len - start - PREFIX_MAX > LIMIT_DIRENTRY) e = E_LIMIT;
	if (!e) {
		struct span body = span_skip(buf_span(out), start + PREFIX_MAX);
		e = direntry_decode(&check, body) ? E_USAGE : OK;
		if (!e) put_prefix(out, start, body.len);
	}
	return field_encoded(out, start, e, OK);
}

uint64_t direntry_size(const struct direntry *d) {
	return d->stream.length + d->holes_total;
}

bool direntry_next_xattr(struct span *rest, struct span *name, struct span *value) {
	struct reader r = reader_over(*rest);
	if (!reader_more(&r)) return false;
	struct span n = reader_bytes(&r, LIMIT_XATTR_NAME);
	struct span v = reader_bytes(&r, LIMIT_XATTR_VALUE);
	if (r.bad) return false;
	*name = n;
	*value = v;
	*rest = r.rest;
	return true;
}

enum err direntry_add_xattr(struct buf *items, struct span name, struct span value) {
	size_t start = items->len;
	if (name.len > LIMIT_XATTR_NAME || value.len > LIMIT_XATTR_VALUE) return E_LIMIT;
	struct writer w = writer_to(items);
	writer_bytes(&w, name);
	writer_bytes(&w, value);
	return field_encoded(items, start, writer_finish(&w), OK);
}

bool direntry_next_hole(struct direntry_hole *hole) {
	struct reader r = reader_over(hole->rest);
	if (!reader_more(&r)) return false;
	uint64_t distance = reader_varint(&r, INT64_MAX);
	uint64_t length = reader_varint(&r, INT64_MAX);
	if (r.bad) return false;
	hole->offset += hole->length + distance;
	hole->length = length;
	hole->rest = r.rest;
	return true;
}

enum err direntry_add_hole(struct buf *items, uint64_t *end, uint64_t offset, uint64_t length) {
	size_t start = items->len;
	if (offset < *end || offset > INT64_MAX || length < 1 || length > INT64_MAX - offset)
		return E_USAGE;
	if (offset == *end && start) return E_USAGE; /* two holes that touch are one */
	struct writer w = writer_to(items);
	writer_varint(&w, offset - *end);
	writer_varint(&w, length);
	enum err e = field_encoded(items, start, writer_finish(&w), OK);
	if (!e) *end = offset + length;
	return e;
}
