#include "format/indexhead.h"

#include "base/little.h"
#include "format/field.h"
#include "format/limits.h"
#include "format/packhead.h"

static uint32_t rows_of(struct span s, size_t size) {
	return (uint32_t)(s.len / size);
}

uint32_t indexhead_pack_count(const struct indexhead *h) {
	return rows_of(h->packs, SIZE_HEAD_PACK_ROW);
}

uint32_t indexhead_cut_count(const struct indexhead *h) {
	return rows_of(h->cuts, SIZE_HEAD_CUT_ROW);
}

uint32_t indexhead_leaf_count(const struct indexhead *h) {
	return rows_of(h->leaves, SIZE_HEAD_LEAF_ROW);
}

struct indexhead_pack indexhead_pack_at(const struct indexhead *h, uint32_t i) {
	const uint8_t *p = h->packs.ptr + (size_t)i * SIZE_HEAD_PACK_ROW;
	return (struct indexhead_pack){ .name = hash_from(p), .size = little_get32(p + 32) };
}

struct indexhead_cut indexhead_cut_at(const struct indexhead *h, uint32_t i) {
	const uint8_t *p = h->cuts.ptr + (size_t)i * SIZE_HEAD_CUT_ROW;
	return (struct indexhead_cut){
		.pack = little_get32(p),
		.offset = little_get24(p + 4),
		.next_pack = little_get32(p + 7),
		.rest_length = little_get24(p + 11),
	};
}

struct indexhead_leaf indexhead_leaf_at(const struct indexhead *h, uint32_t i) {
	const uint8_t *p = h->leaves.ptr + (size_t)i * SIZE_HEAD_LEAF_ROW;
	return (struct indexhead_leaf){
		.first = hash_from(p),
		.pack = little_get32(p + 32),
		.offset = little_get24(p + 36),
		.length = little_get24(p + 39),
		.entries = little_get32(p + 42),
	};
}

static bool pack_ok(const struct indexhead *h, uint32_t pack) {
	return pack == INDEXLEAF_SAME_PACK || pack < indexhead_pack_count(h);
}

static int cut_order(const struct indexhead_cut *c, uint32_t pack, uint32_t offset) {
	if (c->pack != pack) return c->pack < pack ? -1 : 1;
	if (c->offset != offset) return c->offset < offset ? -1 : 1;
	return 0;
}

static bool packs_ok(const struct indexhead *h) {
	for (uint32_t i = 0; i < indexhead_pack_count(h); i++) {
		if (!packhead_size_ok(indexhead_pack_at(h, i).size)) return false;
	}
	return true;
}

static bool cuts_ok(const struct indexhead *h) {
	struct indexhead_cut last = { 0 };
	for (uint32_t i = 0; i < indexhead_cut_count(h); i++) {
		struct indexhead_cut c = indexhead_cut_at(h, i);
		if (!pack_ok(h, c.pack) || !pack_ok(h, c.next_pack) || c.pack == c.next_pack) return false;
		if (!location_fits(c.offset, LIMIT_RECORD_LEAST)) return false;
		if (!location_fits(SIZE_PACK_HEADER, c.rest_length)) return false;
		if (i && cut_order(&last, c.pack, c.offset) >= 0) return false;
		last = c;
	}
	return true;
}

/* First ids may repeat: one chunk's places can go on in the next leaf. */
static bool leaves_ok(const struct indexhead *h) {
	struct hash last = { { 0 } };
	uint64_t entries = 0;
	for (uint32_t i = 0; i < indexhead_leaf_count(h); i++) {
		struct indexhead_leaf l = indexhead_leaf_at(h, i);
		if (!pack_ok(h, l.pack) || !location_fits(l.offset, l.length)) return false;
		if (l.entries < 1 || l.entries > LIMIT_LEAF_ROWS) return false;
		if (i && hash_order(&last, &l.first) > 0) return false;
		entries += l.entries;
		last = l.first;
	}
	return entries == h->entries;
}

static struct span read_rows(struct reader *r, uint64_t max, size_t size) {
	uint32_t count = reader_u32(r);
	if (count > max || count > r->rest.len / size) reader_fail(r);
	return reader_raw(r, r->bad ? 0 : count * size);
}

enum err indexhead_decode(struct indexhead *out, struct span in) {
	struct reader r = reader_over(in);
	struct indexhead h = { 0 };
	h.packs = read_rows(&r, LIMIT_HEAD_PACKS, SIZE_HEAD_PACK_ROW);
	h.cuts = read_rows(&r, UINT32_MAX, SIZE_HEAD_CUT_ROW);
	h.entries = reader_u64(&r);
	h.leaves = read_rows(&r, UINT32_MAX, SIZE_HEAD_LEAF_ROW);
	if (reader_finish(&r) || !packs_ok(&h) || !cuts_ok(&h) || !leaves_ok(&h)) return E_FORMAT;
	*out = h;
	return OK;
}

