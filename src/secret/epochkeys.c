#include "secret/epochkeys.h"

#include <assert.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "crypto/ct.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "secret/xwing.h"

/* D(label, key, birth, u32 epoch) is how nearly everything of an epoch is made. */
static void start(struct derive *d, const char *label, const uint8_t key[KEY_SIZE],
	const struct hash *birth, uint32_t epoch) {
	derive_start(d, label, span_of(key, KEY_SIZE));
	derive_hash(d, birth);
	derive_u32(d, epoch);
}

static void from_s(uint8_t out[KEY_SIZE], const char *label, const struct epoch_secrets *x) {
	struct derive d;
	start(&d, label, x->s.b, &x->birth, x->epoch);
	derive_done(&d, out, KEY_SIZE);
}

void epochkeys_account(struct epoch_secrets *out, const struct hash *birth, uint32_t epoch,
	const struct epoch_secret *s) {
	epochkeys_reader(out, birth, epoch, s);
	out->role = ROLE_ADMIN;
	memcpy(out->w.b, s->b, KEY_SIZE);
	memcpy(out->a.b, s->b, KEY_SIZE);
}

void epochkeys_reader(struct epoch_secrets *out, const struct hash *birth, uint32_t epoch,
	const struct epoch_secret *s) {
	*out = (struct epoch_secrets){ .birth = *birth, .epoch = epoch, .role = ROLE_READER, .s = *s };
}

enum err epochkeys_generate(struct epoch_secrets *out, enum chain_kind kind,
	const struct hash *birth, uint32_t epoch, struct fresh *fresh) {
	struct epoch_secret s;
	if (epoch == 0) return E_USAGE;
	enum err e = fresh_bytes(fresh, &s, sizeof s);
	if (!e) epochkeys_account(out, birth, epoch, &s);
	if (!e && kind == CHAIN_VAULT) {
		e = fresh_bytes(fresh, &out->w, sizeof out->w);
		if (!e) e = fresh_bytes(fresh, &out->a, sizeof out->a);
	}
	if (e) mem_wipe(out, sizeof *out);
	mem_wipe(&s, sizeof s);
	return e;
}

void epochkeys_commitment(struct hash *out, const struct epoch_secrets *secrets) {
	from_s(out->b, LABEL_EPOCH_COMMITMENT, secrets);
}

void epochkeys_kem(struct kem_seed *out, const struct epoch_secrets *secrets) {
	from_s(out->b, LABEL_EPOCH_KEM, secrets);
}

/* The secret that gives the access key of ${role}, or NULL. */
static const uint8_t *secret_of(const struct epoch_secrets *secrets, enum role role) {
	if (secrets->role < ROLE_READER || role > secrets->role) return NULL;
	switch (role) {
	case ROLE_READER: return secrets->s.b;
	case ROLE_WRITER: return secrets->w.b;
	case ROLE_ADMIN: return secrets->a.b;
	case ROLE_GRANT: return NULL; /* has a key of its own, not of the epoch */
	}
	return NULL;
}

enum err epochkeys_access(struct signer *out, const struct epoch_secrets *secrets, enum role role) {
	const uint8_t *from = secret_of(secrets, role);
	if (!from) return E_DENIED;
	struct sign_seed seed;
	struct derive d;
	start(&d, LABEL_ACCESS_KEY, from, &secrets->birth, secrets->epoch);
	derive_u8(&d, (uint8_t)role);
	derive_done(&d, seed.b, KEY_SIZE);
	signer_init(out, &seed);
	mem_wipe(&seed, sizeof seed);
	return OK;
}

static enum err access_public(
	uint8_t out[SIGN_PUBLIC], const struct epoch_secrets *secrets, enum role role) {
	struct signer signer;
	enum err e = epochkeys_access(&signer, secrets, role);
	if (e) return e;
	signer_public(out, &signer);
	signer_done(&signer);
	return OK;
}

static void kem_public(uint8_t out[KEM_PUBLIC], const struct epoch_secrets *secrets) {
	struct kem_seed seed;
	epochkeys_kem(&seed, secrets);
	xwing_public(out, &seed);
	mem_wipe(&seed, sizeof seed);
}

