/*
 * The account of this device, opened from a store: its chain verified, its epochs opened, its state built
 * (doc/spec/chains.md section 3). Also how it is made, and how a new device joins with the kit.
 */
#ifndef CLIENT_ACCOUNT_H
#define CLIENT_ACCOUNT_H

#include "client/chainread.h"
#include "client/statefolder.h"
#include "core/accountstate.h"
#include "secret/keystorecrypt.h"
#include "secret/kitkeys.h"
#include "secret/signer.h"

/* Who acts: a device's keys, or for a moment the kit's. Lies in secretmem. */
struct actor {
	struct hash id;
	struct kem_seed kem;
	struct signer entry;
};

struct account {
	struct store *store;              /* borrowed */
	const struct statefolder *folder; /* borrowed; NULL: no heads are kept (recover, checks) */
	struct fresh *fresh;              /* borrowed */
	const struct actor *actor;        /* borrowed */
	struct hash id;
	struct chainread chain;
	struct accountstate state;
	struct hash known_home; /* as the device's folder has it; zero: not known */
	bool is_home; /* the store is the account's home, and not behind: it may be written to */
};

void account_actor_device(struct actor *out, const struct device_keys *keys);
void account_actor_kit(struct actor *out, const struct kit_keys *keys);

/*
 * Opens account ${id} in ${store} for ${actor}. Refuses to go back behind the head kept in ${folder}. E_NOTFOUND: the
 * store does not hold it; E_DENIED: the actor is no device of it; E_FORGED, E_ROLLBACK, E_UNSUPPORTED, E_IO, E_NOMEM.
 */
struct account_open {
	struct store *store;
	const struct statefolder *folder;
	struct fresh *fresh;
	const struct actor *actor;
	struct hash id;
	struct head anchor; /* the least that must be met, from the key store */
	bool has_anchor;
	bool
		may_lag; /* the store may be behind what was seen, as any may that is known not to be the home */
};
MUST_USE enum err account_open(struct account *a, const struct account_open *o, struct why *why);
void account_close(struct account *a);

/* Reads what was appended since. */
MUST_USE enum err account_refresh(struct account *a, struct why *why);

/* The newest head. */
struct head account_head(const struct account *a);

/* Makes an account in ${store} with ${keys} as its first device and ${kit} as its kit. Its id goes to ${id}. */
struct account_new {
	struct store *store;
	struct fresh *fresh;
	const struct device_keys *keys;
	struct span device_name;
	const struct kit_secret *kit;
	const struct statefolder *folder; /* remembers the locator object; or NULL */
};
MUST_USE enum err account_create(const struct account_new *n, struct hash *id, struct why *why);

/*
 * Appends an entry with ${body} and no public part. Repeats when another writer was first, unless the actor has no right to
 * it after that: E_DENIED, as where the store is a mirror. E_EXISTS: it adds a device or kit that is there, or a
 * second vault of one name; E_BUSY: others
 * were always first; E_IO (then it may be there all the same), and as account_refresh.
 */
MUST_USE enum err account_append(
	struct account *a, const struct accountbody *body, struct why *why);

/*
 * Starts the next account epoch, with boxes for all valid devices and the kit in force; or finds that another just did.
 * E_DENIED, E_BUSY, E_IO and as account_refresh.
 */
MUST_USE enum err account_rotate(struct account *a, struct why *why);

/*
 * Adds the device of ${keys} (the actor is the kit or a full device), then rotates so that it gets a box. Called again after it
 * failed in between it does what is left. E_EXISTS: it is there, with its box; and as account_append.
 */
MUST_USE enum err account_add_device(
	struct account *a, const struct device_keys *keys, struct span name, struct why *why);

/* Makes ${store} the account's home, by an entry in the chain where it lies open, be that a mirror. */
MUST_USE enum err account_move_home(struct account *a, const struct hash *store, struct why *why);

/* The record of a device or kit, for bodies. Its spans point into ${pub} and ${name}. */
struct devicerecord account_record(
	const struct device_public *pub, uint8_t kind, struct span name, int64_t created);

/* Stores the locator object of ${kit} for this account. */
MUST_USE enum err account_put_locator(
	struct account *a, const struct kit_secret *kit, struct why *why);

#endif
