/* Memory for secrets: zeroed, aligned, and a fault behind its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "secret/secretmem.h"

static void test_zeroed_and_aligned(void **state) {
	(void)state;
	for (size_t n = 0; n < 5000; n = n * 3 + 1) {
		uint8_t *p = secretmem_alloc(n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
		secretmem_free(p);
	}
	secretmem_free(NULL);
	assert_null(secretmem_alloc(SIZE_MAX));
	assert_null(secretmem_alloc(SIZE_MAX / 2));
}

/* A child that touches ${p} + ${offset}, or a freed piece, must not live to tell. */
static bool dies(uint8_t *p, ptrdiff_t offset, bool freed) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		if (freed) secretmem_free(p);
		((volatile uint8_t *)p)[offset] = 1;
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void test_guarded(void **state) {
	(void)state;
	uint8_t *p = secretmem_alloc(64);
	assert_non_null(p);
	assert_false(dies(p, 0, false));
	assert_false(dies(p, 63, false));
	assert_true(dies(p, 64, false));
	assert_true(dies(p, 0, true));
	secretmem_free(p);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_guarded),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
