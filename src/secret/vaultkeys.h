/*
 * What a vault's root gives, for one origin of chunks: the keys of chunk ids, the chunker key,
 * the hard-link key (doc/spec/crypto.md section 7).
 */
#ifndef SECRET_VAULTKEYS_H
#define SECRET_VAULTKEYS_H

#include "crypto/hash.h"
#include "crypto/public.h"
#include "secret/fresh.h"
#include "secret/keys.h"

enum {
	VAULTKEYS_CHUNKER = 4112,
	VAULTKEYS_TYPES = 6, /* chunk types are 1 to 6 */
	VAULTKEYS_GROUP = 16,
};

struct vault_keys {
	struct chunk_id_key ids[VAULTKEYS_TYPES + 1]; /* by chunk type; [0] is not used */
	struct hard_link_key hard_link;
	uint8_t chunker[VAULTKEYS_CHUNKER];
};

/* 32 fresh bytes. E_IO (fresh.h). */
MUST_USE enum err vaultkeys_generate_root(struct root_key *out, struct fresh *fresh);

void vaultkeys_root_commitment(
	struct hash *out, const struct root_key *root, const struct hash *birth);

/* In constant time. E_FORGED. */
MUST_USE enum err vaultkeys_check_root(
	const struct root_key *root, const struct hash *birth, const struct hash *stated);

/*
 * All keys of an origin of the vault with id ${vault}. ${origin_id} is NULL for ORIGIN_OWN, and
 * only then.
 */
void vaultkeys_derive(struct vault_keys *out, const struct root_key *root, const struct hash *vault,
	enum origin origin, const struct hash *origin_id);

/* The id of a chunk of ${type} (1 to 6). The hot path: one keyed BLAKE3, nothing else. */
void vaultkeys_chunk_id(
	struct hash *out, const struct vault_keys *keys, uint8_t type, struct span chunk);

/* The hard-link group of a file, by its ${device} and ${inode} numbers. */
void vaultkeys_group(
	uint8_t out[VAULTKEYS_GROUP], const struct vault_keys *keys, uint64_t device, uint64_t inode);

#endif
