/* Raw blocks and the header of stored blocks (doc/spec/formats.md section 2). Compression itself is not here. */
#ifndef FORMAT_BLOCK_H
#define FORMAT_BLOCK_H

#include "base/buf.h"
#include "base/span.h"

/* A raw block, pointing into the bytes it was decoded from. */
struct block {
	uint32_t count;
	const uint8_t *lengths; /* u24 each */
	struct span data;
};

/* E_FORMAT. Checks every length against the data: afterwards the accessors can't fail. */
MUST_USE enum err block_decode(struct block *out, struct span raw);

uint32_t block_length(const struct block *b, uint32_t slot); /* slot < count */
struct span block_chunk(
	const struct block *b, uint32_t slot); /* slot < count; takes time in slot: see block_starts */

/* Fills ${starts}[0..count] with where each chunk starts in data, and data's length behind the last. */
void block_starts(const struct block *b, uint32_t *starts);

/* In order, without a table: start with { .block = b }. False at the end. */
struct block_cursor {
	const struct block *block;
	uint32_t slot; /* of the next chunk */
	size_t at;
};
bool block_next(struct block_cursor *c, struct span *chunk);

/* Bytes of the raw block of ${count} chunks with ${data} bytes together. */
size_t block_raw_len(size_t count, size_t data);

/* Appends the raw block of ${chunks}. E_USAGE (none, or an empty chunk), E_LIMIT, E_NOMEM. */
MUST_USE enum err block_encode(const struct span *chunks, size_t count, struct buf *out);

/* Collects chunks by copying them, then encodes; for small chunks that don't stay where they are. */
struct block_build {
	uint32_t count;
	struct buf lengths;
	struct buf data;
};
void block_build_init(struct block_build *b);
MUST_USE enum err block_build_add(
	struct block_build *b, struct span chunk); /* E_USAGE, E_LIMIT (full), E_NOMEM */
MUST_USE enum err block_build_encode(const struct block_build *b, struct buf *out);
void block_build_clear(struct block_build *b); /* keeps the memory */
void block_build_done(struct block_build *b);

enum block_method {
	BLOCK_PLAIN = 0,
	BLOCK_ZSTD = 1,
};

/* A stored block: what is encrypted as a record. */
struct block_stored {
	uint8_t method;
	uint32_t raw_len;
	struct span payload;
};

/* E_FORMAT; E_UNSUPPORTED for another method. With BLOCK_PLAIN, payload.len is raw_len; with BLOCK_ZSTD it is less. */
MUST_USE enum err block_stored_decode(struct block_stored *out, struct span stored);

/* Appends header and payload. E_USAGE if decode would refuse it, E_LIMIT, E_NOMEM. */
MUST_USE enum err block_stored_encode(const struct block_stored *s, struct buf *out);

/* Only the 4 bytes before the payload, for writers that have compressed in place. */
void block_stored_header(uint8_t out[4], enum block_method method, uint32_t raw_len);

#endif
