/* client/restoretree: a folder that rested is opened again only if it is the same one; one that shuts its maker out gets its mode last. */
#include <errno.h>
#include <fcntl.h>
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

#include "client/restoretree.h"
#include "scratch.h"

enum { ORDINARY = 4321, LATE = 4 };

struct fixture {
	char top[SCRATCH_MAX], target[SCRATCH_MAX], outside[SCRATCH_MAX];
	struct restore_options options;
	struct restorerun run;
};

static int setup(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	if (!f) return -1;
	scratch_make(f->top);
	(void)scratch_join(f->target, f->top, "target");
	if (mkdir(scratch_join(f->outside, f->top, "outside"), 0755)) return -1;
	f->options.target = f->target;
	f->run.options = &f->options;
	f->run.uid = geteuid();
	f->run.gid = getegid();
	f->run.dirs_max = 100;
	f->run.late_max = LATE;
	mutex_init(&f->run.lock);
	mutex_cond_init(&f->run.moved);
	struct why why;
	if (restoretree_root(&f->run, &f->run.root, &why)) return -1;
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;
	restoretree_leave(f->run.root);
	mutex_cond_done(&f->run.moved);
	mutex_done(&f->run.lock);
	scratch_remove(f->top);
	free(f);
	return 0;
}

static struct restoretree_dir *enter(
	struct fixture *f, struct restoretree_dir *above, const char *name, uint16_t mode) {
	const struct direntry d = { .type = DIRENTRY_DIRECTORY, .name = span_text(name) };
	const struct restoreattrs attrs = { .uid = geteuid(), .gid = getegid(), .mode = mode };
	struct restoretree_dir *dir = NULL;
	assert_int_equal(restoretree_enter(above, &d, &attrs, &dir), OK);
	assert_int_equal(f->run.counts[RESTORE_NOT_DONE], 0);
	return dir;
}

static char *in_target(char *out, const struct fixture *f, const char *name) {
	return scratch_join(out, f->target, name);
}

static unsigned mode_of(const struct fixture *f, const char *name) {
	char path[SCRATCH_MAX];
	struct stat st;
	assert_int_equal(lstat(in_target(path, f, name), &st), 0);
	return st.st_mode & 07777;
}

static void move(const struct fixture *f, const char *from, const char *to) {
	char a[SCRATCH_MAX], b[SCRATCH_MAX];
	assert_int_equal(rename(in_target(a, f, from), in_target(b, f, to)), 0);
}

static void wakes(struct restoretree_dir *dir, bool right) {
	restoretree_rest(dir);
	assert_int_equal(dir->fd, -1);
	assert_int_equal(restoretree_wake(dir), right);
	assert_int_equal(dir->fd >= 0, right);
}

/* "a/b", resting; in its place another folder, a link to it, a link on the way, a file. Back again, it wakes. */
static void only_the_same_folder_wakes(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX], away[SCRATCH_MAX];
	struct restoretree_dir *a = enter(f, f->run.root, "a", 0755), *b = enter(f, a, "b", 0755);
	wakes(b, true);
	wakes(a, true);
	move(f, "a/b", "kept");
	wakes(b, false);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkdir(in_target(path, f, "a/b"), 0755), 0);
	assert_false(restoretree_wake(b));
	assert_int_equal(errno, EBUSY);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(f->outside, path), 0);
	assert_false(restoretree_wake(b));
	assert_int_equal(unlink(path), 0);
	/* not even to the folder itself */
	assert_int_equal(symlink(in_target(away, f, "kept"), path), 0);
	assert_false(restoretree_wake(b));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../kept", path), 0);
	assert_false(restoretree_wake(b));
	assert_int_equal(unlink(path), 0);
	scratch_write(path, "file", 4);
	assert_false(restoretree_wake(b));
	assert_int_equal(unlink(path), 0);
	move(f, "kept", "a/b");
	move(f, "a", "moved");
	assert_int_equal(symlink("moved", in_target(path, f, "a")), 0);
	assert_false(restoretree_wake(b));
	assert_int_equal(b->fd, -1);
	assert_int_equal(unlink(path), 0);
	move(f, "moved", "a");
	assert_true(restoretree_wake(b));
	restoretree_leave(b);
	restoretree_leave(a);
	assert_int_equal(f->run.dirs_open, 1);
	assert_int_equal(f->run.counts[RESTORE_NOT_COMPLETE], 0);
}

/* Another's folder in its place does not get its attributes: that is said. */
static void no_other_gets_its_attributes(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX];
	struct restoretree_dir *a = enter(f, f->run.root, "a", 0755);
	restoretree_rest(a);
	move(f, "a", "kept");
	assert_int_equal(mkdir(in_target(path, f, "a"), 0711), 0);
	assert_int_equal(chmod(path, 0711), 0);
	restoretree_leave(a);
	assert_int_equal(mode_of(f, "a"), 0711);
	assert_int_equal(f->run.counts[RESTORE_NOT_COMPLETE], 1);
}

/* An ordinary user goes through it to the end: it is let be until then, and open. */
static void what_shuts_its_maker_out_comes_last(void **state) {
	struct fixture *f = *state;
	struct restoretree_dir *shut = enter(f, f->run.root, "shut", 0640),
						   *open = enter(f, f->run.root, "open", 0755),
						   *inner = enter(f, shut, "inner", 0600);
	assert_int_equal(mode_of(f, "shut"), 0700);
	if (f->run.uid == 0) f->run.uid = ORDINARY;
	restoretree_leave(inner);
	restoretree_rest(shut); /* and is opened again to stay so */
	restoretree_leave(shut);
	restoretree_leave(open);
	assert_int_equal(mode_of(f, "open"), 0755);
	assert_int_equal(mode_of(f, "shut"), 0700);
	assert_int_equal(mode_of(f, "shut/inner"), 0700);
	assert_true(shut->fd >= 0 && inner->fd >= 0);
	assert_int_equal(f->run.late_count, 2);
	restoretree_finish_late(&f->run);
	assert_int_equal(mode_of(f, "shut"), 0640);
	if (geteuid() == 0) assert_int_equal(mode_of(f, "shut/inner"), 0600);
	assert_int_equal(f->run.counts[RESTORE_NOT_COMPLETE], 0);
	assert_int_equal(f->run.dirs_open, 1);
}

/* They take descriptors: no more of them than there may be. */
static void only_so_many_stay_open(void **state) {
	struct fixture *f = *state;
	char name[16];
	if (f->run.uid == 0) f->run.uid = ORDINARY;
	for (int i = 0; i < LATE + 2; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		uid_t uid = f->run.uid;
		f->run.uid = geteuid(); /* who it belongs to */
		struct restoretree_dir *dir = enter(f, f->run.root, name, 0600);
		f->run.uid = uid;
		restoretree_leave(dir);
		assert_int_equal(mode_of(f, name), i < LATE ? 0700 : 0600);
	}
	assert_int_equal(f->run.late_count, LATE);
	restoretree_finish_late(&f->run);
	assert_int_equal(mode_of(f, "0"), 0600);
	assert_int_equal(f->run.dirs_open, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_same_folder_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(no_other_gets_its_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_shuts_its_maker_out_comes_last, setup, teardown),
		cmocka_unit_test_setup_teardown(only_so_many_stay_open, setup, teardown),
	};
	return cmocka_run_group_tests_name("restoretree", tests, NULL, NULL);
}
