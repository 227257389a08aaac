/* A segment file: 256 entries of a chain in one, each u32 length and bytes (doc/spec/formats.md section 12). */
#ifndef FORMAT_SEGMENT_H
#define FORMAT_SEGMENT_H

#include "base/buf.h"
#include "base/span.h"

/* Checks that there are exactly 256 entries, none longer than an entry may be. E_FORMAT. Doesn't look into them. */
MUST_USE enum err segment_check(struct span in);

/* Iterates: start with ${rest} = the segment's bytes, checked; false at the end. */
bool segment_next(struct span *rest, struct span *entry);

/* Appends an entry. E_USAGE (empty or too long), E_LIMIT, E_NOMEM. */
MUST_USE enum err segment_add(struct buf *out, struct span entry);

#endif
