/* Rows of the verb table: accounts, vaults, kits, devices. */
#include "cli/cmd.h"
#include "cli/optiongroups.h"
#include "cli/verb.h"

static const struct option none[] = { { .name = NULL } };

static const struct option init_options[] = {
	{ .name = "hold",
		.type = OPTION_SECONDS,
		.arg = "DURATION",
		.standard = "7d",
		.line = "how long deleted data stays recoverable",
		.more =
			"Prune only announces what it is going to delete, and deletes it once this long has gone by. 0 is possible "
			"here and never later." },
	{ .name = NULL },
};

static const struct option recover_options[] = {
	{ .name = "promote",
		.type = OPTION_FLAG,
		.line = "the store is a mirror and its home is lost: make it the home",
		.more = "What was written to the home since the last copy is lost to the account." },
	{ .name = NULL },
};

static const struct option accept_options[] = {
	{ .name = "confirm",
		.type = OPTION_TEXT,
		.arg = "WORDS",
		.standing = "asked for at the terminal",
		.line = "the words that the command asks to be typed" },
	{ .name = NULL },
};

static const struct option replace_options[] = {
	{ .name = "lost",
		.type = OPTION_FLAG,
		.line = "the kit is lost: possible while this is the account's only device" },
	{ .name = NULL },
};

const struct verb verbs_account[] = {
	{
		.name = "init",
		.section = VERB_START,
		.run = cmd_init,
		.args = "",
		.options = { init_options, optiongroups_no_passphrase, optiongroups_kit_out },
		.line = "make an account, its first vault and its recovery kit",
		.more =
			"Makes a new account with this machine as its first device, and the vault \"main\", in the folder given with "
			"--at, which must not exist or must be empty. Shows the recovery kit, once: its secret is kept nowhere on this "
			"device. Later commands on this machine remember the store and need no --at.\n\n"
			"Refuses, changing nothing, a folder that is not empty, a file system that can't put a file in place without "
			"replacing another, and a machine that has an account already.\n\n"
			"Asks nothing when given --at, --kit-out, and --passphrase-file or --no-passphrase.",
		.examples =
			"broch init --at /mnt/disk/backup\nasks for a passphrase and shows the recovery kit\n"
			"broch init --at /mnt/nas/backup --passphrase-file pass --kit-out kit.txt\nasks nothing\n",
	},
	{
		.name = "recover",
		.section = VERB_START,
		.run = cmd_recover,
		.args = "",
		.options = { recover_options, optiongroups_kit_file, optiongroups_no_passphrase },
		.line = "open an account on this machine with its recovery kit",
		.more =
			"Opens the account and its vaults from the kit and the store alone, and adds this machine to the account as a "
			"new device. The kit may be typed, or given with --kit-file as the page or as the code alone, in any case, with "
			"or without spaces and hyphens. A mistyped character is named. Says when the newest snapshot of each vault was made: a fresh machine has nothing "
			"else to tell an old copy of the store by.\n\n"
			"Refuses a machine that has an account already.",
		.examples = "broch recover --at /mnt/disk/backup\nasks for the kit and a new passphrase\n",
	},
	{
		.name = "vault list",
		.section = VERB_KEYS,
		.run = cmd_vault_list,
		.args = "",
		.options = { none },
		.line = "list the vaults of the account",
	},
	{
		.name = "vault create",
		.section = VERB_KEYS,
		.run = cmd_vault_create,
		.args = "NAME",
		.args_min = 1,
		.args_max = 1,
		.options = { init_options },
		.line = "make another vault, with keys and history of its own",
		.more = "Vaults share nothing: what is stored in two of them is stored twice.",
	},
	{
		.name = "vault info",
		.section = VERB_KEYS,
		.run = cmd_vault_info,
		.args = "[NAME]",
		.args_max = 1,
		.options = { none },
		.line = "show a vault's id, store, hold, head and sizes",
	},
	{
		.name = "kit verify",
		.section = VERB_KEYS,
		.run = cmd_kit_verify,
		.args = "",
		.options = { optiongroups_kit_file },
		.line = "prove that a recovery kit opens this account",
		.more =
			"Opens the account with the kit alone, as recover would, and changes nothing. A wrong kit is exit code 12.",
	},
	{
		.name = "kit replace",
		.section = VERB_KEYS,
		.run = cmd_kit_replace,
		.args = "",
		.options = { replace_options, optiongroups_kit_file, optiongroups_kit_out },
		.line = "make a new recovery kit and the old one useless for everything new",
		.more =
			"Needs the kit that counts now; or --lost, while this is the only device. The new page is given before the old "
			"kit becomes useless. If this is interrupted, run it again: it goes on where it was.\n\n"
			"What was stored before stays readable to whoever has the old kit and a copy of the store of that time; "
			"nothing newer does.",
	},
	{
		.name = "device list",
		.section = VERB_KEYS,
		.run = cmd_device_list,
		.args = "",
		.options = { none },
		.line = "list the devices of the account, and since when each is one",
	},
	{
		.name = "accept-older",
		.section = VERB_ORDER,
		.run = cmd_accept_older,
		.args = "",
		.options = { accept_options },
		.line = "go on with a store that shows an older state than this device has seen",
		.more =
			"A store that went back, because it was itself restored from a copy or because somebody set it back, stops "
			"every command with exit code 21. This is the only way on. It says what is lost, asks for words to be typed, and "
			"records in this device's state that the older one was accepted.",
	},
	{ .name = NULL },
};
