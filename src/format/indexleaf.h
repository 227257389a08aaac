/* Leaves of an index: chunk ids and their places, sorted (doc/spec/formats.md section 6). */
#ifndef FORMAT_INDEXLEAF_H
#define FORMAT_INDEXLEAF_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"

#define INDEXLEAF_SAME_PACK \
	UINT32_C(0xffffffff) /* the pack in which the leaf (or part 0 of the head) lies */

struct indexleaf_row {
	struct hash id;
	uint32_t pack; /* row of the head's pack table, or INDEXLEAF_SAME_PACK */
	uint32_t offset;
	uint32_t length; /* of the record, with tag */
	uint16_t slot;   /* of the chunk in its block */
};

struct indexleaf {
	uint32_t count;
	const uint8_t *rows; /* into the input */
};

/* E_FORMAT. Checks the order and every row. */
MUST_USE enum err indexleaf_decode(struct indexleaf *out, struct span in);
MUST_USE enum err indexleaf_encode(const struct indexleaf_row *rows, size_t count,
	struct buf *out); /* E_USAGE, E_LIMIT, E_NOMEM */

struct indexleaf_row indexleaf_at(const struct indexleaf *leaf, uint32_t i); /* i < count */

/* The first row whose id is not before ${id} (count if none): a chunk's places stand from there on while the id is equal. */
uint32_t indexleaf_find(const struct indexleaf *leaf, const struct hash *id);

/* The order of rows: id, pack, offset, slot. */
int indexleaf_order(const struct indexleaf_row *a, const struct indexleaf_row *b);

#endif
