#include "cli/snapshotrow.h"

#include <stdio.h>

const char *snapshotrow_id(char out[SNAPSHOTROW_ID], const struct hash *id) {
	char hex[HASH_HEX];

	hash_hex(hex, id);
	snprintf(out, SNAPSHOTROW_ID, "%.*s", SNAPSHOTROW_ID - 1, hex);
	return out;
}

enum err snapshotrow_join(struct buf *out, const struct bytelist *list) {
	struct span rest = list->items, item;
	bool first = true;
	enum err e = OK;

	while (!e && bytelist_next(&rest, &item)) {
		if (!first) e = buf_add(out, span_text(", "));
		if (!e) e = buf_add(out, item);
		first = false;
	}
	return e;
}

int64_t snapshotrow_ns(struct moment m) {
	if (m.seconds > INT64_MAX / 1000000000 - 1) return INT64_MAX;
	if (m.seconds < INT64_MIN / 1000000000 + 1) return INT64_MIN;
	return m.seconds * 1000000000 + m.nanos;
}

static void add_list(struct jsonl *o, const char *key, const struct bytelist *list) {
	struct span rest = list->items, item;

	jsonl_list(o, key);
	while (bytelist_next(&rest, &item)) jsonl_add_text(o, key, item);
}

struct jsonl *snapshotrow_json(
	const char *type, const struct vault_snapshot *s, const struct snapshot *object) {
	struct jsonl *o = jsonl_new(type);

	jsonl_hex(o, "snapshot", hash_span(&s->id));
	jsonl_number(o, "sequence", s->sequence);
	jsonl_hex(o, "device", hash_span(&s->device));
	jsonl_time(o, "time", snapshotrow_ns(s->stamp.time));
	jsonl_bytes(o, "host", s->stamp.host);
	jsonl_bytes(o, "branch", s->stamp.branch);
	add_list(o, "tags", &s->stamp.tags);
	if (!hash_is_zero(&s->stamp.parent)) jsonl_hex(o, "parent", hash_span(&s->stamp.parent));
	jsonl_number(o, "files", s->stamp.files);
	jsonl_number(o, "bytes", s->stamp.bytes);
	jsonl_number(o, "bytes_stored", s->stamp.added);
	if (!object) return o;
	add_list(o, "paths", &object->paths);
	jsonl_bytes(o, "user", object->user);
	jsonl_text(o, "program", object->program);
	jsonl_time(o, "started", snapshotrow_ns(object->started));
	jsonl_time(o, "ended", snapshotrow_ns(object->ended));
	jsonl_number(o, "directories", object->directories);
	jsonl_number(o, "others", object->others);
	jsonl_number(o, "unreadable", object->unreadable);
	jsonl_number(o, "changed", object->changed);
	return o;
}
