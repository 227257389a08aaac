#include "core/indexplan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "format/block.h"
#include "format/limits.h"
#include "format/packtable.h"

enum { BUCKETS = 1 << 16 };

static const size_t rows_max = (size_t)1 << 36;

struct indexplan {
	struct indexleaf_row *rows;
	size_t count, room;
	size_t *
		buckets; /* when sorted: where the rows of each two first bytes begin, and the end; NULL: few rows, or no memory */
	struct buf packs, leaves;
	struct indexhead_cut *cuts;
	size_t cut_count, cut_room;
	uint32_t pack_count;
};

enum err indexplan_new(struct indexplan **out) {
	struct indexplan *p = mem_zalloc(sizeof *p);
	if (!p) return E_NOMEM;
	buf_init(&p->packs, (size_t)LIMIT_HEAD_PACKS * SIZE_HEAD_PACK_ROW);
	buf_init(&p->leaves, rows_max);
	*out = p;
	return OK;
}

void indexplan_free(struct indexplan *p) {
	if (!p) return;
	mem_free(p->rows);
	mem_free(p->buckets);
	mem_free(p->cuts);
	buf_free(&p->packs);
	buf_free(&p->leaves);
	mem_free(p);
}

enum err indexplan_pack(
	struct indexplan *p, const struct hash *name, uint32_t size, uint32_t *number) {
	struct indexhead_pack row = { .name = *name, .size = size };
	enum err e = indexhead_add_pack(&p->packs, &row);
	if (!e) *number = p->pack_count++;
	return e;
}

enum err indexplan_row(struct indexplan *p, const struct indexleaf_row *row) {
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 1024;
		struct indexleaf_row *rows = mem_resize(p->rows, room, sizeof *rows);
		if (!rows) return E_NOMEM;
		p->rows = rows;
		p->room = room;
	}
	p->rows[p->count++] = *row;
	return OK;
}

enum err indexplan_cut(struct indexplan *p, const struct indexhead_cut *cut) {
	if (p->cut_count == p->cut_room) {
		size_t room = p->cut_room ? p->cut_room * 2 : 64;
		struct indexhead_cut *cuts = mem_resize(p->cuts, room, sizeof *cuts);
		if (!cuts) return E_NOMEM;
		p->cuts = cuts;
		p->cut_room = room;
	}
	p->cuts[p->cut_count++] = *cut;
	return OK;
}

size_t indexplan_rows(const struct indexplan *p) {
	return p->count;
}

static int row_order(const void *a, const void *b) {
	return indexleaf_order(a, b);
}

static int cut_order(const void *a, const void *b) {
	const struct indexhead_cut *x = a, *y = b;
	if (x->pack != y->pack) return x->pack < y->pack ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static size_t bucket_of(const struct hash *id) {
	return (size_t)id->b[0] << 8 | id->b[1];
}

/* Ids are uniform: one pass over their first two bytes leaves buckets of a few rows. Without memory for it, qsort alone. */
static bool sort_by_bucket(struct indexplan *p) {
	size_t *start = mem_array(BUCKETS + 1, sizeof *start);
	struct indexleaf_row *sorted = mem_array(p->room, sizeof *sorted);
	bool done = start && sorted;
	if (done) {
		for (size_t i = 0; i < p->count; i++) start[bucket_of(&p->rows[i].id) + 1]++;
		for (size_t i = 0; i < BUCKETS; i++) start[i + 1] += start[i];
		for (size_t i = 0; i < p->count; i++)
			sorted[start[bucket_of(&p->rows[i].id)]++] = p->rows[i];
		for (size_t i = 0, from = 0; i < BUCKETS; from = start[i], i++)
			if (start[i] - from > 1)
				qsort(sorted + from, start[i] - from, sizeof *sorted, row_order);
		mem_free(p->rows);
		p->rows = sorted;
		sorted = NULL;
	}
	mem_free(sorted);
	mem_free(start);
	return done;
}

/* So that a search begins among a few rows. Without memory for it, it begins among all. */
static void note_buckets(struct indexplan *p) {
	mem_free(p->buckets);
	p->buckets = p->count < BUCKETS ? NULL : mem_array(BUCKETS + 1, sizeof *p->buckets);
	if (!p->buckets) return;
	for (size_t i = 0; i < p->count; i++) p->buckets[bucket_of(&p->rows[i].id) + 1]++;
	for (size_t i = 0; i < BUCKETS; i++) p->buckets[i + 1] += p->buckets[i];
}

void indexplan_sort(struct indexplan *p) {
	if (p->count < BUCKETS || !sort_by_bucket(p)) {
		if (p->count) qsort(p->rows, p->count, sizeof *p->rows, row_order);
	}
	size_t kept = 0;
	for (size_t i = 0; i < p->count; i++)
		if (!kept || row_order(&p->rows[kept - 1], &p->rows[i]) != 0) p->rows[kept++] = p->rows[i];
	p->count = kept;
	note_buckets(p);
	if (p->cut_count) qsort(p->cuts, p->cut_count, sizeof *p->cuts, cut_order);
	kept = 0;
	for (size_t i = 0; i < p->cut_count; i++)
		if (!kept || cut_order(&p->cuts[kept - 1], &p->cuts[i]) != 0) p->cuts[kept++] = p->cuts[i];
	p->cut_count = kept;
}

const struct indexleaf_row *indexplan_row_at(const struct indexplan *p, size_t i) {
	return &p->rows[i];
}

size_t indexplan_find(const struct indexplan *p, const struct hash *id) {
	size_t from = p->buckets ? p->buckets[bucket_of(id)] : 0;
	size_t to = p->buckets ? p->buckets[bucket_of(id) + 1] : p->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (hash_order(&p->rows[middle].id, id) < 0) from = middle + 1;
		else to = middle;
	}
	return from < p->count && hash_order(&p->rows[from].id, id) == 0 ? from : p->count;
}

