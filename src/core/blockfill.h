/*
 * A raw block being filled with chunks of one type (doc/spec/formats.md section 2). One belongs to one thread.
 */
#ifndef CORE_BLOCKFILL_H
#define CORE_BLOCKFILL_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"

struct blockfill;

/* A block for chunks of ${type}, filled to at most ${fill} bytes of data (LIMIT_BLOCK_FILL; tests: less). E_NOMEM. */
MUST_USE enum err blockfill_new(struct blockfill **out, uint8_t type, size_t fill);
void blockfill_free(struct blockfill *b);

/* Whether a chunk of ${length} bytes still belongs into this block; an empty block takes any chunk. */
bool blockfill_fits(const struct blockfill *b, size_t length);

/* Adds a chunk that fits: its bytes are copied. ${number} is the caller's own number for it. E_NOMEM. */
MUST_USE enum err blockfill_add(
	struct blockfill *b, const struct hash *id, uint32_t number, struct span chunk);

uint8_t blockfill_type(const struct blockfill *b);
size_t blockfill_count(const struct blockfill *b);
size_t blockfill_bytes(const struct blockfill *b);
const struct hash *blockfill_ids(const struct blockfill *b);
const uint32_t *blockfill_numbers(const struct blockfill *b);

/*
 * The raw block. Valid until the next add or clear; the block is not empty. The SIZE_BLOCK_STORED_HEADER bytes before it
 * belong to it too: the header of a stored block can be written there.
 */
uint8_t *blockfill_raw(struct blockfill *b, size_t *len);

/* Makes it empty again, keeping its memory. */
void blockfill_clear(struct blockfill *b);

#endif
