/* A device with an account and a vault in an embedded store, all in a scratch folder, for tests of the client. */
#ifndef TEST_CLIENTBOX_H
#define TEST_CLIENTBOX_H

#include "client/backup.h"
#include "client/fetch.h"
#include "format/direntry.h"
#include "scratch.h"
#include "store/faulty.h"

/*
 * In ${folder}: "home" (the state, BROCH_HOME), "store", "src" (empty, for what is backed up). The session's store is
 * ${faulty}, around the embedded one.
 */
struct clientbox {
	char folder[SCRATCH_MAX];
	char home[SCRATCH_MAX];
	char store[SCRATCH_MAX];
	char src[SCRATCH_MAX];
	struct store *inner;
	struct store *faulty;
	struct session session;
	struct vault vault;
	bool is_open;
	const char *path; /* src, for the options */
};

/* Small chunks: 4 to 32 KiB, so that small files have many, and lists of lists. */
extern const struct chunker_params clientbox_chunks;

/* Makes it all, with the vault open. Fails the test. ${hold}: seconds. */
void clientbox_new(struct clientbox *t, const struct chunker_params *chunks, uint64_t hold);
void clientbox_done(struct clientbox *t);

/* For cmocka: a struct clientbox on the heap, with clientbox_chunks or as large as backups have them; and its end. */
int clientbox_setup(void **state);
int clientbox_setup_large(void **state);
int clientbox_teardown(void **state);

/* Another process on the same device: the same folders, opened anew. */
void clientbox_again(struct clientbox *t, const struct clientbox *first);
void clientbox_again_done(struct clientbox *t);

/* Closes and opens the vault and the session. */
void clientbox_reopen(struct clientbox *t);

/* Puts the content into "src/NAME" (folders above it are made). */
void clientbox_file(const struct clientbox *t, const char *name, const void *bytes, size_t len);

/* The same with pseudo-random bytes of ${seed}. */
void clientbox_put(const struct clientbox *t, const char *name, size_t len, uint64_t seed);

/* "src/NAME" to ${out} (SCRATCH_MAX). */
char *clientbox_src(char *out, const struct clientbox *t, const char *name);

/* Waits until no change time below src is so near the clock that it is not relied on. */
void clientbox_settle(const struct clientbox *t);

/* The number of packs in the store and their bytes. */
struct clientbox_packs {
	uint64_t count, bytes;
};
struct clientbox_packs clientbox_packs(const struct clientbox *t);

/* The smallest packs; about 1,400 chunks are the most that an index of them can name. */
enum { CLIENTBOX_PACK = 65536 };

/* Options of a backup of src: two threads, no compression, packs of full size. ${noted} and so on may be set. */
struct backup_options clientbox_options(struct clientbox *t);
struct backup_result clientbox_backup(struct clientbox *t, const struct backup_options *o);

/* How often a backup said what, for its ${noted}, with ctx as that. */
struct clientbox_notes {
	unsigned count[BACKUP_WARNING + 1];
};
void clientbox_note(void *ctx, enum backup_note what, const char *path, const char *text);

/* Reads the snapshot back from what the store has and compares it, entry by entry, with src as it is now. */
void clientbox_compare(struct clientbox *t, const struct hash *snapshot);

/* The entry of "src/NAME" in the snapshot; its bytes go to ${bytes}, into which ${out} points. */
bool clientbox_entry(struct clientbox *t, const struct hash *snapshot, const char *name,
	struct buf *bytes, struct direntry *out);

/* A fetch on the vault with one thread. */
struct fetch *clientbox_fetch(struct clientbox *t);

/* Pseudo-random bytes of ${seed}. Free them. */
uint8_t *clientbox_random(size_t len, uint64_t seed);

/* Fails with the sentence unless ${e} is OK. */
void clientbox_ok(enum err e, const struct why *why);

#endif
