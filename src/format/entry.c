#include "format/entry.h"

#include "format/field.h"
#include "format/limits.h"

/* Nothing stands before the first entry. */
static bool links_ok(const struct entry *e) {
	if (e->sequence == 0) {
		return hash_is_zero(&e->chain) && hash_is_zero(&e->previous) && e->control_sequence == 0 &&
			hash_is_zero(&e->control_hash) && e->class == ENTRY_CONTROL;
	}
	return !hash_is_zero(&e->chain) && !hash_is_zero(&e->previous) &&
		e->control_sequence < e->sequence && !hash_is_zero(&e->control_hash);
}

static bool right_ok(const struct entry *e) {
	if (e->class == ENTRY_CONTROL) return e->role == ROLE_ADMIN;
	return e->class == ENTRY_DATA && e->kind == CHAIN_VAULT &&
		(e->role == ROLE_ADMIN || e->role == ROLE_WRITER || e->role == ROLE_GRANT);
}

static bool seal_ok(const struct entry *e) {
	size_t over = e->seal == SEAL_HPKE ? SIZE_HPKE_OVERHEAD : SIZE_TAG;
	if (e->seal != SEAL_BODY && e->seal != (e->kind == CHAIN_ACCOUNT ? SEAL_CONTACT : SEAL_HPKE))
		return false;
	return e->sealed.len > over && (e->sealed.len - over) % SIZE_ENTRY_PADDING == 0;
}

static bool entry_ok(const struct entry *e) {
	return (e->kind == CHAIN_ACCOUNT || e->kind == CHAIN_VAULT) && e->epoch >= 1 && links_ok(e) &&
		right_ok(e) && seal_ok(e);
}

enum err entry_decode(struct entry *out, struct span in) {
	struct reader r = reader_over(in);
	if (in.len > LIMIT_ENTRY) return E_FORMAT;
	enum err err = field_magic(&r, 'e');
	if (err) return err;
	struct entry e = { .kind = reader_u8(&r) };
	e.chain = field_hash(&r);
	e.sequence = reader_u64(&r);
	e.previous = field_hash(&r);
	e.control_sequence = reader_u64(&r);
	e.control_hash = field_hash(&r);
	e.epoch = reader_u32(&r);
	e.class = reader_u8(&r);
	e.role = reader_u8(&r);
	if (e.role == ROLE_GRANT) e.grant = field_hash(&r);
	e.time = reader_i64(&r);
	e.seal = reader_u8(&r);
	e.public_part = reader_bytes(&r, LIMIT_ENTRY_PUBLIC);
	e.nonce = field_hash(&r);
	e.outer_len = in.len - r.rest.len;
	e.sealed = reader_bytes(&r, LIMIT_ENTRY_SEALED);
	e.access_len = in.len - r.rest.len;
	e.access_signature = reader_raw(&r, SIZE_SIGNATURE);
	if (reader_finish(&r) || !entry_ok(&e)) return E_FORMAT;
	*out = e;
	return OK;
}

enum err entry_begin(const struct entry *e, struct buf *out) {
	size_t start = out->len;
	struct writer w = writer_to(out);
	field_put_magic(&w, 'e');
	writer_u8(&w, e->kind);
	field_put_hash(&w, &e->chain);
	writer_u64(&w, e->sequence);
	field_put_hash(&w, &e->previous);
	writer_u64(&w, e->control_sequence);
	field_put_hash(&w, &e->control_hash);
	writer_u32(&w, e->epoch);
	writer_u8(&w, e->class);
	writer_u8(&w, e->role);
	if (e->role == ROLE_GRANT) field_put_hash(&w, &e->grant);
	writer_i64(&w, e->time);
	writer_u8(&w, e->seal);
	writer_bytes(&w, e->public_part);
	field_put_hash(&w, &e->nonce);
	return field_encoded(out, start, writer_finish(&w), OK);
}

enum err entry_sealed(struct span sealed, struct buf *out) {
	size_t start = out->len;
	if (sealed.len > LIMIT_ENTRY_SEALED) return E_LIMIT;
	struct writer w = writer_to(out);
	writer_bytes(&w, sealed);
	return field_encoded(out, start, writer_finish(&w), OK);
}

static enum err end_at(size_t entry_start, const uint8_t signature[64], struct buf *out) {
	struct entry check;
	size_t start = out->len;
	enum err e = buf_add(out, span_of(signature, SIZE_SIGNATURE));
	return field_encoded(
		out, start, e, e ? e : entry_decode(&check, span_skip(buf_span(out), entry_start)));
}

enum err entry_end(const uint8_t signature[64], struct buf *out) {
	return end_at(0, signature, out);
}

enum err entry_encode(const struct entry *e, struct buf *out) {
	size_t start = out->len;
	if (e->access_signature.len != SIZE_SIGNATURE) return E_USAGE;
	enum err err = entry_begin(e, out);
	if (!err) err = entry_sealed(e->sealed, out);
	if (!err) err = end_at(start, e->access_signature.ptr, out);
	return field_encoded(out, start, err, OK);
}
