/* Rows of the verb table: into the vault and out of it. */
#include "cli/cmd.h"
#include "cli/optiongroups.h"
#include "cli/verb.h"

static const struct option backup_options[] = {
	{ .name = "exclude",
		.letter = 'e',
		.repeat = true,
		.type = OPTION_PATTERN,
		.arg = "PATTERN",
		.line = "leave out what matches (may be repeated)",
		.more = "See PATTERNS in broch(1)." },
	{ .name = "exclude-file",
		.repeat = true,
		.type = OPTION_PATH,
		.arg = "FILE",
		.line = "leave out what matches a pattern of this file (may be repeated)",
		.more =
			"One pattern a line. Empty lines and lines that start with # are skipped, $NAME is replaced by the "
			"variable, $$ is a dollar." },
	{ .name = "exclude-caches",
		.type = OPTION_FLAG,
		.line = "leave out the contents of folders with a valid CACHEDIR.TAG" },
	{ .name = "one-file-system",
		.letter = 'x',
		.type = OPTION_FLAG,
		.line = "do not go into other file systems" },
	{ .name = "files-from",
		.repeat = true,
		.type = OPTION_PATH,
		.arg = "FILE",
		.line = "also back up the paths in this file, one a line (may be repeated)",
		.more =
			"Each line is a path as it stands, without patterns. Where there is a zero byte in the file, zero bytes end "
			"the paths, as with find -print0, and a newline is a part of one. - reads standard input." },
	{ .name = "stdin", .type = OPTION_FLAG, .line = "back up standard input as one file" },
	{ .name = "stdin-filename",
		.type = OPTION_TEXT,
		.arg = "NAME",
		.standard = "stdin",
		.line = "what that file is called" },
	{ .name = "tag",
		.repeat = true,
		.type = OPTION_TAGS,
		.arg = "TAG[,TAG...]",
		.line = "tags for the snapshot (may be repeated)" },
	{ .name = "host",
		.letter = 'H',
		.type = OPTION_TEXT,
		.arg = "NAME",
		.standing = "this machine's name",
		.line = "the host to name in the snapshot" },
	{ .name = "branch",
		.type = OPTION_TEXT,
		.arg = "NAME",
		.standing = "made of the host and the paths",
		.line = "the line of snapshots that this one continues" },
	{ .name = "time",
		.type = OPTION_TIME,
		.arg = "TIME",
		.standing = "now",
		.line = "the time to name in the snapshot",
		.more = "As \"2026-03-01 14:30:00\". The order of snapshots does not follow it." },
	{ .name = "skip-if-unchanged",
		.type = OPTION_FLAG,
		.line = "make no snapshot where nothing differs from the parent",
		.more =
			"Compares with the branch's newest snapshot: the paths and all beneath them. The folders above them don't count." },
	{ .name = "compression",
		.type = OPTION_CHOICE,
		.arg = "LEVEL",
		.choices = "off|fast|auto|max",
		.standard = "auto",
		.line = "how hard to compress" },
	{ .name = "read-back",
		.type = OPTION_PERCENT,
		.arg = "PERCENT",
		.standard = "1",
		.line = "read this share of what is reused back and check it" },
	{ .name = "checkpoint-every",
		.type = OPTION_SECONDS,
		.arg = "DURATION",
		.standard = "5min",
		.line = "how often a long run makes what it stored reusable" },
	{ .name = NULL },
};

static const struct option restore_options[] = {
	{ .name = "to",
		.alias = "target",
		.letter = 't',
		.type = OPTION_FOLDER,
		.arg = "DIR",
		.line = "the folder to restore into (--target means the same)" },
	{ .name = "path",
		.repeat = true,
		.type = OPTION_TEXT,
		.arg = "PATH",
		.line = "restore only this file or folder of the snapshot (may be repeated)",
		.more = "It arrives as DIR/PATH." },
	{ .name = "include",
		.letter = 'i',
		.repeat = true,
		.type = OPTION_PATTERN,
		.arg = "PATTERN",
		.line = "restore only what matches (may be repeated)" },
	{ .name = "exclude",
		.letter = 'e',
		.repeat = true,
		.type = OPTION_PATTERN,
		.arg = "PATTERN",
		.line = "leave out what matches (may be repeated)" },
	{ .name = "overwrite",
		.type = OPTION_CHOICE,
		.arg = "WHEN",
		.choices = "never|if-changed|always",
		.standard = "always",
		.line = "whether a file that is there already is replaced" },
	{ .name = "verify", .type = OPTION_FLAG, .line = "read every restored file back and compare" },
	{ .name = "sparse",
		.type = OPTION_FLAG,
		.line = "write runs of zeros as holes, even where there were none" },
	{ .name = "allow",
		.repeat = true,
		.type = OPTION_CHOICES,
		.arg = "LIST",
		.choices = "setuid|devices|capabilities|trusted|all",
		.line = "restore these too, which could harm the machine",
		.more =
			"setuid: set-user-id and set-group-id bits; devices: device nodes; capabilities: security.capability; "
			"trusted: trusted.* and all other security.* attributes. Several with commas." },
	{ .name = NULL },
};

