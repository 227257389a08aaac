/* Rows of the verb table: the program itself. */
#include "cli/cmd.h"
#include "cli/verb.h"

static const struct option none[] = { { .name = NULL } };

const struct verb verbs_other[] = {
	{
		.name = "version",
		.section = VERB_OTHER,
		.run = cmd_version,
		.args = "",
		.options = { none },
		.line = "print the versions of this program and of its formats",
	},
	{
		.name = "help",
		.section = VERB_OTHER,
		.run = cmd_help,
		.args = "[COMMAND]",
		.takes = VERB_TAKES_VERBS,
		.args_max = 2,
		.options = { none },
		.line = "list the commands, or explain one",
		.more =
			"Without an argument lists all commands; with one prints what its manual page says.",
	},
	{
		.name = "generate",
		.section = VERB_OTHER,
		.hidden = true,
		.run = cmd_generate,
		.args = "man DIR | completion bash|zsh|fish",
		.args_min = 2,
		.args_max = 2,
		.options = { none },
		.line = "write the manual pages to a folder, or a shell's completion to standard output",
		.more =
			"For packagers. Everything is made from the tables that the command line is read with.",
	},
	{ .name = NULL },
};
