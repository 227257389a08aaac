/*
 * What a vault's chain says: snapshots, indexes and intents in force, the hold, each device's thread (doc/spec/chains.md
 * sections 4 and 5). Built by applying the entries in order, or from a summary; every reader decides alike.
 */
#ifndef CORE_VAULTSTATE_H
#define CORE_VAULTSTATE_H

#include "core/accountstate.h"
#include "format/entrypublic.h"
#include "format/location.h"
#include "format/stamp.h"
#include "format/vaultbody.h"

struct vault_snapshot {
	uint64_t sequence;
	uint64_t
		touched; /* sequence of its entry, or of its newest keep: what a purge after that must look at */
	struct hash id;
	struct hash device;
	bool forgotten;
	struct stamp stamp; /* its spans point into ${bytes}; tags are those in force */
	uint8_t *bytes;
};

struct vault_index {
	struct location location;
	uint64_t sequence; /* of the entry that added it */
};

struct vault_intent {
	uint64_t sequence;
	int64_t time;
	struct entrypublic_packs packs; /* names point into ${bytes} */
	uint8_t *bytes;
};

/* Packs that a purge entry named: those of them that are in the store still are deleted by the next prune. */
struct vault_purge {
	uint64_t sequence;
	struct entrypublic_packs packs; /* names point into ${bytes} */
	uint8_t *bytes;
	/*
	 * The intent's list object, zero if it had none: what is not in that list too must not be deleted, and the chain
	 * alone can't say.
	 */
	struct hash intended;
};

struct vault_thread { /* a device's newest entry in this chain */
	struct hash device;
	uint64_t sequence;
	struct hash hash;
};

struct vault_policy { /* a hold, and from when it is in force */
	int64_t time;
	uint64_t hold; /* seconds */
};

struct vaultstate {
	struct hash id;
	uint64_t count;   /* entries applied */
	struct hash head; /* hash of the newest */
	int64_t *times;   /* of each entry, ns */
	size_t time_room;
	struct hash root_commitment;
	uint32_t chunk_min, chunk_max;
	uint8_t mask_bits;
	uint8_t trust;
	struct hash owner;
	uint64_t account_sequence; /* the newest account head named so far */
	struct hash account_head;
	uint64_t keys_sequence;           /* the account head named when the newest epoch began */
	struct hash home;                 /* zero unless a home entry named one */
	struct vault_snapshot *snapshots; /* by sequence */
	size_t snapshot_count, snapshot_room;
	struct vault_index *indexes;
	size_t index_count, index_room;
	struct vault_intent *intents;
	size_t intent_count, intent_room;
	struct vault_purge *purges;
	size_t purge_count, purge_room;
	struct vault_thread *threads;
	size_t thread_count, thread_room;
	struct vault_policy *policies; /* from the create entry on, ascending by time */
	size_t policy_count, policy_room;
	uint64_t purge_events;     /* intents and purges so far */
	uint64_t summary_sequence; /* of the newest summary entry; 0: none */
	struct streamref summary;  /* its state, and the index that finds it */
	struct location summary_index;
	uint64_t void_count, unknown_count;
	uint64_t newest_void;
};

void vaultstate_init(struct vaultstate *s);
void vaultstate_done(struct vaultstate *s);

/*
 * Applies the next entry, which chainlink_next accepted. A void data entry is counted and has no effect: OK. E_FORGED: a
 * void control entry. E_ROLLBACK: it names an account head that ${account} does not reach: read that chain again.
 * E_UNSUPPORTED: a control entry for a newer program. E_DENIED: its epoch is not open. E_LIMIT: more entries than a reader
 * holds. E_NOMEM: then, as after E_ROLLBACK, the same entry can be applied again.
 */
MUST_USE enum err vaultstate_apply(struct vaultstate *s, const struct entry *entry,
	struct span bytes, const struct hash *hash, const struct epochring *ring,
	const struct accountstate *account);

/*
 * Single items, in order: for who builds a state from a summary. What they point to is copied. E_NOMEM, E_LIMIT.
 */
MUST_USE enum err vaultstate_add_snapshot(
	struct vaultstate *s, const struct vault_snapshot *v, const struct stamp *stamp);
MUST_USE enum err vaultstate_add_index(struct vaultstate *s, const struct vault_index *v);
MUST_USE enum err vaultstate_add_intent(struct vaultstate *s, const struct vault_intent *v);
MUST_USE enum err vaultstate_add_purge(struct vaultstate *s, const struct vault_purge *v);
MUST_USE enum err vaultstate_add_thread(struct vaultstate *s, const struct vault_thread *v);
MUST_USE enum err vaultstate_add_policy(struct vaultstate *s, int64_t from, uint64_t hold);
MUST_USE enum err vaultstate_add_time(struct vaultstate *s, size_t at, int64_t time);

/* The hold in force at ${time} (ns), in seconds. A purge keeps that of its own time and that of its intent's: the longer. */
uint64_t vaultstate_hold(const struct vaultstate *s, int64_t time);

/* A snapshot by id; NULL. An intent in force by its sequence; NULL. A device's thread; NULL. */
struct vault_snapshot *vaultstate_snapshot(const struct vaultstate *s, const struct hash *id);
struct vault_intent *vaultstate_intent(const struct vaultstate *s, uint64_t sequence);
const struct vault_thread *vaultstate_thread(const struct vaultstate *s, const struct hash *device);

#endif
