#include "format/stamp.h"

#include "format/field.h"
#include "format/limits.h"

void stamp_read(struct reader *r, struct stamp *out) {
	struct stamp s = { .time = moment_read(r) };
	s.host = reader_bytes(r, LIMIT_TEXT);
	s.branch = reader_bytes(r, LIMIT_TEXT);
	s.tags = bytelist_read(r, LIMIT_TAGS, LIMIT_TEXT, true);
	s.parent = field_hash(r);
	s.files = reader_varint(r, UINT64_MAX);
	s.bytes = reader_varint(r, UINT64_MAX);
	s.added = reader_varint(r, UINT64_MAX);
	*out = s;
}

void stamp_write(struct writer *w, const struct stamp *s) {
	moment_write(w, s->time);
	writer_bytes(w, s->host);
	writer_bytes(w, s->branch);
	bytelist_write(w, &s->tags);
	field_put_hash(w, &s->parent);
	writer_varint(w, s->files);
	writer_varint(w, s->bytes);
	writer_varint(w, s->added);
}
