/* A backup: walks the sources, stores what is new, and appends the snapshot (doc/spec/formats.md sections 5 and 7). */
#ifndef CLIENT_BACKUP_H
#define CLIENT_BACKUP_H

#include "client/vault.h"
#include "core/pattern.h"
#include "core/squeeze.h"
#include "format/moment.h"

enum backup_note {
	BACKUP_SKIPPED_SOCKET,
	BACKUP_SKIPPED_OWN,   /* this device's own state, or a Broch store */
	BACKUP_SKIPPED_CACHE, /* --exclude-caches */
	BACKUP_UNREADABLE,    /* left out: the sentence says why */
	BACKUP_INCOMPLETE,    /* stored without an attribute that could not be read */
	BACKUP_CHANGED,       /* kept changing while it was read */
	BACKUP_WARNING,
};

/* Called from several threads, one at a time. ${path} is raw bytes, NUL-terminated; ${text} may be "". */
typedef void backup_noted(void *ctx, enum backup_note note, const char *path, const char *text);

struct backup_progress {
	uint64_t files, directories, others; /* seen so far */
	uint64_t files_new, files_unchanged;
	uint64_t bytes;                      /* of file contents: read or known to be unchanged */
	uint64_t bytes_new;                  /* of new chunks, before compression */
	uint64_t stored;                     /* bytes put into the store */
	uint64_t expect_files, expect_bytes; /* of the parent snapshot, or counted ahead; 0: unknown */
	char current[256];
};
typedef void backup_ticked(void *ctx, const struct backup_progress *p);

struct backup_options {
	const char *const *paths; /* absolute or relative to the working folder */
	size_t path_count;
	const struct pattern_set *exclude; /* NULL: none */
	bool exclude_caches;
	bool one_file_system;
	int stdin_fd; /* -1: none; else its contents are the one file */
	const char *stdin_name;
	const char *const *tags;
	size_t tag_count;
	bool dry_run;
	bool skip_unchanged; /* where the tree is the parent's, no snapshot is made */
	bool has_time;
	struct moment time;
	const char *branch; /* NULL: host and sources */
	const char *host;   /* NULL: this machine's name */
	enum squeeze_mode compression;
	unsigned read_back;          /* per 100,000 */
	unsigned threads;            /* 0: as many as processors */
	uint64_t checkpoint_seconds; /* 0: no index entries on the way */
	bool force;                  /* read all files again */
	bool
		count_ahead; /* where no parent tells, the files are counted beside the backup, for its progress */
	backup_noted *noted;
	backup_ticked *ticked;
	void *ctx;
	uint32_t pack_limit; /* tests: smaller packs; 0: full size */
};

struct backup_result {
	struct hash snapshot; /* not on a dry run */
	bool unchanged;       /* skip_unchanged, and it was: the snapshot is the parent */
	struct backup_progress counts;
	uint64_t unreadable, incomplete, changed;
	uint64_t chunks_new, chunks_reused;
};

/*
 * E_CANCELLED: interrupted; what was stored is used by the next run. OK with unreadable, incomplete or changed not 0:
 * done, but not completely. E_USAGE: nothing to back up. E_NOTFOUND: none of
 * the sources is there; where some are, the others are unreadable.
 */
MUST_USE enum err backup_run(
	struct vault *v, const struct backup_options *o, struct backup_result *out, struct why *why);

#endif
