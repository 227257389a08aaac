#include "core/packbuild.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "format/limits.h"
#include "format/packhead.h"
#include "secret/packkeys.h"

struct packbuild {
	struct packbuild_params p;
	struct pack_keys keys;
	struct packtable_build table;
	uint32_t blocks;
	size_t used; /* header and records */
	uint8_t *bytes;
};

static enum err write_header(struct packbuild *b, const uint8_t enc[KEM_ENC]) {
	struct buf head;
	buf_init(&head, SIZE_PACK_HEADER);
	struct packhead h = {
		.epoch = b->p.epoch, .enc = span_of(enc, KEM_ENC), .commitment = b->keys.commitment
	};
	enum err e = packhead_encode(&h, &head);
	if (!e) memcpy(b->bytes, head.ptr, SIZE_PACK_HEADER);
	buf_free(&head);
	b->used = SIZE_PACK_HEADER;
	return e;
}

enum err packbuild_new(struct packbuild **out, const struct packbuild_params *p) {
	uint8_t enc[KEM_ENC];
	struct packbuild *b = mem_zalloc(sizeof *b);
	if (!b) return E_NOMEM;
	b->p = *p;
	packtable_begin(&b->table, &p->head);
	b->bytes = p->memory;
	enum err e = packkeys_sender(&b->keys, enc, p->epoch_public, p->vault, p->epoch, p->fresh);
	if (!e) e = write_header(b, enc);
	if (e) {
		packbuild_free(b);
		return e;
	}
	*out = b;
	return OK;
}

void packbuild_free(struct packbuild *b) {
	if (!b) return;
	packtable_done(&b->table);
	mem_wipe(&b->keys, sizeof b->keys);
	mem_free(b);
}

uint8_t *packbuild_memory(const struct packbuild *b) {
	return b->bytes;
}

size_t packbuild_need(const struct packbuild *b) {
	return b->used + packtable_len(&b->table) + SIZE_TAG + SIZE_PACK_TRAILER_SEALED;
}

bool packbuild_is_empty(const struct packbuild *b) {
	return b->used == SIZE_PACK_HEADER;
}

size_t packbuild_room(const struct packbuild *b, size_t ids) {
	size_t row = packtable_block_len(ids);
	if (b->table.closed || b->blocks == LIMIT_PACK_BLOCKS) return 0;
	if (packtable_len(&b->table) + row > LIMIT_PACK_TABLE) return 0;
	size_t need = packbuild_need(b) + row + SIZE_TAG;
	return need < b->p.limit ? b->p.limit - need : 0;
}

enum err packbuild_add(
	struct packbuild *b, const struct packbuild_record *r, uint32_t *offset, uint32_t *length) {
	assert(r->bytes.len > 0 && r->bytes.len <= packbuild_room(b, r->count));
	uint32_t len = (uint32_t)(r->bytes.len + SIZE_TAG);
	uint32_t at = (uint32_t)b->used;
	enum err e = packtable_add(&b->table, r->type, r->cut, len, r->ids, r->count);
	if (e) return e;
	packkeys_seal(b->bytes + at, &b->keys, PACK_RECORD, at, r->bytes);
	b->used += len;
	b->blocks++;
	*offset = at;
	*length = len;
	return OK;
}

static enum err write_table(struct packbuild *b, const struct hash *previous, uint32_t *length) {
	struct buf table;
	buf_init(&table, LIMIT_PACK_TABLE);
	if (b->table.head.continues) b->table.head.previous = *previous;
	enum err e = packtable_end(&b->table, &table);
	if (!e) {
		packkeys_seal(b->bytes + b->used, &b->keys, PACK_TABLE, b->used, buf_span(&table));
		*length = (uint32_t)(table.len + SIZE_TAG);
	}
	buf_free(&table);
	return e;
}

enum err packbuild_finish(
	struct packbuild *b, const struct hash *previous, bool full, struct span *bytes) {
	uint8_t trailer[SIZE_PACK_TRAILER];
	uint32_t table_length = 0;
	bool whole = full && b->p.limit == LIMIT_PACK;
	uint32_t size = whole ? LIMIT_PACK : packhead_padded_size(packbuild_need(b));
	assert(size >= packbuild_need(b));
	enum err e = write_table(b, previous, &table_length);
	if (e) return e;
	struct packhead_trailer t = {
		.table_offset = (uint32_t)b->used,
		.table_length = table_length,
		.pack_length = size,
	};
	e = packhead_trailer_encode(&t, trailer);
	if (e) return e;
	size_t end = b->used + table_length, trailer_at = size - SIZE_PACK_TRAILER_SEALED;
	e = packkeys_padding(b->bytes + end, trailer_at - end, b->p.fresh);
	if (e) return e;
	packkeys_seal(b->bytes + trailer_at, &b->keys, PACK_TRAILER, trailer_at,
		span_of(trailer, sizeof trailer));
	*bytes = span_of(b->bytes, size);
	return OK;
}
