/*
 * Every kind of sealed or signed thing in every other's place. The secrets are made equal
 * wherever they could be, so that only labels and contexts keep the kinds apart; and whatever is
 * put in a place has the size and form that belongs there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/little.h"
#include "crypto/crypto.h"
#include "crypto/derive.h"
#include "crypto/deviceid.h"
#include "crypto/entryproof.h"
#include "crypto/label.h"
#include "fixedrandom.h"
#include "secret/box.h"
#include "secret/entryseal.h"
#include "secret/locator.h"
#include "secret/packkeys.h"
#include "secret/vaultkeys.h"
#include "secret/xwing.h"

enum { PLAIN_MAX = 1024, INFO_MAX = 256 };

static struct fresh fresh;
static struct hash same; /* birth, vault, recipient, outer hash, locator: all one value */
static struct epoch_secrets secrets;
static struct kem_seed kem;
static uint8_t kem_key[KEM_PUBLIC];

static int start(void **state) {
	(void)state;
	struct epoch_secret s = { { 1 } };
	memset(same.b, 0x42, sizeof same.b);
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	epochkeys_account(&secrets, &same, 1, &s);
	epochkeys_kem(&kem, &secrets);
	xwing_public(kem_key, &kem);
	return 0;
}

/* --- sealed to a key */

static size_t add(uint8_t *at, size_t n, const void *bytes, size_t len) {
	memcpy(at + n, bytes, len);
	return n + len;
}

static size_t add_lp(uint8_t *at, size_t n, const void *bytes, size_t len) {
	uint8_t length[4];
	little_put32(length, (uint32_t)len);
	return add(at, add(at, n, length, 4), bytes, len);
}

static const uint8_t one[4] = { 1 };

static size_t info_box(uint8_t *at) {
	size_t n = add(at, 0, LABEL_BOX, sizeof LABEL_BOX);
	n = add_lp(at, n, same.b, HASH_SIZE);
	n = add_lp(at, n, one, 4);
	return add_lp(at, n, same.b, HASH_SIZE);
}

static size_t info_inner(uint8_t *at) {
	return add(at, add(at, 0, LABEL_ENTRY_SEALED, sizeof LABEL_ENTRY_SEALED), same.b, HASH_SIZE);
}

static size_t info_locator(uint8_t *at) {
	return add_lp(at, add(at, 0, LABEL_LOCATOR, sizeof LABEL_LOCATOR), same.b, HASH_SIZE);
}

static size_t info_pack(uint8_t *at) {
	size_t n = add(at, 0, LABEL_PACK, sizeof LABEL_PACK);
	return add_lp(at, add_lp(at, n, same.b, HASH_SIZE), one, 4);
}

static size_t plain_box(uint8_t *at) {
	static const uint8_t head[] = { 1, CHAIN_ACCOUNT, ROLE_ADMIN, 1, 0, 0, 0 };
	memset(at, 0, BOX_PLAIN);
	memcpy(at, head, sizeof head);
	return BOX_PLAIN;
}

static size_t plain_inner(uint8_t *at) {
	memset(at, 0, 1024);
	return 1024;
}

static size_t plain_locator(uint8_t *at) {
	memset(at, 0, 512);
	at[0] = 1;
	return 512;
}

static enum err open_box(struct span sealed) {
	struct box_content c;
	return box_open(&c, &kem, &same, CHAIN_ACCOUNT, &same, 1, sealed.ptr);
}

static enum err open_inner(struct span sealed) {
	uint8_t out[PLAIN_MAX];
	struct aead_nonce nonce = { { 0 } };
	return entryseal_open(out, SEAL_HPKE, &secrets, &nonce, &same, sealed);
}

static enum err open_locator(struct span sealed) {
	struct locator_content c;
	struct kit_keys kit = { .kem = kem, .locator = same };
	uint8_t object[LOCATOR_SIZE] = { 0x62, 0x72, 0x6f, 1 };
	if (sealed.len != LOCATOR_SIZE - 4) return E_USAGE;
	memcpy(object + 4, sealed.ptr, sealed.len);
	return locator_open(&c, &kit, span_of(object, sizeof object));
}

