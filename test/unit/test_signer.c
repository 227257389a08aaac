/*
 * Signing and verifying: src/secret/signer.c, src/crypto/verify.c. Values are in
 * test/vector/crypto.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypto/crypto.h"
#include "crypto/message.h"
#include "crypto/verify.h"
#include "secret/signer.h"

static struct signer signer;
static uint8_t key[SIGN_PUBLIC];

static int start(void **state) {
	(void)state;
	struct sign_seed seed = { { 1, 2, 3 } };
	signer_init(&signer, &seed);
	signer_public(key, &signer);
	return 0;
}

static void test_seed_and_signer_agree(void **state) {
	(void)state;
	struct sign_seed seed = { { 1, 2, 3 } };
	static const struct signer nothing;
	uint8_t other[SIGN_PUBLIC];
	signer_public_of(other, &seed);
	assert_memory_equal(key, other, sizeof key);
	struct signer s = signer;
	signer_done(&s);
	assert_memory_equal(&s, &nothing, sizeof s);
}

/* A context that is the beginning of another must not help: the zero byte ends it. */
static void test_context_ends(void **state) {
	(void)state;
	uint8_t sig[SIGN_SIGNATURE];
	struct span bx = span_text("bx"), x = span_text("x"), nothing = span_text("");
	assert_int_equal(signer_sign(sig, &signer, "broch a", &bx, 1), OK);
	assert_int_equal(verify_signature(key, "broch a", &bx, 1, sig), OK);
	assert_int_equal(verify_signature(key, "broch ab", &x, 1, sig), E_FORGED);
	assert_int_equal(verify_signature(key, "broch abx", &nothing, 1, sig), E_FORGED);
	assert_int_equal(verify_signature(key, "", &bx, 1, sig), E_FORGED);
}

static void test_every_bit_counts(void **state) {
	(void)state;
	uint8_t sig[SIGN_SIGNATURE];
	struct span m = span_text("a message");
	assert_int_equal(signer_sign(sig, &signer, "broch test", &m, 1), OK);
	for (unsigned bit = 0; bit < 8 * SIGN_SIGNATURE; bit++) {
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(verify_signature(key, "broch test", &m, 1, sig), E_FORGED);
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 8 * SIGN_PUBLIC; bit++) {
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(verify_signature(key, "broch test", &m, 1, sig), E_FORGED);
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(verify_signature(key, "broch test", &m, 1, sig), OK);
}

/* S + L is the same number modulo the order: it must not be a second signature. */
static void test_not_malleable(void **state) {
	(void)state;
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c,
		0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10 };
	uint8_t sig[SIGN_SIGNATURE];
	struct span m = span_text("a message");
	assert_int_equal(signer_sign(sig, &signer, "broch test", &m, 1), OK);
	unsigned carry = 0;
	for (unsigned i = 0; i < 32; i++) {
		carry += sig[32 + i] + (unsigned)order[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(verify_signature(key, "broch test", &m, 1, sig), E_FORGED);
}

static void test_limit(void **state) {
	(void)state;
	static uint8_t much[MESSAGE_MAX];
	uint8_t sig[SIGN_SIGNATURE];
	size_t most = MESSAGE_MAX - sizeof "broch test";
	struct span fits = span_of(much, most), over = span_of(much, most + 1);
	struct span parts[] = { span_of(much, most), span_of(much, 1) };
	struct span huge[] = { span_of(much, SIZE_MAX), span_of(much, SIZE_MAX) };
	assert_int_equal(signer_sign(sig, &signer, "broch test", &fits, 1), OK);
	assert_int_equal(verify_signature(key, "broch test", &fits, 1, sig), OK);
	assert_int_equal(signer_sign(sig, &signer, "broch test", &over, 1), E_LIMIT);
	assert_int_equal(verify_signature(key, "broch test", &over, 1, sig), E_LIMIT);
	assert_int_equal(verify_signature(key, "broch test", parts, 2, sig), E_LIMIT);
	assert_int_equal(verify_signature(key, "broch test", huge, 2, sig), E_LIMIT);
}

static void test_no_memory(void **state) {
	(void)state;
	uint8_t sig[SIGN_SIGNATURE];
	struct span m = span_text("a message");
	mem_fail_at(1);
	assert_int_equal(signer_sign(sig, &signer, "broch test", &m, 1), E_NOMEM);
	mem_fail_at(1);
	assert_int_equal(verify_signature(key, "broch test", &m, 1, sig), E_NOMEM);
	mem_fail_at(0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed_and_signer_agree),
		cmocka_unit_test(test_context_ends),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_not_malleable),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_memory),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, start, NULL);
}
