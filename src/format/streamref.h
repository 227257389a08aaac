/* References to streams, and the items of lists (doc/spec/formats.md section 4). */
#ifndef FORMAT_STREAMREF_H
#define FORMAT_STREAMREF_H

#include "base/reader.h"
#include "base/writer.h"
#include "format/chunkorigin.h"
#include "format/limits.h"

struct streamref {
	struct chunkorigin origin;
	uint64_t length; /* of the byte string */
	uint8_t depth;   /* 0: id is the one chunk; else of a list */
	struct hash id;  /* zero if length is 0 */
};

/* As part of an object. */
void streamref_read(struct reader *r, struct streamref *out);
void streamref_write(struct writer *w, const struct streamref *s);

/* By itself. E_FORMAT. / Appends; E_USAGE, E_LIMIT, E_NOMEM. */
MUST_USE enum err streamref_decode(struct streamref *out, struct span in);
MUST_USE enum err streamref_encode(const struct streamref *s, struct buf *out);
bool streamref_equal(const struct streamref *a, const struct streamref *b);

/* An item of a list: 35 bytes. */
struct streamref_item {
	struct hash id;
	uint32_t length; /* of the chunk: 1 to 2,097,152 */
};
MUST_USE enum err streamref_item_decode(
	struct streamref_item *out, const uint8_t in[SIZE_STREAM_ITEM]); /* E_FORMAT */
void streamref_item_encode(const struct streamref_item *item, uint8_t out[SIZE_STREAM_ITEM]);

#endif
