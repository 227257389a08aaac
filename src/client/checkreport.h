/*
 * What a check finds: objects that are damaged or missing, each named; snapshots that lost something; counts. Used by
 * the parts of check (checkstore, checkdata, checktree), from several threads at once.
 */
#ifndef CLIENT_CHECKREPORT_H
#define CLIENT_CHECKREPORT_H

#include "base/span.h"
#include "crypto/hash.h"
#include "os/mutex.h"
#include "os/why.h"

enum checkreport_kind {
	CHECKREPORT_PACK,
	CHECKREPORT_INDEX, /* named by the pack in which its head lies */
	CHECKREPORT_ENTRY, /* of a chain; with its sequence */
	CHECKREPORT_CHAIN,
	CHECKREPORT_OBJECT,
	CHECKREPORT_LOCATOR,
	CHECKREPORT_SNAPSHOT,
	CHECKREPORT_CHUNK,
	CHECKREPORT_INTENT, /* of a vault's chain; with its sequence */
	CHECKREPORT_VAULT,
	CHECKREPORT_KINDS
};

struct checkreport_item {
	enum checkreport_kind kind;
	bool is_warning; /* nothing is lost by it */
	struct hash name;
	uint64_t sequence; /* of an entry or an intent */
	const char *text;  /* a sentence that begins with the object's name */
};

/* A snapshot that cannot be restored as it was. */
struct checkreport_loss {
	struct hash snapshot;
	const struct span *paths; /* the first of those that are damaged */
	size_t path_count;
	bool more; /* there are others */
};

struct checkreport_progress {
	const char *step;
	uint64_t done, total;             /* things of this step; total 0: not known */
	uint64_t bytes_done, bytes_total; /* while packs are read */
};

struct checkreport_counts {
	uint64_t chains, entries, voids, unknown;
	uint64_t objects, objects_unneeded, locators;
	uint64_t vaults, snapshots, snapshots_forgotten, snapshots_lost;
	uint64_t indexes, index_rows;
	uint64_t packs, pack_bytes;
	uint64_t packs_unnamed, packs_purged; /* of these: named by no index; left over from a purge */
	uint64_t packs_read, bytes_read, blocks_read, chunks_read;
	uint64_t folders, files, chunks_needed; /* walked; a folder that did not change once */
	uint64_t intents;
	uint64_t damaged, warnings; /* items reported */
};

struct checkreport {
	void (*found)(void *ctx, const struct checkreport_item *item);
	void (*lost)(void *ctx, const struct checkreport_loss *loss);
	void (*ticked)(void *ctx, const struct checkreport_progress *p);
	void *ctx;
	struct checkreport_counts counts;
	struct mutex lock; /* while a callback runs */
};

void checkreport_init(struct checkreport *r);
void checkreport_done(struct checkreport *r);

/* What is said of an object: ${what} without its name, or a sentence that begins with it. */
void checkreport_damage(struct checkreport *r, enum checkreport_kind kind, const struct hash *name,
	uint64_t sequence, const char *what);
void checkreport_warning(struct checkreport *r, enum checkreport_kind kind, const struct hash *name,
	uint64_t sequence, const char *what);

/*
 * Damage as a reader's sentence tells it: if that begins with a pack's or an object's name, it is that, else ${kind}
 * and ${name}. The pack it names, if it is one, goes to ${pack}, and true is returned.
 */
bool checkreport_why(struct checkreport *r, enum checkreport_kind kind, const struct hash *name,
	const struct why *why, struct hash *pack);

void checkreport_tick(struct checkreport *r, const struct checkreport_progress *p);

/* Adds each of ${more} to what was counted. */
void checkreport_add(struct checkreport *r, const struct checkreport_counts *more);

/* The word for a kind, as programs read it: "pack", "index"... */
const char *checkreport_word(enum checkreport_kind kind);

#endif
