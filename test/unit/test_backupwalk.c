/* What the walk of a backup meets: deep trees, names that are gone when it gets to them, a system without /proc. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/backuplinks.h"
#include "clientbox.h"

/* Called after each look at a name in a folder, while it is set. */
typedef void after_look(int at, const char *name);
static _Atomic(after_look *) on_look;

int fstatat(int at, const char *restrict name, struct stat *restrict st, int flags);
int fstatat(int at, const char *restrict name, struct stat *restrict st, int flags) {
	after_look *f = atomic_load(&on_look);
	int result = (int)syscall(SYS_newfstatat, at, name, st, flags);
	if (f && !result) f(at, name);
	return result;
}

/* Where there is no /proc. */
static _Atomic bool no_proc;

static bool is_missing(const char *path) {
	errno = ENOENT;
	return atomic_load(&no_proc) && strncmp(path, "/proc/", 6) == 0;
}

ssize_t llistxattr(const char *path, char *to, size_t n);
ssize_t llistxattr(const char *path, char *to, size_t n) {
	return is_missing(path) ? -1 : syscall(SYS_llistxattr, path, to, n);
}

int access(const char *path, int how);
int access(const char *path, int how) {
	return is_missing(path) ? -1 : (int)syscall(SYS_faccessat, AT_FDCWD, path, how);
}

static int teardown(void **state) {
	atomic_store(&on_look, NULL);
	atomic_store(&no_proc, false);
	return clientbox_teardown(state);
}

/* What the notes said. */
struct said {
	unsigned unreadable, incomplete;
	char text[SCRATCH_MAX];
};

static void note(void *ctx, enum backup_note what, const char *path, const char *text) {
	struct said *s = ctx;
	(void)path;
	(void)snprintf(s->text, sizeof s->text, "%s", text);
	s->unreadable += what == BACKUP_UNREADABLE;
	s->incomplete += what == BACKUP_INCOMPLETE;
}

/* Whatever is called "gone..." is, as soon as it was seen. */
static void vanish(int at, const char *name) {
	if (strncmp(name, "gone", 4) != 0) return;
	if (unlinkat(at, name, 0)) (void)unlinkat(at, name, AT_REMOVEDIR);
}

/* The walk looks at a source by its name, who asks for the backup by its path. */
static void vanish_source(int at, const char *name) {
	if (strcmp(name, "source") == 0) (void)unlinkat(at, name, AT_REMOVEDIR);
}

/* Between listing and opening: it was never there, whatever it was. But a source that vanishes is named. */
static void what_vanishes_meanwhile_is_left_out(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct said s = { .unreadable = 0 };
	struct direntry d;
	struct buf bytes;
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	o.noted = note;
	o.ctx = &s;
	clientbox_put(t, "kept/file", 100, 1);
	clientbox_put(t, "gone file", 100, 1);
	assert_int_equal(symlink("x", clientbox_src(path, t, "gone link")), 0);
	assert_int_equal(mkdir(clientbox_src(path, t, "gone folder"), 0700), 0);
	atomic_store(&on_look, vanish);
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.unreadable, 0);
	assert_int_equal(s.unreadable, 0);
	assert_int_equal(r.counts.files, 1);
	assert_int_equal(r.counts.others, 0);
	buf_init(&bytes, 1 << 20);
	assert_true(clientbox_entry(t, &r.snapshot, "kept", &bytes, &d));
	assert_false(clientbox_entry(t, &r.snapshot, "gone file", &bytes, &d));
	assert_false(clientbox_entry(t, &r.snapshot, "gone link", &bytes, &d));
	assert_false(clientbox_entry(t, &r.snapshot, "gone folder", &bytes, &d));
	assert_int_equal(mkdir(clientbox_src(path, t, "source"), 0700), 0);
	const char *paths[] = { clientbox_src(other, t, "kept"), path };
	o.paths = paths;
	o.path_count = 2;
	atomic_store(&on_look, vanish_source);
	r = clientbox_backup(t, &o);
	assert_int_equal(r.unreadable, 1);
	assert_int_equal(s.unreadable, 1);
	assert_int_equal(r.counts.files, 1);
	buf_free(&bytes);
}

