/* Counting ahead of a backup: as much as the backup counts then, whatever it is told to leave out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/backupscan.h"
#include "clientbox.h"

enum { MIB = 1 << 20, WAIT_NS = 2 * 1000 * 1000, WAITS = 5000, DEPTH = 700, FEW = 128 };

static void not_missed(void *ctx, const char *path, const struct why *why) {
	(void)ctx;
	(void)why;
	fail_msg("%s is missing", path);
}

static void count(
	struct clientbox *t, const struct backup_options *o, uint64_t *files, uint64_t *bytes) {
	struct backupsources sources = { .count = 0 };
	struct backupomit omit;
	struct backupscan *s = NULL;
	struct why why;
	bool done = false;
	clientbox_ok(
		backupsources_read(&sources, o->paths, o->path_count, not_missed, NULL, &why), &why);
	backupomit_own(&omit, t->session.folder.state, t->session.folder.cache);
	clientbox_ok(backupscan_start(&s, o, sources.root, &omit, &why), &why);
	for (int i = 0; i < WAITS && !done; i++) {
		const struct timespec wait = { .tv_nsec = WAIT_NS };
		done = backupscan_counted(s, files, bytes);
		if (!done) (void)nanosleep(&wait, NULL);
	}
	assert_true(done);
	backupscan_free(s);
	backupsources_free(&sources);
}

/* Counts, and holds it against a backup with the same options. */
static void compare(struct clientbox *t, struct backup_options *o, uint64_t right) {
	uint64_t files = 0, bytes = 0;
	count(t, o, &files, &bytes);
	o->force = true;
	struct backup_result r = clientbox_backup(t, o);
	assert_int_equal(files, right);
	assert_int_equal(files, r.counts.files);
	assert_int_equal(bytes, r.counts.bytes);
}

static void put(struct clientbox *t, const char *name, size_t len) {
	clientbox_put(t, name, len, len);
}

static void make_tree(struct clientbox *t) {
	static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n";
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	put(t, "a/one", 1000);
	put(t, "a/b/two", 50000);
	put(t, "a/b/three.o", 700);
	put(t, "cache/large", 90000);
	clientbox_file(t, "cache/CACHEDIR.TAG", tag, sizeof tag - 1);
	assert_int_equal(
		link(clientbox_src(path, t, "a/one"), clientbox_src(other, t, "a/b/another name")), 0);
	assert_int_equal(symlink("a", clientbox_src(path, t, "link")), 0);
	assert_int_equal(mkfifo(clientbox_src(path, t, "pipe"), 0600), 0);
	assert_int_equal(mkdir(clientbox_src(path, t, "empty"), 0700), 0);
	put(t, "sparse", MIB);
	assert_int_equal(truncate(clientbox_src(path, t, "sparse"), (off_t)16 * MIB), 0);
}

static void as_much_as_the_backup_counts(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct pattern_set *exclude = NULL;
	char a[SCRATCH_MAX], b[SCRATCH_MAX], c[SCRATCH_MAX];
	make_tree(t);
	compare(t, &o, 7);
	o.exclude_caches = true;
	compare(t, &o, 6);
	o.one_file_system = true;
	assert_int_equal(pattern_set_new(&exclude), OK);
	assert_int_equal(pattern_set_add(exclude, span_text("*.o")), OK);
	assert_int_equal(pattern_set_add(exclude, span_text("cache")), OK);
	o.exclude = exclude;
	compare(t, &o, 4);
	pattern_set_free(exclude);
	o.exclude = NULL;
	/* a file, a folder through a link, a link: and no more */
	const char *paths[] = { clientbox_src(a, t, "cache/large"), clientbox_src(b, t, "link/b"),
		clientbox_src(c, t, "link") };
	o.paths = paths;
	o.path_count = 2;
	compare(t, &o, 4);
	paths[0] = c;
	o.path_count = 1;
	compare(t, &o, 0);
	/* with the device's state and the store in it */
	paths[0] = t->folder;
	o.exclude_caches = false;
	compare(t, &o, 7);
}

static void however_deep(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct rlimit limit, few;
	uint64_t files = 0, bytes = 0;
	int at = open(t->src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(at, "a", 0700) | mkdirat(at, "m", 0700), 0);
		assert_int_equal(mknodat(at, "a/file", S_IFREG | 0600, 0), 0);
		assert_int_equal(mknodat(at, "m/file", S_IFREG | 0600, 0), 0);
		int next = openat(at, i % 2 ? "a" : "m", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = FEW;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	count(t, &o, &files, &bytes);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(files, 2 * DEPTH);
	assert_int_equal(bytes, 0);
}

struct seen {
	uint64_t files, bytes;
};

static void tick(void *ctx, const struct backup_progress *p) {
	struct seen *s = ctx;
	s->files = p->expect_files;
	s->bytes = p->expect_bytes;
}

/* The first backup's progress gets an end where that is wanted; from then on the parent tells. */
static void a_first_backup_knows_what_there_is(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct seen seen = { 0, 0 };
	o.ticked = tick;
	o.ctx = &seen;
	put(t, "large", 24 * MIB);
	o.branch = "unwanted";
	(void)clientbox_backup(t, &o);
	assert_int_equal(seen.files, 0);
	o.branch = "wanted";
	o.count_ahead = true;
	o.force = true;
	o.compression = SQUEEZE_MAX;
	put(t, "large too", 25 * MIB);
	(void)clientbox_backup(t, &o);
	assert_int_equal(seen.files, 2);
	assert_int_equal(seen.bytes, 49 * MIB);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			as_much_as_the_backup_counts, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(however_deep, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_first_backup_knows_what_there_is, clientbox_setup, clientbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
