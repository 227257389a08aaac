/*
 * The one place that prints. Results go to standard output; notes, progress, warnings and errors to standard error.
 * Foreign text is escaped on the way (os/terminal.h), so callers pass names and messages as they are. With --json
 * standard output carries JSON objects only, and warnings and errors are objects too. Safe to call from several
 * threads. A reader that closes standard output is no error: see say_gone.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "base/err.h"
#include "base/span.h"
#include "os/why.h"

struct say;
struct jsonl;

struct say_options {
	bool json;
	bool quiet;
	bool verbose;
	bool no_progress;
};

/* E_NOMEM. Ignores SIGPIPE for the process. */
MUST_USE enum err say_new(const struct say_options *options, struct say **out);

/* Writes out what is left. False if results were lost (disk full; not: the reader went away); it was said then. */
MUST_USE bool say_finish(struct say *s);

void say_free(struct say *s);

bool say_json(const struct say *s); /* results are to be JSON objects */
bool say_verbose(const struct say *s);

/* Results, for people. The formatted text is not escaped: names in it go through say_name or say_escaped. */
void say_out(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_name(struct say *s, struct span name);  /* a name or other foreign text, escaped */
void say_line(struct say *s, struct span name);  /* the same and a newline: fast, for lists */
void say_bytes(struct say *s, struct span data); /* a file's contents, as they are */
void say_object(struct say *s,
	struct jsonl *object);     /* takes and frees ${object}; NULL (no memory) is said as an error */
void say_flush(struct say *s); /* what was printed is to be seen now */

/* Nobody reads standard output any more: a list may stop, other work goes on. */
bool say_gone(struct say *s);

/* One line each to standard error, escaped as a whole. Notes are left out with --quiet, details without --verbose. */
void say_note(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_detail(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_warn(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_error(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The sentence of ${why} as an error, with its code for programs. */
void say_why(struct say *s, const struct why *why);

/* For progress.c: whether to show any and how, and the line at the bottom of the terminal ("" takes it away). */
enum say_progress {
	SAY_PROGRESS_NONE,
	SAY_PROGRESS_LIVE,  /* redrawn in place */
	SAY_PROGRESS_LINES, /* a line now and then */
	SAY_PROGRESS_JSON,  /* the same as objects */
};
enum say_progress say_progress(const struct say *s);
void say_draw(struct say *s, struct span line);
void say_status(
	struct say *s, struct jsonl *object); /* to standard error; takes ${object}; NULL is left out */

#endif
