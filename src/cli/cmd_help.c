#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/helptext.h"
#include "cli/say.h"
#include "cli/topics.h"
#include "cli/verb.h"
#include "os/terminal.h"

enum {
	WIDTH_MIN = 60,
	WIDTH_MAX = 100,
};

static const struct topics *find_topic(const char *name) {
	for (size_t i = 0; i < topics_count; i++)
		if (strcmp(topics_table[i].name, name) == 0) return &topics_table[i];
	return NULL;
}

static bool is_group(const char *name) {
	for (size_t i = 0; verb_at(i); i++)
		if (verb_in_group(verb_at(i), name, strlen(name))) return true;
	return false;
}

/* What the words of the command line name. False: nothing. */
static bool explain(struct textout *t, const struct invocation *inv, size_t width) {
	char name[2 * INVOCATION_NAME + 2];
	const struct verb *v;

	if (inv->args_n == 0) {
		helptext_overview(t, width);
		return true;
	}
	snprintf(name, sizeof(name), "%.*s%s%.*s", INVOCATION_NAME, inv->args[0],
		inv->args_n > 1 ? " " : "", INVOCATION_NAME, inv->args_n > 1 ? inv->args[1] : "");
	v = verb_find(name);
	if (v) helptext_verb(t, v, width);
	else if (is_group(name)) helptext_group(t, name, width);
	else if (find_topic(name)) helptext_topic(t, find_topic(name), width);
	else return false;
	return true;
}

int cmd_help(const struct invocation *inv) {
	size_t columns = terminal_columns(STDOUT_FILENO);
	size_t width = columns < WIDTH_MIN ? WIDTH_MIN : columns > WIDTH_MAX ? WIDTH_MAX : columns;
	int code = EXITCODE_OK;
	struct textout t;
	struct buf text;

	buf_init(&text, TEXTOUT_MAX);
	t = textout_to(&text);
	if (!explain(&t, inv, width)) {
		say_error(inv->say, "there is no command \"%s%s%s\"; \"broch help\" lists them",
			inv->args[0], inv->args_n > 1 ? " " : "", inv->args_n > 1 ? inv->args[1] : "");
		code = EXITCODE_USAGE;
	} else if (textout_finish(&t) != OK) {
		say_error(inv->say, "out of memory");
		code = EXITCODE_ERROR;
	} else {
		say_bytes(inv->say, buf_span(&text));
	}
	buf_free(&text);
	return code;
}
