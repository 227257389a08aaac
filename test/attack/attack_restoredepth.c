/*
 * Trees deeper than there are descriptors, so that a restore goes into folders again that it had left: it finds those, or leaves
 * alone what is in their places. Rows P02, P11.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "restorebox.h"
#include "scratch.h"

enum { DEEP = 1950, DESCRIPTORS = 256 };

/* ${levels} folders, each in the one before, each with a file and a folder beside. */
static struct hash deep_tree(struct restorebox *f, int levels) {
	struct streamref below = { .length = 0 }, empty = { .length = 0 };
	for (int level = 0; level <= levels; level++) {
		struct direntry deeper = craft_directory("d", &below), file = craft_file("f", &f->text),
						side = craft_directory("s", &empty);
		buf_clear(&f->entries);
		if (level) craft_add(&f->entries, &deeper);
		craft_add(&f->entries, &file);
		craft_add(&f->entries, &side);
		below = craft_folder(&f->c, &f->entries);
	}
	struct hash id = craft_end(&f->c, &below, 3 * (uint64_t)levels + 10, 0);
	craft_begin(&f->c, &f->t);
	return id;
}

static struct rlimit few_descriptors(void) {
	struct rlimit before, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = DESCRIPTORS;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

/* P11: deeper than there are descriptors. On the way back up each folder is gone into again, and gets its attributes. */
static void deeper_than_descriptors(void **state) {
	struct restorebox *f = *state;
	struct hash id = deep_tree(f, DEEP);
	struct rlimit before = few_descriptors();
	struct restore_result r = restorebox_run(f, &id);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (r.counts[RESTORE_NOT_DONE] + r.counts[RESTORE_NOT_COMPLETE]) fail_msg("%s", f->last);
	assert_int_equal(r.counts[RESTORE_FILES], DEEP + 1);
	assert_int_equal(r.counts[RESTORE_DIRECTORIES], 2 * DEEP + 1);
	int at = open(f->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int level = 0; level <= DEEP; level++) {
		struct stat file, side, deeper;
		assert_int_equal(fstatat(at, "f", &file, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(file.st_size, strlen("restored"));
		assert_int_equal(fstatat(at, "s", &side, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISDIR(side.st_mode));
		assert_int_equal(side.st_mtim.tv_sec, 1000000000);
		if (level == DEEP) break;
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		assert_true(next >= 0);
		assert_int_equal(fstat(next, &deeper), 0);
		assert_int_equal(deeper.st_mtim.tv_sec, 1000000000);
		assert_int_equal(deeper.st_mode & 07777, 0755);
		assert_int_equal(close(at), 0);
		at = next;
	}
	assert_int_equal(close(at), 0);
}

enum { SWAP_DEPTH = 400 };

struct impostor {
	struct restorebox *f;
	bool is_link, done;
};
static struct impostor impostor;

/* When the deepest folder is made, the topmost one, which rests, is moved away, and something else is in its place. */
static void deepest(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct restorebox *f = impostor.f;
	char from[SCRATCH_MAX], to[SCRATCH_MAX];
	restorebox_noted(ctx, note, path, text);
	if (note != RESTORE_ITEM || path.len != 2 * SWAP_DEPTH || impostor.done) return;
	impostor.done = true;
	(void)scratch_join(from, f->target, "d");
	if (rename(from, scratch_join(to, f->top, "moved"))) abort();
	if (impostor.is_link ? symlink(f->victim, from) : rename(f->victim, from)) abort();
}

/* P02: a folder that is gone into again is the one that was left, or it is left alone. */
static void another_in_its_place(void **state) {
	struct restorebox *f = *state;
	struct hash id = deep_tree(f, SWAP_DEPTH);
	char path[SCRATCH_MAX];
	for (int is_link = 0; is_link < 2; is_link++) {
		struct restore_result r;
		impostor = (struct impostor){ .f = f, .is_link = is_link };
		struct rlimit before = few_descriptors();
		enum err e = restorebox_try(f, &id,
			(struct restore_options){ .overwrite = RESTORE_ALWAYS, .each = true, .noted = deepest },
			&r);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (e) fail_msg("%s", f->last);
		assert_true(impostor.done);
		assert_true(r.counts[RESTORE_NOT_DONE] > 0);
		assert_true(r.counts[RESTORE_NOT_COMPLETE] > 0);
		(void)scratch_join(path, f->target, "d");
		if (is_link) assert_int_equal(unlink(path), 0);
		else assert_int_equal(rename(path, f->victim), 0);
		restorebox_victim_is_whole(f);
		scratch_remove(scratch_join(path, f->top, "moved"));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			deeper_than_descriptors, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(
			another_in_its_place, restorebox_setup, restorebox_teardown),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
