/* Blocks, packs, streams, directories, indexes, snapshots. */
#include <string.h>

#include "base/mem.h"
#include "format/block.h"
#include "format/dirreader.h"
#include "format/indexhead.h"
#include "format/packhead.h"
#include "format/packtable.h"
#include "format/snapshot.h"
#include "formatcase.h"
#include "formatparts.h"

static enum err run_block(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct block b;
	struct block_build build;
	(void)param;
	enum err e = block_decode(&b, in);
	if (e) return e;
	block_build_init(&build);
	uint32_t *starts = mem_array(b.count + 1, sizeof *starts);
	struct block_cursor c = { .block = &b };
	struct span chunk;
	if (!starts) e = E_NOMEM;
	else block_starts(&b, starts);
	formatcase_u(f, "count", b.count);
	for (uint32_t i = 0; !e && block_next(&c, &chunk); i++) {
		formatcase_b(f, "chunk", chunk);
		formatcase_check(
			chunk.ptr == b.data.ptr + starts[i] && chunk.len == starts[i + 1] - starts[i],
			"block_starts differs from block_next");
		if (i < 16) formatcase_check(block_chunk(&b, i).ptr == chunk.ptr, "block_chunk differs");
		e = formatcase_again(block_build_add(&build, chunk));
	}
	if (!e) e = formatcase_again(block_build_encode(&build, again));
	mem_free(starts);
	block_build_done(&build);
	return e;
}

static enum err run_block_stored(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct block_stored s;
	(void)param;
	enum err e = block_stored_decode(&s, in);
	if (e) return e;
	formatcase_u(f, "method", s.method);
	formatcase_u(f, "raw length", s.raw_len);
	formatcase_b(f, "payload", s.payload);
	return formatcase_again(block_stored_encode(&s, again));
}

static enum err run_packhead(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct packhead h;
	(void)param;
	enum err e = packhead_decode(&h, in);
	if (e) return e;
	formatcase_u(f, "epoch", h.epoch);
	formatcase_b(f, "encapsulation", h.enc);
	formatparts_hash(f, "commitment", &h.commitment);
	return formatcase_again(packhead_encode(&h, again));
}

static enum err run_packtrailer(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct packhead_trailer t;
	uint8_t out[16];
	enum err e = packhead_trailer_decode(&t, in, param);
	if (e) return e;
	formatcase_u(f, "table offset", t.table_offset);
	formatcase_u(f, "table length", t.table_length);
	formatcase_u(f, "pack length", t.pack_length);
	e = formatcase_again(packhead_trailer_encode(&t, out));
	return e ? e : formatcase_again(buf_add(again, span_of(out, sizeof out)));
}

static enum err add_block(struct packtable_build *build, const struct packtable_block *b, FILE *f) {
	size_t n = hashlist_count(&b->ids);
	struct hash *ids = mem_array(n, sizeof *ids);
	if (!ids) return E_NOMEM;
	formatcase_u(f, "type", b->type);
	formatcase_u(f, "cut", b->cut);
	formatcase_u(f, "offset", b->offset);
	formatcase_u(f, "length", b->length);
	for (size_t i = 0; i < n; i++) {
		ids[i] = hashlist_at(&b->ids, i);
		formatparts_hash(f, "id", &ids[i]);
	}
	formatcase_check(build->next_offset == b->offset, "the table has a gap");
	enum err e = formatcase_again(packtable_add(build, b->type, b->cut, b->length, ids, n));
	mem_free(ids);
	return e;
}

static enum err run_packtable(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct packtable t;
	struct packtable_build build;
	struct packtable_block b;
	enum err e = packtable_decode(&t, in, param);
	if (e) return e;
	formatcase_b(f, "run", span_of(t.run, sizeof t.run));
	formatcase_u(f, "start sequence", t.start_sequence);
	formatparts_hash(f, "start head", &t.start_head);
	formatparts_hash(f, "writer", &t.writer);
	formatparts_origin(f, &t.origin);
	formatcase_u(f, "continues", t.continues);
	if (t.continues) formatparts_hash(f, "previous", &t.previous);
	formatcase_u(f, "count", t.count);
	packtable_begin(&build, &t);
	struct span rest = t.blocks;
	uint32_t n = 0;
	for (; !e && packtable_next(&rest, &b); n++) e = add_block(&build, &b, f);
	formatcase_check(e || n == t.count, "packtable_next loses blocks");
	formatcase_check(e || packtable_len(&build) == in.len, "packtable_len is wrong");
	if (!e) e = formatcase_again(packtable_end(&build, again));
	packtable_done(&build);
	return e;
}

