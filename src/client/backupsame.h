/*
 * Whether a backup found what a snapshot has: the same sources, each with the same entry, and so with the same beneath it.
 * What only leads to a source doesn't count: others change the folders above. Internal to the backup.
 */
#ifndef CLIENT_BACKUPSAME_H
#define CLIENT_BACKUPSAME_H

#include "client/backupwalk.h"

struct backupsame {
	struct fetch *fetch;
	char *const *paths; /* absolute and cleaned, ascending */
	size_t path_count;
	const struct backupwalk_source
		*sources; /* after the walk; NULL: there are none, the tree is compared */
	const struct streamref *root;
};

/* False also where the snapshot can't be read. */
bool backupsame_as(const struct backupsame *s, const struct hash *snapshot);

#endif