bool indexplan_find_cut(
	const struct indexplan *p, uint32_t pack, uint32_t offset, struct indexhead_cut *out) {
	struct indexhead_cut key = { .pack = pack, .offset = offset };
	if (!p->cut_count) return false;
	const struct indexhead_cut *found = bsearch(&key, p->cuts, p->cut_count, sizeof key, cut_order);
	if (found) *out = *found;
	return found != NULL;
}

struct indexhead_pack indexplan_pack_at(const struct indexplan *p, uint32_t number) {
	struct indexhead h = { .packs = buf_span(&p->packs) };
	return indexhead_pack_at(&h, number);
}

uint32_t indexplan_packs(const struct indexplan *p) {
	return p->pack_count;
}

uint32_t indexplan_leaves(const struct indexplan *p) {
	return (uint32_t)((p->count + LIMIT_LEAF_ROWS - 1) / LIMIT_LEAF_ROWS);
}

static size_t leaf_rows(const struct indexplan *p, uint32_t i) {
	size_t left = p->count - (size_t)i * LIMIT_LEAF_ROWS;
	return left < LIMIT_LEAF_ROWS ? left : LIMIT_LEAF_ROWS;
}

enum err indexplan_wrap(struct span chunk, struct buf *out) {
	uint8_t *at;
	enum err e = buf_extend(out, SIZE_BLOCK_STORED_HEADER, &at);
	if (e) return e;
	block_stored_header(at, BLOCK_PLAIN, (uint32_t)block_raw_len(1, chunk.len));
	return block_encode(&chunk, 1, out);
}

enum err indexplan_leaf(const struct indexplan *p, uint32_t i, struct buf *out) {
	struct buf leaf;
	buf_init(&leaf, LIMIT_LEAF);
	enum err e = indexleaf_encode(p->rows + (size_t)i * LIMIT_LEAF_ROWS, leaf_rows(p, i), &leaf);
	if (!e) e = indexplan_wrap(buf_span(&leaf), out);
	buf_free(&leaf);
	return e;
}

enum err indexplan_leaf_at(
	struct indexplan *p, uint32_t i, uint32_t pack, uint32_t offset, uint32_t length) {
	struct indexhead_leaf row = {
		.first = p->rows[(size_t)i * LIMIT_LEAF_ROWS].id,
		.pack = pack,
		.offset = offset,
		.length = length,
		.entries = (uint32_t)leaf_rows(p, i),
	};
	return indexhead_add_leaf(&p->leaves, &row);
}

enum err indexplan_head(const struct indexplan *p, struct buf *out) {
	struct buf cuts;
	buf_init(&cuts, rows_max);
	enum err e = OK;
	for (size_t i = 0; i < p->cut_count && !e; i++) e = indexhead_add_cut(&cuts, &p->cuts[i]);
	struct indexhead h = {
		.packs = buf_span(&p->packs),
		.cuts = buf_span(&cuts),
		.entries = p->count,
		.leaves = buf_span(&p->leaves),
	};
	if (!e) e = indexhead_encode(&h, out);
	buf_free(&cuts);
	return e;
}

size_t indexplan_need(const struct indexplan *p) {
	size_t per_record =
		SIZE_TAG + packtable_block_len(0) + SIZE_BLOCK_STORED_HEADER + block_raw_len(1, 0);
	size_t leaves = indexplan_leaves(p);
	size_t head = 64 + ((size_t)p->pack_count + 64) * SIZE_HEAD_PACK_ROW +
		p->cut_count * SIZE_HEAD_CUT_ROW + leaves * SIZE_HEAD_LEAF_ROW;
	size_t parts = head / LIMIT_HEAD_PART + 2;
	return p->count * SIZE_LEAF_ROW + leaves * per_record + head +
		parts * (per_record + SIZE_LOCATION);
}
