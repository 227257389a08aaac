#include "format/block.h"

#include "base/little.h"
#include "base/writer.h"
#include "format/limits.h"

enum { COUNT_LEN = 2, LENGTH_LEN = 3 };

size_t block_raw_len(size_t count, size_t data) {
	return COUNT_LEN + LENGTH_LEN * count + data;
}

enum err block_decode(struct block *out, struct span raw) {
	struct block b = { 0 };
	uint32_t sum = 0;
	if (raw.len < COUNT_LEN || raw.len > LIMIT_BLOCK_RAW) return E_FORMAT;
	b.count = little_get16(raw.ptr);
	if (b.count < 1 || b.count > LIMIT_BLOCK_CHUNKS) return E_FORMAT;
	if (raw.len < block_raw_len(b.count, 0)) return E_FORMAT;
	b.lengths = raw.ptr + COUNT_LEN;
	b.data = span_skip(raw, block_raw_len(b.count, 0));
	for (uint32_t i = 0; i < b.count; i++) {
		uint32_t n = block_length(&b, i);
		if (n < 1 || n > LIMIT_CHUNK || n > LIMIT_BLOCK_DATA - sum) return E_FORMAT;
		sum += n;
	}
	if (sum != b.data.len) return E_FORMAT;
	*out = b;
	return OK;
}

uint32_t block_length(const struct block *b, uint32_t slot) {
	return little_get24(b->lengths + (size_t)LENGTH_LEN * slot);
}

struct span block_chunk(const struct block *b, uint32_t slot) {
	size_t at = 0;
	for (uint32_t i = 0; i < slot; i++) at += block_length(b, i);
	return span_of(b->data.ptr + at, block_length(b, slot));
}

void block_starts(const struct block *b, uint32_t *starts) {
	uint32_t at = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		starts[i] = at;
		at += block_length(b, i);
	}
	starts[b->count] = at;
}

bool block_next(struct block_cursor *c, struct span *chunk) {
	if (c->slot >= c->block->count) return false;
	*chunk = span_of(c->block->data.ptr + c->at, block_length(c->block, c->slot));
	c->at += chunk->len;
	c->slot++;
	return true;
}

enum err block_encode(const struct span *chunks, size_t count, struct buf *out) {
	size_t sum = 0;
	uint8_t *at;
	if (count < 1) return E_USAGE;
	if (count > LIMIT_BLOCK_CHUNKS) return E_LIMIT;
	for (size_t i = 0; i < count; i++) {
		if (chunks[i].len == 0) return E_USAGE;
		if (chunks[i].len > LIMIT_BLOCK_DATA - sum) return E_LIMIT;
		sum += chunks[i].len;
	}
	enum err e = buf_extend(out, block_raw_len(count, sum), &at);
	if (e) return e;
	little_put16(at, (uint16_t)count);
	at += COUNT_LEN;
	for (size_t i = 0; i < count; i++, at += LENGTH_LEN) little_put24(at, (uint32_t)chunks[i].len);
	for (size_t i = 0; i < count; i++) {
		memcpy(at, chunks[i].ptr, chunks[i].len);
		at += chunks[i].len;
	}
	return OK;
}

void block_build_init(struct block_build *b) {
	b->count = 0;
	buf_init(&b->lengths, (size_t)LENGTH_LEN * LIMIT_BLOCK_CHUNKS);
	buf_init(&b->data, LIMIT_BLOCK_DATA);
}

enum err block_build_add(struct block_build *b, struct span chunk) {
	uint8_t *at;
	if (chunk.len == 0) return E_USAGE;
	if (chunk.len > LIMIT_CHUNK) return E_LIMIT;
	enum err e = buf_extend(&b->lengths, LENGTH_LEN, &at);
	if (e) return e;
	little_put24(at, (uint32_t)chunk.len);
	e = buf_add(&b->data, chunk);
	if (e) b->lengths.len -= LENGTH_LEN;
	else b->count++;
	return e;
}

enum err block_build_encode(const struct block_build *b, struct buf *out) {
	if (b->count == 0) return E_USAGE;
	size_t start = out->len;
	enum err e = buf_reserve(out, block_raw_len(b->count, b->data.len));
	if (e) return e;
	struct writer w = writer_to(out);
	writer_u16(&w, (uint16_t)b->count);
	writer_raw(&w, buf_span(&b->lengths));
	writer_raw(&w, buf_span(&b->data));
	e = writer_finish(&w);
	if (e) out->len = start;
	return e;
}

void block_build_clear(struct block_build *b) {
	b->count = 0;
	buf_clear(&b->lengths);
	buf_clear(&b->data);
}

void block_build_done(struct block_build *b) {
	b->count = 0;
	buf_free(&b->lengths);
	buf_free(&b->data);
}

static bool stored_ok(const struct block_stored *s) {
	if (s->raw_len < block_raw_len(1, 1) || s->raw_len > LIMIT_BLOCK_RAW) return false;
	if (s->method == BLOCK_PLAIN) return s->payload.len == s->raw_len;
	return s->payload.len >= 1 && s->payload.len < s->raw_len;
}

enum err block_stored_decode(struct block_stored *out, struct span stored) {
	if (stored.len < SIZE_BLOCK_STORED_HEADER) return E_FORMAT;
	struct block_stored s = {
		.method = stored.ptr[0],
		.raw_len = little_get24(stored.ptr + 1),
		.payload = span_skip(stored, SIZE_BLOCK_STORED_HEADER),
	};
	if (s.method > BLOCK_ZSTD) return E_UNSUPPORTED;
	if (!stored_ok(&s)) return E_FORMAT;
	*out = s;
	return OK;
}

void block_stored_header(uint8_t out[4], enum block_method method, uint32_t raw_len) {
	out[0] = (uint8_t)method;
	little_put24(out + 1, raw_len);
}

enum err block_stored_encode(const struct block_stored *s, struct buf *out) {
	uint8_t *at;
	if (s->method > BLOCK_ZSTD || !stored_ok(s)) return E_USAGE;
	enum err e = buf_extend(out, SIZE_BLOCK_STORED_HEADER + s->payload.len, &at);
	if (e) return e;
	block_stored_header(at, s->method, s->raw_len);
	memcpy(at + SIZE_BLOCK_STORED_HEADER, s->payload.ptr, s->payload.len);
	return OK;
}
