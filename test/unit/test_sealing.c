/* What sealing refuses, what a broken generator leaves, and that nothing is sealed twice alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "fixedrandom.h"
#include "secret/box.h"
#include "secret/entryseal.h"
#include "secret/locator.h"
#include "secret/packkeys.h"
#include "secret/vaultkeys.h"
#include "secret/xwing.h"

enum { PACKS = 300, PIECE = 4096 };

static struct fresh fresh;
static struct hash birth, other;
static struct epoch_secrets secrets;
static struct kem_seed kem;
static uint8_t kem_key[KEM_PUBLIC];
static const uint8_t zeros[LOCATOR_SIZE];

static int start(void **state) {
	(void)state;
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	birth.b[0] = 1;
	other.b[0] = 2;
	if (epochkeys_generate(&secrets, CHAIN_VAULT, &birth, 3, &fresh)) return 1;
	epochkeys_kem(&kem, &secrets);
	xwing_public(kem_key, &kem);
	return 0;
}

static void test_generated_secrets(void **state) {
	(void)state;
	struct epoch_secrets a, b;
	struct epoch_public p;
	assert_int_equal(epochkeys_generate(&a, CHAIN_ACCOUNT, &birth, 0, &fresh), E_USAGE);
	assert_int_equal(epochkeys_generate(&a, CHAIN_ACCOUNT, &birth, 1, &fresh), OK);
	assert_int_equal(a.role, ROLE_ADMIN);
	assert_memory_equal(a.s.b, a.w.b, KEY_SIZE);
	assert_memory_equal(a.s.b, a.a.b, KEY_SIZE);
	assert_int_equal(epochkeys_generate(&b, CHAIN_VAULT, &birth, 1, &fresh), OK);
	assert_memory_not_equal(b.s.b, b.w.b, KEY_SIZE);
	assert_memory_not_equal(b.s.b, b.a.b, KEY_SIZE);
	assert_memory_not_equal(b.w.b, b.a.b, KEY_SIZE);
	assert_memory_not_equal(a.s.b, b.s.b, KEY_SIZE);
	assert_int_equal(epochkeys_public(&p, &b), OK);
	assert_int_equal(epochkeys_check(&b, &p), OK);
	assert_int_equal(epochkeys_check(&a, &p), E_FORGED);
	epochkeys_reader(&a, &birth, 1, &b.s);
	assert_int_equal(epochkeys_check(&a, &p), OK);
	assert_int_equal(epochkeys_public(&p, &a), E_DENIED);
}

/* A role that was not given is no way to a key of zeros. */
static void test_no_key_without_the_role(void **state) {
	(void)state;
	struct epoch_secrets reader;
	struct signer signer;
	epochkeys_reader(&reader, &birth, 1, &secrets.s);
	assert_int_equal(epochkeys_access(&signer, &reader, ROLE_READER), OK);
	assert_int_equal(epochkeys_access(&signer, &reader, ROLE_WRITER), E_DENIED);
	assert_int_equal(epochkeys_access(&signer, &reader, ROLE_ADMIN), E_DENIED);
	assert_int_equal(epochkeys_access(&signer, &secrets, ROLE_GRANT), E_DENIED);
	assert_int_equal(epochkeys_access(&signer, &secrets, (enum role)5), E_DENIED);
	assert_int_equal(epochkeys_access(&signer, &secrets, (enum role)0), E_DENIED);
	reader.role = (enum role)0;
	assert_int_equal(epochkeys_access(&signer, &reader, ROLE_READER), E_DENIED);
	reader.role = ROLE_GRANT;
	assert_int_equal(epochkeys_access(&signer, &reader, ROLE_GRANT), E_DENIED);
}

static void test_box_use(void **state) {
	(void)state;
	uint8_t box[BOX_SIZE];
	static const int roles[] = { 0, 1, 5, 255 };
	struct box_content c = { .kind = CHAIN_VAULT, .secrets = secrets };
	for (unsigned i = 0; i < 4; i++) {
		c.secrets.role = (enum role)roles[i];
		assert_int_equal(box_seal(box, kem_key, &other, &c, &fresh), E_USAGE);
	}
	c.secrets.role = ROLE_READER;
	c.kind = CHAIN_ACCOUNT;
	assert_int_equal(box_seal(box, kem_key, &other, &c, &fresh), E_USAGE);
	c.kind = (enum chain_kind)3;
	assert_int_equal(box_seal(box, kem_key, &other, &c, &fresh), E_USAGE);
	c.kind = CHAIN_VAULT;
	c.secrets.epoch = 0;
	assert_int_equal(box_seal(box, kem_key, &other, &c, &fresh), E_USAGE);
}

