/* The packs that a run must not refer to: gone or cut short, or named by an intent or a purge. Internal to the backup. */
#ifndef CLIENT_BACKUPAVOID_H
#define CLIENT_BACKUPAVOID_H

#include "client/places.h"
#include "client/vault.h"

/* Appends their names to ${avoid}, ascending. ${*missing}: a pack that ${places} name is not in the store at its size. */
MUST_USE enum err backupavoid_find(
	struct vault *v, struct places *places, struct buf *avoid, bool *missing, struct why *why);

#endif
