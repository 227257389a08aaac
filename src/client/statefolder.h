/*
 * The device's own folders: the state (key store, heads seen, which store is home, packs of unfinished runs) and the
 * caches. State is durable and outside every store; a cache may vanish at any time.
 */
#ifndef CLIENT_STATEFOLDER_H
#define CLIENT_STATEFOLDER_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "os/paths.h"
#include "os/why.h"

struct statefolder {
	int state;
	int cache;
	char state_path[PATHS_MAX];
	char cache_path[PATHS_MAX];
};

/* Opens both, making them (0700) if ${make}. E_NOTFOUND: there is no state folder. */
MUST_USE enum err statefolder_open(struct statefolder *f, bool make, struct why *why);
void statefolder_close(struct statefolder *f);

/* Whether this device has an account. */
bool statefolder_has_keys(const struct statefolder *f);

/* The key store's bytes; and keeping them. */
MUST_USE enum err statefolder_get_keys(
	const struct statefolder *f, struct buf *out, struct why *why);
MUST_USE enum err statefolder_put_keys(
	const struct statefolder *f, struct span keys, struct why *why);

/* The path of the store that commands use when none is given. E_NOTFOUND: none is remembered. */
MUST_USE enum err statefolder_get_store(
	const struct statefolder *f, char out[PATHS_MAX], struct why *why);
MUST_USE enum err statefolder_put_store(
	const struct statefolder *f, const char *path, struct why *why);

/* Removes what the cache folder has of a vault: it may be of a state that is no more. */
void statefolder_drop_caches(const struct statefolder *f, const struct hash *vault);

/*
 * The id of the store at the remembered path, as this device first met it there: another one is not taken for it.
 * statefolder_put_store forgets it. E_NOTFOUND: not known yet.
 */
MUST_USE enum err statefolder_get_store_id(
	const struct statefolder *f, struct hash *id, struct why *why);
MUST_USE enum err statefolder_put_store_id(
	const struct statefolder *f, const struct hash *id, struct why *why);

/*
 * Which store is a chain's home, as its newest entries that this device has seen say: only another store may be behind
 * them (doc/spec/chains.md section 7). E_NOTFOUND: not known yet.
 */
MUST_USE enum err statefolder_get_home(
	const struct statefolder *f, const struct hash *chain, struct hash *store, struct why *why);
MUST_USE enum err statefolder_put_home(const struct statefolder *f, const struct hash *chain,
	const struct hash *store, struct why *why);

/*
 * The locator object that this device stored or used last. What check compares a store with, as long as its kit counts.
 * E_NOTFOUND: there was none; E_FORMAT: the file is damaged.
 */
struct statefolder_locator {
	struct hash name;
	struct hash sum; /* the hash of its bytes */
	struct hash kit; /* the id of the kit it belongs to; zero: not noted */
};
MUST_USE enum err statefolder_get_locator(
	const struct statefolder *f, struct statefolder_locator *out, struct why *why);
MUST_USE enum err statefolder_put_locator(
	const struct statefolder *f, const struct statefolder_locator *l, struct why *why);

/* Adds a line to what happened that the owner should know (alarms, accepted rollbacks). Failure is not an error. */
void statefolder_record(const struct statefolder *f, const char *line);

#endif
