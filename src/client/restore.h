/*
 * A restore: brings a snapshot, or part of it, back into a folder (doc/spec/formats.md sections 4, 5 and 7). Everything goes
 * through descriptors of folders that were opened step by step: nothing is written outside the target, nothing through a
 * link, whether it was there before or came from the snapshot.
 */
#ifndef CLIENT_RESTORE_H
#define CLIENT_RESTORE_H

#include "client/vault.h"
#include "core/pattern.h"

enum restore_overwrite { RESTORE_NEVER, RESTORE_IF_CHANGED, RESTORE_ALWAYS };

/* What could harm the machine, and is only restored when it is asked for. */
enum restore_allow {
	RESTORE_SETUID = 1, /* set-user-id and set-group-id bits */
	RESTORE_DEVICES = 2,
	RESTORE_CAPABILITIES = 4, /* security.capability */
	RESTORE_TRUSTED = 8,      /* trusted.* and every other security.* */
	RESTORE_ALLOW_ALL = 15,
};

enum restore_note {
	RESTORE_ITEM,       /* with ${each}: it is in its place (or would be: dry run) */
	RESTORE_ITEM_KEPT,  /* with ${each}: what was there is left as it was */
	RESTORE_DAMAGED,    /* not restored: an object of the store is damaged or missing */
	RESTORE_FAILED,     /* not restored: the sentence says why */
	RESTORE_INCOMPLETE, /* restored without something; the sentence says what */
	RESTORE_UNKNOWN,    /* of a type that this version does not know: not restored */
	RESTORE_WARNING,
};

/* Called from several threads, one at a time. ${path} is raw bytes: absolute, as in the snapshot; ${text} may be "". */
typedef void restore_noted(void *ctx, enum restore_note note, struct span path, const char *text);

/* Called from several threads at once: more files and bytes are done. */
typedef void restore_moved(void *ctx, uint64_t files, uint64_t bytes);

/* What is to come in all; called once, unless only a part is restored. */
typedef void restore_expected(void *ctx, uint64_t files, uint64_t bytes);

/* Now and then: the folder that is being looked at. */
typedef void restore_at(void *ctx, struct span path);

struct restore_options {
	struct hash snapshot;
	const char *target;       /* made if it is missing */
	const char *const *paths; /* only these and what is below them; none: all */
	size_t path_count;
	bool *paths_missing; /* NULL, or one for each path: set where there is nothing by that name */
	const struct pattern_set *include, *exclude; /* NULL: none */
	enum restore_overwrite overwrite;
	unsigned allow; /* enum restore_allow */
	bool dry_run, verify, sparse;
	bool each;        /* note every item */
	unsigned threads; /* 0: as many as processors */
	restore_noted *noted;
	restore_moved *moved;
	restore_expected *expected;
	restore_at *at;
	void *ctx;
};

enum restore_count {
	RESTORE_FILES, /* in place: with or without content */
	RESTORE_DIRECTORIES,
	RESTORE_SYMLINKS,
	RESTORE_SPECIALS,
	RESTORE_LINKS, /* of these, names that were linked to another that was restored */
	RESTORE_BYTES, /* of file contents */
	RESTORE_KEPT,  /* left as they were (${overwrite}) */
	/* not set or not made, and no error: */
	RESTORE_NO_OWNER,
	RESTORE_NO_SETUID,
	RESTORE_NO_DEVICE,
	RESTORE_NO_CAPABILITY,
	RESTORE_NO_TRUSTED,
	/* errors: */
	RESTORE_NOT_COMPLETE, /* without an attribute */
	RESTORE_NOT_DONE,
	RESTORE_NOT_KNOWN, /* of an unknown type */
	RESTORE_NOT_READ,  /* damaged */
	RESTORE_COUNTS
};

struct restore_result {
	uint64_t counts[RESTORE_COUNTS];
	size_t paths_missing; /* of ${paths}: there is nothing by that name */
};

/*
 * OK: see the counts for what is missing. E_CANCELLED: interrupted; no half-written file is left. E_NOTFOUND: no such
 * snapshot. E_LIMIT: it does not fit. E_IO: the disk is full or the target cannot be used.
 */
MUST_USE enum err restore_run(
	struct vault *v, const struct restore_options *o, struct restore_result *out, struct why *why);

#endif
