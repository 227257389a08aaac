/*
 * Hashes, ids, comparison and the generator: src/crypto without signatures. Values are in
 * test/vector/crypto.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "crypto/ct.h"
#include "crypto/derive.h"
#include "crypto/random.h"
#include "fixedrandom.h"

static struct hash counting(void) {
	struct hash h;
	for (unsigned i = 0; i < HASH_SIZE; i++) h.b[i] = (uint8_t)(i * 9);
	return h;
}

static const char *const text = "0009121b242d363f48515a636c757e879099a2abb4bdc6cfd8e1eaf3fc050e17";

static void test_hex_both_ways(void **state) {
	(void)state;
	char hex[HASH_HEX];
	struct hash h = counting(), back;
	hash_hex(hex, &h);
	assert_string_equal(hex, text);
	assert_int_equal(hash_parse_hex(&back, span_text(hex)), OK);
	assert_true(hash_equal(&h, &back));
}

static void refused(const char *bytes, size_t n) {
	struct hash h = counting(), before = h;
	assert_int_equal(hash_parse_hex(&h, span_of(bytes, n)), E_FORMAT);
	assert_memory_equal(&h, &before, sizeof h);
}

static void test_hex_refuses_all_but_its_own(void **state) {
	(void)state;
	char t[HASH_HEX + 1];
	refused(text, 63);
	refused(text, 0);
	memcpy(t, text, 64);
	t[64] = '0';
	refused(t, 65);
	for (unsigned c = 0; c < 256; c++) {
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) continue;
		for (size_t at = 0; at < 64; at += 63) {
			memcpy(t, text, 64);
			t[at] = (char)c;
			refused(t, 64);
		}
	}
}

static void test_order_zero_equal(void **state) {
	(void)state;
	struct hash a = counting(), b = a, zero = { { 0 } };
	assert_int_equal(hash_order(&a, &b), 0);
	assert_true(hash_is_zero(&zero));
	for (unsigned i = 0; i < HASH_SIZE; i++) {
		b = a;
		b.b[i] ^= 0x80;
		assert_false(hash_equal(&a, &b));
		assert_int_equal(hash_order(&a, &b) < 0, a.b[i] < b.b[i]);
		b = zero;
		b.b[i] = 1;
		assert_false(hash_is_zero(&b));
	}
	struct hash copy = hash_from(hash_span(&a).ptr);
	assert_true(hash_equal(&a, &copy));
}

static void test_ct(void **state) {
	(void)state;
	assert_true(ct_equal(NULL, NULL, 0));
	assert_true(ct_is_zero(NULL, 0));
	assert_true(ct_equal("abc", "abd", 2));
	assert_false(ct_equal("abc", "abd", 3));
	assert_true(ct_is_zero("\0\0\1", 2));
	assert_false(ct_is_zero("\0\0\1", 3));
}

static void test_modes_differ(void **state) {
	(void)state;
	struct hash plain, keyed, label, other;
	struct hash key = counting();
	hash_of(&plain, span_text("x"));
	hash_keyed(&keyed, key.b, span_text("x"));
	hash_label(&label, "broch 1 entry", span_text("x"));
	hash_label(&other, "broch 1 entry outer", span_text("x"));
	assert_false(hash_equal(&plain, &keyed));
	assert_false(hash_equal(&plain, &label));
	assert_false(hash_equal(&label, &other));
}

/* A hasher and a derive hold what went in: nothing of it may stay. */
static void test_done_wipes(void **state) {
	(void)state;
	static const struct hasher nothing;
	struct hasher h = nothing;
	struct derive d = { nothing };
	struct hash out, key = counting();
	hasher_keyed(&h, key.b);
	hasher_add(&h, hash_span(&key));
	hasher_done(&h, &out);
	assert_memory_equal(&h, &nothing, sizeof h);
	derive_start(&d, "broch 1 fresh", hash_span(&key));
	derive_hash(&d, &key);
	derive_done(&d, &out, sizeof out);
	assert_memory_equal(&d.h, &nothing, sizeof nothing);
}

static void test_random(void **state) {
	(void)state;
	uint8_t a[32] = { 0 }, b[32] = { 0 };
	assert_int_equal(random_bytes(a, sizeof a), OK);
	assert_int_equal(random_bytes(b, sizeof b), OK);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(random_bytes(a, 0), OK);
}

static void test_broken_generator_is_noticed(void **state) {
	(void)state;
	static const uint8_t zeros[32];
	uint8_t a[32];
	fixedrandom_install(zeros);
	assert_int_equal(random_bytes(a, 32), E_IO);
	assert_int_equal(random_bytes(a, 16), E_IO);
	assert_int_equal(random_bytes(a, 15), OK); /* may be chance */
	fixedrandom_remove();
	assert_int_equal(random_bytes(a, 32), OK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_both_ways),
		cmocka_unit_test(test_hex_refuses_all_but_its_own),
		cmocka_unit_test(test_order_zero_equal),
		cmocka_unit_test(test_ct),
		cmocka_unit_test(test_modes_differ),
		cmocka_unit_test(test_done_wipes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_broken_generator_is_noticed),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
