/* The origin of chunks, which chooses their id and chunker keys (doc/spec/formats.md section 1). */
#ifndef FORMAT_CHUNKORIGIN_H
#define FORMAT_CHUNKORIGIN_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/public.h"

struct chunkorigin {
	uint8_t kind;   /* enum origin; others are refused */
	struct hash id; /* zero for ORIGIN_OWN */
};

struct chunkorigin chunkorigin_read(struct reader *r);
void chunkorigin_write(struct writer *w, const struct chunkorigin *o);
bool chunkorigin_equal(const struct chunkorigin *a, const struct chunkorigin *b);

#endif
