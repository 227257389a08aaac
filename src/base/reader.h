/*
 * A bounded reader over a span. It is sticky: the first read that does not fit turns it bad, every later read gives
 * zero or an empty span, and one check at the end (reader_finish) tells. A decoder so reads as the table in the
 * specification does.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/err.h"
#include "base/span.h"

struct reader {
	struct span rest;
	bool bad;
};

struct reader reader_over(struct span in);

/* Integers, little-endian. */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u24(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
int64_t reader_i64(struct reader *r);

/* LEB128, at most 10 bytes, the shortest form only (a longer form turns the reader bad), value at most ${max}. */
uint64_t reader_varint(struct reader *r, uint64_t max);

/* ${n} raw bytes; they point into the input. */
struct span reader_raw(struct reader *r, size_t n);

/* A varint length of at most ${max}, then that many bytes, which point into the input. */
struct span reader_bytes(struct reader *r, size_t max);

/* Copies exactly ${n} bytes to ${out} (zeros if they are not there). */
void reader_copy(struct reader *r, void *out, size_t n);

/* A reader over the next length-prefixed part of at most ${max} bytes. */
struct reader reader_part(struct reader *r, size_t max);

/* Turns the reader bad: for a value that the format does not allow. */
void reader_fail(struct reader *r);

/* Whether anything is left (false also when bad). */
bool reader_more(const struct reader *r);

/* OK only if no read failed and nothing is left over; else E_FORMAT. */
MUST_USE enum err reader_finish(const struct reader *r);

#endif
