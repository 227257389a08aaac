/*
 * A box: the secrets of an epoch sealed to one recipient, a device (account chain) or an account
 * (vault chain) (doc/spec/crypto.md section 5; plaintext: formats.md section 8.3). The object
 * that holds all boxes of an epoch is format/'s.
 */
#ifndef SECRET_BOX_H
#define SECRET_BOX_H

#include "secret/epochkeys.h"
#include "secret/hpke.h"

enum {
	BOX_PLAIN = 256,
	BOX_SIZE = BOX_PLAIN + HPKE_OVERHEAD, /* 1,392 */
};

struct box_content {
	enum chain_kind kind;
	struct epoch_secrets secrets; /* account chain: role admin */
	struct root_key root;         /* vault chain only */
};

/* Where a box is found: MAC(key, recipient id). */
void box_tag(struct hash *out, const struct box_tag_key *key, const struct hash *recipient);

/*
 * E_USAGE if the content is none (kind, role, epoch); E_FORMAT if ${public_key} is no key; E_IO
 * (fresh.h).
 */
MUST_USE enum err box_seal(uint8_t out[BOX_SIZE], const uint8_t public_key[KEM_PUBLIC],
	const struct hash *recipient, const struct box_content *content, struct fresh *fresh);

/*
 * Opens the box of ${kind} for ${epoch} of the chain born ${birth}. E_FORGED if it does not open
 * with these; E_FORMAT if what opened is not strictly a box plaintext, or is for another kind or
 * epoch; E_UNSUPPORTED for another version. ${out} is written on OK only. The secrets are
 * believed only after epochkeys_check, the root after vaultkeys_check_root.
 */
MUST_USE enum err box_open(struct box_content *out, const struct kem_seed *seed,
	const struct hash *recipient, enum chain_kind kind, const struct hash *birth, uint32_t epoch,
	const uint8_t box[BOX_SIZE]);

#endif
