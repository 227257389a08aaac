/*
 * A vault in memory and a folder to back up, for tests of what becomes of packs: which there are, which a snapshot needs,
 * whether an index names them, and what another process appends in between.
 */
#ifndef TEST_PRUNEBOX_H
#define TEST_PRUNEBOX_H

#include "rawstore.h"
#include "scratch.h"
#include "store/faulty.h"
#include "testvault.h"

enum { PRUNEBOX_HOLD = 1000 }; /* seconds */

struct prunebox {
	char folder[SCRATCH_MAX]; /* BROCH_HOME is in it, as "home" */
	char tree[SCRATCH_MAX];
	struct store *raw;   /* a rawstore */
	struct store *store; /* what the vault uses: faulty, around it */
	struct testvault t;
	struct testvault other; /* see prunebox_other */
	bool has_other;
};

/* For cmocka: a vault without a hold, with one of PRUNEBOX_HOLD, and its end. */
int prunebox_setup(void **state);
int prunebox_setup_held(void **state);
int prunebox_teardown(void **state);

/* Another process on the same device, opened at the first call. */
struct testvault *prunebox_other(struct prunebox *p);

/* A file of the tree, of pseudo-random bytes; and without it. */
void prunebox_file(const struct prunebox *p, const char *name, size_t len, uint64_t seed);
void prunebox_remove(const struct prunebox *p, const char *name);

/* Two snapshots: only the first has the file "a"; both have "b". The first is forgotten. */
struct prunebox_scene {
	struct hash first, second;
};
struct prunebox_scene prunebox_scene(struct prunebox *p);

/*
 * Two snapshots: the first has the file "a", which the second has not, and is forgotten. ${gone}: packs that only it needs,
 * which an intent names. Free them.
 */
struct prunebox_announced {
	struct hash first, second;
	struct buf gone;
	uint64_t intent;
};
struct prunebox_announced prunebox_announce(struct prunebox *p);

/* These fail the test unless they succeed. Packs are of TESTVAULT_PACK bytes. */
struct hash prunebox_backup(struct prunebox *p);
void prunebox_forget(struct prunebox *p, const struct hash *snapshot);
void prunebox_keep(struct prunebox *p, const struct hash *snapshot);
struct prune_result prunebox_prune(struct prunebox *p, const struct prune_options *o);
struct prune_result prunebox_purge(struct prunebox *p); /* of intents that are due, and no more */
uint64_t prunebox_append(struct prunebox *p, const struct vault_entry *entry); /* its sequence */
uint64_t prunebox_intend(struct prunebox *p, struct span names);

/* No waste may stay; small packs. */
struct prune_options prunebox_options(void);

/* All waste may stay; small packs. */
struct prune_options prunebox_unlimited(void);

/* Fails the test unless the two hold the same rows of HASH_SIZE bytes. */
void prunebox_same(struct span a, struct span b);

/* Ascending names: of the packs in the store; of those that hold what the snapshot needs. Free them. */
struct buf prunebox_packs(const struct prunebox *p);
struct buf prunebox_needs(struct prunebox *p, const struct hash *snapshot);

/* How many packs are in the store. */
size_t prunebox_pack_count(const struct prunebox *p);

/* Fails the test unless all that the snapshot needs can be read, and an index in force names a place for it that is there. */
void prunebox_check(struct prunebox *p, const struct hash *snapshot);

/* A pack in which nothing lies but the rest of a block; false if there is none. */
bool prunebox_find_rest(struct prunebox *p, struct hash *out);

/* How many of the packs (names of HASH_SIZE bytes) are in the store. */
size_t prunebox_present(const struct prunebox *p, struct span names);

/* Flips a bit of a pack at ${offset}; takes it away. */
void prunebox_damage(struct prunebox *p, const struct hash *pack, size_t offset);
void prunebox_lose(struct prunebox *p, const struct hash *pack);

#endif
