#include "format/vaultbody.h"

#include "format/field.h"

bool vaultbody_is_control(uint8_t type) {
	return type >= VAULTBODY_CREATE && type < VAULTBODY_SNAPSHOT;
}

static struct locationlist read_locations(struct reader *r, uint64_t max) {
	return location_read_list(r, (size_t)reader_varint(r, max), true);
}

static void write_locations(struct writer *w, const struct locationlist *l) {
	if (!w->e && l->rows.len % SIZE_LOCATION) w->e = E_USAGE;
	writer_varint(w, location_count(l));
	writer_raw(w, l->rows);
}

static void read_policy(struct reader *r, struct vaultbody *b) {
	b->hold = reader_u64(r);
	b->trust = reader_u8(r);
	if (b->hold > LIMIT_SECONDS || b->trust > VAULTBODY_TRUST_MEMBERS) reader_fail(r);
}

static void read_create(struct reader *r, struct vaultbody *b) {
	b->root_commitment = field_hash(r);
	b->chunk_min = reader_u32(r);
	b->chunk_max = reader_u32(r);
	b->mask_bits = reader_u8(r);
	if (b->chunk_min < 1 || b->chunk_min > b->chunk_max || b->chunk_max > LIMIT_CHUNK)
		reader_fail(r);
	if (b->mask_bits > LIMIT_MASK_BITS) reader_fail(r);
	read_policy(r, b);
	b->owner = field_hash(r);
}

static void read_summary(struct reader *r, struct vaultbody *b) {
	b->covers = reader_u64(r);
	b->state_hash = field_hash(r);
	streamref_read(r, &b->state);
	b->state_index = location_read(r);
	if (b->state.length == 0 || hash_is_zero(&b->state_index.pack)) reader_fail(r);
}

static void read_keep(struct reader *r, struct vaultbody *b) {
	b->keep_intent = field_bool(r);
	if (b->keep_intent) b->intent = reader_u64(r);
	else b->snapshot = field_hash(r);
	b->added = read_locations(r, LIMIT_INDEXES_ADDED);
}

static void read_forget(struct reader *r, struct vaultbody *b) {
	size_t count = (size_t)reader_varint(r, LIMIT_FORGET);
	b->forget = hashlist_read(r, count, false);
	if (count == 0) reader_fail(r);
}

/* E_UNSUPPORTED, or OK with ${r} behind the body or bad. */
static enum err read_body(struct reader *r, struct vaultbody *b) {
	switch (b->type) {
	case VAULTBODY_CREATE: read_create(r, b); break;
	case VAULTBODY_POLICY: read_policy(r, b); break;
	case VAULTBODY_SUMMARY: read_summary(r, b); break;
	case VAULTBODY_SNAPSHOT:
		b->snapshot = field_hash(r);
		stamp_read(r, &b->stamp);
		b->added = read_locations(r, LIMIT_INDEXES_ADDED);
		break;
	case VAULTBODY_INDEX:
		b->added = read_locations(r, LIMIT_INDEXES_ADDED);
		b->removed = read_locations(r, LIMIT_INDEXES_REMOVED);
		break;
	case VAULTBODY_TAG:
		b->snapshot = field_hash(r);
		b->tags = bytelist_read(r, LIMIT_TAGS, LIMIT_TEXT, true);
		break;
	case VAULTBODY_FORGET: read_forget(r, b); break;
	case VAULTBODY_KEEP: read_keep(r, b); break;
	case VAULTBODY_INTENT: b->removed = read_locations(r, LIMIT_INDEXES_REMOVED); break;
	case VAULTBODY_ROTATE:
	case VAULTBODY_HOME:
	case VAULTBODY_PURGE:
	case VAULTBODY_ACCOUNT: break;
	default: return E_UNSUPPORTED;
	}
	return OK;
}

enum err vaultbody_decode(struct vaultbody *out, uint8_t type, struct span in) {
	struct reader r = reader_over(in);
	struct vaultbody b = { .type = type };
	if (in.len > LIMIT_ENTRY_BODY) return E_FORMAT;
	enum err e = read_body(&r, &b);
	if (e) return e;
	if (reader_finish(&r)) return E_FORMAT;
	*out = b;
	return OK;
}

static void write_policy(struct writer *w, const struct vaultbody *b) {
	writer_u64(w, b->hold);
	writer_u8(w, b->trust);
}

static void write_create(struct writer *w, const struct vaultbody *b) {
	field_put_hash(w, &b->root_commitment);
	writer_u32(w, b->chunk_min);
	writer_u32(w, b->chunk_max);
	writer_u8(w, b->mask_bits);
	write_policy(w, b);
	field_put_hash(w, &b->owner);
}

static void write_summary(struct writer *w, const struct vaultbody *b) {
	writer_u64(w, b->covers);
	field_put_hash(w, &b->state_hash);
	streamref_write(w, &b->state);
	location_write(w, &b->state_index);
}

static void write_keep(struct writer *w, const struct vaultbody *b) {
	writer_u8(w, b->keep_intent);
	if (b->keep_intent) writer_u64(w, b->intent);
	else field_put_hash(w, &b->snapshot);
	write_locations(w, &b->added);
}

static void write_body(struct writer *w, const struct vaultbody *b) {
	switch (b->type) {
	case VAULTBODY_CREATE: write_create(w, b); break;
	case VAULTBODY_POLICY: write_policy(w, b); break;
	case VAULTBODY_SUMMARY: write_summary(w, b); break;
	case VAULTBODY_SNAPSHOT:
		field_put_hash(w, &b->snapshot);
		stamp_write(w, &b->stamp);
		write_locations(w, &b->added);
		break;
	case VAULTBODY_INDEX:
		write_locations(w, &b->added);
		write_locations(w, &b->removed);
		break;
	case VAULTBODY_TAG:
		field_put_hash(w, &b->snapshot);
		bytelist_write(w, &b->tags);
		break;
	case VAULTBODY_FORGET:
		writer_varint(w, hashlist_count(&b->forget));
		writer_raw(w, b->forget.rows);
		break;
	case VAULTBODY_KEEP: write_keep(w, b); break;
	case VAULTBODY_INTENT: write_locations(w, &b->removed); break;
	default: break; /* empty, or refused by decode */
	}
}

enum err vaultbody_encode(const struct vaultbody *b, struct buf *out) {
	size_t start = out->len;
	struct vaultbody check;
	struct writer w = writer_to(out);
	write_body(&w, b);
	enum err e = writer_finish(&w);
	if (!e && out->len - start > LIMIT_ENTRY_BODY) e = E_LIMIT;
	return field_encoded(
		out, start, e, e ? e : vaultbody_decode(&check, b->type, span_skip(buf_span(out), start)));
}
