/*
 * The head of an index: its packs, its cut blocks, its leaves (doc/spec/formats.md section 6). The head is one byte
 * string, cut into parts; part 0 says where the others lie.
 */
#ifndef FORMAT_INDEXHEAD_H
#define FORMAT_INDEXHEAD_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"
#include "format/indexleaf.h"
#include "format/location.h"

/* The string. Rows point into the input. */
struct indexhead {
	struct span packs; /* 36 bytes each */
	struct span cuts;  /* 14 bytes each */
	uint64_t entries;
	struct span leaves; /* 46 bytes each */
};

struct indexhead_pack {
	struct hash name;
	uint32_t size;
};
struct indexhead_cut {
	uint32_t pack;
	uint32_t offset;
	uint32_t next_pack;   /* the rest is at offset 1,160 there */
	uint32_t rest_length; /* of its record, with tag */
};
struct indexhead_leaf {
	struct hash first;
	uint32_t pack;
	uint32_t offset;
	uint32_t length;
	uint32_t entries;
};

/* ${in}: the whole string. E_FORMAT. Checks every row: numbers of packs, order, sums. */
MUST_USE enum err indexhead_decode(struct indexhead *out, struct span in);
MUST_USE enum err indexhead_encode(
	const struct indexhead *h, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

uint32_t indexhead_pack_count(const struct indexhead *h);
uint32_t indexhead_cut_count(const struct indexhead *h);
uint32_t indexhead_leaf_count(const struct indexhead *h);
struct indexhead_pack indexhead_pack_at(const struct indexhead *h, uint32_t i);
struct indexhead_cut indexhead_cut_at(const struct indexhead *h, uint32_t i);
struct indexhead_leaf indexhead_leaf_at(const struct indexhead *h, uint32_t i);

/* The cut block at (pack, offset), if it is one. */
bool indexhead_find_cut(
	const struct indexhead *h, uint32_t pack, uint32_t offset, struct indexhead_cut *out);

/* The leaves ${*from} <= i < ${*to} that can hold ${id} (none if equal). */
void indexhead_find_leaves(
	const struct indexhead *h, const struct hash *id, uint32_t *from, uint32_t *to);

/* Append one row to what a struct indexhead is made of. E_LIMIT, E_NOMEM. */
MUST_USE enum err indexhead_add_pack(struct buf *rows, const struct indexhead_pack *p);
MUST_USE enum err indexhead_add_cut(struct buf *rows, const struct indexhead_cut *c);
MUST_USE enum err indexhead_add_leaf(struct buf *rows, const struct indexhead_leaf *l);

/* Part 0: where the further parts lie, and the first bytes of the string. */
struct indexhead_part0 {
	struct locationlist parts; /* pack zero: the same pack as part 0 */
	struct span first;         /* at least 1 byte */
};
MUST_USE enum err indexhead_part0_decode(
	struct indexhead_part0 *out, struct span in); /* E_FORMAT */
MUST_USE enum err indexhead_part0_encode(
	const struct indexhead_part0 *p, struct buf *out); /* E_USAGE, E_LIMIT, E_NOMEM */

/*
 * How a string of ${len} bytes is cut: ${*parts} further parts, all but the last full (1,048,576 bytes), and ${*first}
 * bytes in part 0. E_LIMIT if it is too long.
 */
MUST_USE enum err indexhead_plan(uint64_t len, uint32_t *parts, size_t *first);

#endif
