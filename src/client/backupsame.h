/*
 * Whether a backup found what a snapshot has: the same sources, each with the same entry, and so with the same beneath it.
 * What only leads to a source doesn't count: others change the folders above. Internal to the backup.
 */
#ifndef CLIENT_BACKUPSAME_H
#define CLIENT_BACKUPSAME_H

#include "client/backupsources.h"
#include "client/fetch.h"
#include "format/streamref.h"

/* ${s}: after the walk, which made the tree ${root}; compared as a whole if it has no sources. False also where ${snapshot} can't be read. */
bool backupsame_as(struct fetch *f, const struct hash *snapshot, const struct backupsources *s,
	const struct streamref *root);

#endif
