/*
 * The secrets of one epoch of a chain and all that is derived from them (doc/spec/crypto.md
 * section 5): S for who reads, W for who writes, A for who administers. In an account chain all
 * three are equal.
 */
#ifndef SECRET_EPOCHKEYS_H
#define SECRET_EPOCHKEYS_H

#include "crypto/hash.h"
#include "crypto/public.h"
#include "secret/aead.h"
#include "secret/fresh.h"
#include "secret/keys.h"
#include "secret/signer.h"

struct epoch_secrets {
	struct hash birth; /* of the chain */
	uint32_t epoch;    /* from 1 */
	enum role role;    /* reader: S; writer: and W; admin: and A */
	struct epoch_secret s;
	struct writer_secret w;
	struct admin_secret a;
};

/* What the create or rotate entry states in clear. */
struct epoch_public {
	uint8_t kem[KEM_PUBLIC];
	uint8_t reader[SIGN_PUBLIC];
	uint8_t writer[SIGN_PUBLIC];
	uint8_t admin[SIGN_PUBLIC];
	struct hash commitment;
};

/* New secrets with the role admin. E_USAGE for epoch 0; E_IO (fresh.h); then ${out} is wiped. */
MUST_USE enum err epochkeys_generate(struct epoch_secrets *out, enum chain_kind kind,
	const struct hash *birth, uint32_t epoch, struct fresh *fresh);

/* The secrets of an account chain's epoch, from its S: the role is admin. */
void epochkeys_account(struct epoch_secrets *out, const struct hash *birth, uint32_t epoch,
	const struct epoch_secret *s);

/* The secrets of a reader: S alone, as previous wraps give it. */
void epochkeys_reader(struct epoch_secrets *out, const struct hash *birth, uint32_t epoch,
	const struct epoch_secret *s);

/* The public side. E_DENIED unless the role is admin. */
MUST_USE enum err epochkeys_public(struct epoch_public *out, const struct epoch_secrets *secrets);

/*
 * Whether ${secrets} are those of the epoch that ${stated} describes: the commitment first, in
 * constant time, then the KEM key and the access keys of every role they hold. E_FORGED if not:
 * use nothing of them.
 */
MUST_USE enum err epochkeys_check(
	const struct epoch_secrets *secrets, const struct epoch_public *stated);

/* Only the commitment: for the S of an earlier epoch. E_FORGED. */
MUST_USE enum err epochkeys_check_commitment(
	const struct epoch_secrets *secrets, const struct hash *stated);

void epochkeys_commitment(struct hash *out, const struct epoch_secrets *secrets);
void epochkeys_kem(struct kem_seed *out, const struct epoch_secrets *secrets);

/*
 * The access key of ${role}, to sign with. E_DENIED if the secrets do not give it, or the role is
 * grant.
 */
MUST_USE enum err epochkeys_access(
	struct signer *out, const struct epoch_secrets *secrets, enum role role);

/* The key of inner parts with SEAL_BODY or SEAL_CONTACT (another: assert). */
void epochkeys_body(struct aead_key *out, const struct epoch_secrets *secrets, enum seal seal);

/*
 * The key of the box tags of ${epoch}: of the first, or of one whose previous epoch has the
 * secret ${previous}.
 */
void epochkeys_first_box_tag(struct box_tag_key *out, const struct hash *birth);
void epochkeys_box_tag(struct box_tag_key *out, const struct epoch_secret *previous,
	const struct hash *birth, uint32_t epoch);

/*
 * The previous wrap: S of the previous epoch under this one's (E_IO: fresh.h). Opening gives
 * E_FORGED if it is not a wrap under ${secrets}, and wipes ${previous}; check what it gave with
 * epochkeys_check_commitment.
 */
enum { EPOCHKEYS_WRAP = 96 };
MUST_USE enum err epochkeys_wrap(uint8_t out[EPOCHKEYS_WRAP], const struct epoch_secrets *secrets,
	const struct epoch_secret *previous, struct fresh *fresh);
MUST_USE enum err epochkeys_unwrap(struct epoch_secret *previous,
	const struct epoch_secrets *secrets, const uint8_t wrap[EPOCHKEYS_WRAP]);

#endif
