#include "format/namelist.h"

#include "format/field.h"
#include "format/limits.h"

enum err namelist_decode(struct hashlist *out, struct span in) {
	struct reader r = reader_over(in);
	enum err e = field_magic(&r, 'l');
	if (e) return e;
	uint64_t count = reader_u64(&r);
	if (count < 1 || count > LIMIT_LIST_NAMES) return E_FORMAT;
	struct hashlist names = hashlist_read(&r, (size_t)count, true);
	if (reader_finish(&r)) return E_FORMAT;
	*out = names;
	return OK;
}

enum err namelist_encode(const struct hashlist *names, struct buf *out) {
	size_t start = out->len;
	struct hashlist check;
	if (hashlist_count(names) > LIMIT_LIST_NAMES) return E_LIMIT;
	struct writer w = writer_to(out);
	field_put_magic(&w, 'l');
	writer_u64(&w, hashlist_count(names));
	writer_raw(&w, names->rows);
	enum err e = writer_finish(&w);
	return field_encoded(
		out, start, e, e ? e : namelist_decode(&check, span_skip(buf_span(out), start)));
}
