/*
 * An account (a device, a second one that is not in it yet, two kits) and a vault in memory, and their chains' entries: a draft
 * that is right in every field, of which a test alters any, signed and sealed as it then stands. Nothing of src/core makes
 * an entry here, so that nothing there refuses to make a bad one.
 */
#ifndef TEST_FORGE_H
#define TEST_FORGE_H

#include "chain/chainlink.h"
#include "core/accountstate.h"
#include "core/vaultstate.h"
#include "format/entryinner.h"
#include "guarded.h"
#include "secret/devicekeys.h"

enum { FORGE_EPOCHS = 8 };

#define FORGE_START INT64_C(1700000000000000000) /* when the first entries were made, ns */
#define FORGE_DAY INT64_C(86400000000000)
#define FORGE_HOLD 7 /* days */

struct forge_device {
	struct device_keys keys;
	struct device_public pub;
	struct signer entry;
};

struct forge_chain {
	struct chainlink link;
	struct epochring *ring;
	struct hash birth;
	struct epoch_secrets secrets[FORGE_EPOCHS]; /* of epoch n at n - 1 */
	struct epoch_public stated[FORGE_EPOCHS];
	struct hash boxes[FORGE_EPOCHS];
};

struct forge {
	struct fresh fresh;
	struct forge_device device, second, kit, new_kit;
	struct forge_chain chains[3]; /* by enum chain_kind */
	struct accountstate account;
	struct vaultstate vault;
	struct root_key root;
	struct hash store;
	int64_t now; /* of the next draft */
	struct guarded memory;
};

/* What no field says. */
enum forge_fault {
	FORGE_GOOD,
	FORGE_ACCESS,  /* a bit of the access signature */
	FORGE_AUTHOR,  /* a bit of the author signature */
	FORGE_SEALED,  /* a bit of what is sealed, before the access signature was made */
	FORGE_PADDING, /* a byte of the inner part's padding */
	FORGE_LONGER,  /* 1,024 bytes of padding too many */
};

struct forge_draft {
	enum chain_kind kind;         /* whose chain it is made for */
	struct entry outer;           /* nonce, sealed and signature are made */
	struct entryinner inner;      /* body and signature are made */
	struct buf public_part, body; /* encoded */
	const struct forge_device *author;
	const struct epoch_secrets *sealing;
	const struct epoch_secrets *access;
	enum role access_role;
	enum forge_fault fault;
};

/* The account with its first entry, and the vault with its. Stops the program if they are not accepted. */
void forge_start(struct forge *f);
void forge_done(struct forge *f);

/* Only keys, for who forges the first entries too. */
void forge_keys(struct forge *f);

/*
 * Drafts of an entry by f->device that is right now. ${public_part}->keys of a create or rotate are filled in, with secrets of
 * an epoch that begins. Freed by forge_make or forge_drop.
 */
void forge_account(struct forge *f, struct forge_draft *d, const struct accountbody *body,
	struct entrypublic *public_part);
void forge_vault(struct forge *f, struct forge_draft *d, const struct vaultbody *body,
	struct entrypublic *public_part);

/* The body, or the public part, anew. What the encoder refuses: forge_raw. */
void forge_account_body(struct forge_draft *d, const struct accountbody *body);
void forge_vault_body(struct forge_draft *d, const struct vaultbody *body);
void forge_public(struct forge_draft *d, const struct entrypublic *public_part);
void forge_raw(struct buf *b, const void *bytes, size_t len);

/* Makes ${d}'s author another, its own thread included. */
void forge_by(struct forge *f, struct forge_draft *d, const struct forge_device *author);

/* The public part of an entry without one, of a create, of a rotate. */
struct entrypublic forge_public_of(uint8_t kind);

/* The bodies of the first entries; of an added device; of a recovery. ${room} takes what they point to. */
struct forge_room {
	uint8_t joined[SIGN_SIGNATURE];
};
struct accountbody forge_create_body(struct forge *f, struct forge_room *room);
struct accountbody forge_add_body(
	struct forge *f, struct forge_room *room, const struct forge_device *who, uint8_t kind);
struct accountbody forge_recovery_body(const struct forge_device *kit);
struct vaultbody forge_vault_create_body(const struct forge *f);

/* The entry of ${d}, appended to ${out}. Frees what ${d} holds. */
void forge_make(struct forge *f, struct forge_draft *d, struct buf *out);
void forge_drop(struct forge_draft *d);

/*
 * Gives one entry to chainlink_next and to the state of its chain, from guarded memory. If either refuses, the chain and
 * the ring are as before.
 */
enum err forge_take(struct forge *f, enum chain_kind kind, struct span bytes);

/* Both. */
enum err forge_give(struct forge *f, struct forge_draft *d);

/* Everything that the states say of what entries did, as one hash; not how many entries there were. */
struct hash forge_account_sum(const struct accountstate *s);
struct hash forge_vault_sum(const struct vaultstate *s);

/* Stops the program if not ${true_}. */
void forge_check(bool true_, const char *what);

#endif
