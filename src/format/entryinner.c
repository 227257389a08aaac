#include "format/entryinner.h"

#include "format/field.h"
#include "format/limits.h"

enum {
	VAULT_TYPES = 32, /* the first type of a vault chain */
	FIXED_LEN = 1 + 32 + 32 + 8 + 32 + 8 + 32 + SIZE_SIGNATURE,
};

static bool inner_ok(const struct entryinner *i) {
	if ((i->own_sequence == ENTRYINNER_NONE) != hash_is_zero(&i->own_hash)) return false;
	if (i->type < VAULT_TYPES) {
		return hash_is_zero(&i->account) && i->account_sequence == 0 &&
			hash_is_zero(&i->account_head);
	}
	return !hash_is_zero(&i->account) && !hash_is_zero(&i->account_head);
}

enum err entryinner_decode(struct entryinner *out, struct span in) {
	struct reader r = reader_over(in);
	if (in.len == 0 || in.len > LIMIT_ENTRY_INNER || in.len % SIZE_ENTRY_PADDING) return E_FORMAT;
	struct entryinner i = { .type = reader_u8(&r) };
	i.account = field_hash(&r);
	i.device = field_hash(&r);
	i.account_sequence = reader_u64(&r);
	i.account_head = field_hash(&r);
	i.own_sequence = reader_u64(&r);
	i.own_hash = field_hash(&r);
	i.body = reader_bytes(&r, LIMIT_ENTRY_BODY);
	i.signed_len = in.len - r.rest.len;
	i.signature = reader_raw(&r, SIZE_SIGNATURE);
	if (r.rest.len >= SIZE_ENTRY_PADDING) reader_fail(&r);
	field_zero_rest(&r);
	if (reader_finish(&r) || !inner_ok(&i)) return E_FORMAT;
	*out = i;
	return OK;
}

enum err entryinner_begin(const struct entryinner *i, struct buf *out) {
	size_t start = out->len;
	if (i->body.len > LIMIT_ENTRY_BODY) return E_LIMIT;
	if (!inner_ok(i)) return E_USAGE;
	struct writer w = writer_to(out);
	writer_u8(&w, i->type);
	field_put_hash(&w, &i->account);
	field_put_hash(&w, &i->device);
	writer_u64(&w, i->account_sequence);
	field_put_hash(&w, &i->account_head);
	writer_u64(&w, i->own_sequence);
	field_put_hash(&w, &i->own_hash);
	writer_bytes(&w, i->body);
	return field_encoded(out, start, writer_finish(&w), OK);
}

static size_t padding(size_t len) {
	return (SIZE_ENTRY_PADDING - len % SIZE_ENTRY_PADDING) % SIZE_ENTRY_PADDING;
}

static enum err end_at(size_t inner_start, const uint8_t signature[64], struct buf *out) {
	struct entryinner check;
	size_t start = out->len;
	struct writer w = writer_to(out);
	writer_raw(&w, span_of(signature, SIZE_SIGNATURE));
	writer_zero(&w, padding(out->len - inner_start));
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : entryinner_decode(&check, span_skip(buf_span(out), inner_start)));
}

enum err entryinner_end(const uint8_t signature[64], struct buf *out) {
	return end_at(0, signature, out);
}

enum err entryinner_encode(const struct entryinner *i, struct buf *out) {
	size_t start = out->len;
	if (i->signature.len != SIZE_SIGNATURE) return E_USAGE;
	enum err e = entryinner_begin(i, out);
	if (!e) e = end_at(start, i->signature.ptr, out);
	return field_encoded(out, start, e, OK);
}

static size_t varint_len(size_t v) {
	size_t n = 1;
	while (v >>= 7) n++;
	return n;
}

size_t entryinner_sealed_len(size_t body_len, bool hpke) {
	size_t len = FIXED_LEN + varint_len(body_len) + body_len;
	return len + padding(len) + (hpke ? SIZE_HPKE_OVERHEAD : SIZE_TAG);
}