/* Then the attributes of what can't be opened can't be read: the rest is stored, and it is said. */
static void without_proc_attributes_are_incomplete(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct said s = { .unreadable = 0 };
	char path[SCRATCH_MAX];
	o.noted = note;
	o.ctx = &s;
	o.force = true;
	clientbox_put(t, "file", 100, 1);
	assert_int_equal(symlink("x", clientbox_src(path, t, "link")), 0);
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.incomplete, 0);
	atomic_store(&no_proc, true);
	r = clientbox_backup(t, &o);
	atomic_store(&no_proc, false);
	assert_int_equal(r.incomplete, 1);
	assert_int_equal(s.incomplete, 1);
	assert_non_null(strstr(s.text, "/proc is not mounted"));
	assert_int_equal(r.counts.others, 1);
	clientbox_compare(t, &r.snapshot);
	/* and said again, until they can be */
	o.force = false;
	clientbox_settle(t);
	atomic_store(&no_proc, true);
	assert_int_equal(clientbox_backup(t, &o).incomplete, 1);
	assert_int_equal(clientbox_backup(t, &o).incomplete, 1);
	atomic_store(&no_proc, false);
	assert_int_equal(clientbox_backup(t, &o).incomplete, 0);
	r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files_new, 0);
}

/* At each level a folder that leads on, and one on either side of it with a file. */
static void make_deep(struct clientbox *t, unsigned depth) {
	int at = open(t->src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < depth; i++) {
		assert_true(at >= 0);
		assert_int_equal(mkdirat(at, "a", 0700), 0);
		assert_int_equal(mkdirat(at, "m", 0700), 0);
		assert_int_equal(mkdirat(at, "z", 0700), 0);
		assert_int_equal(mknodat(at, "a/file", S_IFREG | 0600, 0), 0);
		assert_int_equal(mknodat(at, "z/file", S_IFREG | 0600, 0), 0);
		int next = openat(at, "m", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	(void)close(at);
}

/* However deep the tree, the walk has only some folders open at once. */
static void a_tree_is_deeper_than_there_are_descriptors(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct rlimit limit, few;
	enum { DEPTH = 700, FEW = 128 };
	make_deep(t, DEPTH);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = FEW;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	o.force = true;
	struct backup_result r[2];
	for (unsigned i = 0; i < 2; i++) {
		o.threads = i ? 3 : 1;
		r[i] = clientbox_backup(t, &o);
		assert_int_equal(r[i].unreadable, 0);
		assert_int_equal(r[i].counts.files, 2 * DEPTH);
	}
	assert_int_equal(r[0].counts.directories, r[1].counts.directories);
	assert_true(r[0].counts.directories > 3 * DEPTH);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	clientbox_compare(t, &r[1].snapshot);
}

/* However many names of a file are read at the same time. */
static void a_content_is_counted_once(void **state) {
	struct backuplinks l;
	struct stat one = { .st_dev = 1, .st_ino = 7, .st_nlink = 3 }, other = one;
	(void)state;
	other.st_ino = 8;
	backuplinks_init(&l);
	assert_false(backuplinks_keep(&l, &one, span_text("entry")));
	assert_true(backuplinks_keep(&l, &one, span_text("entry")));
	assert_true(backuplinks_count(&l, &one));
	assert_false(backuplinks_count(&l, &other));
	assert_true(backuplinks_keep(&l, &other, span_text("entry")));
	backuplinks_done(&l);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_content_is_counted_once),
		cmocka_unit_test_setup_teardown(
			what_vanishes_meanwhile_is_left_out, clientbox_setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_proc_attributes_are_incomplete, clientbox_setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_tree_is_deeper_than_there_are_descriptors, clientbox_setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
