/*
 * The mirror of reader.h: appends to a buf, sticky in failure; one check at the end (writer_finish) tells whether
 * everything fitted. On failure the buf keeps what was appended so far: the caller clears or frees it.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include "base/buf.h"

struct writer {
	struct buf *out;
	enum err e;
};

struct writer writer_to(struct buf *out);

void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u24(struct writer *w, uint32_t v); /* above 2^24 - 1: E_LIMIT */
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_i64(struct writer *w, int64_t v);
void writer_varint(struct writer *w, uint64_t v);
void writer_raw(struct writer *w, struct span bytes);
void writer_bytes(struct writer *w, struct span bytes); /* varint length, then the bytes */
void writer_zero(struct writer *w, size_t n);

MUST_USE enum err writer_finish(const struct writer *w);

#endif
