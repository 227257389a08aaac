#include "cli/textlist.h"

#include <string.h>

#include "base/mem.h"

enum err textlist_add(struct textlist *t, const char *text) {
	const char **more = mem_resize(t->items, t->count + 1, sizeof(*t->items));

	if (!more) return E_NOMEM;
	t->items = more;
	more[t->count++] = text;
	return OK;
}

enum err textlist_add_lines(struct textlist *t, struct buf *file) {
	int mark = file->len > 0 && memchr(file->ptr, '\0', file->len) ? '\0' : '\n';
	enum err e = buf_add_zero(file, 1);

	if (e != OK) return e;
	char *line = (char *)file->ptr, *end = line + file->len - 1; /* the zero byte */

	while (e == OK && line < end) {
		char *stop = memchr(line, mark, (size_t)(end - line));

		if (!stop) stop = end;
		*stop = '\0';
		if (*line != '\0') e = textlist_add(t, line);
		line = stop + 1;
	}
	return e;
}

void textlist_done(struct textlist *t) {
	mem_free(t->items);
	*t = (struct textlist){ 0 };
}
