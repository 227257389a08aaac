#include "secret/entryseal.h"

#include "base/mem.h"
#include "crypto/label.h"
#include "secret/hpkeinfo.h"

size_t entryseal_overhead(enum seal seal) {
	return seal == SEAL_HPKE ? HPKE_OVERHEAD : AEAD_TAG;
}

enum err entryseal_nonce(struct aead_nonce *out, struct fresh *fresh) {
	return fresh_bytes(fresh, out, sizeof *out);
}

/* Here, and only here, the outer hash is a field without a length before it: it is the last. */
static void info_of(struct hpke_info *info, const struct hash *outer) {
	hpkeinfo_start(info, LABEL_ENTRY_SEALED);
	hpkeinfo_raw(info, hash_span(outer));
}

void entryseal_seal(uint8_t *out, enum seal seal, const struct epoch_secrets *secrets,
	const struct aead_nonce *nonce, const struct hash *outer, struct span padded) {
	struct aead_key key;
	epochkeys_body(&key, secrets, seal);
	aead_seal(out, &key, nonce, hash_span(outer), padded);
	mem_wipe(&key, sizeof key);
}

enum err entryseal_seal_to(uint8_t *out, const uint8_t epoch_public[KEM_PUBLIC],
	const struct hash *outer, struct span padded, struct fresh *fresh) {
	struct hpke_info info;
	info_of(&info, outer);
	return hpke_seal(out, epoch_public, hpkeinfo_span(&info), padded, fresh);
}

static enum err open_hpke(uint8_t *out, const struct epoch_secrets *secrets,
	const struct hash *outer, struct span sealed) {
	struct hpke_info info;
	struct kem_seed seed;
	info_of(&info, outer);
	epochkeys_kem(&seed, secrets);
	enum err e = hpke_open(out, &seed, hpkeinfo_span(&info), sealed);
	mem_wipe(&seed, sizeof seed);
	return e;
}

enum err entryseal_open(uint8_t *out, enum seal seal, const struct epoch_secrets *secrets,
	const struct aead_nonce *nonce, const struct hash *outer, struct span sealed) {
	if (seal == SEAL_HPKE) return open_hpke(out, secrets, outer, sealed);
	struct aead_key key;
	epochkeys_body(&key, secrets, seal);
	enum err e = aead_open(out, &key, nonce, hash_span(outer), sealed);
	mem_wipe(&key, sizeof key);
	return e;
}

enum err entryseal_sign_access(
	uint8_t out[SIGN_SIGNATURE], const struct signer *access, struct span before) {
	return signer_sign(out, access, LABEL_ENTRY_ACCESS, &before, 1);
}

enum err entryseal_sign_author(uint8_t out[SIGN_SIGNATURE], const struct signer *entry_key,
	const struct hash *outer, struct span inner) {
	struct span parts[] = { hash_span(outer), inner };
	return signer_sign(out, entry_key, LABEL_ENTRY_AUTHOR, parts, 2);
}
