/* The vectors of test/vector/crypto/ that need only src/crypto: hashes, derivation, signatures. */
#include <stdio.h>
#include <stdlib.h>

#include "casefile.h"
#include "crypto/crypto.h"
#include "crypto/derive.h"
#include "crypto/deviceid.h"
#include "crypto/entryproof.h"
#include "crypto/verify.h"

enum { DERIVE_MAX = 4112 };

/* As BLAKE3's own vectors: bytes 0 to 250, again and again. */
static uint8_t *pattern(size_t n) {
	uint8_t *p = malloc(n ? n : 1);
	if (!p) abort();
	for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(i % 251);
	return p;
}

static bool is_hash(const struct casefile_case *c, const char *field, const struct hash *h) {
	return casefile_is(c, field, h->b, HASH_SIZE);
}

/* The same input in three uneven pieces. */
static void add_pieces(struct hasher *h, struct span in) {
	size_t a = in.len / 3, b = in.len / 2;
	hasher_add(h, span_of(in.ptr, a));
	hasher_add(h, span_of(in.ptr + a, b - a));
	hasher_add(h, span_skip(in, b));
}

static enum err run_hash(const struct casefile_case *c) {
	size_t n = casefile_number(c, "length");
	uint8_t *p = pattern(n);
	const uint8_t *key = casefile_fixed(c, "key", HASH_SIZE).ptr;
	const char *label = casefile_text(c, "label");
	struct span in = span_of(p, n);
	struct hash h[6];
	struct hasher pieces;
	hash_of(&h[0], in);
	hash_keyed(&h[1], key, in);
	hash_label(&h[2], label, in);
	hasher_init(&pieces);
	add_pieces(&pieces, in);
	hasher_done(&pieces, &h[3]);
	hasher_keyed(&pieces, key);
	add_pieces(&pieces, in);
	hasher_done(&pieces, &h[4]);
	hasher_label(&pieces, label);
	add_pieces(&pieces, in);
	hasher_done(&pieces, &h[5]);
	bool good = true;
	for (unsigned i = 0; i < 6; i += 3)
		good = good && is_hash(c, "plain", &h[i]) && is_hash(c, "keyed", &h[i + 1]) &&
			is_hash(c, "labelled", &h[i + 2]);
	free(p);
	return good ? OK : E_COUNT;
}

static enum err run_derive(const struct casefile_case *c) {
	struct derive d;
	struct span field, out = casefile_bytes(c, "out");
	uint8_t got[DERIVE_MAX];
	if (out.len > sizeof got) return E_LIMIT;
	derive_start(&d, casefile_text(c, "label"), casefile_bytes(c, "key"));
	for (unsigned i = 0; casefile_nth(c, "field", i, &field); i++) derive_bytes(&d, field);
	derive_done(&d, got, out.len);
	return span_equal(out, span_of(got, out.len)) ? OK : E_COUNT;
}

static enum err run_entry(const struct casefile_case *c) {
	struct hash outer, entry;
	entryproof_outer(&outer, casefile_bytes(c, "outer"));
	entryproof_hash(&entry, casefile_bytes(c, "entry"));
	return is_hash(c, "outer_hash", &outer) && is_hash(c, "entry_hash", &entry) ? OK : E_COUNT;
}

static enum err run_sign(const struct casefile_case *c) {
	struct span message = casefile_bytes(c, "message");
	struct span parts[] = { span_of(message.ptr, message.len / 2),
		span_skip(message, message.len / 2) };
	const uint8_t *key = casefile_fixed(c, "public", SIGN_PUBLIC).ptr;
	const uint8_t *signature = casefile_fixed(c, "signature", SIGN_SIGNATURE).ptr;
	const char *context = casefile_text(c, "context");
	enum err whole = verify_signature(key, context, &message, 1, signature);
	enum err cut = verify_signature(key, context, parts, 2, signature);
	return whole == cut ? whole : E_COUNT;
}

static enum err run_entry_signatures(const struct casefile_case *c) {
	struct hash outer;
	casefile_copy(outer.b, c, "outer", HASH_SIZE);
	enum err e = entryproof_access(casefile_fixed(c, "access_public", SIGN_PUBLIC).ptr,
		casefile_bytes(c, "before"), casefile_fixed(c, "access_signature", SIGN_SIGNATURE).ptr);
	if (e) return e;
	return entryproof_author(casefile_fixed(c, "author_public", SIGN_PUBLIC).ptr, &outer,
		casefile_bytes(c, "inner"), casefile_fixed(c, "author_signature", SIGN_SIGNATURE).ptr);
}

static enum err run_device(const struct casefile_case *c) {
	const uint8_t *entry = casefile_fixed(c, "entry_public", SIGN_PUBLIC).ptr;
	struct hash id, account;
	deviceid_of(&id, entry, casefile_fixed(c, "request_public", SIGN_PUBLIC).ptr,
		casefile_fixed(c, "kem_public", KEM_PUBLIC).ptr);
	if (!is_hash(c, "id", &id)) return E_COUNT;
	casefile_copy(account.b, c, "account", HASH_SIZE);
	return deviceid_check_joined(entry, &account, casefile_bytes(c, "record"),
		casefile_fixed(c, "joined", SIGN_SIGNATURE).ptr);
}

/* Other programs' business: vector_secret.c. */
static enum err skip(const struct casefile_case *c) {
	(void)c;
	return OK;
}

static const struct casefile_kind kinds[] = {
	{ "hash", run_hash, false },
	{ "derive", run_derive, false },
	{ "fresh", skip, true },
	{ "entry", run_entry, false },
	{ "sign", run_sign, false },
	{ "entry_signatures", run_entry_signatures, false },
	{ "device", run_device, false },
	{ "kit", skip, true },
	{ NULL, NULL, false },
};

int main(void) {
	unsigned passed = 0, failed = 0;
	if (crypto_start()) return 2;
	failed += casefile_run("test/vector/crypto/hash.txt", kinds, &passed);
	failed += casefile_run("test/vector/crypto/sign.txt", kinds, &passed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0 || passed == 0;
}