static enum err run_streamref(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct streamref s;
	(void)param;
	enum err e = streamref_decode(&s, in);
	if (e) return e;
	formatparts_streamref(f, &s);
	formatcase_check(streamref_equal(&s, &s), "streamref_equal");
	return formatcase_again(streamref_encode(&s, again));
}

static enum err run_streamitem(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct streamref_item item;
	uint8_t out[SIZE_STREAM_ITEM];
	(void)param;
	if (in.len != SIZE_STREAM_ITEM) return E_FORMAT;
	enum err e = streamref_item_decode(&item, in.ptr);
	if (e) return e;
	formatparts_hash(f, "id", &item.id);
	formatcase_u(f, "length", item.length);
	streamref_item_encode(&item, out);
	return formatcase_again(buf_add(again, span_of(out, sizeof out)));
}

/* Dumps attributes and holes, and makes them anew as an encoder's caller does. */
static enum err rebuild_xattrs(const struct direntry *d, struct buf *items, FILE *f) {
	struct span rest = d->xattrs.items, name, value;
	enum err e = OK;
	formatcase_u(f, "attributes", d->xattrs.count);
	while (!e && direntry_next_xattr(&rest, &name, &value)) {
		formatcase_b(f, "attribute", name);
		formatcase_b(f, "value", value);
		e = formatcase_again(direntry_add_xattr(items, name, value));
	}
	formatcase_check(
		e || span_equal(buf_span(items), d->xattrs.items), "attributes made anew differ");
	return e;
}

static enum err rebuild_holes(const struct direntry *d, struct buf *items, FILE *f) {
	struct direntry_hole hole = { .rest = d->holes.items };
	uint64_t end = 0;
	enum err e = OK;
	formatcase_u(f, "holes", d->holes.count);
	while (!e && direntry_next_hole(&hole)) {
		formatcase_u(f, "hole at", hole.offset);
		formatcase_u(f, "hole length", hole.length);
		formatcase_check(hole.offset + hole.length <= direntry_size(d), "a hole behind the end");
		e = formatcase_again(direntry_add_hole(items, &end, hole.offset, hole.length));
	}
	formatcase_check(e || span_equal(buf_span(items), d->holes.items), "holes made anew differ");
	return e;
}

static enum err encode_entry(const struct direntry *d, struct buf *again, FILE *f) {
	struct buf xattrs, holes;
	struct direntry copy = *d;
	buf_init(&xattrs, LIMIT_DIRENTRY);
	buf_init(&holes, LIMIT_DIRENTRY);
	formatparts_direntry(f, d);
	enum err e = rebuild_xattrs(d, &xattrs, f);
	if (!e) e = rebuild_holes(d, &holes, f);
	copy.xattrs.items = buf_span(&xattrs);
	copy.holes.items = buf_span(&holes);
	if (!e) e = formatcase_again(direntry_encode(&copy, again));
	buf_free(&xattrs);
	buf_free(&holes);
	return e;
}

/* A body; the encoder puts its length before it, which is taken off again. */
static enum err run_direntry(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct direntry d;
	struct buf out;
	(void)param;
	enum err e = direntry_decode(&d, in);
	if (e) return e;
	buf_init(&out, LIMIT_DIRENTRY + 8);
	e = encode_entry(&d, &out, f);
	if (!e) e = formatcase_again(buf_add(again, span_skip(buf_span(&out), out.len - in.len)));
	buf_free(&out);
	return e;
}

/* The same directory in pieces of ${step} bytes gives the same entries. Only the first error is looked at. */
static enum err feed(struct span in, size_t step, uint64_t *entries) {
	struct dirreader_feed f;
	struct direntry d;
	enum err e = OK;
	*entries = 0;
	dirreader_feed_init(&f);
	for (size_t at = 0; !e && at < in.len; at += step) {
		size_t n = in.len - at < step ? in.len - at : step;
		bool have = true;
		dirreader_feed_push(&f, span_of(in.ptr + at, n));
		while (!e && have) {
			e = dirreader_feed_next(&f, &d, &have);
			if (!e && have) ++*entries;
		}
	}
	if (!e) e = dirreader_feed_end(&f);
	dirreader_feed_done(&f);
	return e;
}

