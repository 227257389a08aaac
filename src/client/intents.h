/* The packs that intents name: those in the entry, and those in a list object (doc/spec/formats.md section 8.1). */
#ifndef CLIENT_INTENTS_H
#define CLIENT_INTENTS_H

#include "client/vault.h"

/* Appends the names of one intent's packs to ${out} (HASH_SIZE bytes each). E_FORGED: its list is missing or damaged. */
MUST_USE enum err intents_packs(
	struct vault *v, const struct entrypublic_packs *packs, struct buf *out, struct why *why);

/* The packs that a purge lets delete: of those it names, the ones that its intent named too. E_FORGED, as above. */
MUST_USE enum err intents_purged(
	struct vault *v, const struct vault_purge *purge, struct buf *out, struct why *why);

/*
 * Those that any purge lets delete, with what ${out} has: ascending, each once. One that is in the store still may vanish at
 * any time: nothing new may rely on it. Purges whose list is missing or damaged let nothing be deleted, and are passed over. Lists are read once
 * for an open vault; never less than all of them, as a pack that was seen gone may come back.
 */
MUST_USE enum err intents_gone(struct vault *v, struct buf *out, struct why *why);

/* Those of all intents in force, ascending, each once. E_FORGED, as above. */
MUST_USE enum err intents_doomed(struct vault *v, struct buf *out, struct why *why);

/* Fills in ${out} for these names (ascending): in the entry, or as a list object that is put into the store. */
MUST_USE enum err intents_make(
	struct vault *v, struct span names, struct entrypublic_packs *out, struct why *why);

/*
 * Whether an intent in force may name packs that hold what the snapshot needs: it came when that was forgotten, which has been
 * kept since. No other does: a prune looks at all snapshots that are not forgotten.
 */
bool intents_threaten(const struct vault *v, const struct vault_snapshot *s);

/* Sorts rows of HASH_SIZE bytes and drops doubles. */
void intents_sort(struct buf *names);

/* Whether ${name} is among sorted rows. */
bool intents_has(struct span names, const struct hash *name);

#endif
