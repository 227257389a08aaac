/* Texts that point into the command line, or into a file that was read: paths, tags. */
#ifndef CLI_TEXTLIST_H
#define CLI_TEXTLIST_H

#include "base/buf.h"

struct textlist {
	const char **items;
	size_t count;
};

/* Adds ${text}, borrowed, to an all-zero list or a longer one. E_NOMEM. */
MUST_USE enum err textlist_add(struct textlist *t, const char *text);

/*
 * Adds the lines of ${file}, each as it stands there, without the empty ones; or, where it has zero bytes in it (as find
 * -print0 writes), what stands before each. They point into ${file}, which is cut into texts (its maximum leaves room for
 * one byte more) and stays as it then is. E_NOMEM.
 */
MUST_USE enum err textlist_add_lines(struct textlist *t, struct buf *file);

void textlist_done(struct textlist *t);

#endif
