/* Folders that a backup leaves out for what they are: this device's own state, Broch stores, tagged caches. Internal to the backup. */
#ifndef CLIENT_BACKUPOMIT_H
#define CLIENT_BACKUPOMIT_H

#include <sys/stat.h>

#include "os/listing.h"

struct backupomit {
	dev_t devices[2]; /* of the state and cache folders */
	ino_t inodes[2];  /* 0: there is none */
};

/* ${state} and ${cache}: open folders, or -1. */
void backupomit_own(struct backupomit *o, int state, int cache);

/* Why the folder ${fd} with the names ${l} is left out, as a sentence for people; NULL: it isn't. */
const char *backupomit_reason(
	const struct backupomit *o, int fd, const struct stat *st, const struct listing *l);

/* Whether it has a valid CACHEDIR.TAG. */
bool backupomit_is_cache(int fd, const struct listing *l);

#endif
