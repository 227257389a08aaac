#include "cli/optiongroups.h"

const struct option optiongroups_common[] = {
	{ .name = "at",
		.type = OPTION_FOLDER,
		.arg = "DIR",
		.env = "BROCH_AT",
		.standing = "the store that init or recover was given",
		.line = "the store: a folder on any disk, stick or mount" },
	{ .name = "vault",
		.type = OPTION_TEXT,
		.arg = "NAME",
		.env = "BROCH_VAULT",
		.standard = "main",
		.line = "the vault to work on" },
	{ .name = "passphrase-file",
		.type = OPTION_PATH,
		.arg = "FILE",
		.env = "BROCH_PASSPHRASE_FILE",
		.standing = "asked for at the terminal",
		.line = "read the passphrase of this device's keys from a file",
		.more =
			"The file holds one line. A newline at its end does not belong to the passphrase." },
	{ .name = "json",
		.type = OPTION_FLAG,
		.line = "print one JSON object a line, each with a \"type\"" },
	{ .name = "quiet",
		.letter = 'q',
		.type = OPTION_FLAG,
		.line = "no progress and no notes; results, warnings and errors stay" },
	{ .name = "verbose",
		.letter = 'v',
		.type = OPTION_FLAG,
		.line = "say more about what is being done" },
	{ .name = "no-progress", .type = OPTION_FLAG, .line = "no progress, but notes" },
	{ .name = "help", .letter = 'h', .type = OPTION_FLAG, .line = "help for the command" },
	{ .name = NULL },
};

const struct option optiongroups_filter[] = {
	{ .name = "host",
		.letter = 'H',
		.repeat = true,
		.type = OPTION_TEXT,
		.arg = "NAME",
		.line = "only snapshots of this host (may be repeated)" },
	{ .name = "tag",
		.repeat = true,
		.type = OPTION_TAGS,
		.arg = "TAG[,TAG...]",
		.line =
			"only snapshots with all of these tags (repeated: or all of those); \"\": without tags" },
	{ .name = "branch",
		.repeat = true,
		.type = OPTION_TEXT,
		.arg = "NAME",
		.line = "only snapshots of this branch (may be repeated)" },
	{ .name = NULL },
};

const struct option optiongroups_dry_run[] = {
	{ .name = "dry-run",
		.letter = 'n',
		.type = OPTION_FLAG,
		.line = "only say what would be done" },
	{ .name = NULL },
};

const struct option optiongroups_long[] = {
	{ .name = "long",
		.letter = 'l',
		.type = OPTION_FLAG,
		.line = "also mode, owner, size and time" },
	{ .name = NULL },
};

const struct option optiongroups_no_passphrase[] = {
	{ .name = "no-passphrase",
		.type = OPTION_FLAG,
		.line = "keep this device's keys without a passphrase",
		.more =
			"Whoever can read the files of this account on this device can then read the vaults. The key store gets "
			"mode 0600." },
	{ .name = NULL },
};

const struct option optiongroups_kit_file[] = {
	{ .name = "kit-file",
		.type = OPTION_PATH,
		.arg = "FILE",
		.standing = "asked for at the terminal",
		.line = "read the recovery kit from a file: the page, or the code alone" },
	{ .name = NULL },
};

const struct option optiongroups_kit_out[] = {
	{ .name = "kit-out",
		.type = OPTION_PATH,
		.arg = "FILE",
		.standing = "shown at the terminal",
		.line = "write the recovery kit's page to a new file",
		.more =
			"The file gets mode 0600 and never takes the place of another. Print it and delete it: who has it has "
			"the account." },
	{ .name = NULL },
};

const struct option optiongroups_max_unused[] = {
	{ .name = "max-unused",
		.type = OPTION_UNUSED,
		.arg = "LIMIT",
		.standard = "5%",
		.line = "leave this much unused data in packs rather than repack them",
		.more = "A size, a percentage of the data, or unlimited." },
	{ .name = NULL },
};
