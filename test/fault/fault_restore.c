/*
 * Memory that runs out anywhere in a restore: it ends with an error or with the whole tree, leaves nothing half-made, and the
 * next one into the same folder is complete.
 */
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

#include "base/mem.h"
#include "client/restore.h"
#include "crypto/crypto.h"
#include "scratch.h"
#include "store/memory.h"
#include "testvault.h"

enum { FOLDERS = 5, LARGE = 200000, MOST = 100000 };

static char top[SCRATCH_MAX], source[SCRATCH_MAX], target[SCRATCH_MAX];

static void make_tree(void) {
	char path[SCRATCH_MAX], name[64];
	static uint8_t large[LARGE];
	for (size_t i = 0; i < LARGE; i++) large[i] = (uint8_t)(i * 2654435761u >> 11);
	assert_int_equal(mkdir(source, 0755), 0);
	for (int i = 0; i < FOLDERS; i++) {
		(void)snprintf(name, sizeof name, "d%d", i);
		assert_int_equal(mkdir(scratch_join(path, source, name), 0750), 0);
		(void)snprintf(name, sizeof name, "d%d/large", i);
		scratch_write(scratch_join(path, source, name), large + i, LARGE / 2);
		(void)snprintf(name, sizeof name, "d%d/small", i);
		scratch_write(scratch_join(path, source, name), name, strlen(name));
		char linked[SCRATCH_MAX];
		(void)snprintf(name, sizeof name, "d%d/linked", i);
		assert_int_equal(link(path, scratch_join(linked, source, name)), 0);
		(void)snprintf(name, sizeof name, "d%d/symbolic", i);
		assert_int_equal(symlink("nowhere", scratch_join(path, source, name)), 0);
	}
}

static int count_of(const char *command) {
	char line[64] = "";
	FILE *p = popen(command, "r");
	if (!p || !fgets(line, sizeof line, p)) abort();
	(void)pclose(p);
	return (int)strtol(line, NULL, 10);
}

static int temps(void) {
	char command[SCRATCH_MAX + 64];
	(void)snprintf(command, sizeof command, "find '%s' -name '.broch-*' | wc -l", target);
	return count_of(command);
}

static int differences(void) {
	char command[3 * SCRATCH_MAX + 64];
	(void)snprintf(command, sizeof command, "diff -r --no-dereference '%s' '%s%s' 2>&1 | wc -l",
		source, target, source);
	return count_of(command);
}

static enum err restore(
	struct testvault *t, const struct hash *id, bool verify, struct restore_result *r) {
	struct why why = { OK, "" };
	struct restore_options o = { .snapshot = *id,
		.target = target,
		.overwrite = RESTORE_ALWAYS,
		.threads = 2,
		.verify = verify };
	return restore_run(&t->vault, &o, r, &why);
}

static uint64_t errors_of(const struct restore_result *r) {
	uint64_t n = 0;
	for (size_t i = RESTORE_NOT_COMPLETE; i < RESTORE_COUNTS; i++) n += r->counts[i];
	return n;
}

static void out_of_memory(void **state) {
	(void)state;
	struct testvault t;
	struct kit_secret kit;
	struct restore_result r;
	struct hash id;
	struct why why = { OK, "" };
	static const uint8_t name[HASH_SIZE] = { 3 };
	struct hash store_id = hash_from(name);
	struct store *store = memory_new(&store_id);
	unsigned failed = 0, whole = 0;
	make_tree();
	testvault_make(store, 0, &kit);
	testvault_must_open(&t, store);
	testvault_must(testvault_backup(&t, source, NULL, &id, &why), &why, "backup");
	assert_int_equal(restore(&t, &id, true, &r), OK);
	assert_int_equal(differences(), 0);
	scratch_remove(target);
	mem_fail_at(0);
	uint64_t before = mem_count();
	assert_int_equal(restore(&t, &id, true, &r), OK);
	uint64_t all = mem_count() - before, step = all / 400 + 1;
	scratch_remove(target);
	for (uint64_t n = 1; n <= all; n += n < 200 ? 1 : step) {
		mem_fail_at(n);
		enum err e = restore(&t, &id, n % 2, &r);
		mem_fail_at(0);
		if (e == OK && errors_of(&r) == 0) {
			whole++; /* what failed was not needed: a note's path, say */
			assert_int_equal(differences(), 0);
		} else {
			failed++;
			if (e != OK && e != E_NOMEM)
				fail_msg("allocation %llu: %s", (unsigned long long)n, err_text(e));
		}
		if (access(target, F_OK) == 0) assert_int_equal(temps(), 0);
		if (failed % 50 == 1) {
			assert_int_equal(restore(&t, &id, false, &r), OK);
			assert_int_equal(differences(), 0);
		}
		if (access(target, F_OK) == 0) scratch_remove(target);
	}
	printf("%llu allocations: %u restores failed, %u were whole\n", (unsigned long long)all, failed,
		whole);
	assert_true(failed > 50);
	testvault_close(&t);
	store_free(store);
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(out_of_memory) };
	char home[SCRATCH_MAX];
	if (crypto_start()) return 2;
	scratch_make(top);
	testvault_home(scratch_join(home, top, "home"));
	(void)scratch_join(source, top, "source");
	(void)scratch_join(target, top, "target");
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove(top);
	return result;
}
