/*
 * A device with an account and the vault "main" in a rawstore, behind a store that fails when it is told to: for tests of
 * the client that put chunks into a vault by hand (craft.h) and damage what lies in the store.
 */
#ifndef TEST_RAWBOX_H
#define TEST_RAWBOX_H

#include <stdatomic.h>

#include "craft.h"
#include "rawstore.h"
#include "scratch.h"
#include "store/faulty.h"

struct rawbox {
	char folder[SCRATCH_MAX];
	char home[SCRATCH_MAX]; /* BROCH_HOME */
	struct store *raw;
	struct store *store; /* faulty, around it: the session's */
	struct kit_secret kit;
	struct testvault t;
	atomic_uint warnings; /* of fetches made here */
};

/* For cmocka: a struct rawbox with all of it open. */
int rawbox_setup(void **state);
int rawbox_teardown(void **state);

/* Closes account and vault, and opens them again. */
void rawbox_reopen(struct rawbox *b);

/* Opens a vault of its account once more, "main" or another, or for a moment; the error, which the sentence has too. */
enum err rawbox_open(struct rawbox *b, struct vault *v, const char *name, struct why *why);
enum err rawbox_result(struct rawbox *b, const char *name);

/* How many entries the vault's chain has in the store. */
uint64_t rawbox_length(struct rawbox *b);

/* A fetch on the indexes that are in force now. */
struct fetch *rawbox_fetch(struct rawbox *b, unsigned threads);

/* The pack in the store; NULL. And its number, for rawstore_remove. */
struct rawstore_item *rawbox_pack(struct rawbox *b, const struct hash *name);
size_t rawbox_pack_at(struct rawbox *b, const struct hash *name);

/* Alters one bit. */
void rawbox_flip(struct rawbox *b, const struct hash *pack, size_t at);

/* Where the indexes of ${f} have the chunk; how many places. */
size_t rawbox_places(struct fetch *f, const struct hash *id, struct place out[PLACES_EACH]);

/* Ends the run of ${c} with its packs in the store and no index named by the chain. */
void rawbox_end_unnamed(struct craft *c);

/* A chunk of RAWBOX_SMALL bytes of ${seed}, stored by a run of its own; ${named}: whose index the chain names. */
enum { RAWBOX_SMALL = 200 };
struct rawbox_stored {
	uint8_t bytes[RAWBOX_SMALL];
	struct hash id;
};
struct rawbox_stored rawbox_store(struct rawbox *b, uint64_t seed, bool named);

/*
 * Stores an index that has the chunk ${id} at ${count} places of the pack that ${place} names, 64 bytes apart from its offset on and of
 * its length; the chain does not name it.
 */
struct vault_index rawbox_index(
	struct rawbox *b, const struct hash *id, const struct place *place, size_t count);

/* How often packs were read from. */
uint64_t rawbox_reads(struct rawbox *b);

/* Every call of ${verb} fails from now on. */
void rawbox_fail(struct rawbox *b, enum faulty_verb verb, enum err e);

/* Fails with the sentence unless ${e} is OK. */
void rawbox_ok(enum err e, const struct why *why);

#endif