enum err epochkeys_public(struct epoch_public *out, const struct epoch_secrets *secrets) {
	enum err e = access_public(out->admin, secrets, ROLE_ADMIN);
	if (!e) e = access_public(out->writer, secrets, ROLE_WRITER);
	if (!e) e = access_public(out->reader, secrets, ROLE_READER);
	if (e) return e;
	kem_public(out->kem, secrets);
	epochkeys_commitment(&out->commitment, secrets);
	return OK;
}

enum err epochkeys_check_commitment(
	const struct epoch_secrets *secrets, const struct hash *stated) {
	struct hash own;
	epochkeys_commitment(&own, secrets);
	return hash_equal(&own, stated) ? OK : E_FORGED;
}

static bool access_is(
	const struct epoch_secrets *secrets, enum role role, const uint8_t stated[SIGN_PUBLIC]) {
	uint8_t own[SIGN_PUBLIC];
	return access_public(own, secrets, role) == OK && ct_equal(own, stated, sizeof own);
}

enum err epochkeys_check(const struct epoch_secrets *secrets, const struct epoch_public *stated) {
	enum err e = epochkeys_check_commitment(secrets, &stated->commitment);
	if (e) return e;
	uint8_t kem[KEM_PUBLIC];
	kem_public(kem, secrets);
	bool good = ct_equal(kem, stated->kem, sizeof kem);
	good = good && access_is(secrets, ROLE_READER, stated->reader);
	if (secrets->role >= ROLE_WRITER)
		good = good && access_is(secrets, ROLE_WRITER, stated->writer);
	if (secrets->role >= ROLE_ADMIN) good = good && access_is(secrets, ROLE_ADMIN, stated->admin);
	return good ? OK : E_FORGED;
}

void epochkeys_body(struct aead_key *out, const struct epoch_secrets *secrets, enum seal seal) {
	assert(seal == SEAL_BODY || seal == SEAL_CONTACT);
	from_s(out->b, seal == SEAL_BODY ? LABEL_ENTRY_BODY : LABEL_CONTACT_BODY, secrets);
}

void epochkeys_first_box_tag(struct box_tag_key *out, const struct hash *birth) {
	struct derive d;
	derive_start(&d, LABEL_FIRST_BOX_TAG, hash_span(birth));
	derive_done(&d, out->b, KEY_SIZE);
}

void epochkeys_box_tag(struct box_tag_key *out, const struct epoch_secret *previous,
	const struct hash *birth, uint32_t epoch) {
	struct derive d;
	start(&d, LABEL_BOX_TAG, previous->b, birth, epoch);
	derive_done(&d, out->b, KEY_SIZE);
}

enum err epochkeys_wrap(uint8_t out[EPOCHKEYS_WRAP], const struct epoch_secrets *secrets,
	const struct epoch_secret *previous, struct fresh *fresh) {
	struct aead_key key;
	struct aead_nonce nonce;
	uint8_t aad[4];
	enum err e = fresh_bytes(fresh, &nonce, sizeof nonce);
	if (e) return e;
	little_put32(aad, secrets->epoch);
	memcpy(out, nonce.b, AEAD_NONCE);
	from_s(key.b, LABEL_PREVIOUS_EPOCH, secrets);
	aead_seal(
		out + AEAD_NONCE, &key, &nonce, span_of(aad, sizeof aad), span_of(previous->b, KEY_SIZE));
	mem_wipe(&key, sizeof key);
	return OK;
}

enum err epochkeys_unwrap(struct epoch_secret *previous, const struct epoch_secrets *secrets,
	const uint8_t wrap[EPOCHKEYS_WRAP]) {
	struct aead_key key;
	struct aead_nonce nonce;
	uint8_t aad[4];
	little_put32(aad, secrets->epoch);
	memcpy(nonce.b, wrap, AEAD_NONCE);
	from_s(key.b, LABEL_PREVIOUS_EPOCH, secrets);
	enum err e = aead_open(previous->b, &key, &nonce, span_of(aad, sizeof aad),
		span_of(wrap + AEAD_NONCE, EPOCHKEYS_WRAP - AEAD_NONCE));
	mem_wipe(&key, sizeof key);
	return e;
}
