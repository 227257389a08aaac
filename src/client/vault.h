/*
 * A vault, opened: its chain verified, its epochs opened, its state built (doc/spec/chains.md sections 4 to 7), and how
 * entries are appended to it.
 */
#ifndef CLIENT_VAULT_H
#define CLIENT_VAULT_H

#include "client/session.h"
#include "core/chunker.h"
#include "core/vaultstate.h"
#include "secret/vaultkeys.h"

struct vault_secrets {
	struct root_key root;
	struct vault_keys keys;
};

struct vault {
	struct session *session; /* borrowed */
	struct hash id;
	char name[LIMIT_VAULT_NAME + 1];
	struct chainread chain;
	struct vaultstate state;
	struct vault_secrets *secrets; /* secretmem; NULL until the first epoch is open */
	struct chunker *chunker;
	size_t unsaved;  /* entries applied since the state was last kept in the cache */
	struct buf gone; /* see intents_gone: of the first ${gone_count} purges */
	size_t gone_count;
	struct hash known_home; /* as the device's folder has it; zero: not known */
	bool is_home;   /* the session's store is its home, and not behind: else it is only read */
	bool is_moving; /* the home is being moved: the next entry may be written to a mirror */
};

/* Opens the vault called ${name} (NULL: the account's only one, or "main"). E_NOTFOUND lists what there is. */
MUST_USE enum err vault_open(struct vault *v, struct session *s, const char *name, struct why *why);
void vault_close(struct vault *v);

/* Reads what was appended since, to the account too where an entry needs it. */
MUST_USE enum err vault_refresh(struct vault *v, struct why *why);

struct head vault_head(const struct vault *v);

/* Refuses to write to a mirror, and finishes a rotation that is due. Call before anything is written. */
MUST_USE enum err vault_prepare_write(struct vault *v, struct why *why);

/*
 * Makes ${store} the vault's home, by an entry in the chain where it lies open, be that a mirror. The account's home comes
 * first: see promote.h.
 */
MUST_USE enum err vault_move_home(struct vault *v, const struct hash *store, struct why *why);

/* Makes a vault called ${name} in the session's store and adds it to the account. E_EXISTS: it has one of that name, maybe since just now. */
struct vault_new {
	const char *name;
	uint64_t hold; /* seconds */
	struct chunker_params chunks;
};
MUST_USE enum err vault_create(struct session *s, const struct vault_new *n, struct why *why);

/*
 * Appends an entry. ${decide} fills in what to say, looking at ${v}, which is up to date; it is asked again after
 * another writer was first. Its spans must live until it is asked again or the append has returned.
 */
struct vault_entry {
	struct vaultbody body;
	struct entrypublic public_part; /* all zero: none */
};
typedef enum err vault_decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why);
MUST_USE enum err vault_append(struct vault *v, vault_decide *decide, void *ctx, struct why *why);

/* Starts the vault's next epoch: what is written from now on opens to none of the keys before. */
MUST_USE enum err vault_rotate(struct vault *v, struct why *why);

/* The epoch that packs are sealed to now. */
uint32_t vault_epoch(const struct vault *v);

#endif