static const struct {
	const char *name;
	size_t (*info)(uint8_t *at);
	size_t (*plain)(uint8_t *at); /* NULL: keys are exported */
	enum err (*open)(struct span sealed);
} kinds[] = {
	{ "box", info_box, plain_box, open_box },
	{ "inner", info_inner, plain_inner, open_inner },
	{ "locator", info_locator, plain_locator, open_locator },
	{ "pack", info_pack, NULL, NULL },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* What a writer of kind ${as} would make of contents that belong into a ${place}. */
static enum err put_sealed(unsigned as, unsigned place) {
	uint8_t info[INFO_MAX], plain[PLAIN_MAX], out[PLAIN_MAX + HPKE_OVERHEAD];
	struct span context = span_of(info, kinds[as].info(info));
	size_t n = kinds[place].plain(plain);
	assert_int_equal(hpke_seal(out, kem_key, context, span_of(plain, n), &fresh), OK);
	return kinds[place].open(span_of(out, n + HPKE_OVERHEAD));
}

static enum err put_pack(unsigned as) {
	uint8_t info[INFO_MAX], enc[KEM_ENC];
	struct span context = span_of(info, kinds[as].info(info));
	struct hpke_context x;
	struct pack_keys keys;
	struct hash commitment;
	assert_int_equal(hpke_export_sender(&x, enc, kem_key, context, &fresh), OK);
	hpke_export(commitment.b, &x, "commitment");
	return packkeys_receiver(&keys, &kem, &same, 1, enc, &commitment);
}

static void test_sealed_to_a_key(void **state) {
	(void)state;
	for (unsigned as = 0; as < KINDS; as++)
		for (unsigned place = 0; place < KINDS; place++) {
			enum err e = kinds[place].plain ? put_sealed(as, place) : put_pack(as);
			assert_int_equal(e, as == place ? OK : E_FORGED);
		}
}

/*
 * One encapsulation with one info, used for both suites: the keys of a pack are not those that
 * the sealing suite gives.
 */
static void test_export_only_is_another_suite(void **state) {
	(void)state;
	static const char *const names[] = { "record", "table", "trailer", "commitment" };
	static const uint8_t stuck[32] = { 1 }, nonce[12];
	uint8_t info[INFO_MAX], enc[KEM_ENC], sealed[HPKE_OVERHEAD], key[KEY_SIZE], out[HPKE_TAG];
	struct span context = span_of(info, info_pack(info));
	struct hpke_context x;
	struct fresh a, b;
	fixedrandom_install(stuck);
	fresh_init(&a, NULL, fixedrandom_clock, 1);
	fresh_init(&b, NULL, fixedrandom_clock, 1);
	assert_int_equal(hpke_export_sender(&x, enc, kem_key, context, &a), OK);
	assert_int_equal(hpke_seal(sealed, kem_key, context, span_of(NULL, 0), &b), OK);
	fixedrandom_remove();
	assert_memory_equal(enc, sealed, KEM_ENC);
	for (unsigned i = 0; i < 4; i++) {
		hpke_export(key, &x, names[i]);
		crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, NULL, 0, NULL, 0, NULL, nonce, key);
		assert_memory_not_equal(out, sealed + KEM_ENC, HPKE_TAG);
	}
}

/* --- sealed under a secret: body, contact body, previous wrap */

static enum err open_secret(unsigned place, const struct aead_nonce *nonce, struct span sealed) {
	uint8_t out[KEY_SIZE], wrap[EPOCHKEYS_WRAP];
	struct epoch_secret previous;
	if (place < 2)
		return entryseal_open(
			out, place ? SEAL_CONTACT : SEAL_BODY, &secrets, nonce, &same, sealed);
	memcpy(wrap, nonce->b, AEAD_NONCE);
	memcpy(wrap + AEAD_NONCE, sealed.ptr, sealed.len);
	return epochkeys_unwrap(&previous, &secrets, wrap);
}

static void test_sealed_under_a_secret(void **state) {
	(void)state;
	static const char *const labels[] = { LABEL_ENTRY_BODY, LABEL_CONTACT_BODY,
		LABEL_PREVIOUS_EPOCH, LABEL_EPOCH_KEM, LABEL_EPOCH_COMMITMENT, LABEL_BOX_TAG };
	static const uint8_t plain[KEY_SIZE];
	struct aead_nonce nonce = { { 3 } };
	uint8_t sealed[KEY_SIZE + AEAD_TAG];
	for (unsigned as = 0; as < 6; as++)
		for (unsigned place = 0; place < 3; place++) {
			struct aead_key key;
			struct derive d;
			derive_start(&d, labels[as], span_of(secrets.s.b, KEY_SIZE));
			derive_hash(&d, &same);
			derive_u32(&d, 1);
			derive_done(&d, key.b, KEY_SIZE);
			struct span aad = place < 2 ? hash_span(&same) : span_of(one, 4);
			aead_seal(sealed, &key, &nonce, aad, span_of(plain, sizeof plain));
			enum err e = open_secret(place, &nonce, span_of(sealed, sizeof sealed));
			assert_int_equal(e, as == place ? OK : E_FORGED);
		}
}

/* --- signatures of one key over one message */

static enum err check_access(const uint8_t *key, struct span m, const uint8_t *sig) {
	return entryproof_access(key, m, sig);
}

static enum err check_author(const uint8_t *key, struct span m, const uint8_t *sig) {
	struct hash outer = hash_from(m.ptr);
	return entryproof_author(key, &outer, span_skip(m, HASH_SIZE), sig);
}

static enum err check_joined(const uint8_t *key, struct span m, const uint8_t *sig) {
	struct hash account = hash_from(m.ptr + 4);
	return deviceid_check_joined(key, &account, span_skip(m, 4 + HASH_SIZE), sig);
}

