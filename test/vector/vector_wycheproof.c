/*
 * Public vectors of other projects, where they are: C2SP's Wycheproof (the primitives under our
 * names) and its vectors of Ed25519 edge cases. Looked for in $BROCH_PUBLIC_VECTORS or in
 * shared/vectors beside the source tree; skipped without.
 */
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "secret/aead.h"

enum { SKIPPED = 77, BYTES_MAX = 1 << 16, HASH_LEN = 32, AEGIS_SHORT_TAG = 16 };

struct bytes {
	uint8_t *p; /* ends where a guard page begins */
	size_t n;
};

static unsigned passed, failed;
static char folder[3072];

static void die(const char *what) {
	fprintf(stderr, "vector_wycheproof: %s\n", what);
	exit(2);
}

static struct bytes bytes_of(const json_t *test, const char *field) {
	const char *hex = json_string_value(json_object_get(test, field));
	if (!hex) die(field);
	struct bytes b = { sodium_malloc(strlen(hex) / 2), 0 };
	if (!b.p) die("out of memory");
	if (sodium_hex2bin(b.p, strlen(hex) / 2, hex, strlen(hex), NULL, &b.n, NULL)) die(field);
	return b;
}

static void judge(const char *file, const json_t *test, bool want, bool got) {
	if (want == got) {
		passed++;
		return;
	}
	failed++;
	json_t *id = json_object_get(test, "tcId");
	if (!id) id = json_object_get(test, "number");
	printf("%s %d: %s\n", file, (int)json_integer_value(id), got ? "accepted" : "refused");
}

static bool is_valid(const json_t *test) {
	const char *result = json_string_value(json_object_get(test, "result"));
	if (!result) die("no result");
	return strcmp(result, "valid") == 0;
}

static bool has_flag(const json_t *test, const char *name) {
	size_t i;
	json_t *flag;
	json_array_foreach(json_object_get(test, "flags"), i, flag) {
		if (strcmp(json_string_value(flag), name) == 0) return true;
	}
	return false;
}

/* --- each algorithm: whether what the vector states is what comes out */

/* Theirs have tags of 16 bytes, which are the two halves of ours added up. */
static bool aegis256(const json_t *group, const json_t *test) {
	(void)group;
	static uint8_t out[BYTES_MAX];
	struct bytes key = bytes_of(test, "key"), iv = bytes_of(test, "iv"),
				 aad = bytes_of(test, "aad"), msg = bytes_of(test, "msg"),
				 ct = bytes_of(test, "ct"), tag = bytes_of(test, "tag");
	struct aead_key k;
	struct aead_nonce n;
	if (key.n != sizeof k || iv.n != sizeof n || tag.n != AEGIS_SHORT_TAG) return false;
	if (msg.n + AEAD_TAG > sizeof out || ct.n != msg.n) return false;
	memcpy(&k, key.p, sizeof k);
	memcpy(&n, iv.p, sizeof n);
	aead_seal(out, &k, &n, span_of(aad.p, aad.n), span_of(msg.p, msg.n));
	uint8_t *t = out + msg.n;
	for (unsigned i = 0; i < AEGIS_SHORT_TAG; i++) t[i] ^= t[AEGIS_SHORT_TAG + i];
	return memcmp(out, ct.p, ct.n) == 0 && memcmp(t, tag.p, tag.n) == 0;
}

static bool chacha20_poly1305(const json_t *group, const json_t *test) {
	(void)group;
	static uint8_t out[BYTES_MAX];
	struct bytes key = bytes_of(test, "key"), iv = bytes_of(test, "iv"),
				 aad = bytes_of(test, "aad"), msg = bytes_of(test, "msg"),
				 ct = bytes_of(test, "ct"), tag = bytes_of(test, "tag");
	if (key.n != 32 || iv.n != 12 || tag.n != 16 || ct.n > sizeof out) return false;
	if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
			out, NULL, ct.p, ct.n, tag.p, aad.p, aad.n, iv.p, key.p))
		return false;
	return msg.n == ct.n && memcmp(out, msg.p, msg.n) == 0;
}

static bool hkdf_sha256(const json_t *group, const json_t *test) {
	(void)group;
	static uint8_t out[BYTES_MAX];
	uint8_t prk[HASH_LEN];
	struct bytes ikm = bytes_of(test, "ikm"), salt = bytes_of(test, "salt"),
				 info = bytes_of(test, "info"), okm = bytes_of(test, "okm");
	size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
	if (size > sizeof out) return false;
	crypto_kdf_hkdf_sha256_extract(prk, salt.p, salt.n, ikm.p, ikm.n);
	if (crypto_kdf_hkdf_sha256_expand(out, size, (const char *)info.p, info.n, prk)) return false;
	return okm.n == size && memcmp(out, okm.p, size) == 0;
}

/*
 * A shared secret of zeros is refused; everything else they call acceptable has to come out
 * right.
 */
