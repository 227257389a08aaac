/* The origin of chunks, which chooses their id and chunker keys (doc/spec/formats.md section 1). */
#ifndef FORMAT_ORIGIN_H
#define FORMAT_ORIGIN_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

enum origin_kind {
	ORIGIN_OWN = 0,
	ORIGIN_GRANT = 1,
	ORIGIN_DROP = 2,
	ORIGIN_RECEIVED = 3,
};

struct origin {
	uint8_t kind;   /* enum origin_kind; others are refused */
	struct hash id; /* zero for ORIGIN_OWN */
};

struct origin origin_read(struct reader *r);
void origin_write(struct writer *w, const struct origin *o);
bool origin_equal(const struct origin *a, const struct origin *b);

#endif
