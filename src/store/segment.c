#include "store/segment.h"

#include "base/reader.h"
#include "base/writer.h"
#include "os/file.h"

static enum err gather(struct folder *f, const struct hash *chain, uint64_t base, struct buf *out) {
	struct buf one;
	buf_init(&one, STORE_ENTRY_MAX);
	struct writer w = writer_to(out);
	enum err e = OK;
	for (uint64_t i = 0; e == OK && i < FOLDER_SEGMENT; i++) {
		struct folder_path path = folder_entry(chain, base + i);
		buf_clear(&one);
		e = file_read_whole(f->root, path.text, STORE_ENTRY_MAX, &one, NULL);
		writer_u32(&w, (uint32_t)one.len);
		writer_raw(&w, buf_span(&one));
	}
	if (e == OK) e = writer_finish(&w);
	buf_free(&one);
	return e;
}

void segment_write(struct folder *f, const struct hash *chain, uint64_t base) {
	struct folder_path path = folder_segment(chain, base);
	uint64_t size;
	if (folder_look(f, &path, &size, NULL) == OK) return;
	struct buf all;
	buf_init(&all, SEGMENT_MAX);
	/* Without it readers take the entries one by one. */
	if (gather(f, chain, base, &all) == OK)
		err_ignore(folder_place(f, &path, buf_span(&all), true, NULL));
	buf_free(&all);
}

struct span segment_next(struct span *rest) {
	struct reader r = reader_over(*rest);
	uint32_t len = reader_u32(&r);
	struct span entry = reader_raw(&r, len);
	*rest = r.rest;
	return entry;
}

static bool is_whole(struct span in) {
	struct reader r = reader_over(in);
	for (int i = 0; i < FOLDER_SEGMENT; i++) {
		uint32_t len = reader_u32(&r);
		if (len == 0 || len > STORE_ENTRY_MAX) return false;
		(void)reader_raw(&r, len);
	}
	return reader_finish(&r) == OK;
}

enum err segment_read(struct folder *f, const struct hash *chain, uint64_t base, struct buf *out) {
	/* An entry exists when its file does, whatever a segment says. */
	struct folder_path last = folder_entry(chain, base + FOLDER_SEGMENT - 1);
	uint64_t size;
	enum err e = folder_look(f, &last, &size, NULL);
	if (e != OK) return e;
	struct folder_path path = folder_segment(chain, base);
	buf_clear(out);
	e = file_read_whole(f->root, path.text, SEGMENT_MAX, out, NULL);
	if (e != OK) return e;
	return is_whole(buf_span(out)) ? OK : E_FORMAT;
}
