/*
 * A verb of the command line: a row of the table that says what it is called, what it takes, what it does and what
 * help says of it. verb.c puts the rows together.
 */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "cli/invocation.h"
#include "cli/option.h"

enum {
	VERB_GROUPS = 4,          /* tables of options that a verb may put together */
	VERB_ARGS_MANY = 1 << 20, /* as many arguments as the system passes */
};

enum verb_section {
	VERB_START,
	VERB_DAILY,
	VERB_LOOK,
	VERB_ORDER,
	VERB_KEYS,
	VERB_OTHER,
	VERB_SECTIONS
};

/* What an argument is, for completion. */
enum verb_takes {
	VERB_TAKES_NOTHING,
	VERB_TAKES_PATHS,
	VERB_TAKES_SNAPSHOTS,
	VERB_TAKES_VERBS,
};

struct verb {
	const char *name; /* "backup", or two words: "vault list" */
	enum verb_section section;
	bool hidden; /* not in help's list, no manual page */
	int (*run)(const struct invocation
			*inv);    /* gives an enum exitcode; NULL: this program does not have it */
	const char *args; /* for the usage line: "PATH..."; "" for none */
	enum verb_takes takes;
	unsigned args_min;
	unsigned args_max;
	const struct option *options[VERB_GROUPS]; /* ends with a NULL */
	const char *line;                          /* one line of help: what it does */
	const char *more;     /* the manual's text; paragraphs divided by an empty line */
	const char *examples; /* pairs of lines, "command\nwhat it does\n", or NULL */
};

/* The parts of the table. Each ends with a row without a name. */
extern const struct verb verbs_account[];
extern const struct verb verbs_data[];
extern const struct verb verbs_look[];
extern const struct verb verbs_order[];
extern const struct verb verbs_other[];

/* The ${i}th verb of all; NULL behind the last. */
const struct verb *verb_at(size_t i);

/* The verb called ${name} exactly, or NULL. */
const struct verb *verb_find(const char *name);

/* Whether ${v} has two words, the first of which is the ${len} bytes at ${group}. */
bool verb_in_group(const struct verb *v, const char *group, size_t len);

/* The next option of ${v} (NULL: no verb) or of all verbs; ${*i} starts at 0. NULL behind the last. */
const struct option *verb_option(const struct verb *v, size_t *i);

#endif