static void test_signatures(void **state) {
	(void)state;
	static const char *const contexts[] = { LABEL_ENTRY_ACCESS, LABEL_ENTRY_AUTHOR,
		LABEL_DEVICE_JOINS, LABEL_ENTRY, LABEL_ENTRY_OUTER, "" };
	enum err (*const checks[])(const uint8_t *, struct span, const uint8_t *) = { check_access,
		check_author, check_joined };
	struct sign_seed seed = { { 5 } };
	struct signer signer;
	uint8_t key[SIGN_PUBLIC], sig[SIGN_SIGNATURE], m[200] = { HASH_SIZE };
	struct span message = span_of(m, sizeof m);
	signer_init(&signer, &seed);
	signer_public(key, &signer);
	for (unsigned as = 0; as < 6; as++)
		for (unsigned place = 0; place < 3; place++) {
			assert_int_equal(signer_sign(sig, &signer, contexts[as], &message, 1), OK);
			assert_int_equal(checks[place](key, message, sig), as == place ? OK : E_FORGED);
		}
}

/* --- everything derived from one secret */

static const char *const all_labels[] = { LABEL_ENTRY, LABEL_ENTRY_OUTER, LABEL_SUMMARY,
	LABEL_ENTRY_ACCESS, LABEL_ENTRY_AUTHOR, LABEL_DEVICE_JOINS, LABEL_FRESH, LABEL_ENTRY_BODY,
	LABEL_CONTACT_BODY, LABEL_EPOCH_COMMITMENT, LABEL_EPOCH_KEM, LABEL_ACCESS_KEY,
	LABEL_FIRST_BOX_TAG, LABEL_BOX_TAG, LABEL_PREVIOUS_EPOCH, LABEL_DEVICE_ID, LABEL_KIT_KEM,
	LABEL_KIT_ENTRY, LABEL_KIT_REQUEST, LABEL_KIT_LOCATOR, LABEL_ROOT_COMMITMENT, LABEL_ORIGIN_ROOT,
	LABEL_CHUNK_ID_KEY, LABEL_CHUNKER, LABEL_HARD_LINK, LABEL_KEY_STORE, LABEL_KEY_STORE_COMMITMENT,
	LABEL_ENTRY_SEALED, LABEL_BOX, LABEL_LOCATOR, LABEL_PACK };

enum { LABELS = sizeof all_labels / sizeof *all_labels };

static void test_labels_are_distinct(void **state) {
	(void)state;
	struct hash out[LABELS];
	for (unsigned i = 0; i < LABELS; i++) {
		struct derive d;
		derive_start(&d, all_labels[i], hash_span(&same));
		derive_done(&d, out[i].b, HASH_SIZE);
		assert_memory_equal(all_labels[i], "broch 1 ", 8);
		for (unsigned j = 0; j < i; j++) assert_false(hash_equal(&out[i], &out[j]));
	}
}

/* In an account chain S, W and A are one secret: the three access keys still differ. */
static void test_access_keys_differ(void **state) {
	(void)state;
	struct epoch_public p, next;
	struct epoch_secrets later = secrets;
	assert_int_equal(epochkeys_public(&p, &secrets), OK);
	assert_memory_not_equal(p.reader, p.writer, SIGN_PUBLIC);
	assert_memory_not_equal(p.reader, p.admin, SIGN_PUBLIC);
	assert_memory_not_equal(p.writer, p.admin, SIGN_PUBLIC);
	later.epoch = 2;
	assert_int_equal(epochkeys_public(&next, &later), OK);
	assert_memory_not_equal(p.admin, next.admin, SIGN_PUBLIC);
	assert_memory_not_equal(p.kem, next.kem, KEM_PUBLIC);
	assert_int_equal(epochkeys_check(&later, &p), E_FORGED);
}

/* The same bytes as chunks of each type and origin of each vault have ids of their own. */
static void test_chunk_ids_differ(void **state) {
	(void)state;
	struct root_key root = { { 1 } };
	struct hash other = same, ids[5 * VAULTKEYS_TYPES];
	unsigned n = 0;
	other.b[31] ^= 1;
	for (unsigned origin = 0; origin < 5; origin++) {
		struct vault_keys k;
		bool own = origin == ORIGIN_OWN || origin == 4;
		enum origin kind = origin == 4 ? ORIGIN_OWN : (enum origin)origin;
		vaultkeys_derive(&k, &root, origin == 4 ? &other : &same, kind, own ? NULL : &same);
		for (uint8_t type = 1; type <= VAULTKEYS_TYPES; type++)
			vaultkeys_chunk_id(&ids[n++], &k, type, span_text("one chunk"));
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++) assert_false(hash_equal(&ids[i], &ids[j]));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_to_a_key),
		cmocka_unit_test(test_export_only_is_another_suite),
		cmocka_unit_test(test_sealed_under_a_secret),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_labels_are_distinct),
		cmocka_unit_test(test_access_keys_differ),
		cmocka_unit_test(test_chunk_ids_differ),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, start, NULL);
}
