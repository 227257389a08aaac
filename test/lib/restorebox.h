/*
 * A vault in memory whose trees a member with all keys crafts, a target to restore them to, and beside it a victim: a folder
 * with one file that no restore may touch. For tests of what a restore writes.
 */
#ifndef TEST_RESTOREBOX_H
#define TEST_RESTOREBOX_H

#include "client/restore.h"
#include "craft.h"
#include "scratch.h"

struct restorebox {
	char top[SCRATCH_MAX];    /* the other two and "home" (BROCH_HOME) are in it */
	char target[SCRATCH_MAX]; /* not made yet */
	char victim[SCRATCH_MAX]; /* with "secret" */
	struct store *store;
	struct testvault t;
	struct craft c;
	struct streamref text, large; /* one chunk, "restored"; several */
	struct buf entries;           /* of the root of the next snapshot, or of a folder in it */
	char last[512];               /* the newest note's sentence, or why the restore failed */
	char noted[512];              /* the newest note's path */
	unsigned long items;          /* that were restored, where each is noted */
};

/* For cmocka. */
int restorebox_setup(void **state);
int restorebox_teardown(void **state);

/* A snapshot whose root has the entries gathered so far; the next one begins. */
struct hash restorebox_snapshot(struct restorebox *f);

/* Restores to the target with ${o}, of which the snapshot, the target, threads and ctx (${f}) are set here. */
enum err restorebox_try(struct restorebox *f, const struct hash *id, struct restore_options o,
	struct restore_result *r);

/* The same over whatever is there; fails the test unless the restore gets to its end. */
struct restore_result restorebox_run(struct restorebox *f, const struct hash *id);

/* Keeps a note in ${ctx}, a restorebox, and ends the program if items have no end. What is used where ${o} has no other. */
void restorebox_noted(void *ctx, enum restore_note note, struct span path, const char *text);

/* Whether the folder has the name. */
bool restorebox_is_there(const char *folder, const char *name);

/* Fails the test unless it is a file, and no link, with this text. */
void restorebox_has_text(const char *folder, const char *name, const char *text);

/* Fails the test unless the victim has its one file, unchanged, and nothing more. */
void restorebox_victim_is_whole(const struct restorebox *f);

/* How many temporary files are in the folder and below. */
int restorebox_temps(const char *folder);

#endif
