/* broch cat: the contents of one file, to standard output. Nothing is written before it was authenticated. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/looking.h"
#include "cli/say.h"
#include "client/streamread.h"
#include "format/chunktype.h"
#include "os/signals.h"

enum { FOLDER_MAX = 1 << 30, ZEROS = 64 << 10 };

/* Where the next byte of the file comes from: its holes are zeros that no chunk holds. */
struct output {
	struct say *say;
	struct direntry_hole hole;
	bool has_hole;
	uint64_t at;
};

static enum err stopped(const struct output *o) {
	if (interrupt_asked()) return E_CANCELLED;
	return say_gone(o->say) ? E_CANCELLED : OK;
}

static enum err put_zeros(struct output *o, uint64_t n) {
	static const uint8_t zeros[ZEROS];
	enum err e = OK;

	while (n > 0 && !e) {
		size_t now = n < ZEROS ? (size_t)n : ZEROS;

		say_bytes(o->say, span_of(zeros, now));
		o->at += now;
		n -= now;
		e = stopped(o);
	}
	return e;
}

static enum err put_holes(struct output *o) {
	enum err e = OK;

	while (!e && o->has_hole && o->hole.offset == o->at) {
		e = put_zeros(o, o->hole.length);
		o->has_hole = direntry_next_hole(&o->hole);
	}
	return e;
}

static enum err put_data(struct output *o, struct span data) {
	enum err e = put_holes(o);

	while (!e && data.len > 0) {
		size_t n = data.len;

		if (o->has_hole && o->hole.offset - o->at < n) n = (size_t)(o->hole.offset - o->at);
		say_bytes(o->say, span_of(data.ptr, n));
		o->at += n;
		data = span_skip(data, n);
		e = put_holes(o);
	}
	return e ? e : stopped(o);
}

static enum err put_file(struct looking *l, const struct direntry *d, struct why *why) {
	struct output o = { .say = l->inv->say, .hole = { .rest = d->holes.items } };
	struct streamread s;
	struct streamref_item item;
	bool more = true;
	enum err e = streamread_open(&s, l->fetch, CHUNKTYPE_CONTENT, &d->stream, why);

	o.has_hole = direntry_next_hole(&o.hole);
	while (!e) {
		struct fetch_chunk chunk = { .block = NULL };

		e = streamread_next(&s, &item, &more, why);
		if (e || !more) break;
		e = fetch_chunk(l->fetch, CHUNKTYPE_CONTENT, &item.id, &chunk, why);
		if (!e && chunk.bytes.len != item.length)
			e = why_set(why, E_FORGED, "a chunk has not the length that its list says");
		if (!e) e = why_err(why, put_data(&o, chunk.bytes), "interrupted");
		fetch_release(l->fetch, &chunk);
	}
	if (!e) e = why_err(why, put_holes(&o), "interrupted");
	streamread_close(&s);
	return e;
}

static int run(struct looking *l, const struct snapshot *s, const char *path) {
	struct direntry d;
	struct why why = { 0 };
	struct buf bytes;
	bool is_root = true;
	enum err e;

	buf_init(&bytes, FOLDER_MAX);
	e = treelist_find(l->fetch, &s->root, span_text(path), &d, &is_root, &bytes, &why);
	if (!e && (is_root || d.type != DIRENTRY_FILE)) e = why_set(&why, E_USAGE, "it is no file");
	if (!e) e = put_file(l, &d, &why);
	buf_free(&bytes);
	if (!e || say_gone(l->inv->say)) return EXITCODE_OK;
	(void)why_in(&why, path);
	return opening_failed(l->inv, &why);
}

int cmd_cat(const struct invocation *inv) {
	struct looking l;
	struct looking_at at = { .id = { { 0 } } };
	int code = looking_open(&l, inv);

	if (!code) code = looking_begin(&l, inv->args[0], &at);
	if (!code) code = run(&l, &at.snapshot, inv->args[1]);
	looking_done(&at);
	looking_close(&l);
	return code;
}
