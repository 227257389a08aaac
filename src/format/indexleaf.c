#include "format/indexleaf.h"

#include "base/little.h"
#include "format/limits.h"
#include "format/location.h"

static struct span id_of(const uint8_t *row) {
	return span_of(row, HASH_SIZE);
}

static struct indexleaf_row row_get(const uint8_t *p) {
	return (struct indexleaf_row){
		.id = hash_from(p),
		.pack = little_get32(p + 32),
		.offset = little_get24(p + 36),
		.length = little_get24(p + 39),
		.slot = little_get16(p + 42),
	};
}

static void row_put(uint8_t *p, const struct indexleaf_row *row) {
	memcpy(p, row->id.b, HASH_SIZE);
	little_put32(p + 32, row->pack);
	little_put24(p + 36, row->offset);
	little_put24(p + 39, row->length);
	little_put16(p + 42, row->slot);
}

int indexleaf_order(const struct indexleaf_row *a, const struct indexleaf_row *b) {
	int c = hash_order(&a->id, &b->id);
	if (c) return c;
	if (a->pack != b->pack) return a->pack < b->pack ? -1 : 1;
	if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
	if (a->slot != b->slot) return a->slot < b->slot ? -1 : 1;
	return 0;
}

static bool row_ok(const struct indexleaf_row *row) {
	return location_fits(row->offset, row->length) && row->slot < LIMIT_BLOCK_CHUNKS;
}

enum err indexleaf_decode(struct indexleaf *out, struct span in) {
	struct indexleaf_row row, last = { .offset = 0 };
	if (in.len == 0 || in.len % SIZE_LEAF_ROW || in.len > (size_t)LIMIT_LEAF_ROWS * SIZE_LEAF_ROW)
		return E_FORMAT;
	struct indexleaf leaf = { .count = (uint32_t)(in.len / SIZE_LEAF_ROW), .rows = in.ptr };
	for (uint32_t i = 0; i < leaf.count; i++, last = row) {
		row = indexleaf_at(&leaf, i);
		if (!row_ok(&row) || (i && indexleaf_order(&last, &row) >= 0)) return E_FORMAT;
	}
	*out = leaf;
	return OK;
}

enum err indexleaf_encode(const struct indexleaf_row *rows, size_t count, struct buf *out) {
	uint8_t *at;
	if (count < 1) return E_USAGE;
	if (count > LIMIT_LEAF_ROWS) return E_LIMIT;
	for (size_t i = 0; i < count; i++) {
		if (!row_ok(&rows[i]) || (i && indexleaf_order(&rows[i - 1], &rows[i]) >= 0))
			return E_USAGE;
	}
	enum err e = buf_extend(out, count * SIZE_LEAF_ROW, &at);
	if (e) return e;
	for (size_t i = 0; i < count; i++) row_put(at + i * SIZE_LEAF_ROW, &rows[i]);
	return OK;
}

struct indexleaf_row indexleaf_at(const struct indexleaf *leaf, uint32_t i) {
	return row_get(leaf->rows + (size_t)i * SIZE_LEAF_ROW);
}

uint32_t indexleaf_find(const struct indexleaf *leaf, const struct hash *id) {
	uint32_t low = 0, high = leaf->count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (span_order(id_of(leaf->rows + (size_t)mid * SIZE_LEAF_ROW), hash_span(id)) < 0)
			low = mid + 1;
		else high = mid;
	}
	return low;
}
