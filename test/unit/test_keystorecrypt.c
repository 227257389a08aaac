/*
 * The key store's errors that are not about bytes (those are in test/vector/crypto/keystore.txt).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>
#include <time.h>

#include "base/mem.h"
#include "crypto/crypto.h"
#include "fixedrandom.h"
#include "secret/keystorecrypt.h"

static struct fresh fresh;
static struct keystore store;

static int start(void **state) {
	(void)state;
	struct device_public p;
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	if (devicekeys_generate(&store.keys, &fresh)) return 1;
	devicekeys_public(&p, &store.keys);
	store.device = p.id;
	store.account.b[3] = 4;
	memcpy(store.name, "laptop", 6);
	store.name_len = 6;
	store.anchor_sequence = 12;
	store.anchor_head.b[0] = 1;
	return 0;
}

static void test_round_trip(void **state) {
	(void)state;
	uint8_t a[KEYSTORE_SIZE], b[KEYSTORE_SIZE];
	struct keystore back;
	struct span pass = span_text("tide");
	bool is_protected = false;
	assert_int_equal(keystorecrypt_seal(a, &store, &pass, &fresh), OK);
	assert_int_equal(keystorecrypt_seal(b, &store, &pass, &fresh), OK);
	assert_memory_not_equal(a + 13, b + 13, 16); /* salt */
	assert_memory_not_equal(a + 93, b + 93, 64);
	memset(&back, 0, sizeof back);
	assert_int_equal(keystorecrypt_open(&back, span_of(a, sizeof a), &pass), OK);
	assert_memory_equal(&back.keys, &store.keys, sizeof back.keys);
	assert_int_equal(back.name_len, 6);
	assert_int_equal(keystorecrypt_is_protected(&is_protected, span_of(a, sizeof a)), OK);
	assert_true(is_protected);
	assert_int_equal(keystorecrypt_seal(a, &store, NULL, &fresh), OK);
	assert_int_equal(keystorecrypt_is_protected(&is_protected, span_of(a, sizeof a)), OK);
	assert_false(is_protected);
	assert_int_equal(keystorecrypt_open(&back, span_of(a, sizeof a), &pass), OK);
}

/* No key of the device, and no name, stands in the file as it is. */
static void test_nothing_shows(void **state) {
	(void)state;
	uint8_t a[KEYSTORE_SIZE];
	assert_int_equal(keystorecrypt_seal(a, &store, NULL, &fresh), OK);
	assert_null(memmem(a, sizeof a, store.keys.kem.b, 8));
	assert_null(memmem(a, sizeof a, store.keys.entry.b, 8));
	assert_null(memmem(a, sizeof a, store.device.b, 8));
	assert_null(memmem(a, sizeof a, "laptop", 6));
}

static void test_use(void **state) {
	(void)state;
	uint8_t a[KEYSTORE_SIZE];
	struct keystore s = store;
	struct span empty = span_text("");
	assert_int_equal(keystorecrypt_seal(a, &s, &empty, &fresh), E_USAGE);
	s.name_len = KEYSTORE_NAME_MAX + 1;
	assert_int_equal(keystorecrypt_seal(a, &s, NULL, &fresh), E_USAGE);
	s = store;
	s.device.b[0] ^= 1;
	assert_int_equal(keystorecrypt_seal(a, &s, NULL, &fresh), E_USAGE);
	s = store;
	s.keys.request.b[0] ^= 1;
	assert_int_equal(keystorecrypt_seal(a, &s, NULL, &fresh), E_USAGE);
}

static void test_failed_open_gives_nothing(void **state) {
	(void)state;
	uint8_t a[KEYSTORE_SIZE];
	struct keystore back, before;
	struct span pass = span_text("tide"), wrong = span_text("ebb");
	memset(&back, 0x5a, sizeof back);
	before = back;
	assert_int_equal(keystorecrypt_seal(a, &store, &pass, &fresh), OK);
	assert_int_equal(keystorecrypt_open(&back, span_of(a, sizeof a), &wrong), E_DENIED);
	assert_int_equal(keystorecrypt_open(&back, span_of(a, sizeof a), NULL), E_DENIED);
	a[KEYSTORE_SIZE - 1] ^= 1;
	assert_int_equal(keystorecrypt_open(&back, span_of(a, sizeof a), &pass), E_FORGED);
	assert_memory_equal(&back, &before, sizeof back);
}

/* Every cost that the file could ask for, found before any work. */
static void test_hostile_costs_take_no_time(void **state) {
	(void)state;
	static const uint8_t values[] = { 0, 1, 2, 16, 17, 0x40, 0x80, 0xff };
	uint8_t a[KEYSTORE_SIZE];
	struct keystore back;
	struct span pass = span_text("tide");
	assert_int_equal(keystorecrypt_seal(a, &store, &pass, &fresh), OK);
	clock_t begun = clock();
	unsigned refused = 0;
	for (unsigned t = 0; t < sizeof values; t++)
		for (unsigned at = 5; at < 13; at++) {
			uint8_t was = a[at];
			bool is_protected;
			a[at] = values[t];
			enum err e = keystorecrypt_is_protected(&is_protected, span_of(a, sizeof a));
			if (e) assert_int_equal(e, E_LIMIT);
			if (e)
				assert_int_equal(keystorecrypt_open(&back, span_of(a, sizeof a), &pass), E_LIMIT);
			refused += e != OK;
			a[at] = was;
		}
	assert_true(refused > 30);
	assert_true(clock() - begun < CLOCKS_PER_SEC / 10);
}

/* Truncated anywhere, and in memory that ends there. */
static void test_truncated(void **state) {
	(void)state;
	uint8_t a[KEYSTORE_SIZE];
	struct keystore back;
	assert_int_equal(keystorecrypt_seal(a, &store, NULL, &fresh), OK);
	for (size_t n = 0; n < KEYSTORE_SIZE; n += n < 100 ? 1 : 97) {
		uint8_t *p = sodium_malloc(n);
		assert_non_null(p);
		memcpy(p, a, n);
		assert_int_equal(keystorecrypt_open(&back, span_of(p, n), NULL), E_FORMAT);
		sodium_free(p);
	}
}

static void test_failing_generator(void **state) {
	(void)state;
	static const uint8_t zeros[32];
	uint8_t a[KEYSTORE_SIZE];
	struct span pass = span_text("tide");
	fixedrandom_install(zeros);
	assert_int_equal(keystorecrypt_seal(a, &store, NULL, &fresh), E_IO);
	assert_int_equal(keystorecrypt_seal(a, &store, &pass, &fresh), E_IO);
	fixedrandom_remove();
}

static void test_failing_memory(void **state) {
	(void)state;
	uint8_t a[KEYSTORE_SIZE];
	unsigned n = 1;
	for (;; n++) {
		mem_fail_at(n);
		enum err e = keystorecrypt_seal(a, &store, NULL, &fresh);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
	}
	mem_fail_at(0);
	assert_true(n > 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_nothing_shows),
		cmocka_unit_test(test_use),
		cmocka_unit_test(test_failed_open_gives_nothing),
		cmocka_unit_test(test_hostile_costs_take_no_time),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_failing_generator),
		cmocka_unit_test(test_failing_memory),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, start, NULL);
}
