/*
 * What an account's chain says: its devices, its kit, its vaults (doc/spec/chains.md section 3). Built by applying the
 * entries in order; every reader decides alike.
 */
#ifndef CORE_ACCOUNTSTATE_H
#define CORE_ACCOUNTSTATE_H

#include "core/epochring.h"
#include "crypto/hash.h"
#include "crypto/public.h"
#include "format/accountbody.h"
#include "format/entry.h"
#include "format/limits.h"

struct account_device {
	struct hash id;
	uint8_t kind; /* enum devicerecord_kind */
	uint8_t entry_key[SIGN_PUBLIC];
	uint8_t request_key[SIGN_PUBLIC];
	uint8_t kem_key[KEM_PUBLIC];
	uint8_t name[LIMIT_DEVICE_NAME];
	uint8_t name_len;
	int64_t created;
	int64_t added_time;
	uint64_t added;        /* sequence of the entry that added it */
	uint64_t removed;      /* of the one that ended it; UINT64_MAX: valid */
	uint64_t own_sequence; /* its newest entry in this chain; UINT64_MAX: none */
	struct hash own_hash;
};

struct account_vault {
	struct hash vault;
	struct hash store;
	uint8_t role;
	uint8_t name[LIMIT_VAULT_NAME];
	uint8_t name_len;
	uint64_t anchor_sequence;
	struct hash anchor_hash;
};

struct accountstate {
	struct hash id;
	uint64_t count;      /* entries applied */
	struct hash *hashes; /* of every entry */
	size_t hash_room;
	struct account_device *devices; /* kits too */
	size_t device_count, device_room;
	struct account_vault *vaults;
	size_t vault_count, vault_room;
	struct hash home;
	uint64_t epoch_began; /* sequence of the newest create or rotate entry */
	bool rotate_due;      /* a recovery entry still waits for its rotate */
	uint64_t vaults_due;  /* sequence of the newest entry that makes vaults due; 0: none */
	uint64_t void_count;
	uint64_t newest_void;
};

void accountstate_init(struct accountstate *s);
void accountstate_done(struct accountstate *s);

/*
 * Applies the next entry, which chainlink_next accepted: ${hash} is its hash, ${ring} has its epoch's secrets. A void entry is
 * counted and else changes nothing: E_FORGED (all entries of an account chain are control: readers stop). E_UNSUPPORTED: a
 * newer program is needed. E_DENIED: its epoch is not open. E_LIMIT: more entries than a reader holds. E_NOMEM: then ${s} is
 * as before.
 */
MUST_USE enum err accountstate_apply(struct accountstate *s, const struct entry *entry,
	struct span bytes, const struct hash *hash, const struct epochring *ring);

/*
 * Whether an entry with ${b}, by ${author}, would be taken now: for a writer before it appends, because a void one stops every
 * reader. E_DENIED: the author is not valid (any more), or has no right to this now; E_EXISTS: the account has that device or
 * kit already.
 */
MUST_USE enum err accountstate_allows(
	const struct accountstate *s, const struct accountbody *b, const struct hash *author);

/* The device (or kit) ${id}, whether valid still or not; NULL. */
const struct account_device *accountstate_device(
	const struct accountstate *s, const struct hash *id);

/* Whether ${d} was valid after the entry ${sequence}. */
bool accountstate_valid_at(const struct account_device *d, uint64_t sequence);

/* How many full devices are valid now. */
size_t accountstate_full_devices(const struct accountstate *s);

/* The kit in force. NULL before the first entry. */
const struct account_device *accountstate_kit(const struct accountstate *s);

/* A vault by id, or by name (exact bytes); NULL. */
const struct account_vault *accountstate_vault(const struct accountstate *s, const struct hash *id);
const struct account_vault *accountstate_vault_named(
	const struct accountstate *s, struct span name);

#endif
