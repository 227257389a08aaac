#include "core/entrycraft.h"

#include "base/mem.h"
#include "crypto/entryproof.h"
#include "format/limits.h"
#include "secret/entryseal.h"

/* The signed and padded inner part. */
static enum err make_inner(
	const struct entrycraft *c, const struct hash *outer, struct buf *plain) {
	uint8_t signature[SIGN_SIGNATURE];
	enum err e = entryinner_begin(&c->inner, plain);
	if (!e) e = entryseal_sign_author(signature, c->author, outer, buf_span(plain));
	if (!e) e = entryinner_end(signature, plain);
	return e;
}

static enum err sign_access(const struct entrycraft *c, enum role role, struct buf *out) {
	struct signer access;
	uint8_t signature[SIGN_SIGNATURE];
	enum err e = epochkeys_access(&access, c->access, role);
	if (e) return e;
	e = entryseal_sign_access(signature, &access, buf_span(out));
	signer_done(&access);
	if (!e) e = entry_end(signature, out);
	return e;
}

enum err entrycraft_make(const struct entrycraft *c, const struct entry *draft, struct buf *out) {
	struct entry d = *draft;
	struct aead_nonce nonce;
	struct hash outer;
	struct buf plain, sealed;
	uint8_t *at;
	buf_init(&plain, LIMIT_ENTRY_INNER);
	buf_init(&sealed, LIMIT_ENTRY_SEALED);
	/* sealing to the epoch's public key is for devices that hold no secrets of it */
	enum err e = d.seal == SEAL_BODY || d.seal == SEAL_CONTACT ? OK : E_USAGE;
	if (!e) e = entryseal_nonce(&nonce, c->fresh);
	if (!e) {
		d.nonce = hash_from(nonce.b);
		e = entry_begin(&d, out);
	}
	if (!e) {
		entryproof_outer(&outer, buf_span(out));
		e = make_inner(c, &outer, &plain);
	}
	if (!e) e = buf_extend(&sealed, plain.len + entryseal_overhead((enum seal)d.seal), &at);
	if (!e) {
		entryseal_seal(at, (enum seal)d.seal, c->sealing, &nonce, &outer, buf_span(&plain));
		e = entry_sealed(buf_span(&sealed), out);
	}
	if (!e) e = sign_access(c, (enum role)d.role, out);
	if (e) buf_clear(out);
	buf_wipe_free(&plain);
	buf_free(&sealed);
	return e;
}

enum err entrycraft_open(const struct entry *entry, struct span bytes,
	const struct epoch_secrets *secrets, struct buf *plain, struct entryinner *inner,
	struct hash *outer) {
	struct aead_nonce nonce;
	uint8_t *at;
	size_t overhead = entryseal_overhead((enum seal)entry->seal);
	if (entry->sealed.len < overhead) return E_FORGED;
	for (size_t i = 0; i < AEAD_NONCE; i++) nonce.b[i] = entry->nonce.b[i];
	entryproof_outer(outer, span_of(bytes.ptr, entry->outer_len));
	buf_clear(plain);
	enum err e = buf_extend(plain, entry->sealed.len - overhead, &at);
	if (!e) e = entryseal_open(at, (enum seal)entry->seal, secrets, &nonce, outer, entry->sealed);
	if (!e) e = entryinner_decode(inner, buf_span(plain));
	return e;
}

enum err entrycraft_check_author(const struct entryinner *inner, struct span plain,
	const struct hash *outer, const uint8_t entry_key[SIGN_PUBLIC]) {
	return entryproof_author(
		entry_key, outer, span_of(plain.ptr, inner->signed_len), inner->signature.ptr);
}
