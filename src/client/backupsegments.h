/* A large file that several threads cut at once (doc/spec/chunker.md: cuts are the same however it is split). Internal to the backup. */
#ifndef CLIENT_BACKUPSEGMENTS_H
#define CLIENT_BACKUPSEGMENTS_H

#include "client/backupcontent.h"

/* Stores ${source} as one stream. Other threads of the pool help where they have time; none is waited for that hasn't begun. */
MUST_USE enum err backupsegments_store(struct backupwalk *w, unsigned worker,
	struct backupcontent *source, struct streamref *ref, struct why *why);

#endif
