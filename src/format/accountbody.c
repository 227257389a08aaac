#include "format/accountbody.h"

#include "crypto/public.h"
#include "format/field.h"
#include "format/limits.h"

static void read_device(struct reader *r, struct accountbody *b, uint8_t last_kind) {
	devicerecord_read(r, &b->device);
	b->joined = reader_raw(r, SIZE_SIGNATURE);
	if (b->device.kind > last_kind) reader_fail(r);
}

static void read_kit(struct reader *r, struct accountbody *b) {
	devicerecord_read(r, &b->kit);
	if (b->kit.kind != DEVICERECORD_KIT) reader_fail(r);
}

static void read_vault(struct reader *r, struct accountbody_vault *v) {
	v->vault = field_hash(r);
	v->store = field_hash(r);
	v->role = reader_u8(r);
	v->name = reader_bytes(r, LIMIT_VAULT_NAME);
	v->anchor_sequence = reader_u64(r);
	v->anchor_hash = field_hash(r);
	if (v->role < ROLE_GRANT || v->role > ROLE_ADMIN || v->name.len == 0) reader_fail(r);
}

enum err accountbody_decode(struct accountbody *out, uint8_t type, struct span in) {
	struct reader r = reader_over(in);
	struct accountbody b = { .type = type };
	if (in.len > LIMIT_ENTRY_BODY) return E_FORMAT;
	switch (type) {
	case ACCOUNTBODY_CREATE:
		read_device(&r, &b, DEVICERECORD_FULL);
		read_kit(&r, &b);
		b.home = field_hash(&r);
		break;
	case ACCOUNTBODY_ADD_DEVICE: read_device(&r, &b, DEVICERECORD_WRITE_ONLY); break;
	case ACCOUNTBODY_RECOVERY:
		read_kit(&r, &b);
		b.delay = reader_u64(&r);
		if (b.delay > LIMIT_SECONDS) return E_FORMAT;
		break;
	case ACCOUNTBODY_VAULT:
		if (reader_u8(&r) != 1) return in.len ? E_UNSUPPORTED : E_FORMAT;
		read_vault(&r, &b.vault);
		break;
	case ACCOUNTBODY_ROTATE:
	case ACCOUNTBODY_HOME: break;
	default: return E_UNSUPPORTED;
	}
	if (reader_finish(&r)) return E_FORMAT;
	*out = b;
	return OK;
}

static void write_device(struct writer *w, const struct accountbody *b) {
	if (!w->e && b->joined.len != SIZE_SIGNATURE) w->e = E_USAGE;
	devicerecord_write(w, &b->device);
	writer_raw(w, b->joined);
}

static void write_vault(struct writer *w, const struct accountbody_vault *v) {
	writer_u8(w, 1);
	field_put_hash(w, &v->vault);
	field_put_hash(w, &v->store);
	writer_u8(w, v->role);
	writer_bytes(w, v->name);
	writer_u64(w, v->anchor_sequence);
	field_put_hash(w, &v->anchor_hash);
}

enum err accountbody_encode(const struct accountbody *b, struct buf *out) {
	size_t start = out->len;
	struct accountbody check;
	struct writer w = writer_to(out);
	if (b->type == ACCOUNTBODY_CREATE || b->type == ACCOUNTBODY_ADD_DEVICE) write_device(&w, b);
	if (b->type == ACCOUNTBODY_CREATE || b->type == ACCOUNTBODY_RECOVERY)
		devicerecord_write(&w, &b->kit);
	if (b->type == ACCOUNTBODY_CREATE) field_put_hash(&w, &b->home);
	if (b->type == ACCOUNTBODY_RECOVERY) writer_u64(&w, b->delay);
	if (b->type == ACCOUNTBODY_VAULT) write_vault(&w, &b->vault);
	enum err e = writer_finish(&w);
	return field_encoded(out, start, e,
		e ? e : accountbody_decode(&check, b->type, span_skip(buf_span(out), start)));
}
