/*
 * cli/entryline: an entry of a directory as a line of ls, long and short, and as an object. The first byte is the length of
 * its path, which follows; the rest is the entry's body.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/entryline.h"
#include "cli/say.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct say *says[2];
static struct snapshot snapshot;
static struct buf names;

static void stop(void) {
	for (size_t i = 0; i < 2; i++) say_free(says[i]);
	buf_free(&names);
}

static void start(void) {
	for (size_t i = 0; i < 2; i++) {
		struct say_options options = { .json = i == 1 };
		if (say_new(&options, &says[i]) != OK) abort();
	}
	buf_init(&names, 1024);
	assert(snapshot_add_name(&names, 0, span_text("root")) == OK);
	assert(snapshot_add_name(&names, 1, span_text("a\x1b[2J\xff\"b")) == OK);
	assert(snapshot_add_name(&names, 1000, span_text("ann")) == OK);
	snapshot.users = snapshot.groups =
		(struct snapshot_names){ .count = 3, .items = buf_span(&names) };
	(void)atexit(stop);
}

/* One line of printable bytes, or a JSON object. */
static void check(const struct buf *out, bool is_json) {
	json_error_t problem;
	assert(out->len > 0 && out->ptr[out->len - 1] == '\n');
	for (size_t i = 0; i + 1 < out->len; i++) assert(out->ptr[i] >= 0x20 && out->ptr[i] != 0x7f);
	if (!is_json) return;
	json_t *read = json_loadb((const char *)out->ptr, out->len, JSON_ALLOW_NUL, &problem);
	assert(read && json_is_string(json_object_get(read, "path")));
	json_decref(read);
}

static void print(const struct treelist_item *item, bool is_json, bool is_long) {
	struct entryline l;
	struct hash id = { { 1 } };
	entryline_init(&l, says[is_json], is_long, &snapshot);
	if (is_long) l.snapshot_id = &id;
	assert(entryline_put(&l, item) == OK);
	check(&l.out, is_json);
	buf_clear(&l.out); /* nothing is printed */
	entryline_done(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct treelist_item item = { .path = { NULL, 0 } };
	if (!says[0]) start();
	if (size == 0 || size - 1 < data[0]) return 0;
	item.path = span_of(data + 1, data[0]);
	if (direntry_decode(&item.entry, span_skip(span_of(data, size), 1u + data[0])) != OK) return 0;
	for (int i = 0; i < 4; i++) print(&item, i & 1, i & 2);
	return 0;
}
