/*
 * Fresh secrets: no repetition between threads, clones or calls, and a stop when the generator is
 * broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "fixedrandom.h"
#include "secret/fresh.h"

enum { THREADS = 4, EACH = 500 };

static const uint8_t stuck[32] = { 7 };
static const struct device_secret device = { { 9, 9, 9 } };

static void one(struct fresh *f, struct hash *out) {
	assert_int_equal(fresh_bytes(f, out->b, HASH_SIZE), OK);
}

/*
 * Two clones of one machine whose generators repeat: each other input alone must make the
 * difference.
 */
static void test_each_input_counts(void **state) {
	(void)state;
	static const struct device_secret other = { { 9, 9, 8 } };
	static const uint8_t unstuck[32] = { 8 };
	struct hash base, got[6];
	fresh_mix(base.b, HASH_SIZE, stuck, &device, 5, 6, 7);
	fresh_mix(got[0].b, HASH_SIZE, unstuck, &device, 5, 6, 7);
	fresh_mix(got[1].b, HASH_SIZE, stuck, &other, 5, 6, 7);
	fresh_mix(got[2].b, HASH_SIZE, stuck, &device, 6, 6, 7);
	fresh_mix(got[3].b, HASH_SIZE, stuck, &device, 5, 5, 7);
	fresh_mix(got[4].b, HASH_SIZE, stuck, &device, 5, 6, 8);
	fresh_mix(got[5].b, HASH_SIZE, stuck, &device, 5, 6, 7);
	for (unsigned i = 0; i < 5; i++) assert_false(hash_equal(&base, &got[i]));
	assert_true(hash_equal(&base, &got[5]));
}

static void test_no_repetition_with_a_stuck_generator(void **state) {
	(void)state;
	struct fresh f;
	struct hash a, b;
	fixedrandom_install(stuck);
	fixedrandom_set_clock(1);
	fresh_init(&f, &device, fixedrandom_clock, 1);
	one(&f, &a);
	one(&f, &b);
	assert_false(hash_equal(&a, &b));
	fresh_init(&f, NULL, fixedrandom_clock, 1);
	one(&f, &b);
	assert_false(hash_equal(&a, &b));
	fresh_init(&f, NULL, fixedrandom_clock, 1);
	fresh_set_device(&f, &device);
	one(&f, &b);
	assert_true(hash_equal(&a, &b));
	fixedrandom_remove();
	fresh_init(&f, &device, fixedrandom_clock, 1);
	one(&f, &b);
	assert_false(hash_equal(&a, &b));
}

static void test_broken_generator(void **state) {
	(void)state;
	static const uint8_t zeros[100];
	struct fresh f;
	uint8_t out[100];
	memset(out, 1, sizeof out);
	fresh_init(&f, &device, fixedrandom_clock, 1);
	fixedrandom_install(zeros);
	assert_int_equal(fresh_bytes(&f, out, sizeof out), E_IO);
	assert_memory_equal(out, zeros, sizeof out);
	fixedrandom_remove();
}

static void test_done_wipes(void **state) {
	(void)state;
	static const struct device_secret none;
	struct fresh f;
	fresh_init(&f, &device, fixedrandom_clock, 1);
	fresh_done(&f);
	assert_memory_equal(&f.device, &none, sizeof none);
}

struct job {
	struct fresh *fresh;
	struct hash out[EACH];
};

static void *work(void *arg) {
	struct job *j = arg;
	for (unsigned i = 0; i < EACH; i++)
		if (fresh_bytes(j->fresh, j->out[i].b, HASH_SIZE)) abort();
	return NULL;
}

static int by_order(const void *a, const void *b) {
	return hash_order(a, b);
}

/* With generator and clock stuck only the counter is left: all threads share it. */
static void test_threads(void **state) {
	(void)state;
	static struct job jobs[THREADS];
	static struct hash all[THREADS * EACH];
	pthread_t threads[THREADS];
	struct fresh f;
	fixedrandom_install(stuck);
	fresh_init(&f, &device, fixedrandom_clock, 1);
	for (unsigned i = 0; i < THREADS; i++) {
		jobs[i].fresh = &f;
		assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		memcpy(&all[i * EACH], jobs[i].out, sizeof jobs[i].out);
	}
	fixedrandom_remove();
	qsort(all, THREADS * EACH, sizeof *all, by_order);
	for (unsigned i = 1; i < THREADS * EACH; i++) assert_false(hash_equal(&all[i - 1], &all[i]));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_input_counts),
		cmocka_unit_test(test_no_repetition_with_a_stuck_generator),
		cmocka_unit_test(test_broken_generator),
		cmocka_unit_test(test_done_wipes),
		cmocka_unit_test(test_threads),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
