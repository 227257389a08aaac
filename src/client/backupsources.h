/*
 * The sources of a backup: a set of absolute paths, ascending, each once; and the tree of names that leads to them, with which
 * the walk begins. Internal to the backup.
 */
#ifndef CLIENT_BACKUPSOURCES_H
#define CLIENT_BACKUPSOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "os/why.h"

/* A name on the way to a source. */
struct backupsources_node {
	char *name;
	bool whole; /* the source ends here: everything below belongs to it */
	struct span
		entry; /* of a whole one, set by the walk: its entry's bytes; NULL: it was left out */
	struct backupsources_node *children, *next;
};

struct backupsources {
	char **paths; /* absolute, without "." and ".."; also those that are not there */
	size_t count;
	struct backupsources_node *root; /* NULL: nothing is walked */
};

typedef void backupsources_missed(void *ctx, const char *path, const struct why *why);

/*
 * Of ${given} paths, absolute or relative to the working folder. ${missed} is called for each that is not there, or can't be looked
 * at, and the rest is the backup; if that is none, it is not called: E_NOTFOUND, E_DENIED, E_IO. E_NOMEM. Free it in either case.
 */
MUST_USE enum err backupsources_read(struct backupsources *s, const char *const *given,
	size_t count, backupsources_missed *missed, void *ctx, struct why *why);

/* A single file called ${name} in the root, which is not in the file system. */
MUST_USE enum err backupsources_single(struct backupsources *s, const char *name, struct why *why);

/* The branch that a backup of them has when none is given. */
MUST_USE enum err backupsources_branch(
	const struct backupsources *s, const char *host, char out[256]);

void backupsources_free(struct backupsources *s);

#endif