const struct verb verbs_data[] = {
	{
		.name = "backup",
		.section = VERB_DAILY,
		.run = cmd_backup,
		.args = "PATH...",
		.takes = VERB_TAKES_PATHS,
		.args_max = VERB_ARGS_MANY,
		.options = { backup_options, optiongroups_dry_run },
		.line = "store files and folders as a snapshot",
		.more =
			"Stores the paths and all below them. A relative path is made absolute from the working folder, without "
			"resolving links; a path that is a link is stored as the link. Files whose size, times and inode did not "
			"change since the branch's newest snapshot are not read again.\n\n"
			"Kept are names as bytes, mode, owner, times to the nanosecond, extended attributes and ACLs, links, hard links, "
			"holes, FIFOs and devices. Sockets, Broch's own state, and any Broch store below a path are left out, with a "
			"note. A file that changes while it is read is read again; if it still changes it is stored and named, and the "
			"exit code is 3. So is it when something could not be read, or one of several paths is not there.\n\n"
			"An interrupted run leaves nothing visible, and the next one uses what it stored.",
		.examples =
			"broch backup ~/Documents ~/Photos\nstores two folders as one snapshot\n"
			"broch backup -x --exclude '*.o' --exclude-caches /home\nleaves out other file systems, objects and caches\n"
			"pg_dump db | broch backup --stdin --stdin-filename db.sql\nstores the output of a program\n",
	},
	{
		.name = "restore",
		.section = VERB_DAILY,
		.run = cmd_restore,
		.args = "SNAPSHOT",
		.takes = VERB_TAKES_SNAPSHOTS,
		.args_min = 1,
		.args_max = 1,
		.options = { restore_options, optiongroups_filter, optiongroups_dry_run },
		.line = "bring a snapshot, or part of it, back",
		.more =
			"What was backed up as /a/b arrives as DIR/a/b. SNAPSHOT is an id, a beginning of one that only one snapshot "
			"has, latest, or latest~N for the Nth before it.\n\n"
			"Nothing is written outside DIR, and nothing through a link, whether it was there before or came from the "
			"snapshot. A file appears only with verified contents; one that is there already is replaced as a whole. Other files in DIR are left alone.\n\n"
			"An owner or a device that an ordinary user can't set is counted and no error; content, an attribute or an ACL "
			"that could not be set is exit code 3.",
		.examples =
			"broch restore latest --to /tmp/back\nrestores the newest snapshot\n"
			"broch restore latest~1 --path /home/ann/letter.odt --to .\nrestores one file as it was before\n",
	},
	{
		.name = "copy",
		.section = VERB_ORDER,
		.run = cmd_copy,
		.args = "",
		.options = { (const struct option[]){
			{ .name = "to",
				.type = OPTION_FOLDER,
				.arg = "DIR",
				.line = "the folder of the mirror" },
			{ .name = "promote",
				.type = OPTION_FLAG,
				.line = "make the mirror the home, from which on it is written to",
				.more = "For when the home is lost. Give the mirror with --at." },
			{ .name = NULL },
		} },
		.line = "make or bring up to date a second copy of the store",
		.more =
			"A mirror holds the same chains and packs; every byte is checked against its name on the way. Opened with "
			"--at it can be read and not written, and commands say how far it lags.",
		.examples =
			"broch copy --to /mnt/second/backup\nmakes a mirror, or brings it up to date\n"
			"broch copy --promote --at /mnt/second/backup\ngoes on there after the home was lost\n",
	},
	{ .name = NULL },
};
