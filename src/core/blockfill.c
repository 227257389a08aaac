#include "core/blockfill.h"

#include <assert.h>

#include "base/little.h"
#include "base/mem.h"
#include "format/limits.h"

enum { HEAD_MAX = SIZE_BLOCK_STORED_HEADER + 2 + 3 * LIMIT_BLOCK_CHUNKS };

struct blockfill {
	uint8_t type;
	size_t fill;
	size_t count;
	struct buf bytes; /* room for the head, then the data */
	struct hash ids[LIMIT_BLOCK_CHUNKS];
	uint32_t numbers[LIMIT_BLOCK_CHUNKS];
	uint32_t lengths[LIMIT_BLOCK_CHUNKS];
};

enum err blockfill_new(struct blockfill **out, uint8_t type, size_t fill) {
	struct blockfill *b = mem_alloc(sizeof *b);
	if (!b) return E_NOMEM;
	b->type = type;
	b->fill = fill;
	b->count = 0;
	buf_init(&b->bytes, HEAD_MAX + LIMIT_BLOCK_DATA);
	if (buf_add_zero(&b->bytes, HEAD_MAX)) {
		mem_free(b);
		return E_NOMEM;
	}
	*out = b;
	return OK;
}

void blockfill_free(struct blockfill *b) {
	if (!b) return;
	buf_free(&b->bytes);
	mem_free(b);
}

bool blockfill_fits(const struct blockfill *b, size_t length) {
	if (b->count == 0) return true;
	return b->count < LIMIT_BLOCK_CHUNKS && blockfill_bytes(b) + length <= b->fill;
}

enum err blockfill_add(
	struct blockfill *b, const struct hash *id, uint32_t number, struct span chunk) {
	assert(chunk.len > 0 && chunk.len <= LIMIT_CHUNK && blockfill_fits(b, chunk.len));
	enum err e = buf_add(&b->bytes, chunk);
	if (e) return e;
	b->ids[b->count] = *id;
	b->numbers[b->count] = number;
	b->lengths[b->count] = (uint32_t)chunk.len;
	b->count++;
	return OK;
}

uint8_t blockfill_type(const struct blockfill *b) {
	return b->type;
}

size_t blockfill_count(const struct blockfill *b) {
	return b->count;
}

size_t blockfill_bytes(const struct blockfill *b) {
	return b->bytes.len - HEAD_MAX;
}

const struct hash *blockfill_ids(const struct blockfill *b) {
	return b->ids;
}

const uint32_t *blockfill_numbers(const struct blockfill *b) {
	return b->numbers;
}

uint8_t *blockfill_raw(struct blockfill *b, size_t *len) {
	assert(b->count > 0);
	size_t head = 2 + 3 * b->count;
	uint8_t *at = b->bytes.ptr + HEAD_MAX - head; /* right before the data: nothing is moved */
	little_put16(at, (uint16_t)b->count);
	for (size_t i = 0; i < b->count; i++) little_put24(at + 2 + 3 * i, b->lengths[i]);
	*len = head + blockfill_bytes(b);
	return at;
}

void blockfill_clear(struct blockfill *b) {
	b->count = 0;
	b->bytes.len = HEAD_MAX;
}
