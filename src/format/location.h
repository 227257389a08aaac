/* Where an index block lies: pack, offset and record length; 38 bytes (doc/spec/formats.md section 6). And lists of them. */
#ifndef FORMAT_LOCATION_H
#define FORMAT_LOCATION_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

struct location {
	struct hash pack; /* zero, where allowed: the same pack */
	uint32_t offset;  /* 1,160 or more */
	uint32_t length;  /* of the record, with tag */
};

/* Whether a record of ${length} bytes, with tag, can stand at ${offset} of a pack. */
bool location_fits(uint32_t offset, uint32_t length);

struct location location_read(struct reader *r);
void location_write(struct writer *w, const struct location *l);
int location_order(
	const struct location *a, const struct location *b); /* by pack (bytes), offset, length */

/* Appends one location to rows that a struct locationlist is made of. E_USAGE, E_LIMIT, E_NOMEM. */
MUST_USE enum err location_add(struct buf *rows, const struct location *l);

struct locationlist {
	struct span rows; /* a multiple of 38 bytes, each valid */
};

/* ${count} locations; every pack must be named (not zero) if ${named}. */
struct locationlist location_read_list(struct reader *r, size_t count, bool named);

size_t location_count(const struct locationlist *l);
struct location location_at(const struct locationlist *l, size_t i); /* i < count */

#endif
