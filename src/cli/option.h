/*
 * One option of a verb: a row of a table from which parsing, help text, man pages and completion are made; and the
 * reading of its value.
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/units.h"

enum option_type {
	OPTION_FLAG, /* no value */
	OPTION_TEXT, /* any text but none */
	OPTION_TAGS, /* tags with commas between them; "": no tag */
	OPTION_PATH, /* a file or folder; completed as such */
	OPTION_FOLDER,
	OPTION_PATTERN, /* a pattern of core/pattern.h; checked */
	OPTION_NUMBER,  /* digits */
	OPTION_COUNT,   /* digits, or `unlimited` (UINT64_MAX) */
	OPTION_SIZE,    /* bytes, as 16M */
	OPTION_SECONDS, /* a duration without months and years, as 7d or 12h */
	OPTION_AGE,     /* a duration on the calendar, as 2y5m7d3h */
	OPTION_PERCENT, /* in millionths */
	OPTION_TIME,    /* nanoseconds since 1970 */
	OPTION_CHOICE,  /* one of ${choices}: its place */
	OPTION_CHOICES, /* several of ${choices}, with commas: a bit each */
	OPTION_SUBSET,  /* a part n/t, a percentage, or a size */
	OPTION_UNUSED,  /* a size, a percentage, or `unlimited` */
};

struct option {
	const char *name;  /* without the dashes; a table ends with a NULL */
	const char *alias; /* another name that is accepted, or NULL */
	char letter;       /* a short form, or 0 */
	bool repeat;       /* each time adds; otherwise the last one counts */
	enum option_type type;
	const char *arg;      /* what help calls the value */
	const char *choices;  /* words, divided by `|` */
	const char *standard; /* the value when not given, as text; NULL: none */
	const char *
		standing; /* help's words for what happens when not given, where that is not a fixed value */
	const char *env;  /* the variable that stands for it */
	const char *line; /* one line of help */
	const char *more; /* more for the manual page, or NULL */
};

enum option_part_kind {
	OPTION_PART_RATIO,   /* part ${a} of ${b} */
	OPTION_PART_PERCENT, /* ${a} millionths */
	OPTION_PART_BYTES,   /* ${a} bytes */
	OPTION_PART_ALL,     /* unlimited */
};

struct option_part {
	enum option_part_kind kind;
	uint64_t a;
	uint64_t b;
};

/* What was given. Which member counts follows from the option's type. */
struct option_value {
	const char *text; /* as typed; points into the command line or the environment */
	uint64_t number;  /* NUMBER COUNT SIZE SECONDS PERCENT CHOICE CHOICES */
	int64_t time;     /* TIME */
	struct units_age age;
	struct option_part part;
};

enum { OPTION_PROBLEM = 256 };

/* Reads ${text} as a value of ${o}. E_USAGE with what would be right in ${problem} ("is not a size such as 512K or 16M"). */
MUST_USE enum err option_read(const struct option *o, const char *text, struct option_value *out,
	char problem[OPTION_PROBLEM]);

/* The ${i}th of words divided by `|`: its length, its beginning to ${*word}; 0 behind the last. */
size_t option_word(const char *choices, size_t i, const char **word);

#endif
