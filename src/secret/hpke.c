/*
 * RFC 9180 with two of its freedoms used: the KEM is X-Wing, whose shared secret goes into the
 * key schedule as it is, and there is one message for an encapsulation, so that no sequence
 * number is kept.
 */
#include "secret/hpke.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "secret/xwing.h"

enum {
	HPKE_HASH = 32,  /* Nh */
	HPKE_NONCE = 12, /* Nn */
	HPKE_CHACHA20POLY1305 = 0x0003,
	HPKE_EXPORT_ONLY = 0xffff,
	HPKE_MODE_BASE = 0x00,
	HPKE_SUITE = 10,
	HPKE_EXPAND_MAX = 160,
};

static_assert(HPKE_HASH == crypto_kdf_hkdf_sha256_KEYBYTES, "HKDF-SHA256");
static_assert(HPKE_NONCE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "ChaCha20-Poly1305");
static_assert(HPKE_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "ChaCha20-Poly1305");

struct suite {
	uint8_t b[HPKE_SUITE];
};

/* All that the key schedule gives. */
struct schedule {
	uint8_t key[KEY_SIZE];
	uint8_t base_nonce[HPKE_NONCE];
	uint8_t exporter[HPKE_HASH];
};

static struct suite suite_of(unsigned aead) {
	struct suite s = { { 'H', 'P', 'K', 'E', 0x64, 0x7a, 0x00, 0x01, (uint8_t)(aead >> 8),
		(uint8_t)aead } };
	return s;
}

static void feed(crypto_kdf_hkdf_sha256_state *st, struct span in) {
	if (in.len) (void)crypto_kdf_hkdf_sha256_extract_update(st, in.ptr, in.len);
}

/* LabeledExtract(salt, label, ikm), section 4 of the RFC. */
static void extract(uint8_t out[HPKE_HASH], const struct suite *suite, struct span salt,
	const char *label, struct span ikm) {
	crypto_kdf_hkdf_sha256_state st;
	(void)crypto_kdf_hkdf_sha256_extract_init(&st, salt.ptr, salt.len);
	feed(&st, span_text("HPKE-v1"));
	feed(&st, span_of(suite->b, HPKE_SUITE));
	feed(&st, span_text(label));
	feed(&st, ikm);
	(void)crypto_kdf_hkdf_sha256_extract_final(&st, out);
	mem_wipe(&st, sizeof st);
}

static size_t put(uint8_t *at, size_t n, struct span in) {
	assert(in.len <= HPKE_EXPAND_MAX - n);
	if (in.len) memcpy(at + n, in.ptr, in.len);
	return n + in.len;
}

/* LabeledExpand(prk, label, info, n). */
static void expand(uint8_t *out, size_t n, const struct suite *suite, const uint8_t prk[HPKE_HASH],
	const char *label, struct span info) {
	uint8_t labeled[HPKE_EXPAND_MAX] = { (uint8_t)(n >> 8), (uint8_t)n };
	size_t len = 2;
	len = put(labeled, len, span_text("HPKE-v1"));
	len = put(labeled, len, span_of(suite->b, HPKE_SUITE));
	len = put(labeled, len, span_text(label));
	len = put(labeled, len, info);
	int r = crypto_kdf_hkdf_sha256_expand(out, n, (const char *)labeled, len, prk);
	assert(r == 0);
	(void)r;
}

/* KeySchedule(mode_base, shared_secret, info, psk = "", psk_id = ""), section 5.1. */
static void schedule(
	struct schedule *out, unsigned aead, const struct xwing_shared *shared, struct span info) {
	static const uint8_t nothing[1];
	struct span empty = span_of(nothing, 0);
	struct suite suite = suite_of(aead);
	uint8_t context[1 + 2 * HPKE_HASH] = { HPKE_MODE_BASE };
	uint8_t secret[HPKE_HASH];
	extract(context + 1, &suite, empty, "psk_id_hash", empty);
	extract(context + 1 + HPKE_HASH, &suite, empty, "info_hash", info);
	extract(secret, &suite, span_of(shared->b, sizeof shared->b), "secret", empty);
	struct span ctx = span_of(context, sizeof context);
	if (aead != HPKE_EXPORT_ONLY) {
		expand(out->key, sizeof out->key, &suite, secret, "key", ctx);
		expand(out->base_nonce, sizeof out->base_nonce, &suite, secret, "base_nonce", ctx);
	}
	expand(out->exporter, sizeof out->exporter, &suite, secret, "exp", ctx);
	mem_wipe(secret, sizeof secret);
}

