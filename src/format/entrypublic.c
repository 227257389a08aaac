#include "format/entrypublic.h"

#include "format/field.h"

enum { FORM_HERE = 0, FORM_LISTED = 1 };

/* One encoding: a list object only for what doesn't fit here. */
void entrypublic_read_packs(struct reader *r, struct entrypublic_packs *out) {
	struct entrypublic_packs p = { .listed = field_bool(r) };
	if (p.listed) {
		p.count = reader_u64(r);
		p.list = field_hash(r);
		if (p.count <= LIMIT_PACK_NAMES || p.count > LIMIT_LIST_NAMES) reader_fail(r);
	} else {
		p.count = reader_varint(r, LIMIT_PACK_NAMES);
		p.names = hashlist_read(r, (size_t)p.count, true);
		if (p.count == 0) reader_fail(r);
	}
	*out = p;
}

void entrypublic_write_packs(struct writer *w, const struct entrypublic_packs *p) {
	writer_u8(w, p->listed ? FORM_LISTED : FORM_HERE);
	if (p->listed) {
		writer_u64(w, p->count);
		field_put_hash(w, &p->list);
	} else {
		writer_varint(w, hashlist_count(&p->names));
		writer_raw(w, p->names.rows);
	}
}

static void read_keys(struct reader *r, struct entrypublic_keys *k) {
	k->kem = reader_raw(r, SIZE_KEM_PUBLIC);
	k->reader = reader_raw(r, SIZE_SIGN_PUBLIC);
	k->writer = reader_raw(r, SIZE_SIGN_PUBLIC);
	k->admin = reader_raw(r, SIZE_SIGN_PUBLIC);
	k->commitment = field_hash(r);
	k->boxes = field_hash(r);
}

static void write_keys(struct writer *w, const struct entrypublic_keys *k) {
	bool sizes = k->kem.len == SIZE_KEM_PUBLIC && k->reader.len == SIZE_SIGN_PUBLIC &&
		k->writer.len == SIZE_SIGN_PUBLIC && k->admin.len == SIZE_SIGN_PUBLIC;
	if (!w->e && !sizes) w->e = E_USAGE;
	writer_raw(w, k->kem);
	writer_raw(w, k->reader);
	writer_raw(w, k->writer);
	writer_raw(w, k->admin);
	field_put_hash(w, &k->commitment);
	field_put_hash(w, &k->boxes);
}

enum err entrypublic_decode(struct entrypublic *out, struct span in) {
	struct reader r = reader_over(in);
	if (in.len == 0 || in.len > LIMIT_ENTRY_PUBLIC) return E_FORMAT;
	struct entrypublic p = { .kind = reader_u8(&r) };
	switch (p.kind) {
	case ENTRYPUBLIC_NONE: break;
	case ENTRYPUBLIC_CREATE:
		p.birth = field_hash(&r);
		read_keys(&r, &p.keys);
		break;
	case ENTRYPUBLIC_ROTATE: read_keys(&r, &p.keys); break;
	case ENTRYPUBLIC_INTENT: entrypublic_read_packs(&r, &p.packs); break;
	case ENTRYPUBLIC_PURGE:
		p.intent = reader_u64(&r);
		entrypublic_read_packs(&r, &p.packs);
		break;
	case ENTRYPUBLIC_HOME: p.store = field_hash(&r); break;
	default: return E_UNSUPPORTED;
	}
	if (reader_finish(&r)) return E_FORMAT;
	*out = p;
	return OK;
}

enum err entrypublic_encode(const struct entrypublic *p, struct buf *out) {
	size_t start = out->len;
	struct entrypublic check;
	struct writer w = writer_to(out);
	writer_u8(&w, p->kind);
	if (p->kind == ENTRYPUBLIC_CREATE) field_put_hash(&w, &p->birth);
	if (p->kind == ENTRYPUBLIC_CREATE || p->kind == ENTRYPUBLIC_ROTATE) write_keys(&w, &p->keys);
	if (p->kind == ENTRYPUBLIC_PURGE) writer_u64(&w, p->intent);
	if (p->kind == ENTRYPUBLIC_INTENT || p->kind == ENTRYPUBLIC_PURGE)
		entrypublic_write_packs(&w, &p->packs);
	if (p->kind == ENTRYPUBLIC_HOME) field_put_hash(&w, &p->store);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : entrypublic_decode(&check, span_skip(buf_span(out), start)));
}
