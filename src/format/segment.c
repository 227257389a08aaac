#include "format/segment.h"

#include "base/reader.h"
#include "base/writer.h"
#include "format/limits.h"

static struct span read_entry(struct reader *r) {
	uint32_t len = reader_u32(r);
	if (len < 1 || len > LIMIT_ENTRY) reader_fail(r);
	return reader_raw(r, len);
}

enum err segment_check(struct span in) {
	struct reader r = reader_over(in);
	for (uint32_t i = 0; i < LIMIT_SEGMENT_ENTRIES; i++) (void)read_entry(&r);
	return reader_finish(&r);
}

bool segment_next(struct span *rest, struct span *entry) {
	struct reader r = reader_over(*rest);
	if (!reader_more(&r)) return false;
	struct span s = read_entry(&r);
	if (r.bad) return false;
	*entry = s;
	*rest = r.rest;
	return true;
}

enum err segment_add(struct buf *out, struct span entry) {
	size_t start = out->len;
	if (entry.len < 1 || entry.len > LIMIT_ENTRY) return E_USAGE;
	struct writer w = writer_to(out);
	writer_u32(&w, (uint32_t)entry.len);
	writer_raw(&w, entry);
	enum err e = writer_finish(&w);
	if (e) out->len = start;
	return e;
}
