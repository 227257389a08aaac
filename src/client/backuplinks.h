/* Files with several names: the content of each is read, and counted, once in a backup. From any thread. Internal to the backup. */
#ifndef CLIENT_BACKUPLINKS_H
#define CLIENT_BACKUPLINKS_H

#include <sys/stat.h>

#include "format/direntry.h"
#include "os/mutex.h"

struct backuplinks_file {
	uint64_t device, inode;
	struct span body; /* an encoded entry of the group; NULL: not read in this run */
	bool counted;
};

struct backuplinks {
	struct mutex lock;
	struct backuplinks_file *files; /* open addressing by device and inode */
	size_t count, room;
};

void backuplinks_init(struct backuplinks *l);
void backuplinks_done(struct backuplinks *l);

/* Fills in ${d}, but its name, as an entry of another name of the same file that was kept. It points into ${l}. */
bool backuplinks_find(struct backuplinks *l, const struct stat *st, struct direntry *d);

/*
 * Keeps a copy of the first entry of a file, whose content was read and counted. True: it was counted under another name
 * too, so once too often; two may be read at the same time. Nothing is kept where memory is short.
 */
MUST_USE bool backuplinks_keep(struct backuplinks *l, const struct stat *st, struct span body);

/* Whether the content was counted under another name. It is from now on. */
bool backuplinks_count(struct backuplinks *l, const struct stat *st);

#endif
