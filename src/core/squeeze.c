#include "core/squeeze.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "format/block.h"
#include "format/limits.h"

enum {
	PROBES = 4,
	PROBE_SIZE = 4096,
	PROBE_FROM = 64 * 1024, /* smaller blocks are simply tried */
	PROBED = PROBES * PROBE_SIZE,
	PROBE_KEEP =
		PROBED - PROBED / 50, /* samples that shrink to no less: the block is left as it is */
	PROBE_DENSE =
		PROBED * 2 / 5,      /* samples that shrink to no less gain little by a higher level, */
	CHUNK_LARGE = 64 * 1024, /* unless small files lie in the block, which are alike */
};

struct squeeze {
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	enum squeeze_mode mode;
	uint8_t probe_in[PROBED];
	uint8_t probe_out[ZSTD_COMPRESSBOUND(PROBED)];
};

enum { LEAVE = 0, LEVEL_FAST = 1, LEVEL_DENSE = 2, LEVEL_AUTO = 3, LEVEL_MAX = 19 };

static void *mem_for_zstd(void *unused, size_t n) {
	(void)unused;
	return mem_alloc(n);
}

static void free_for_zstd(void *unused, void *p) {
	(void)unused;
	mem_free(p);
}

enum err squeeze_new(struct squeeze **out, enum squeeze_mode mode) {
	static const ZSTD_customMem memory = { mem_for_zstd, free_for_zstd, NULL };
	struct squeeze *s = mem_zalloc(sizeof *s);
	if (!s) return E_NOMEM;
	s->mode = mode;
	s->cctx = ZSTD_createCCtx_advanced(memory);
	s->dctx = ZSTD_createDCtx_advanced(memory);
	if (!s->cctx || !s->dctx) {
		squeeze_free(s);
		return E_NOMEM;
	}
	*out = s;
	return OK;
}

void squeeze_free(struct squeeze *s) {
	if (!s) return;
	ZSTD_freeCCtx(s->cctx);
	ZSTD_freeDCtx(s->dctx);
	mem_free(s);
}

/* What samples of ${raw} shrink to, of PROBED bytes. */
static size_t probe(struct squeeze *s, struct span raw) {
	size_t step = (raw.len - PROBE_SIZE) / (PROBES - 1);
	for (size_t i = 0; i < PROBES; i++)
		memcpy(s->probe_in + i * PROBE_SIZE, raw.ptr + i * step, PROBE_SIZE);
	size_t n =
		ZSTD_compressCCtx(s->cctx, s->probe_out, sizeof s->probe_out, s->probe_in, PROBED, 1);
	return ZSTD_isError(n) ? PROBED : n;
}

/*
 * The level for a block, or LEAVE: incompressible data would cost as much time as everything else together. The figures
 * are in doc/decisions/compression-level.md.
 */
static int level_for(struct squeeze *s, struct span raw, size_t chunks) {
	static const int levels[] = {
		[SQUEEZE_OFF] = LEAVE,
		[SQUEEZE_FAST] = LEVEL_FAST,
		[SQUEEZE_AUTO] = LEVEL_AUTO,
		[SQUEEZE_MAX] = LEVEL_MAX,
	};
	int level = levels[s->mode];
	if (level == LEAVE || raw.len < PROBE_FROM) return level;
	size_t probed = probe(s, raw);
	if (probed >= PROBE_KEEP) return LEAVE;
	bool large = raw.len / chunks >= CHUNK_LARGE;
	return s->mode == SQUEEZE_AUTO && large && probed >= PROBE_DENSE ? LEVEL_DENSE : level;
}

enum err squeeze_pack(struct squeeze *s, uint8_t *raw, size_t len, size_t chunks,
	struct buf *memory, struct span *stored) {
	if (len == 0 || len > LIMIT_BLOCK_RAW || chunks == 0) return E_LIMIT;
	int level = level_for(s, span_of(raw, len), chunks);
	if (level != LEAVE) {
		uint8_t *at;
		buf_clear(memory);
		enum err e = buf_extend(memory, SIZE_BLOCK_STORED_HEADER + len, &at);
		if (e) return e;
		/* room for one byte less than the input: what does not shrink is an error, and stored as it is */
		size_t n =
			ZSTD_compressCCtx(s->cctx, at + SIZE_BLOCK_STORED_HEADER, len - 1, raw, len, level);
		if (!ZSTD_isError(n)) {
			block_stored_header(at, BLOCK_ZSTD, (uint32_t)len);
			*stored = span_of(at, SIZE_BLOCK_STORED_HEADER + n);
			return OK;
		}
	}
	block_stored_header(raw - SIZE_BLOCK_STORED_HEADER, BLOCK_PLAIN, (uint32_t)len);
	*stored = span_of(raw - SIZE_BLOCK_STORED_HEADER, SIZE_BLOCK_STORED_HEADER + len);
	return OK;
}

/* One frame, whole, that says ${raw_len} itself and needs no larger window than a reader of streams would allow. */
static bool frame_fits(struct span frame, size_t raw_len) {
	ZSTD_frameHeader h;
	return ZSTD_getFrameHeader(&h, frame.ptr, frame.len) == 0 && h.frameType == ZSTD_frame &&
		h.frameContentSize == raw_len && h.windowSize <= LIMIT_ZSTD_WINDOW &&
		ZSTD_findFrameCompressedSize(frame.ptr, frame.len) == frame.len;
}

enum err squeeze_unpack(struct squeeze *s, struct span stored, struct buf *out) {
	struct block_stored b;
	uint8_t *at;
	buf_clear(out);
	if (block_stored_decode(&b, stored)) return E_FORMAT;
	if (b.method == BLOCK_ZSTD && !frame_fits(b.payload, b.raw_len)) return E_FORMAT;
	enum err e = buf_extend(out, b.raw_len, &at);
	if (e) return e;
	if (b.method == BLOCK_PLAIN) {
		memcpy(at, b.payload.ptr, b.raw_len);
		return OK;
	}
	size_t n = ZSTD_decompressDCtx(s->dctx, at, b.raw_len, b.payload.ptr, b.payload.len);
	if (!ZSTD_isError(n) && n == b.raw_len) return OK;
	buf_clear(out);
	return E_FORMAT;
}
