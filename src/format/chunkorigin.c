#include "format/chunkorigin.h"

#include "format/field.h"

struct chunkorigin chunkorigin_read(struct reader *r) {
	struct chunkorigin o = { .kind = reader_u8(r) };
	if (o.kind > ORIGIN_RECEIVED) reader_fail(r);
	if (o.kind != ORIGIN_OWN) o.id = field_hash(r);
	return o;
}

void chunkorigin_write(struct writer *w, const struct chunkorigin *o) {
	writer_u8(w, o->kind);
	if (o->kind != ORIGIN_OWN) field_put_hash(w, &o->id);
}

bool chunkorigin_equal(const struct chunkorigin *a, const struct chunkorigin *b) {
	return a->kind == b->kind && hash_equal(&a->id, &b->id);
}
