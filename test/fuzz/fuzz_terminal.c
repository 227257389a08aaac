/*
 * os/terminal, and texts in cli/jsonl: foreign bytes on their way to a terminal or a program. The first byte is a width. What
 * is shown is UTF-8 without anything that acts on a terminal, and can be turned back.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/jsonl.h"
#include "os/terminal.h"

enum { TEXT_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t digit(uint8_t c) {
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void turn_back(struct span shown, struct span text) {
	size_t at = 0;
	for (size_t i = 0; i < shown.len; i++) {
		uint8_t c = shown.ptr[i];
		assert(c >= 0x20 && c != 0x7f && at < text.len);
		if (c == '\\' && shown.ptr[i + 1] == 'x') {
			c = (uint8_t)(digit(shown.ptr[i + 2]) << 4 | digit(shown.ptr[i + 3]));
			i += 3;
		} else if (c == '\\') {
			assert(shown.ptr[++i] == '\\');
		}
		assert(c == text.ptr[at++]);
	}
	assert(at == text.len);
}

static void show(struct span text, size_t columns) {
	struct buf shown;
	buf_init(&shown, 4 * TEXT_MAX);
	assert(terminal_escape(&shown, text) == OK);
	turn_back(buf_span(&shown), text);
	json_t *utf8 = json_stringn(shown.len ? (const char *)shown.ptr : "", shown.len);
	assert(utf8); /* else it is not UTF-8 */
	json_decref(utf8);
	size_t n = terminal_fit(buf_span(&shown), columns);
	assert(n <= shown.len && terminal_width(span_of(shown.ptr, n)) <= columns);
	buf_free(&shown);
}

/* The object says the name as it is, or in hexadecimal beside it. */
static void say(struct span text) {
	struct jsonl *o = jsonl_new("name");
	struct buf line;
	json_error_t problem;
	buf_init(&line, JSONL_MAX);
	jsonl_bytes(o, "path", text);
	jsonl_text(o, "text", text);
	jsonl_add_text(o, "list", text);
	assert(jsonl_write(o, &line) == OK && line.ptr[line.len - 1] == '\n');
	for (size_t i = 0; i + 1 < line.len; i++) assert(line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f);
	json_t *read = json_loadb((const char *)line.ptr, line.len, JSON_ALLOW_NUL, &problem);
	assert(read);
	const json_t *path = json_object_get(read, "path"), *hex = json_object_get(read, "path_bytes");
	assert(json_is_string(path));
	if (hex) assert(json_string_length(hex) == 2 * text.len);
	else
		assert(json_string_length(path) == text.len &&
			(text.len == 0 || memcmp(json_string_value(path), text.ptr, text.len) == 0));
	json_decref(read);
	jsonl_free(o);
	buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0 || size > TEXT_MAX) return 0;
	struct span text = span_of(data + 1, size - 1);
	show(text, data[0]);
	say(text);
	return 0;
}
