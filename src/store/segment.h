/*
 * Segment files of a chain: 256 entries, each u32 length and bytes (doc/spec/formats.md, section
 * 12). A copy.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "store/folder.h"
#include "store/store.h"

/*
 * Writes the segment from ${base} on (a multiple of 256), if it is not there and the entries are.
 * Best effort.
 */
void segment_write(struct folder *f, const struct hash *chain, uint64_t base);

/*
 * The segment's bytes to ${out} (emptied first), checked for its form only. E_NOTFOUND if there is
 * none or if the last entry that it would hold does not exist; E_FORMAT if it is damaged.
 */
MUST_USE enum err segment_read(
	struct folder *f, const struct hash *chain, uint64_t base, struct buf *out);

/* The most bytes a segment can have: for buf_init. */
enum { SEGMENT_MAX = FOLDER_SEGMENT * (STORE_ENTRY_MAX + 4) };

/* The next entry of what segment_read gave; ${rest} moves on. Empty at the end. */
struct span segment_next(struct span *rest);

#endif
