/*
 * A list of short byte strings (tags, paths) as it stands in an object: a count, and the items one behind another, each
 * a varint length and bytes. The same struct is what decoders give and encoders take.
 */
#ifndef FORMAT_BYTELIST_H
#define FORMAT_BYTELIST_H

#include "base/reader.h"
#include "base/writer.h"

struct bytelist {
	uint32_t count;
	struct span items;
};

/* Reads count and items: at most ${max_count} of at most ${max_len} bytes; strictly ascending if ${ascending}. */
struct bytelist bytelist_read(struct reader *r, uint32_t max_count, size_t max_len, bool ascending);
void bytelist_write(struct writer *w, const struct bytelist *l);

/* Iterates: start with ${rest} = l.items; false at the end. The items have been validated by the decoder. */
bool bytelist_next(struct span *rest, struct span *item);

/* Whether both hold the same items. */
bool bytelist_equal(const struct bytelist *a, const struct bytelist *b);

/* Builds a list for an encoder, which checks the maxima and the order. Owns memory until done. */
struct bytelist_build {
	uint32_t count;
	struct buf items;
};

void bytelist_build_init(struct bytelist_build *b); /* at most 1 MiB of items */
MUST_USE enum err bytelist_build_add(
	struct bytelist_build *b, struct span item);                     /* E_LIMIT, E_NOMEM */
struct bytelist bytelist_build_list(const struct bytelist_build *b); /* valid until the next add */
void bytelist_build_done(struct bytelist_build *b);

#endif