static enum err check_feeds(struct span in, enum err whole, uint64_t entries) {
	static const size_t steps[] = { 1, 7, 4096 };
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		uint64_t n;
		if (steps[i] == 1 && in.len > 4096) continue; /* slow */
		enum err e = feed(in, steps[i], &n);
		if (e == E_NOMEM) return e;
		formatcase_check(e == whole, "in pieces, a directory is judged otherwise");
		formatcase_check(e || n == entries, "in pieces, a directory has other entries");
	}
	return OK;
}

static enum err run_directory(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct dirreader d = dirreader_over(in);
	struct direntry entry;
	uint64_t n = 0;
	bool more = true;
	enum err e = OK;
	(void)param;
	while (!e && more) {
		e = dirreader_next(&d, &entry, &more);
		if (!e && more) {
			e = encode_entry(&entry, again, f);
			n++;
		}
	}
	enum err pieces = e == E_NOMEM ? OK : check_feeds(in, e, n);
	if (pieces) e = pieces;
	if (e) buf_clear(again);
	return e;
}

static enum err run_indexleaf(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct indexleaf leaf;
	(void)param;
	enum err e = indexleaf_decode(&leaf, in);
	if (e) return e;
	struct indexleaf_row *rows = mem_array(leaf.count, sizeof *rows);
	if (!rows) return E_NOMEM;
	formatcase_u(f, "count", leaf.count);
	for (uint32_t i = 0; i < leaf.count; i++) {
		rows[i] = indexleaf_at(&leaf, i);
		formatparts_hash(f, "id", &rows[i].id);
		formatcase_u(f, "pack", rows[i].pack);
		formatcase_u(f, "offset", rows[i].offset);
		formatcase_u(f, "length", rows[i].length);
		formatcase_u(f, "slot", rows[i].slot);
		uint32_t at = indexleaf_find(&leaf, &rows[i].id);
		formatcase_check(at <= i && hash_equal(&rows[at].id, &rows[i].id), "indexleaf_find misses");
		formatcase_check(at == 0 || !hash_equal(&rows[at - 1].id, &rows[i].id),
			"indexleaf_find is not the first");
	}
	e = formatcase_again(indexleaf_encode(rows, leaf.count, again));
	mem_free(rows);
	return e;
}

static enum err rebuild_head(
	const struct indexhead *h, struct buf *packs, struct buf *cuts, struct buf *leaves, FILE *f) {
	enum err e = OK;
	formatcase_u(f, "packs", indexhead_pack_count(h));
	for (uint32_t i = 0; !e && i < indexhead_pack_count(h); i++) {
		struct indexhead_pack p = indexhead_pack_at(h, i);
		formatparts_hash(f, "name", &p.name);
		formatcase_u(f, "size", p.size);
		e = formatcase_again(indexhead_add_pack(packs, &p));
	}
	formatcase_u(f, "cuts", indexhead_cut_count(h));
	for (uint32_t i = 0; !e && i < indexhead_cut_count(h); i++) {
		struct indexhead_cut c = indexhead_cut_at(h, i), found;
		formatcase_u(f, "pack", c.pack);
		formatcase_u(f, "offset", c.offset);
		formatcase_u(f, "next pack", c.next_pack);
		formatcase_u(f, "rest length", c.rest_length);
		formatcase_check(
			indexhead_find_cut(h, c.pack, c.offset, &found) && found.next_pack == c.next_pack,
			"cut lost");
		e = formatcase_again(indexhead_add_cut(cuts, &c));
	}
	formatcase_u(f, "entries", h->entries);
	formatcase_u(f, "leaves", indexhead_leaf_count(h));
	for (uint32_t i = 0; !e && i < indexhead_leaf_count(h); i++) {
		struct indexhead_leaf l = indexhead_leaf_at(h, i);
		uint32_t from, to;
		formatparts_hash(f, "first", &l.first);
		formatcase_u(f, "pack", l.pack);
		formatcase_u(f, "offset", l.offset);
		formatcase_u(f, "length", l.length);
		formatcase_u(f, "entries", l.entries);
		indexhead_find_leaves(h, &l.first, &from, &to);
		formatcase_check(from <= i && i < to, "leaf lost");
		e = formatcase_again(indexhead_add_leaf(leaves, &l));
	}
	return e;
}

