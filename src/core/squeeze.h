/*
 * Compression of blocks: zstd at the level that a run chose, skipped cheaply for what does not shrink.
 * One squeezer belongs to one thread. doc/spec/formats.md section 2; zstd is RFC 8878.
 */
#ifndef CORE_SQUEEZE_H
#define CORE_SQUEEZE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum squeeze_mode { SQUEEZE_OFF, SQUEEZE_FAST, SQUEEZE_AUTO, SQUEEZE_MAX };

struct squeeze;

/* A compressor and decompressor with its working memory. E_NOMEM. */
MUST_USE enum err squeeze_new(struct squeeze **out, enum squeeze_mode mode);
void squeeze_free(struct squeeze *s);

/*
 * The stored form of the raw block ${raw} (1 to LIMIT_BLOCK_RAW bytes, of ${chunks} chunks, at least 1): method, raw length, payload. ${raw} is preceded by
 * SIZE_BLOCK_STORED_HEADER bytes that may be written: what does not shrink stays where it is. ${stored} then points
 * there, else into ${memory}, which is cleared first. E_NOMEM, E_LIMIT.
 */
MUST_USE enum err squeeze_pack(struct squeeze *s, uint8_t *raw, size_t len, size_t chunks,
	struct buf *memory, struct span *stored);

/*
 * Replaces the contents of ${out} by the raw block that ${stored} holds. Never writes more than the length that
 * ${stored} states, which is checked against LIMIT_BLOCK_RAW first. E_FORMAT: not a stored block, and ${out} is empty; E_NOMEM.
 */
MUST_USE enum err squeeze_unpack(struct squeeze *s, struct span stored, struct buf *out);

#endif
