/* The owners of what a backup met, and their names, which its snapshot says. Internal to the backup. */
#ifndef CLIENT_BACKUPOWNERS_H
#define CLIENT_BACKUPOWNERS_H

#include <sys/stat.h>

#include "base/buf.h"
#include "format/snapshot.h"

struct backupowners_ids {
	uint32_t *ids; /* each once */
	size_t count, room;
	struct buf names;
};

/* Belongs to one thread. */
struct backupowners {
	struct backupowners_ids users, groups;
};

void backupowners_init(struct backupowners *o);
void backupowners_done(struct backupowners *o);

/* More than a snapshot can name are passed over. E_NOMEM. */
MUST_USE enum err backupowners_saw(struct backupowners *o, const struct stat *st);
MUST_USE enum err backupowners_add(struct backupowners *o, const struct backupowners *more);

/* The names this machine has for them, by ascending ids; they point into ${o}. E_LIMIT, E_NOMEM. */
MUST_USE enum err backupowners_names(
	struct backupowners *o, struct snapshot_names *users, struct snapshot_names *groups);

#endif