static enum err run_indexhead(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct indexhead h, made;
	struct buf packs, cuts, leaves;
	(void)param;
	enum err e = indexhead_decode(&h, in);
	if (e) return e;
	buf_init(&packs, in.len);
	buf_init(&cuts, in.len);
	buf_init(&leaves, in.len);
	e = rebuild_head(&h, &packs, &cuts, &leaves, f);
	made = (struct indexhead){ .packs = buf_span(&packs),
		.cuts = buf_span(&cuts),
		.entries = h.entries,
		.leaves = buf_span(&leaves) };
	if (!e) e = formatcase_again(indexhead_encode(&made, again));
	buf_free(&packs);
	buf_free(&cuts);
	buf_free(&leaves);
	return e;
}

static enum err run_indexpart0(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct indexhead_part0 p;
	(void)param;
	enum err e = indexhead_part0_decode(&p, in);
	if (e) return e;
	e = formatparts_locations(f, "parts", &p.parts);
	formatcase_b(f, "first", p.first);
	return e ? e : formatcase_again(indexhead_part0_encode(&p, again));
}

static enum err rebuild_names(FILE *f, const char *what, const struct snapshot_names *names) {
	struct buf items;
	struct span rest = names->items, name;
	uint32_t id;
	enum err e = OK;
	buf_init(&items, names->items.len);
	formatcase_u(f, what, names->count);
	while (!e && snapshot_next_name(&rest, &id, &name)) {
		formatcase_u(f, "id", id);
		formatcase_b(f, "name", name);
		e = formatcase_again(snapshot_add_name(&items, id, name));
	}
	formatcase_check(e || span_equal(buf_span(&items), names->items), "names made anew differ");
	buf_free(&items);
	return e;
}

static enum err run_snapshot(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct snapshot s;
	(void)param;
	enum err e = snapshot_decode(&s, in);
	if (e) return e;
	formatparts_moment(f, "started", s.started);
	formatparts_moment(f, "ended", s.ended);
	formatcase_b(f, "host", s.host);
	formatcase_b(f, "user", s.user);
	formatcase_b(f, "program", s.program);
	formatcase_b(f, "branch", s.branch);
	formatparts_hash(f, "parent", &s.parent);
	e = formatparts_list(f, "paths", &s.paths);
	if (!e) e = formatparts_list(f, "tags", &s.tags);
	if (e) return e;
	formatparts_streamref(f, &s.root);
	formatcase_u(f, "files", s.files);
	formatcase_u(f, "directories", s.directories);
	formatcase_u(f, "others", s.others);
	formatcase_u(f, "bytes", s.bytes);
	formatcase_u(f, "unreadable", s.unreadable);
	formatcase_u(f, "changed", s.changed);
	e = rebuild_names(f, "users", &s.users);
	if (!e) e = rebuild_names(f, "groups", &s.groups);
	return e ? e : formatcase_again(snapshot_encode(&s, again));
}

const struct formatcase formatcases_stored[] = {
	{ .name = "block", .run = run_block },
	{ .name = "block_stored", .cuttable = true, .run = run_block_stored },
	{ .name = "packhead", .run = run_packhead },
	{ .name = "packtrailer", .has_param = true, .run = run_packtrailer },
	{ .name = "packtable", .has_param = true, .run = run_packtable },
	{ .name = "streamref", .run = run_streamref },
	{ .name = "streamitem", .run = run_streamitem },
	{ .name = "direntry", .cuttable = true, .run = run_direntry },
	{ .name = "directory", .cuttable = true, .run = run_directory },
	{ .name = "indexleaf", .cuttable = true, .run = run_indexleaf },
	{ .name = "indexhead", .run = run_indexhead },
	{ .name = "indexpart0", .cuttable = true, .run = run_indexpart0 },
	{ .name = "snapshot", .run = run_snapshot },
	{ 0 },
};
