/*
 * The last look of a backup before its entry (doc/spec/chains.md section 6): packs that an intent named since the run
 * started, or that were purged, must not hold the only place of anything the snapshot needs. Internal to the backup.
 */
#ifndef CLIENT_BACKUPLOOK_H
#define CLIENT_BACKUPLOOK_H

#include "client/storing.h"

struct backuplook {
	struct vault *vault; /* refreshed */
	struct packrun *run;
	struct storing_shared *shared;
	struct storing *storing;     /* one of them; nobody else stores meanwhile */
	const struct hash *snapshot; /* the object, stored */
	const struct streamref *root;
	struct buf *locations; /* of the run's indexes: replaced */
};

/* Stores again what is in doubt, and indexes the run anew. E_BUSY: something that is needed is nowhere, and the run is to begin again. */
MUST_USE enum err backuplook_take(const struct backuplook *l, struct why *why);

#endif
