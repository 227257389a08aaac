/* Rows of the verb table: looking into a vault, changing nothing. */
#include "cli/cmd.h"
#include "cli/optiongroups.h"
#include "cli/verb.h"

static const struct option snapshots_options[] = {
	{ .name = "latest",
		.type = OPTION_NUMBER,
		.arg = "N",
		.line = "only the last N of each host and branch" },
	{ .name = NULL },
};

static const struct option find_options[] = {
	{ .name = "snapshot",
		.letter = 's',
		.repeat = true,
		.type = OPTION_TEXT,
		.arg = "ID",
		.line = "look only in this snapshot (may be repeated)" },
	{ .name = "oldest",
		.letter = 'O',
		.type = OPTION_TIME,
		.arg = "TIME",
		.line = "only files modified at this time or later" },
	{ .name = "newest",
		.letter = 'N',
		.type = OPTION_TIME,
		.arg = "TIME",
		.line = "only files modified at this time or before" },
	{ .name = NULL },
};

static const struct option diff_options[] = {
	{ .name = "metadata",
		.type = OPTION_FLAG,
		.line = "also name what differs only in mode, owner, times or attributes" },
	{ .name = NULL },
};

const struct verb verbs_look[] = {
	{
		.name = "snapshots",
		.section = VERB_DAILY,
		.run = cmd_snapshots,
		.args = "[SNAPSHOT...]",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_max = VERB_ARGS_MANY,
		.options = { snapshots_options, optiongroups_filter },
		.line = "list the snapshots",
		.more = "In the order of the vault's chain, which a wrong clock can't change.",
	},
	{
		.name = "ls",
		.section = VERB_LOOK,
		.run = cmd_ls,
		.args = "[SNAPSHOT [PATH...]]",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_max = VERB_ARGS_MANY,
		.options = { optiongroups_long, optiongroups_filter },
		.line = "list the files of a snapshot",
		.more =
			"Lists everything, or what is at and below the paths. Without a snapshot, of the latest.",
		.examples = "broch ls latest /home/ann\nlists one folder with all below it\n",
	},
	{
		.name = "find",
		.section = VERB_LOOK,
		.run = cmd_find,
		.args = "PATTERN...",
		.args_min = 1,
		.args_max = VERB_ARGS_MANY,
		.options = { find_options, optiongroups_long, optiongroups_filter },
		.line = "find files by name in snapshots",
		.more =
			"See PATTERNS in broch(1). Listed is what a pattern fits itself, not all that is below it. A name found in several "
			"snapshots is listed under each.",
		.examples = "broch find '*.odt'\nlists all such files in all snapshots\n",
	},
	{
		.name = "cat",
		.section = VERB_LOOK,
		.run = cmd_cat,
		.args = "SNAPSHOT PATH",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_min = 2,
		.args_max = 2,
		.options = { optiongroups_filter },
		.line = "write the contents of one file to standard output",
		.more =
			"Nothing is written before it was authenticated. If a later part is damaged the output ends there, and the "
			"exit code is 20.",
	},
	{
		.name = "diff",
		.section = VERB_LOOK,
		.run = cmd_diff,
		.args = "SNAPSHOT SNAPSHOT",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_min = 2,
		.args_max = 2,
		.options = { diff_options, optiongroups_filter },
		.line = "show what differs between two snapshots",
		.more =
			"A line for each: + added, - removed, M contents changed, U only metadata changed, T another type.",
	},
	{
		.name = "stats",
		.section = VERB_LOOK,
		.run = cmd_stats,
		.args = "[SNAPSHOT...]",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_max = VERB_ARGS_MANY,
		.options = { optiongroups_filter },
		.line = "show how much the snapshots hold and how much the store takes",
	},
	{ .name = NULL },
};