/* A reader's box must not carry what only others may have, even if it lies in the struct. */
static void test_box_leaves_out_what_the_role_has_not(void **state) {
	(void)state;
	uint8_t box[BOX_SIZE];
	struct box_content c = { .kind = CHAIN_VAULT, .secrets = secrets }, got;
	memset(c.root.b, 7, KEY_SIZE);
	c.secrets.role = ROLE_READER;
	assert_int_equal(box_seal(box, kem_key, &other, &c, &fresh), OK);
	memset(&got, 0x55, sizeof got);
	enum err e = box_open(&got, &kem, &other, CHAIN_VAULT, &birth, 3, box);
	assert_int_equal(e, OK);
	assert_memory_equal(got.root.b, c.root.b, KEY_SIZE);
	assert_memory_equal(got.secrets.s.b, secrets.s.b, KEY_SIZE);
	assert_memory_equal(got.secrets.w.b, zeros, KEY_SIZE);
	assert_memory_equal(got.secrets.a.b, zeros, KEY_SIZE);
}

static void test_no_public_key(void **state) {
	(void)state;
	uint8_t bad[KEM_PUBLIC], out[LOCATOR_SIZE], enc[KEM_ENC];
	struct box_content c = { .kind = CHAIN_VAULT, .secrets = secrets };
	struct locator_content l = { .address_len = 0 };
	struct pack_keys keys;
	struct span x = span_text("x");
	memset(bad, 0xff, sizeof bad);
	assert_int_equal(hpke_seal(out, bad, x, x, &fresh), E_FORMAT);
	assert_int_equal(box_seal(out, bad, &other, &c, &fresh), E_FORMAT);
	assert_int_equal(locator_seal(out, bad, &other, &l, &fresh), E_FORMAT);
	assert_int_equal(entryseal_seal_to(out, bad, &other, x, &fresh), E_FORMAT);
	assert_int_equal(packkeys_sender(&keys, enc, bad, &other, 1, &fresh), E_FORMAT);
}

/* With a broken generator everything stops, and no secret that came of it stays. */
static void test_broken_generator(void **state) {
	(void)state;
	uint8_t out[LOCATOR_SIZE], enc[KEM_ENC];
	struct box_content c = { .kind = CHAIN_VAULT, .secrets = secrets };
	struct locator_content l = { .address_len = 0 };
	struct device_keys device;
	struct epoch_secrets epoch;
	struct pack_keys keys;
	struct root_key root;
	struct kit_secret kit;
	struct aead_nonce nonce;
	fixedrandom_install(zeros);
	assert_int_equal(devicekeys_generate(&device, &fresh), E_IO);
	assert_int_equal(epochkeys_generate(&epoch, CHAIN_VAULT, &birth, 1, &fresh), E_IO);
	assert_int_equal(vaultkeys_generate_root(&root, &fresh), E_IO);
	assert_int_equal(kitkeys_generate(&kit, &fresh), E_IO);
	assert_int_equal(entryseal_nonce(&nonce, &fresh), E_IO);
	assert_int_equal(box_seal(out, kem_key, &other, &c, &fresh), E_IO);
	assert_int_equal(locator_seal(out, kem_key, &other, &l, &fresh), E_IO);
	assert_int_equal(epochkeys_wrap(out, &secrets, &secrets.s, &fresh), E_IO);
	assert_int_equal(packkeys_sender(&keys, enc, kem_key, &other, 1, &fresh), E_IO);
	assert_int_equal(packkeys_padding(out, 9, &fresh), E_IO);
	fixedrandom_remove();
	assert_memory_equal(&device, zeros, sizeof device);
	assert_memory_equal(&epoch, zeros, sizeof epoch);
	assert_memory_equal(&root, zeros, sizeof root);
	assert_memory_equal(&kit, zeros, sizeof kit);
}

static int by_order(const void *a, const void *b) {
	return hash_order(a, b);
}

