/*
 * A device with an account and a vault on any store, made in process: for tests that need a whole vault. Its state lies in
 * the folder that BROCH_HOME names when a function is called; the store stays the caller's.
 */
#ifndef TEST_TESTVAULT_H
#define TEST_TESTVAULT_H

#include "client/backup.h"
#include "client/fetch.h"
#include "client/prune.h"
#include "client/vault.h"

struct testvault {
	struct session session;
	struct vault vault;
	bool has_session, has_vault;
};

/* Small chunks, so that small trees have lists of lists. */
extern const struct chunker_params testvault_chunks;

/* Makes ${home} (a new folder) this process's BROCH_HOME. */
void testvault_home(const char *home);

/* An account with this device and the vault "main" in ${store}. The kit's secret goes to ${kit}. Stops the program. */
void testvault_make(struct store *store, uint64_t hold, struct kit_secret *kit);

/* Opens the device's account, and its vault ${name}. On failure nothing stays open. */
enum err testvault_open(struct testvault *t, struct store *store, const char *name, struct why *why)
	MUST_USE;
void testvault_close(struct testvault *t);

/* The same, or the program stops with the sentence. */
void testvault_must_open(struct testvault *t, struct store *store);

/* Stops the program with the sentence unless ${e} is OK. */
void testvault_must(enum err e, const struct why *why, const char *what);

/* A backup of one folder with small packs and one thread. */
enum { TESTVAULT_PACK = 65536 };
enum err testvault_backup(struct testvault *t, const char *folder, const char *tag,
	struct hash *snapshot, struct why *why) MUST_USE;
enum err testvault_prune(struct testvault *t, struct prune_result *out, struct why *why) MUST_USE;
enum err testvault_forget(struct testvault *t, const struct hash *snapshot, struct why *why)
	MUST_USE;

/* What can be read of a snapshot: each path with a hash of its attributes and contents. */
struct testvault_seen {
	struct {
		struct hash path, what;
	} * items;
	size_t count, room;
	size_t errors;  /* entries and folders that could not be read */
	struct why why; /* of the first of them */
	enum err first;
};
/* OK unless the snapshot itself can't be read. Damage below it is counted; any other failure is returned. */
enum err testvault_see(struct fetch *f, const struct hash *snapshot, struct testvault_seen *out,
	struct why *why) MUST_USE;
void testvault_seen_done(struct testvault_seen *s);

/* Whether all of ${part} is in ${whole}, as it is there. */
bool testvault_within(const struct testvault_seen *part, const struct testvault_seen *whole);

#endif
