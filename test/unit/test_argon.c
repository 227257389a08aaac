/*
 * Argon2id's bounds: refused at once and without memory; the value itself is in
 * test/vector/crypto/keystore.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "secret/argon.h"

static const uint8_t salt[ARGON_SALT] = { 1 };

/* Of this thread's own time: how long others keep it waiting does not count. */
static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct argon_cost accepted[] = { { 2, 65536 }, { 1, 131072 }, { 1, 1048576 },
	{ 7, 19456 }, { 16, 19456 }, { 16, 1048576 } };

static const struct argon_cost refused[] = { { 0, 65536 }, { 0, 0 }, { 17, 65536 }, { 2, 65535 },
	{ 1, 131071 }, { 6, 19456 }, { 16, 19455 }, { 16, 8 }, { 1, 8 }, { 2, 1048577 },
	{ 1, 67108864 }, { UINT32_MAX, UINT32_MAX }, { UINT32_MAX, 65536 }, { 2, UINT32_MAX },
	{ 65536, 65536 }, { 0x10000, 0x10002 }, { 1u << 31, 65536 } };

static void test_bounds(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
		assert_true(argon_accepts(accepted[i]));
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_false(argon_accepts(refused[i]));
}

/* 100 ms and 64 MiB are the most that a hostile cost may take; it takes nothing. */
static void test_refused_before_any_work(void **state) {
	(void)state;
	struct passphrase_key k;
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	double start = now();
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_int_equal(argon_key(&k, span_text("x"), salt, refused[i]), E_LIMIT);
	struct argon_cost good = { ARGON_T, ARGON_M };
	assert_int_equal(argon_key(&k, span_of("x", ARGON_PASSPHRASE_MAX + 1), salt, good), E_LIMIT);
	assert_true(now() - start < 0.1);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 4096);
}

static void test_inputs_count(void **state) {
	(void)state;
	struct passphrase_key a, b;
	struct argon_cost cost = { ARGON_T, ARGON_M }, other = { 1, 131072 };
	uint8_t salt2[ARGON_SALT] = { 2 };
	assert_int_equal(argon_key(&a, span_text("tide"), salt, cost), OK);
	assert_int_equal(argon_key(&b, span_text("tide"), salt, cost), OK);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(argon_key(&b, span_text("tidE"), salt, cost), OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	assert_int_equal(argon_key(&b, span_of("tide", 5), salt, cost), OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	assert_int_equal(argon_key(&b, span_text("tide"), salt2, cost), OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	assert_int_equal(argon_key(&b, span_text("tide"), salt, other), OK);
	assert_memory_not_equal(&a, &b, sizeof a);
	assert_int_equal(argon_key(&b, span_of(NULL, 0), salt, cost), OK);
	assert_memory_not_equal(&a, &b, sizeof a);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void test_no_memory(void **state) {
	(void)state;
	if (SANITIZED) skip(); /* they need all addresses for themselves */
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static const struct passphrase_key zero;
		struct passphrase_key k;
		struct argon_cost cost = { ARGON_T, ARGON_M };
		struct rlimit limit = { 48u << 20, 48u << 20 };
		if (setrlimit(RLIMIT_AS, &limit)) _exit(3);
		memset(&k, 1, sizeof k);
		if (argon_key(&k, span_text("x"), salt, cost) != E_NOMEM) _exit(1);
		_exit(memcmp(&k, &zero, sizeof k) ? 2 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_refused_before_any_work),
		cmocka_unit_test(test_inputs_count),
		cmocka_unit_test(test_no_memory),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