/* The generator stuck, as on a machine cloned while it runs: still no pack has another's keys. */
static void test_no_pack_key_repeats(void **state) {
	(void)state;
	static const uint8_t stuck[32] = { 1 };
	static struct hash keys[2 * PACKS];
	struct fresh clone[2];
	fixedrandom_install(stuck);
	fresh_init(&clone[0], NULL, fixedrandom_clock, 1);
	fresh_init(&clone[1], NULL, fixedrandom_clock, 2);
	for (unsigned i = 0; i < 2 * PACKS; i++) {
		struct pack_keys k;
		uint8_t enc[KEM_ENC];
		assert_int_equal(packkeys_sender(&k, enc, kem_key, &other, 1, &clone[i % 2]), OK);
		keys[i] = hash_from(k.record.b);
	}
	fixedrandom_remove();
	qsort(keys, 2 * PACKS, sizeof *keys, by_order);
	for (unsigned i = 1; i < 2 * PACKS; i++) assert_false(hash_equal(&keys[i - 1], &keys[i]));
}

static void test_piece_in_place_and_moved(void **state) {
	(void)state;
	static uint8_t piece[PIECE + AEAD_TAG], copy[PIECE + AEAD_TAG], plain[PIECE];
	struct pack_keys keys;
	uint8_t enc[KEM_ENC];
	struct span sealed = span_of(copy, sizeof copy);
	assert_int_equal(packkeys_sender(&keys, enc, kem_key, &other, 1, &fresh), OK);
	for (unsigned i = 0; i < PIECE; i++) piece[i] = plain[i] = (uint8_t)i;
	packkeys_seal(piece, &keys, PACK_RECORD, 1160, span_of(piece, PIECE));
	for (unsigned part = PACK_RECORD; part <= PACK_TRAILER; part++)
		for (uint64_t at = 1159; at <= 1161; at++) {
			bool right = part == PACK_RECORD && at == 1160;
			memcpy(copy, piece, sizeof copy);
			enum err e = packkeys_open(copy, &keys, (enum pack_part)part, at, sealed);
			assert_int_equal(e, right ? OK : E_FORGED);
			for (unsigned i = 0; i < PIECE; i++) assert_int_equal(copy[i], right ? plain[i] : 0);
		}
	/* an offset that differs in any byte is another nonce */
	for (unsigned bit = 0; bit < 64; bit++) {
		memcpy(copy, piece, sizeof copy);
		uint64_t at = 1160 ^ (uint64_t)1 << bit;
		assert_int_equal(packkeys_open(copy, &keys, PACK_RECORD, at, sealed), E_FORGED);
	}
}

static void test_padding(void **state) {
	(void)state;
	uint8_t a[256] = { 0 }, b[256] = { 0 };
	unsigned ones = 0;
	assert_int_equal(packkeys_padding(a, sizeof a, &fresh), OK);
	assert_int_equal(packkeys_padding(b, sizeof b, &fresh), OK);
	assert_memory_not_equal(a, b, sizeof a);
	for (unsigned i = 0; i < 8 * sizeof a; i++) ones += a[i / 8] >> i % 8 & 1;
	assert_in_range(ones, 800, 1248); /* 1,024 expected; ten deviations away */
	assert_int_equal(packkeys_padding(a, 0, &fresh), OK);
}

static void test_no_sealing_twice_alike(void **state) {
	(void)state;
	uint8_t a[BOX_SIZE], b[BOX_SIZE];
	struct box_content c = { .kind = CHAIN_VAULT, .secrets = secrets };
	assert_int_equal(box_seal(a, kem_key, &other, &c, &fresh), OK);
	assert_int_equal(box_seal(b, kem_key, &other, &c, &fresh), OK);
	assert_memory_not_equal(a, b, 32);
	assert_memory_not_equal(a + KEM_ENC, b + KEM_ENC, 32);
	assert_int_equal(epochkeys_wrap(a, &secrets, &secrets.s, &fresh), OK);
	assert_int_equal(epochkeys_wrap(b, &secrets, &secrets.s, &fresh), OK);
	assert_memory_not_equal(a, b, 32);
	assert_memory_not_equal(a + 32, b + 32, 32);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generated_secrets),
		cmocka_unit_test(test_no_key_without_the_role),
		cmocka_unit_test(test_box_use),
		cmocka_unit_test(test_box_leaves_out_what_the_role_has_not),
		cmocka_unit_test(test_no_public_key),
		cmocka_unit_test(test_broken_generator),
		cmocka_unit_test(test_no_pack_key_repeats),
		cmocka_unit_test(test_piece_in_place_and_moved),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_no_sealing_twice_alike),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, start, NULL);
}
