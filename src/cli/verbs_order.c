/* Rows of the verb table: keeping a vault in order. */
#include "cli/cmd.h"
#include "cli/optiongroups.h"
#include "cli/verb.h"

static const struct option none[] = { { .name = NULL } };

static const struct option check_options[] = {
	{ .name = "read-data",
		.type = OPTION_FLAG,
		.line = "read and authenticate every pack, not only the structure" },
	{ .name = "read-data-subset",
		.type = OPTION_SUBSET,
		.arg = "SUBSET",
		.line = "the same for a part: n/t, a percentage, or a size",
		.more =
			"2/5 reads the second fifth of the packs, 10% or 500M that much, chosen at random." },
	{ .name = NULL },
};

static const struct option repair_options[] = {
	{ .name = "apply",
		.type = OPTION_FLAG,
		.line = "really write; without it only says what would be written" },
	{ .name = "read-data",
		.type = OPTION_FLAG,
		.line = "read every pack whole, and leave what is damaged out of the index",
		.more = "The next backup then stores again what it still finds of that." },
	{ .name = NULL },
};

static const struct option forget_options[] = {
	{ .name = "keep-last",
		.letter = 'l',
		.type = OPTION_COUNT,
		.arg = "N",
		.line = "keep the last N" },
	{ .name = "keep-hourly",
		.type = OPTION_COUNT,
		.arg = "N",
		.line = "keep the last of each of the last N hours that have one" },
	{ .name = "keep-daily",
		.letter = 'd',
		.type = OPTION_COUNT,
		.arg = "N",
		.line = "keep the last of each of the last N days that have one" },
	{ .name = "keep-weekly",
		.letter = 'w',
		.type = OPTION_COUNT,
		.arg = "N",
		.line = "keep the last of each of the last N weeks that have one" },
	{ .name = "keep-monthly",
		.letter = 'm',
		.type = OPTION_COUNT,
		.arg = "N",
		.line = "keep the last of each of the last N months that have one" },
	{ .name = "keep-yearly",
		.letter = 'y',
		.type = OPTION_COUNT,
		.arg = "N",
		.line = "keep the last of each of the last N years that have one" },
	{ .name = "keep-within",
		.type = OPTION_AGE,
		.arg = "DURATION",
		.line = "keep all that are not older than this before the latest" },
	{ .name = "keep-within-hourly",
		.type = OPTION_AGE,
		.arg = "DURATION",
		.line = "keep one an hour of those not older than this before the latest" },
	{ .name = "keep-within-daily",
		.type = OPTION_AGE,
		.arg = "DURATION",
		.line = "keep one a day of those not older than this before the latest" },
	{ .name = "keep-within-weekly",
		.type = OPTION_AGE,
		.arg = "DURATION",
		.line = "keep one a week of those not older than this before the latest" },
	{ .name = "keep-within-monthly",
		.type = OPTION_AGE,
		.arg = "DURATION",
		.line = "keep one a month of those not older than this before the latest" },
	{ .name = "keep-within-yearly",
		.type = OPTION_AGE,
		.arg = "DURATION",
		.line = "keep one a year of those not older than this before the latest" },
	{ .name = "keep-tag",
		.repeat = true,
		.type = OPTION_TAGS,
		.arg = "TAG[,TAG...]",
		.line = "keep those with all of these tags (may be repeated); \"\": those without" },
	{ .name = "group-by",
		.letter = 'g',
		.type = OPTION_CHOICES,
		.arg = "LIST",
		.choices = "device|host|branch",
		.standard = "device,host,branch",
		.line = "apply the policy to each group of these by itself; \"\" makes one group of all" },
	{ .name = "prune", .type = OPTION_FLAG, .line = "go on with prune" },
	{ .name = NULL },
};

static const struct option tag_options[] = {
	{ .name = "add",
		.repeat = true,
		.type = OPTION_TAGS,
		.arg = "TAG[,TAG...]",
		.line = "add these tags (may be repeated)" },
	{ .name = "remove",
		.repeat = true,
		.type = OPTION_TAGS,
		.arg = "TAG[,TAG...]",
		.line = "remove these tags (may be repeated)" },
	{ .name = "set",
		.repeat = true,
		.type = OPTION_TAGS,
		.arg = "TAG[,TAG...]",
		.line = "replace all tags by these (may be repeated); \"\": by none" },
	{ .name = NULL },
};

const struct verb verbs_order[] = {
	{
		.name = "check",
		.section = VERB_ORDER,
		.run = cmd_check,
		.args = "",
		.options = { check_options },
		.line = "look for damage; never changes anything",
		.more =
			"Checks the chains, the indexes, that every pack is there at its length, and every snapshot's tree. Names each "
			"damaged or missing object and the files it takes with it. Damage is exit code 20.",
	},
	{
		.name = "repair",
		.section = VERB_ORDER,
		.run = cmd_repair,
		.args = "",
		.options = { repair_options },
		.line = "rebuild indexes and caches from the packs",
		.more =
			"Makes the index anew from the packs: what readable indexes say of packs that are there is kept, other packs are "
			"read whole and every chunk in them verified. Writes only new objects and never deletes one. Of entries of a "
			"chain that are damaged or missing it says what can be done; one that is missing and of which the store has a "
			"copy is put back.",
	},
	{
		.name = "forget",
		.section = VERB_ORDER,
		.run = cmd_forget,
		.args = "[SNAPSHOT...]",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_max = VERB_ARGS_MANY,
		.options = { forget_options, optiongroups_filter, optiongroups_max_unused,
			optiongroups_dry_run },
		.line = "give up snapshots, by name or by a policy",
		.more =
			"With snapshots, forgets these. With --keep options, forgets all that none of them keeps, in each group. The "
			"data stays until prune has announced its deletion and the hold has gone by; until then keep undoes it.\n\n"
			"A snapshot dated in the future, or before its predecessor, counts at its place in the chain, so that a wrong or "
			"stolen clock can't push out good snapshots.",
		.examples =
			"broch forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --prune\nkeeps a week of days, five weeks, a year of months\n"
			"broch forget 4f3a9c\nforgets one\n",
	},
	{
		.name = "keep",
		.section = VERB_ORDER,
		.run = cmd_keep,
		.args = "ID...",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_min = 1,
		.args_max = VERB_ARGS_MANY,
		.options = { none },
		.line = "undo a forget, or the announcement of a deletion",
		.more =
			"Takes ids of forgotten snapshots, and announced deletions as prune and vault info print them: @ and a number. Works until the "
			"deletion, which comes no earlier than the hold after its announcement.",
	},
	{
		.name = "prune",
		.section = VERB_ORDER,
		.run = cmd_prune,
		.args = "",
		.options = { optiongroups_max_unused, optiongroups_dry_run },
		.line = "delete data that no snapshot needs",
		.more =
			"First announces which packs are to go; a later prune deletes them once the vault's hold has gone by, unless "
			"they are needed again by then. Backups and restores may run at the same time. Packs that are in part needed "
			"are packed anew where they waste more than --max-unused allows.",
	},
	{
		.name = "tag",
		.section = VERB_ORDER,
		.run = cmd_tag,
		.args = "[SNAPSHOT...]",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_max = VERB_ARGS_MANY,
		.options = { tag_options, optiongroups_filter },
		.line = "change the tags of snapshots",
		.more =
			"The snapshots keep their ids. Without a snapshot, of all that --host, --tag and --branch choose.",
	},
	{ .name = NULL },
};
