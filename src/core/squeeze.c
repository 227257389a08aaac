#include "core/squeeze.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "base/little.h"
#include "base/mem.h"
#include "format/block.h"
#include "format/limits.h"

enum {
	PROBES = 4,
	PROBE_SIZE = 4096,
	PROBE_FROM = 64 * 1024, /* smaller blocks are simply tried */
	WINDOW_LOG_MAX = 22,
};

struct squeeze {
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	enum squeeze_mode mode;
	uint8_t probe_in[PROBES * PROBE_SIZE];
	uint8_t probe_out[ZSTD_COMPRESSBOUND(PROBES * PROBE_SIZE)];
};

static const int levels[] = {
	[SQUEEZE_OFF] = 0,
	[SQUEEZE_FAST] = 1,
	[SQUEEZE_AUTO] = 3, /* doc/decisions: chosen from measurements */
	[SQUEEZE_MAX] = 19,
};

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

/* Whether a sample of ${raw} shrinks: incompressible data would cost as much time as everything else together. */
static bool seems_to_shrink(struct squeeze *s, struct span raw) {
	if (raw.len < PROBE_FROM) return true;
	size_t step = (raw.len - PROBE_SIZE) / (PROBES - 1);
	for (size_t i = 0; i < PROBES; i++)
		memcpy(s->probe_in + i * PROBE_SIZE, raw.ptr + i * step, PROBE_SIZE);
	size_t n = ZSTD_compressCCtx(
		s->cctx, s->probe_out, sizeof s->probe_out, s->probe_in, sizeof s->probe_in, 1);
	return !ZSTD_isError(n) && n < sizeof s->probe_in - sizeof s->probe_in / 50;
}

enum err squeeze_pack(
	struct squeeze *s, uint8_t *raw, size_t len, struct buf *memory, struct span *stored) {
	if (len == 0 || len > LIMIT_BLOCK_RAW) return E_LIMIT;
	if (s->mode != SQUEEZE_OFF && seems_to_shrink(s, span_of(raw, len))) {
		uint8_t *at;
		buf_clear(memory);
		enum err e = buf_extend(memory, SIZE_BLOCK_STORED_HEADER + len, &at);
		if (e) return e;
		/* room for one byte less than the input: what does not shrink is an error, and stored as it is */
		size_t n = ZSTD_compressCCtx(
			s->cctx, at + SIZE_BLOCK_STORED_HEADER, len - 1, raw, len, levels[s->mode]);
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

enum err squeeze_unpack(struct squeeze *s, struct span stored, struct buf *out) {
	if (stored.len < SIZE_BLOCK_STORED_HEADER + 1) return E_FORMAT;
	size_t raw_len = little_get24(stored.ptr + 1);
	struct span payload = span_skip(stored, SIZE_BLOCK_STORED_HEADER);
	if (raw_len == 0 || raw_len > LIMIT_BLOCK_RAW) return E_FORMAT;
	if (stored.ptr[0] == BLOCK_PLAIN ? payload.len != raw_len : stored.ptr[0] != BLOCK_ZSTD)
		return E_FORMAT;
	buf_clear(out);
	uint8_t *at;
	enum err e = buf_extend(out, raw_len, &at);
	if (e) return e;
	if (stored.ptr[0] == BLOCK_PLAIN) {
		memcpy(at, payload.ptr, raw_len);
		return OK;
	}
	bool exact = ZSTD_getFrameContentSize(payload.ptr, payload.len) == raw_len &&
		ZSTD_findFrameCompressedSize(payload.ptr, payload.len) == payload.len;
	size_t n = 0;
	if (exact &&
		!ZSTD_isError(ZSTD_DCtx_setParameter(s->dctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		n = ZSTD_decompressDCtx(s->dctx, at, raw_len, payload.ptr, payload.len);
	if (!exact || ZSTD_isError(n) || n != raw_len) {
		buf_clear(out);
		return E_FORMAT;
	}
	return OK;
}