static bool x25519(const json_t *group, const json_t *test) {
	(void)group;
	uint8_t out[32];
	struct bytes pub = bytes_of(test, "public"), sk = bytes_of(test, "private"),
				 shared = bytes_of(test, "shared");
	if (pub.n != 32 || sk.n != 32 || shared.n != 32) return false;
	if (crypto_scalarmult_curve25519(out, sk.p, pub.p)) return has_flag(test, "ZeroSharedSecret");
	return !has_flag(test, "ZeroSharedSecret") && memcmp(out, shared.p, 32) == 0;
}

static bool mlkem_768(const json_t *group, const json_t *test) {
	(void)group;
	static uint8_t pk[crypto_kem_mlkem768_PUBLICKEYBYTES], sk[crypto_kem_mlkem768_SECRETKEYBYTES];
	uint8_t out[crypto_kem_mlkem768_SHAREDSECRETBYTES];
	struct bytes seed = bytes_of(test, "seed"), c = bytes_of(test, "c"), k = bytes_of(test, "K");
	if (seed.n != crypto_kem_mlkem768_SEEDBYTES || c.n != crypto_kem_mlkem768_CIPHERTEXTBYTES)
		return false;
	crypto_kem_mlkem768_seed_keypair(pk, sk, seed.p);
	if (json_object_get(test, "ek")) {
		struct bytes ek = bytes_of(test, "ek");
		if (ek.n != sizeof pk || memcmp(pk, ek.p, sizeof pk)) return false;
	}
	if (crypto_kem_mlkem768_dec(out, c.p, sk)) return false;
	return k.n == sizeof out && memcmp(out, k.p, sizeof out) == 0;
}

static bool verifies(struct bytes key, struct bytes message, struct bytes sig) {
	if (key.n != 32 || sig.n != 64) return false;
	return crypto_sign_ed25519_verify_detached(sig.p, message.p, message.n, key.p) == 0;
}

static bool ed25519(const json_t *group, const json_t *test) {
	struct bytes key = bytes_of(json_object_get(group, "publicKey"), "pk");
	return verifies(key, bytes_of(test, "msg"), bytes_of(test, "sig"));
}

/* --- files */

static json_t *load(const char *name) {
	char path[4096];
	json_error_t error;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	json_t *root = json_load_file(path, 0, &error);
	if (!root) die(path);
	return root;
}

static void run(const char *name, unsigned least, bool (*check)(const json_t *, const json_t *)) {
	char file[128];
	size_t i, j;
	json_t *group, *test;
	unsigned before = passed + failed;
	snprintf(file, sizeof file, "wycheproof/%s_test.json", name);
	json_t *root = load(file);
	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		json_array_foreach(json_object_get(group, "tests"), j, test) {
			bool want = is_valid(test) || check == x25519;
			judge(name, test, want, check(group, test));
		}
	}
	if (passed + failed - before < least) die("too few vectors in a file");
	json_decref(root);
}

/*
 * What chain validity means (doc/spec/crypto.md section 1): no point of small order, in whatever
 * encoding, and no help from the cofactor. A part of small order in a point is not seen and does
 * no harm.
 */
static void run_edge_cases(void) {
	static const char *const refused[] = { "low_order_A", "low_order_R", "non_canonical_A",
		"non_canonical_R", "low_order_residue", "reencoded_k" };
	json_t *root = load("ed25519-cctv/ed25519vectors.json"), *test;
	size_t i;
	unsigned accepted = 0;
	json_array_foreach(root, i, test) {
		bool want = true;
		for (unsigned f = 0; f < sizeof refused / sizeof *refused; f++)
			want = want && !has_flag(test, refused[f]);
		const char *text = json_string_value(json_object_get(test, "msg"));
		struct bytes message = { sodium_malloc(strlen(text)), strlen(text) };
		if (!message.p) die("out of memory");
		memcpy(message.p, text, message.n);
		judge("ed25519-cctv", test, want,
			verifies(bytes_of(test, "key"), message, bytes_of(test, "sig")));
		accepted += want;
		sodium_free(message.p);
	}
	if (accepted == 0 || json_array_size(root) < 900) die("too few edge cases");
	json_decref(root);
}

int main(void) {
	const char *named = getenv("BROCH_PUBLIC_VECTORS"), *root = getenv("BROCH_SOURCE_ROOT");
	if (named) snprintf(folder, sizeof folder, "%s", named);
	else snprintf(folder, sizeof folder, "%s/../shared/vectors", root ? root : ".");
	if (access(folder, R_OK)) {
		printf("no public vectors here\n");
		return SKIPPED;
	}
	if (crypto_start()) return 2;
	run("aegis256", 470, aegis256);
	run("chacha20_poly1305", 320, chacha20_poly1305);
	run("hkdf_sha256", 80, hkdf_sha256);
	run("x25519", 500, x25519);
	run("mlkem_768", 190, mlkem_768);
	run("ed25519", 150, ed25519);
	run_edge_cases();
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
