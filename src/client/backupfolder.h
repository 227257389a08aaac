/*
 * The folders that a walk has open. A tree may be deeper than a process has descriptors: a folder that nobody uses just now may be
 * closed, those first that were used the longest ago, and is opened again below one that is open when it is wanted. It must then be
 * the same folder, by device and inode; no link is followed.
 */
#ifndef CLIENT_BACKUPFOLDER_H
#define CLIENT_BACKUPFOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "os/mutex.h"
#include "os/why.h"

struct backupfolder {
	struct backupfolder *above; /* NULL: it is the root; it must last as long as this one */
	const char *name;
	bool follow;    /* it leads to a source, and may be a link */
	int fd;         /* valid while it is held */
	struct stat st; /* of when it was opened first */
	bool known;     /* st is valid */
	unsigned users; /* 0, and open: it is in the row of those that may be closed */
	struct backupfolder *newer, *older;
};

struct backupfolders {
	struct mutex lock;
	struct backupfolder *newest, *oldest;
	size_t open, max; /* more than max are open only while all are held */
};

void backupfolder_begin(struct backupfolders *f);
void backupfolder_end(struct backupfolders *f);

void backupfolder_init(
	struct backupfolder *b, struct backupfolder *above, const char *name, bool follow);

/* Opens it, if it isn't open, and keeps it open until backupfolder_let. From any thread. E_NOTFOUND, E_DENIED, E_IO. */
MUST_USE enum err backupfolder_hold(
	struct backupfolders *f, struct backupfolder *b, struct why *why);
void backupfolder_let(struct backupfolders *f, struct backupfolder *b);

/* It is not wanted any more; nobody holds it. */
void backupfolder_close(struct backupfolders *f, struct backupfolder *b);

#endif
