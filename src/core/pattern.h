/*
 * Patterns that choose paths, with restic's rules. A pattern is matched component by component against any run of a
 * path's components (from the root only, if it starts with a slash), so that what matches a directory matches all
 * below it. In a component `*` stands for any bytes, `?` for one character, `[a-z]` and `[^a-z]` for one of a class,
 * `\` takes the next character as it is; a component `**` stands for any number of components, also none. A pattern
 * that starts with `!` takes back what the patterns before it matched.
 */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include "base/err.h"
#include "base/span.h"

enum {
	PATTERN_MAX = 65536,         /* bytes of one pattern */
	PATTERN_PARTS_MAX = 4096,    /* components of one pattern */
	PATTERN_SET_MAX = 1000000,   /* patterns of a set */
	PATTERN_FILE_MAX = 64 << 20, /* bytes of a file of patterns */
};

struct pattern_set;

/* What a set says of a path. */
struct pattern_verdict {
	bool matched;
	bool
		children; /* something below the path may match: a walk that looks for matches must go in */
};

/* An empty set; E_NOMEM. */
MUST_USE enum err pattern_set_new(struct pattern_set **out);

void pattern_set_free(struct pattern_set *set);

/*
 * Adds a pattern, which is copied. An empty one is ignored. E_FORMAT for one that is malformed (`[` without `]`, a
 * backslash at the end, an empty or backward range, a lone `!`, a NUL), E_LIMIT, E_NOMEM; the set is then as before.
 */
MUST_USE enum err pattern_set_add(struct pattern_set *set, struct span pattern);

/* The value of a variable for patterns in files: the text, or NULL; ${name} is not NUL-terminated. */
typedef const char *pattern_variable_fn(void *context, struct span name);

/*
 * Adds the patterns of a file's text, one a line: white space around a line is cut, empty lines and lines that start
 * with `#` are skipped, `$NAME` and `${NAME}` are replaced (by nothing where ${variable} is NULL or gives NULL), `$$`
 * is a dollar. Errors as above, with the line, counted from 1, in ${*line_out}; lines before it were added.
 */
MUST_USE enum err pattern_set_add_lines(struct pattern_set *set, struct span text,
	pattern_variable_fn *variable, void *context, size_t *line_out);

bool pattern_set_is_empty(const struct pattern_set *set);

/*
 * Whether the set chooses ${path} itself: a pattern fits up to the path's last component, not only a folder above it.
 * What is below something that a pattern with `!` fits is taken back all the same.
 */
bool pattern_set_chooses(const struct pattern_set *set, struct span path);

/* What the set says of ${path}: absolute or relative, components divided by single slashes. An empty set matches nothing. */
struct pattern_verdict pattern_set_match(const struct pattern_set *set, struct span path);

#endif
