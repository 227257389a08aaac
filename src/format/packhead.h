/* A pack's header, trailer and sizes (doc/spec/formats.md section 3). */
#ifndef FORMAT_PACKHEAD_H
#define FORMAT_PACKHEAD_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"

struct packhead {
	uint32_t epoch;  /* at least 1 */
	struct span enc; /* HPKE encapsulation, 1,120 bytes; points into the input */
	struct hash commitment;
};

/* ${in}: exactly the first 1,160 bytes. E_FORMAT, E_UNSUPPORTED (another format version). */
MUST_USE enum err packhead_decode(struct packhead *out, struct span in);
/* Appends 1,160 bytes. E_USAGE, E_LIMIT, E_NOMEM. */
MUST_USE enum err packhead_encode(const struct packhead *h, struct buf *out);

/* The plaintext of the trailer, 16 bytes. */
struct packhead_trailer {
	uint32_t table_offset; /* the end of the last record */
	uint32_t table_length; /* with tag */
	uint32_t pack_length;
};

/* ${in}: 16 bytes, of a pack of ${pack_length} bytes. E_FORMAT also if table and pack don't fit each other. */
MUST_USE enum err packhead_trailer_decode(
	struct packhead_trailer *out, struct span in, uint64_t pack_length);
/* E_USAGE if decode would refuse it; then ${out} is not written. */
MUST_USE enum err packhead_trailer_encode(const struct packhead_trailer *t, uint8_t out[16]);

/* The size of a pack that needs ${need} bytes (header to trailer), by the Padmé rule; 0 if it is more than a pack holds. */
uint32_t packhead_padded_size(uint64_t need);

/* Whether a pack can have this size: one that packhead_padded_size gives. */
bool packhead_size_ok(uint64_t size);

#endif
