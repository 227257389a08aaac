/* Text that grows in a buf, sticky in failure: for help, manual pages and completions. */
#ifndef CLI_TEXTOUT_H
#define CLI_TEXTOUT_H

#include "base/buf.h"

enum { TEXTOUT_MAX = 4 << 20 };

struct textout {
	struct buf *out;
	enum err e;
};

struct textout textout_to(struct buf *out);

void textout_put(struct textout *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void textout_raw(struct textout *t, const char *text, size_t len);

/*
 * ${text} in lines of at most ${width}, each but the first behind ${indent} spaces; the first goes on at ${column}.
 * An empty line in ${text} divides paragraphs.
 */
void textout_wrap(struct textout *t, const char *text, size_t column, size_t indent, size_t width);

MUST_USE enum err textout_finish(const struct textout *t);

#endif
