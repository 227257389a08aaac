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

struct squeezer;

/* A compressor and decompressor with its working memory. E_NOMEM. */
MUST_USE enum err squeezer_new(struct squeezer **out, enum squeeze_mode mode);
void squeezer_free(struct squeezer *s);

/*
 * Appends the stored form of the raw block ${raw} (1 to LIMIT_BLOCK_RAW bytes) to ${out}: method, raw length, payload.
 * Falls back to method 0 where zstd does not shrink. E_NOMEM, E_LIMIT.
 */
MUST_USE enum err squeezer_pack(struct squeezer *s, struct span raw, struct buf *out);

/*
 * Replaces the contents of ${out} by the raw block that ${stored} holds. Never writes more than the length that
 * ${stored} states, which is checked against LIMIT_BLOCK_RAW first. E_FORMAT: not a stored block; E_NOMEM.
 */
MUST_USE enum err squeezer_unpack(struct squeezer *s, struct span stored, struct buf *out);

#endif
