/* Backups of real folders, in process: what comes back, what is stored again, what is said, what a failing store does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clientbox.h"

enum { MIB = 1 << 20 };

static int setup(void **state) {
	struct clientbox *t = calloc(1, sizeof *t);
	if (!t) return -1;
	clientbox_new(t, &clientbox_chunks, 0);
	*state = t;
	return 0;
}

static int setup_large(void **state) {
	struct clientbox *t = calloc(1, sizeof *t);
	if (!t) return -1;
	clientbox_new(t, &chunker_default, 0);
	*state = t;
	return 0;
}

static int teardown(void **state) {
	clientbox_done(*state);
	free(*state);
	return 0;
}

static void put_random(struct clientbox *t, const char *name, size_t len, uint64_t seed) {
	uint8_t *bytes = clientbox_random(len, seed);
	clientbox_file(t, name, bytes, len);
	free(bytes);
}

/* Each is cut by all threads, if they have time: where all have a large file of their own, none waits for another. */
static void several_large_files_at_once(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct backup_result r;
	o.pack_limit = 0;
	o.force = true;
	put_random(t, "a/large", 49 * MIB, 1);
	put_random(t, "b/large", 49 * MIB, 2);
	(void)alarm(100);
	for (int i = 0; i < 4; i++) {
		r = clientbox_backup(t, &o);
		assert_int_equal(r.counts.files, 2);
	}
	(void)alarm(0);
	clientbox_compare(t, &r.snapshot);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(several_large_files_at_once, setup_large, teardown),
	};
	(void)setup;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
