/*
 * One call of broch: the verb, its options with values, its arguments. Parsing checks everything that can be checked
 * without looking at the world; a verb reads its options by name.
 */
#ifndef CLI_INVOCATION_H
#define CLI_INVOCATION_H

#include "cli/exitcode.h"
#include "cli/option.h"
#include "os/why.h"

struct say;
struct verb;

struct invocation_given {
	const struct option *option;
	struct option_value value;
	bool standard; /* not given: the table's value */
};

enum { INVOCATION_NAME = 32 };

struct invocation {
	const struct verb *verb;
	char group[INVOCATION_NAME]; /* the first word of a verb of two, else "" */
	struct say *say;             /* where to print; set by main, not by invocation_parse */
	const char *const *args;     /* ${args_n} of them */
	size_t args_n;
	struct invocation_given *given; /* in the order given, then the standard values */
	size_t given_n;
	size_t given_room;
	const char **args_room;
	bool help; /* --help was given: ${verb} may be NULL */
};

/* The value of an environment variable, or NULL. */
typedef const char *invocation_env_fn(void *context, const char *name);

/*
 * Reads a command line (${argv} without the program's name), which must outlive ${*out}. E_USAGE with the sentence
 * in ${why}; E_NOMEM. invocation_done takes what is returned in either case.
 */
MUST_USE enum err invocation_parse(struct invocation *out, int argc, const char *const *argv,
	invocation_env_fn *env, void *context, struct why *why);

void invocation_done(struct invocation *inv);

/* The option of every verb that is called so. */
const struct option *invocation_common(const char *name);

/*
 * The options of ${inv}'s verb by name. Asking for one that the verb does not have, or as another type, is a
 * programming error and stops the program.
 */
bool invocation_has(
	const struct invocation *inv, const char *name); /* was given, or its variable is set */
bool invocation_flag(const struct invocation *inv, const char *name);
const char *invocation_text(const struct invocation *inv,
	const char *name); /* TEXT PATH FOLDER PATTERN, or as typed; NULL: none */
uint64_t invocation_number(const struct invocation *inv,
	const char *name); /* NUMBER COUNT SIZE SECONDS PERCENT CHOICE CHOICES; 0: none */
int64_t invocation_time(const struct invocation *inv, const char *name); /* 0: none */
struct units_age invocation_age(const struct invocation *inv, const char *name);
struct option_part invocation_part(const struct invocation *inv, const char *name);

/* The ${i}th text given for a repeatable option; NULL behind the last. */
const char *invocation_nth(const struct invocation *inv, const char *name, size_t i);

#endif
