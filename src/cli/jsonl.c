#include "cli/jsonl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/when.h"
#include "os/terminal.h"

enum { NAME_MAX_BYTES = 16 << 20 };

struct jsonl {
	json_t *object;
	bool bad; /* a member is missing */
};

struct jsonl *jsonl_new(const char *type) {
	struct jsonl *o = mem_zalloc(sizeof(*o));

	if (!o) return NULL;
	o->object = json_object();
	if (!o->object) {
		mem_free(o);
		return NULL;
	}
	jsonl_text(o, "type", span_text(type));
	return o;
}

void jsonl_free(struct jsonl *o) {
	if (!o) return;
	json_decref(o->object);
	mem_free(o);
}

/* Takes ${value}. */
static void set(struct jsonl *o, const char *key, json_t *value) {
	if (!o) json_decref(value);
	else if (json_object_set_new(o->object, key, value) != 0) o->bad = true;
}

/* The text, or its escaped form where it is not UTF-8 (or has a zero byte); ${*exact}: which. */
static json_t *text_value(struct span text, bool *exact) {
	const char *chars = text.len ? (const char *)text.ptr : "";
	json_t *value = json_stringn(chars, text.len);
	struct buf escaped;

	*exact = value != NULL;
	if (value) return value;
	buf_init(&escaped, NAME_MAX_BYTES);
	if (terminal_escape(&escaped, text) == OK && escaped.len > 0)
		value = json_stringn((const char *)escaped.ptr, escaped.len);
	buf_free(&escaped);
	return value;
}

static json_t *hex_value(struct span bytes) {
	static const char digits[] = "0123456789abcdef";
	char *text = mem_alloc(2 * bytes.len + 1);
	json_t *value;

	if (!text) return NULL;
	for (size_t i = 0; i < bytes.len; i++) {
		text[2 * i] = digits[bytes.ptr[i] >> 4];
		text[2 * i + 1] = digits[bytes.ptr[i] & 15];
	}
	value = json_stringn(text, 2 * bytes.len);
	mem_free(text);
	return value;
}

void jsonl_text(struct jsonl *o, const char *key, struct span text) {
	bool exact;

	set(o, key, text_value(text, &exact));
}

void jsonl_number(struct jsonl *o, const char *key, uint64_t n) {
	set(o, key, json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n)));
}

void jsonl_signed(struct jsonl *o, const char *key, int64_t n) {
	set(o, key, json_integer(n));
}

void jsonl_real(struct jsonl *o, const char *key, double n) {
	set(o, key, json_real(n));
}

void jsonl_flag(struct jsonl *o, const char *key, bool on) {
	set(o, key, json_boolean(on));
}

void jsonl_hex(struct jsonl *o, const char *key, struct span bytes) {
	set(o, key, hex_value(bytes));
}

void jsonl_time(struct jsonl *o, const char *key, int64_t ns) {
	char text[WHEN_TEXT];

	jsonl_text(o, key, span_text(when_utc(text, ns)));
}

void jsonl_bytes(struct jsonl *o, const char *key, struct span name) {
	bool exact;
	char other[64];

	set(o, key, text_value(name, &exact));
	if (exact) return;
	snprintf(other, sizeof(other), "%s_bytes", key);
	set(o, other, hex_value(name));
}

static json_t *list(struct jsonl *o, const char *key) {
	json_t *array;

	if (!o) return NULL;
	array = json_object_get(o->object, key);
	if (!array) {
		set(o, key, json_array());
		array = json_object_get(o->object, key);
	}
	return array;
}

void jsonl_list(struct jsonl *o, const char *key) {
	(void)list(o, key);
}

/* The bytes of all texts of ${array}, which were exact up to here, in an array of their own. */
static json_t *bytes_list(struct jsonl *o, json_t *array, const char *other) {
	json_t *bytes = json_object_get(o->object, other);
	size_t i;
	json_t *text;

	if (bytes) return bytes;
	bytes = list(o, other);
	json_array_foreach(array, i, text) {
		struct span exact = span_of(json_string_value(text), json_string_length(text));

		if (!bytes || json_array_append_new(bytes, hex_value(exact)) != 0) o->bad = true;
	}
	return bytes;
}

void jsonl_add_text(struct jsonl *o, const char *key, struct span text) {
	char other[64];
	bool exact;
	json_t *array = list(o, key), *bytes;
	json_t *value = text_value(text, &exact);

	snprintf(other, sizeof(other), "%s_bytes", key);
	if (!array) {
		json_decref(value);
		return;
	}
	bytes = exact ? json_object_get(o->object, other) : bytes_list(o, array, other);
	if (bytes && json_array_append_new(bytes, hex_value(text)) != 0) o->bad = true;
	if (json_array_append_new(array, value) != 0) o->bad = true;
}

/* What is inside ${item}, whose shell is freed. */
static json_t *unwrap(struct jsonl *o, struct jsonl *item) {
	json_t *object;

	if (!item) return NULL;
	object = json_incref(item->object);
	(void)json_object_del(object, "type"); /* fails only where there is none */
	if (o && item->bad) o->bad = true;
	jsonl_free(item);
	return object;
}

void jsonl_add_object(struct jsonl *o, const char *key, struct jsonl *item) {
	json_t *array = list(o, key);
	json_t *object = unwrap(o, item);

	if (!array) json_decref(object);
	else if (json_array_append_new(array, object) != 0) o->bad = true;
}

void jsonl_object(struct jsonl *o, const char *key, struct jsonl *item) {
	set(o, key, unwrap(o, item));
}

/* For json_dump_callback, which leaves DEL as it is. */
static int append(const char *bytes, size_t len, void *context) {
	const char *del = memchr(bytes, 0x7f, len);

	while (del) {
		size_t n = (size_t)(del - bytes);

		if (buf_add(context, span_of(bytes, n)) != OK ||
			buf_add(context, span_text("\\u007f")) != OK)
			return -1;
		bytes = del + 1;
		len -= n + 1;
		del = memchr(bytes, 0x7f, len);
	}
	return buf_add(context, span_of(bytes, len)) == OK ? 0 : -1;
}

enum err jsonl_write(const struct jsonl *o, struct buf *out) {
	if (!o || o->bad) return E_NOMEM;
	/* ASCII only: no character of a name can act on a terminal. */
	if (json_dump_callback(o->object, append, out, JSON_COMPACT | JSON_ENSURE_ASCII) != 0)
		return E_NOMEM;
	return buf_add(out, span_text("\n"));
}
