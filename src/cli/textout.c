#include "cli/textout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_MAX = 4096 };

struct textout textout_to(struct buf *out) {
	return (struct textout){ .out = out, .e = OK };
}

void textout_raw(struct textout *t, const char *text, size_t len) {
	if (t->e == OK) t->e = buf_add(t->out, span_of(text, len));
}

void textout_put(struct textout *t, const char *format, ...) {
	char text[PIECE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		t->e = t->e == OK ? E_LIMIT : t->e;
		return;
	}
	textout_raw(t, text, (size_t)n);
}

void textout_wrap(struct textout *t, const char *text, size_t column, size_t indent, size_t width) {
	bool first = true;

	while (*text != '\0') {
		size_t n = strcspn(text, " \n");
		bool paragraph = text[n] == '\n';

		if (!first && column + 1 + n > width) {
			textout_put(t, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		if (!first) {
			textout_raw(t, " ", 1);
			column++;
		}
		textout_raw(t, text, n);
		column += n;
		first = false;
		text += n;
		text += strspn(text, " \n");
		if (paragraph) {
			textout_put(t, "\n\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
	}
	textout_raw(t, "\n", 1);
}

enum err textout_finish(const struct textout *t) {
	return t->e;
}
