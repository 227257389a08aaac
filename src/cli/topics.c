#include "cli/topics.h"

#include "cli/verb.h"

const char topics_line[] = "encrypted backup with one door: yours";

const char topics_description[] =
	"Broch keeps snapshots of files and folders in an encrypted vault, which lies in a folder on any disk, stick or "
	"mount. Whoever has the folder learns neither contents nor names, and can change nothing without being noticed. "
	"Equal data is stored once, whatever file it is in.\n\n"
	"An account opens with the keys of one of its devices, or with its recovery kit: 28 characters, shown once by broch "
	"init. Without either nobody can open it, nor make another way in.";

const char *const topics_sections[VERB_SECTIONS] = {
	[VERB_START] = "Start",
	[VERB_DAILY] = "Every day",
	[VERB_LOOK] = "Look into snapshots",
	[VERB_ORDER] = "Keep in order",
	[VERB_KEYS] = "Vaults, kit and devices",
	[VERB_OTHER] = "Other",
};

static const struct topics_item snapshots[] = {
	{ "ID", "the snapshot's id, or a beginning of it that no other has" },
	{ "latest", "the last in the vault's chain of those that --host, --tag and --branch leave" },
	{ "latest~N", "the Nth before that" },
	{ NULL, NULL },
};

static const struct topics_item patterns[] = {
	{ "*", "any number of bytes within a name" },
	{ "?", "one character within a name" },
	{ "[a-z]", "one character of these; [^a-z]: one that is none of these" },
	{ "**", "any number of folders, also none; only as a whole component: /home/**/cache" },
	{ "\\", "takes the next character as it is" },
	{ "!", "at the beginning: takes back what the patterns before matched" },
	{ NULL, NULL },
};

static const struct topics_item units[] = {
	{ "sizes",
		"a number of bytes, or with K, M, G or T behind it (1024 of the one before): 512K, 16M" },
	{ "durations",
		"numbers with units: y, m (months), w, d, h, min, s. 7d, 12h, 2y5m7d3h. Where a fixed length is needed, "
		"y and m can't be used" },
	{ "times",
		"\"2026-03-01\", \"2026-03-01 14:30\" or \"2026-03-01 14:30:05\" in local time, the latter two also with Z or "
		"+01:00 behind them; or now" },
	{ NULL, NULL },
};

static const struct topics_item environment[] = {
	{ "BROCH_AT", "stands for --at" },
	{ "BROCH_VAULT", "stands for --vault" },
	{ "BROCH_PASSPHRASE_FILE", "stands for --passphrase-file: a file's name, never a passphrase" },
	{ "BROCH_HOME", "where this device's state is kept, with caches in BROCH_HOME/cache" },
	{ "XDG_STATE_HOME, XDG_CACHE_HOME",
		"without BROCH_HOME: state is in XDG_STATE_HOME/broch, else ~/.local/state/broch; caches "
		"are in XDG_CACHE_HOME/broch, else ~/.cache/broch" },
	{ NULL, NULL },
};

static const struct topics_item exits[] = {
	{ "0", "done" },
	{ "1", "error" },
	{ "2", "the command line makes no sense; nothing was done" },
	{ "3", "done but incomplete: something was left out, and named" },
	{ "10", "no such store, vault or snapshot; or no account on this device" },
	{ "12", "wrong passphrase or kit" },
	{ "20", "an object of the store is damaged, forged or missing" },
	{ "21", "the store shows an older state than this device has seen, or a fork" },
	{ "130",
		"interrupted; nothing half-made is visible, and what was stored is used by the next run" },
	{ NULL, NULL },
};

const struct topics topics_table[] = {
	{ "snapshots", "NAMING SNAPSHOTS", "", snapshots },
	{ "patterns", "PATTERNS",
		"A pattern is compared component by component with any part of a path, or from its beginning where the pattern "
		"starts with a slash. What matches a folder matches all below it.",
		patterns },
	{ "units", "SIZES, DURATIONS AND TIMES", "", units },
	{ "output", "OUTPUT",
		"Results go to standard output; progress, notes, warnings and errors to standard error. Characters in names that a "
		"terminal would act on or that can't be seen are printed as \\xNN, a byte each, and a backslash as two. With --json "
		"each line is an object with a \"type\"; names that are not UTF-8 come with their bytes in hexadecimal.",
		NULL },
	{ "environment", "ENVIRONMENT", "", environment },
	{ "exit-codes", "EXIT STATUS", "", exits },
};
const size_t topics_count = sizeof(topics_table) / sizeof(topics_table[0]);
