#include "cli/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/say.h"
#include "os/terminal.h"

enum { TEXT_MAX = 256 << 20, GAP = 2 };

void table_init(struct table *t, size_t columns, const char *const *heads) {
	assert(columns <= TABLE_COLUMNS);
	*t = (struct table){ .columns = columns };
	buf_init(&t->text, TEXT_MAX);
	for (size_t i = 0; i < columns; i++) table_text(t, heads[i]);
}

void table_done(struct table *t) {
	buf_free(&t->text);
	mem_free(t->ends);
	t->ends = NULL;
}

void table_add(struct table *t, struct span cell) {
	size_t before = t->text.len, width, column = t->cells % t->columns;

	if (t->broken) return;
	if (t->cells == t->ends_room) {
		size_t room = t->ends_room ? t->ends_room * 2 : 64;
		size_t *more = mem_resize(t->ends, room, sizeof(*more));

		t->broken = more == NULL;
		if (t->broken) return;
		t->ends = more;
		t->ends_room = room;
	}
	t->broken = terminal_escape(&t->text, cell) != OK;
	if (t->broken) return;
	t->ends[t->cells++] = t->text.len;
	width = t->text.len == before
		? 0
		: terminal_width(span_of(t->text.ptr + before, t->text.len - before));
	if (width > t->widths[column]) t->widths[column] = width;
}

void table_text(struct table *t, const char *cell) {
	table_add(t, span_text(cell));
}

void table_number(struct table *t, uint64_t n) {
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	table_text(t, text);
}

static struct span cell(const struct table *t, size_t i) {
	size_t from = i > 0 ? t->ends[i - 1] : 0;

	return span_of(t->text.ptr + from, t->ends[i] - from);
}

static void print_row(const struct table *t, struct say *say, size_t first) {
	for (size_t c = 0; c < t->columns; c++) {
		struct span s = cell(t, first + c);
		size_t pad = t->widths[c] - (s.len > 0 ? terminal_width(s) : 0);
		bool last = c + 1 == t->columns;

		if (t->right[c]) say_out(say, "%*s", (int)pad, "");
		while (s.len > 0) { /* it is escaped already; say_out takes a few thousand bytes at once */
			size_t n = s.len < 1000 ? s.len : 1000;

			say_out(say, "%.*s", (int)n, (const char *)s.ptr);
			s = span_skip(s, n);
		}
		if (!last) say_out(say, "%*s", (int)((t->right[c] ? 0 : pad) + GAP), "");
	}
	say_out(say, "\n");
}

static void print_rule(struct say *say, size_t width) {
	for (size_t i = 0; i < width; i++) say_out(say, "-");
	say_out(say, "\n");
}

bool table_print(struct table *t, struct say *say) {
	size_t width = 0, screen = 120;

	if (t->broken) return false;
	for (size_t c = 0; c < t->columns; c++) width += t->widths[c] + (c > 0 ? GAP : 0);
	if (width > screen) width = screen;
	for (size_t i = 0; i + t->columns <= t->cells; i += t->columns) {
		print_row(t, say, i);
		if (i == 0) print_rule(say, width);
	}
	print_rule(say, width);
	return true;
}
