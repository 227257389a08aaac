#include "format/packtable.h"

#include "format/chunktype.h"
#include "format/field.h"
#include "format/limits.h"

enum {
	CUT = 0x80,
	BLOCK_LEN = 9, /* without ids */
	BLOCKS_MAX = LIMIT_PACK_TABLE,
};

static size_t head_len(const struct packtable *t) {
	size_t origin = t->origin.kind != ORIGIN_OWN ? 33 : 1, previous = t->continues ? 33 : 1;
	return 16 + 8 + 32 + 32 + origin + previous + 4;
}

/* What can be said of a block by itself. */
static bool block_ok(const struct packtable_block *b) {
	size_t ids = hashlist_count(&b->ids);
	if (b->length < LIMIT_RECORD_LEAST || b->length > LIMIT_RECORD) return false;
	if (b->offset < SIZE_PACK_HEADER || b->offset > LIMIT_PACK - b->length) return false;
	if (b->type > CHUNKTYPE_SUMMARY) return false;
	if (b->type == 0 || b->type == CHUNKTYPE_INDEX) return ids == 0 && !b->cut;
	return ids >= 1 && ids <= LIMIT_BLOCK_CHUNKS;
}

static void read_block(struct reader *r, struct packtable_block *b) {
	uint8_t type = reader_u8(r);
	b->type = type & (uint8_t)~CUT;
	b->cut = (type & CUT) != 0;
	b->offset = reader_u24(r);
	b->length = reader_u24(r);
	b->ids = hashlist_read(r, reader_u16(r), false);
}

static void write_block(struct writer *w, const struct packtable_block *b) {
	writer_u8(w, (uint8_t)(b->type | (b->cut ? CUT : 0)));
	writer_u24(w, b->offset);
	writer_u24(w, b->length);
	writer_u16(w, (uint16_t)hashlist_count(&b->ids));
	writer_raw(w, b->ids.rows);
}

/* Each block where the one before ends, a rest only first, a cut one only last, and the table behind the last. */
static void check_blocks(struct reader *r, const struct packtable *t, uint32_t table_offset) {
	uint32_t next = SIZE_PACK_HEADER;
	for (uint32_t i = 0; i < t->count && !r->bad; i++) {
		struct packtable_block b;
		read_block(r, &b);
		if (r->bad) return;
		bool rest = b.type == 0;
		if (!block_ok(&b) || b.offset != next || rest != (i == 0 && t->continues)) reader_fail(r);
		if (b.cut && i + 1 != t->count) reader_fail(r);
		next += b.length;
	}
	if (next != table_offset) reader_fail(r);
}

enum err packtable_decode(struct packtable *out, struct span in, uint32_t table_offset) {
	struct reader r = reader_over(in);
	struct packtable t = { 0 };
	if (in.len > LIMIT_PACK_TABLE) return E_FORMAT;
	reader_copy(&r, t.run, sizeof t.run);
	t.start_sequence = reader_u64(&r);
	t.start_head = field_hash(&r);
	t.writer = field_hash(&r);
	t.origin = chunkorigin_read(&r);
	t.continues = field_bool(&r);
	if (t.continues) t.previous = field_hash(&r);
	t.count = reader_u32(&r);
	if (t.count < 1 || t.count > LIMIT_PACK_BLOCKS) return E_FORMAT;
	t.blocks = r.rest;
	check_blocks(&r, &t, table_offset);
	if (reader_finish(&r)) return E_FORMAT;
	*out = t;
	return OK;
}

bool packtable_next(struct span *rest, struct packtable_block *block) {
	struct reader r = reader_over(*rest);
	struct packtable_block b;
	if (!reader_more(&r)) return false;
	read_block(&r, &b);
	if (r.bad) return false;
	*block = b;
	*rest = r.rest;
	return true;
}

size_t packtable_block_len(size_t ids) {
	return BLOCK_LEN + HASH_SIZE * ids;
}

void packtable_begin(struct packtable_build *b, const struct packtable *head) {
	*b = (struct packtable_build){ .head = *head, .next_offset = SIZE_PACK_HEADER };
	b->head.count = 0;
	b->head.blocks = span_of(NULL, 0);
	buf_init(&b->blocks, BLOCKS_MAX);
}

enum err packtable_add(struct packtable_build *b, uint8_t type, bool cut, uint32_t length,
	const struct hash *ids, size_t ids_count) {
	struct packtable_block block = {
		.type = type, .cut = cut, .offset = b->next_offset, .length = length
	};
	if (ids_count > LIMIT_BLOCK_CHUNKS) return E_USAGE;
	if (ids_count) block.ids.rows = span_of(ids, ids_count * HASH_SIZE);
	if (b->closed || (type == 0) != (b->head.count == 0 && b->head.continues)) return E_USAGE;
	if (!block_ok(&block)) return E_USAGE;
	if (b->head.count >= LIMIT_PACK_BLOCKS) return E_LIMIT;
	if (packtable_len(b) + packtable_block_len(ids_count) > LIMIT_PACK_TABLE) return E_LIMIT;
	size_t start = b->blocks.len;
	struct writer w = writer_to(&b->blocks);
	write_block(&w, &block);
	enum err e = field_encoded(&b->blocks, start, writer_finish(&w), OK);
	if (e) return e;
	b->head.count++;
	b->next_offset += length;
	b->closed = cut;
	return OK;
}

size_t packtable_len(const struct packtable_build *b) {
	return head_len(&b->head) + b->blocks.len;
}

enum err packtable_end(const struct packtable_build *b, struct buf *out) {
	size_t start = out->len;
	const struct packtable *h = &b->head;
	struct packtable check;
	struct writer w = writer_to(out);
	writer_raw(&w, span_of(h->run, sizeof h->run));
	writer_u64(&w, h->start_sequence);
	field_put_hash(&w, &h->start_head);
	field_put_hash(&w, &h->writer);
	chunkorigin_write(&w, &h->origin);
	writer_u8(&w, h->continues);
	if (h->continues) field_put_hash(&w, &h->previous);
	writer_u32(&w, h->count);
	writer_raw(&w, buf_span(&b->blocks));
	enum err e = writer_finish(&w);
	return field_encoded(out, start, e,
		e ? e : packtable_decode(&check, span_skip(buf_span(out), start), b->next_offset));
}

void packtable_done(struct packtable_build *b) {
	buf_free(&b->blocks);
}