static enum err sender(struct schedule *out, uint8_t enc[KEM_ENC], unsigned aead,
	const uint8_t public_key[KEM_PUBLIC], struct span info, struct fresh *fresh) {
	struct {
		struct xwing_coins coins;
		struct xwing_shared shared;
	} s;
	enum err e = fresh_bytes(fresh, &s.coins, sizeof s.coins);
	if (!e) e = xwing_encapsulate(enc, &s.shared, public_key, &s.coins);
	if (!e) schedule(out, aead, &s.shared, info);
	mem_wipe(&s, sizeof s);
	return e;
}

static enum err receiver(struct schedule *out, unsigned aead, const struct kem_seed *seed,
	struct span info, const uint8_t enc[KEM_ENC]) {
	struct xwing_shared shared;
	enum err e = xwing_decapsulate(&shared, enc, seed);
	if (!e) schedule(out, aead, &shared, info);
	mem_wipe(&shared, sizeof shared);
	return e;
}

enum err hpke_seal(uint8_t *out, const uint8_t public_key[KEM_PUBLIC], struct span info,
	struct span x, struct fresh *fresh) {
	struct schedule s;
	enum err e = sender(&s, out, HPKE_CHACHA20POLY1305, public_key, info, fresh);
	if (!e)
		(void)crypto_aead_chacha20poly1305_ietf_encrypt(
			out + KEM_ENC, NULL, x.ptr, x.len, NULL, 0, NULL, s.base_nonce, s.key);
	mem_wipe(&s, sizeof s);
	return e;
}

enum err hpke_open(
	uint8_t *out, const struct kem_seed *seed, struct span info, struct span sealed) {
	struct schedule s;
	if (sealed.len < HPKE_OVERHEAD) return E_FORGED;
	struct span text = span_skip(sealed, KEM_ENC);
	enum err e = receiver(&s, HPKE_CHACHA20POLY1305, seed, info, sealed.ptr);
	if (!e &&
		crypto_aead_chacha20poly1305_ietf_decrypt(
			out, NULL, NULL, text.ptr, text.len, NULL, 0, s.base_nonce, s.key) != 0)
		e = E_FORGED;
	if (e) mem_wipe(out, text.len - HPKE_TAG);
	mem_wipe(&s, sizeof s);
	return e;
}

enum err hpke_export_sender(struct hpke_context *out, uint8_t enc[KEM_ENC],
	const uint8_t public_key[KEM_PUBLIC], struct span info, struct fresh *fresh) {
	struct schedule s;
	enum err e = sender(&s, enc, HPKE_EXPORT_ONLY, public_key, info, fresh);
	if (!e) memcpy(out->exporter, s.exporter, sizeof s.exporter);
	mem_wipe(&s, sizeof s);
	return e;
}

enum err hpke_export_receiver(struct hpke_context *out, const struct kem_seed *seed,
	struct span info, const uint8_t enc[KEM_ENC]) {
	struct schedule s;
	enum err e = receiver(&s, HPKE_EXPORT_ONLY, seed, info, enc);
	if (!e) memcpy(out->exporter, s.exporter, sizeof s.exporter);
	mem_wipe(&s, sizeof s);
	return e;
}

void hpke_export(
	uint8_t out[KEY_SIZE], const struct hpke_context *context, const char *exporter_context) {
	struct suite suite = suite_of(HPKE_EXPORT_ONLY);
	expand(out, KEY_SIZE, &suite, context->exporter, "sec", span_text(exporter_context));
}