enum err indexhead_encode(const struct indexhead *h, struct buf *out) {
	size_t start = out->len;
	struct indexhead check;
	if (h->packs.len % SIZE_HEAD_PACK_ROW || h->cuts.len % SIZE_HEAD_CUT_ROW ||
		h->leaves.len % SIZE_HEAD_LEAF_ROW) {
		return E_USAGE;
	}
	if (h->packs.len / SIZE_HEAD_PACK_ROW > LIMIT_HEAD_PACKS) return E_LIMIT;
	if (h->cuts.len / SIZE_HEAD_CUT_ROW > UINT32_MAX ||
		h->leaves.len / SIZE_HEAD_LEAF_ROW > UINT32_MAX)
		return E_LIMIT;
	struct writer w = writer_to(out);
	writer_u32(&w, indexhead_pack_count(h));
	writer_raw(&w, h->packs);
	writer_u32(&w, indexhead_cut_count(h));
	writer_raw(&w, h->cuts);
	writer_u64(&w, h->entries);
	writer_u32(&w, indexhead_leaf_count(h));
	writer_raw(&w, h->leaves);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : indexhead_decode(&check, span_skip(buf_span(out), start)));
}

bool indexhead_find_cut(
	const struct indexhead *h, uint32_t pack, uint32_t offset, struct indexhead_cut *out) {
	uint32_t low = 0, high = indexhead_cut_count(h);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		struct indexhead_cut c = indexhead_cut_at(h, mid);
		int order = cut_order(&c, pack, offset);
		if (order == 0) {
			*out = c;
			return true;
		}
		if (order < 0) low = mid + 1;
		else high = mid;
	}
	return false;
}

/* The first leaf whose first id is behind ${id}, or, unless ${behind}, is not before it. */
static uint32_t leaf_bound(const struct indexhead *h, const struct hash *id, bool behind) {
	uint32_t low = 0, high = indexhead_leaf_count(h);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = span_order(
			span_of(h->leaves.ptr + (size_t)mid * SIZE_HEAD_LEAF_ROW, HASH_SIZE), hash_span(id));
		if (c < 0 || (behind && c == 0)) low = mid + 1;
		else high = mid;
	}
	return low;
}

void indexhead_find_leaves(
	const struct indexhead *h, const struct hash *id, uint32_t *from, uint32_t *to) {
	uint32_t first = leaf_bound(h, id, false);
	*from = first ? first - 1 : 0;
	*to = leaf_bound(h, id, true);
}

enum err indexhead_add_pack(struct buf *rows, const struct indexhead_pack *p) {
	uint8_t *at;
	enum err e = buf_extend(rows, SIZE_HEAD_PACK_ROW, &at);
	if (e) return e;
	memcpy(at, p->name.b, HASH_SIZE);
	little_put32(at + 32, p->size);
	return OK;
}

enum err indexhead_add_cut(struct buf *rows, const struct indexhead_cut *c) {
	uint8_t *at;
	enum err e = buf_extend(rows, SIZE_HEAD_CUT_ROW, &at);
	if (e) return e;
	little_put32(at, c->pack);
	little_put24(at + 4, c->offset);
	little_put32(at + 7, c->next_pack);
	little_put24(at + 11, c->rest_length);
	return OK;
}

enum err indexhead_add_leaf(struct buf *rows, const struct indexhead_leaf *l) {
	uint8_t *at;
	enum err e = buf_extend(rows, SIZE_HEAD_LEAF_ROW, &at);
	if (e) return e;
	memcpy(at, l->first.b, HASH_SIZE);
	little_put32(at + 32, l->pack);
	little_put24(at + 36, l->offset);
	little_put24(at + 39, l->length);
	little_put32(at + 42, l->entries);
	return OK;
}

enum err indexhead_part0_decode(struct indexhead_part0 *out, struct span in) {
	struct reader r = reader_over(in);
	struct indexhead_part0 p = { 0 };
	if (in.len > LIMIT_HEAD_PART) return E_FORMAT;
	uint16_t parts = reader_u16(&r);
	if (parts > LIMIT_HEAD_PARTS) return E_FORMAT;
	p.parts = location_read_list(&r, parts, false);
	p.first = reader_raw(&r, r.rest.len);
	if (reader_finish(&r) || p.first.len == 0) return E_FORMAT;
	*out = p;
	return OK;
}

enum err indexhead_part0_encode(const struct indexhead_part0 *p, struct buf *out) {
	size_t start = out->len;
	struct indexhead_part0 check;
	if (p->parts.rows.len % SIZE_LOCATION) return E_USAGE;
	if (location_count(&p->parts) > LIMIT_HEAD_PARTS) return E_LIMIT;
	struct writer w = writer_to(out);
	writer_u16(&w, (uint16_t)location_count(&p->parts));
	writer_raw(&w, p->parts.rows);
	writer_raw(&w, p->first);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : indexhead_part0_decode(&check, span_skip(buf_span(out), start)));
}

enum err indexhead_plan(uint64_t len, uint32_t *parts, size_t *first) {
	for (uint32_t n = 0; n <= LIMIT_HEAD_PARTS; n++) {
		uint64_t in_first = LIMIT_HEAD_PART - 2 - (uint64_t)n * SIZE_LOCATION;
		if (len > in_first + (uint64_t)n * LIMIT_HEAD_PART) continue;
		*parts = n;
		*first = (size_t)(len < in_first ? len : in_first);
		return OK;
	}
	return E_LIMIT;
}
