/* Files: whole reads with a maximum, exact reads, replacing, placing once, folders, modes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "forbid.h"
#include "os/file.h"
#include "scratch.h"

enum { SKIPPED = 77 };

static char scratch[SCRATCH_MAX];
static int folder = -1;

static int set_up(void **state) {
	(void)state;
	scratch_make(scratch);
	return file_open_folder(AT_FDCWD, scratch, &folder, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state) {
	(void)state;
	file_close(&folder);
	scratch_remove(scratch);
	return 0;
}

static char *in(const char *name) {
	static char path[SCRATCH_MAX];
	return scratch_join(path, scratch, name);
}

static void whole_files_have_a_maximum(void **state) {
	(void)state;
	static uint8_t bytes[200000];
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 / 3);
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		scratch_write(in("f"), bytes, sizes[i]);
		buf_clear(&out);
		assert_int_equal(buf_add(&out, span_text("ab")), OK);
		assert_int_equal(file_read_whole(folder, "f", sizes[i], &out, NULL), OK);
		assert_int_equal(out.len, sizes[i] + 2);
		assert_memory_equal(out.ptr, "ab", 2);
		assert_memory_equal(out.ptr + 2, bytes, sizes[i]);
		if (sizes[i] == 0) continue;
		assert_int_equal(file_read_whole(folder, "f", sizes[i] - 1, &out, NULL), E_LIMIT);
		assert_int_equal(out.len, sizes[i] + 2);
	}
	struct why why;
	assert_int_equal(file_read_whole(folder, "none", 10, &out, &why), E_NOTFOUND);
	assert_string_equal(why.msg, "none: No such file or directory");
	/* A file whose size says nothing. */
	buf_clear(&out);
	assert_int_equal(file_read_whole(AT_FDCWD, "/proc/self/status", 1 << 20, &out, NULL), OK);
	assert_true(out.len > 100);
	assert_int_equal(file_read_whole(AT_FDCWD, "/proc/self/status", 100, &out, NULL), E_LIMIT);
	buf_free(&out);
	/* Where the buf is smaller than the maximum. */
	buf_init(&out, 1000);
	assert_int_equal(file_read_whole(folder, "f", 1 << 20, &out, NULL), E_LIMIT);
	buf_free(&out);
}

static void only_regular_files_are_opened(void **state) {
	(void)state;
	int fd = -1;
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_int_equal(mkdir(in("dir"), 0700), 0);
	assert_int_equal(symlink("/etc/passwd", in("link")), 0);
	assert_int_equal(file_open_read(folder, "fifo", &fd, NULL), E_IO);
	assert_int_equal(file_open_read(folder, "dir", &fd, NULL), E_IO);
	assert_int_equal(file_open_read(folder, "link", &fd, NULL), E_IO);
	assert_int_equal(file_open_read(AT_FDCWD, "/dev/null", &fd, NULL), E_IO);
	assert_int_equal(fd, -1);
	scratch_write(in("f"), "abc", 3);
	assert_int_equal(file_open_read(folder, "f", &fd, NULL), OK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	file_close(&fd);
	assert_int_equal(fd, -1);
	file_close(&fd);
	assert_int_equal(file_open_folder(folder, "f", &fd, NULL), E_IO);
}

static void reads_are_exact(void **state) {
	(void)state;
	int fd = -1;
	char got[10];
	scratch_write(in("f"), "0123456789", 10);
	assert_int_equal(file_open_read(folder, "f", &fd, NULL), OK);
	assert_int_equal(file_read_at(fd, 3, got, 4, NULL), OK);
	assert_memory_equal(got, "3456", 4);
	assert_int_equal(file_read_at(fd, 10, got, 0, NULL), OK);
	assert_int_equal(file_read_at(fd, 9, got, 2, NULL), E_FORMAT);
	assert_int_equal(file_read_at(fd, 100, got, 1, NULL), E_FORMAT);
	assert_int_equal(file_read_at(fd, UINT64_MAX, got, 1, NULL), E_FORMAT);
	assert_int_equal(file_read_at(fd, INT64_MAX, got, 5, NULL), E_FORMAT);
	file_close(&fd);
}

static void is(const char *name, const char *text) {
	struct buf out;
	buf_init(&out, 1000);
	assert_int_equal(file_read_whole(folder, name, 1000, &out, NULL), OK);
	assert_true(span_equal(buf_span(&out), span_text(text)));
	buf_free(&out);
}

static mode_t mode_of(const char *name) {
	struct stat st;
	assert_int_equal(fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void replacing_is_whole(void **state) {
	(void)state;
	static const mode_t masks[] = { 0, 077, 0777 };
	for (size_t i = 0; i < 3; i++) {
		mode_t old = umask(masks[i]);
		enum err e = file_replace(folder, "state", span_text("one"), FILE_PRIVATE, NULL);
		umask(old);
		assert_int_equal(e, OK);
		is("state", "one");
		assert_int_equal(mode_of("state"), 0600);
		assert_int_equal(unlink(in("state")), 0);
	}
	assert_int_equal(file_replace(folder, "state", span_text("one"), FILE_PRIVATE, NULL), OK);
	assert_int_equal(file_replace(folder, "state", span_text("second"), FILE_PRIVATE, NULL), OK);
	is("state", "second");
	/* A link in its place goes; what it led to stays. */
	scratch_write(in("other"), "kept", 4);
	assert_int_equal(unlink(in("state")), 0);
	assert_int_equal(symlink("other", in("state")), 0);
	assert_int_equal(file_replace(folder, "state", span_text("third"), FILE_PRIVATE, NULL), OK);
	is("state", "third");
	is("other", "kept");
	assert_int_equal(mkdir(in("dir"), 0700), 0);
	assert_int_equal(file_replace(folder, "dir", span_text("x"), FILE_PRIVATE, NULL), E_IO);
	assert_int_equal(scratch_count(scratch), 3);
}

/* Runs ${part} in a child; its result. */
static int in_child(int (*part)(void)) {
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) _exit(part());
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int replace_without_sync(void) {
	if (!forbid_call(SYS_fsync, EIO)) return SKIPPED;
	return file_replace(folder, "state", span_text("new"), FILE_PRIVATE, NULL) == E_IO ? 0 : 1;
}

static int replace_without_space(void) {
	if (!forbid_call(SYS_write, ENOSPC)) return SKIPPED;
	return file_replace(folder, "state", span_text("new"), FILE_PRIVATE, NULL) == E_IO ? 0 : 1;
}

static int replace_and_die(void) {
	if (!forbid_survival(SYS_renameat)) return SKIPPED;
	return file_replace(folder, "state", span_text("new"), FILE_PRIVATE, NULL) == OK ? 0 : 1;
}

static void replacing_fails_without_harm(void **state) {
	(void)state;
	scratch_write(in("state"), "old", 3);
	int r = in_child(replace_without_sync);
	if (r == SKIPPED) {
		print_message("skipped: no call filters here\n");
		skip();
	}
	assert_int_equal(r, 0);
	is("state", "old");
	assert_int_equal(in_child(replace_without_space), 0);
	is("state", "old");
	assert_int_equal(scratch_count(scratch), 1);
	assert_int_equal(in_child(replace_and_die), 128 + SIGSYS);
	is("state", "old");
}

static enum err place(enum file_way way, const char *name, const char *text) {
	struct file_place p = {
		.tmp = folder, .temp = "temp", .at = folder, .path = name, .mode = FILE_SHARED, .way = way
	};
	return file_place_new(&p, span_text(text), NULL);
}

static void placing_is_once(void **state) {
	(void)state;
	static const enum file_way ways[] = { FILE_WAY_ANY, FILE_WAY_LINK, FILE_WAY_RENAME };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(place(ways[i], "f", "first"), OK);
		assert_int_equal(place(ways[i], "f", "second"), E_EXISTS);
		is("f", "first");
		assert_int_equal(mode_of("f"), 0644);
		assert_int_equal(scratch_count(scratch), 1);
		assert_int_equal(place(ways[i], "none/f", "first"), E_NOTFOUND);
		assert_int_equal(scratch_count(scratch), 1);
		/* Not even over a link that leads nowhere, or a folder. */
		assert_int_equal(unlink(in("f")), 0);
		assert_int_equal(symlink("nowhere", in("f")), 0);
		assert_int_equal(place(ways[i], "f", "first"), E_EXISTS);
		assert_int_equal(unlink(in("f")), 0);
		assert_int_equal(mkdir(in("f"), 0700), 0);
		assert_int_equal(place(ways[i], "f", "first"), E_EXISTS);
		assert_int_equal(rmdir(in("f")), 0);
	}
}

static int place_without_links(void) {
	if (!forbid_call(SYS_linkat, ENOTSUP)) return SKIPPED;
	if (place(FILE_WAY_LINK, "f", "x") != E_UNSUPPORTED) return 1;
	if (place(FILE_WAY_ANY, "f", "x") != OK) return 2;
	if (place(FILE_WAY_ANY, "f", "y") != E_EXISTS) return 3;
	return 0;
}

static int place_with_failing_link(void) {
	if (!forbid_call(SYS_linkat, EIO)) return SKIPPED;
	return place(FILE_WAY_ANY, "g", "x") == E_IO ? 0 : 1;
}

static void placing_takes_the_other_way(void **state) {
	(void)state;
	int r = in_child(place_without_links);
	if (r == SKIPPED) {
		print_message("skipped: no call filters here\n");
		skip();
	}
	assert_int_equal(r, 0);
	/* But not where a link failed: it may have been made. */
	assert_int_equal(in_child(place_with_failing_link), 0);
	assert_int_equal(scratch_count(scratch), 1);
}

static void folders_are_made(void **state) {
	(void)state;
	static const mode_t masks[] = { 0, 077, 0777 };
	char path[SCRATCH_MAX];
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "a%zu/b//c/", i);
		mode_t old = umask(masks[i]);
		enum err e = file_make_folders(folder, path, FOLDER_PRIVATE, NULL);
		umask(old);
		assert_int_equal(e, OK);
		assert_int_equal(mode_of(path), 0700);
		assert_int_equal(file_make_folders(folder, path, FOLDER_SHARED, NULL), OK);
		assert_int_equal(mode_of(path), 0700);
	}
	assert_int_equal(file_make_folder(folder, "x/y", FOLDER_PRIVATE, NULL), E_NOTFOUND);
	assert_int_equal(file_make_folders(AT_FDCWD, scratch, FOLDER_PRIVATE, NULL), OK);
	scratch_write(in("f"), "x", 1);
	assert_int_equal(file_make_folder(folder, "f", FOLDER_PRIVATE, NULL), E_IO);
	assert_int_equal(file_make_folders(folder, "f/g", FOLDER_PRIVATE, NULL), E_IO);
	char *far = malloc(5001);
	memset(far, 'a', 5000);
	far[5000] = 0;
	assert_int_equal(file_make_folders(folder, far, FOLDER_PRIVATE, NULL), E_LIMIT);
	free(far);
}

static void folders_that_cannot_sync_are_fine(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	/* A pipe says EINVAL, as some file systems do for folders. */
	assert_int_equal(file_sync_folder(ends[0], NULL), OK);
	assert_int_equal(file_sync(ends[0], NULL), E_IO);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(file_sync_folder(ends[0], NULL), E_IO);
}

static enum err count(void *ctx, const struct dirent *entry, struct why *why) {
	assert_true(entry->d_name[0] != '.');
	if (++*(int *)ctx == 7) return why_set(why, E_CANCELLED, "enough");
	return OK;
}

static void names_are_listed(void **state) {
	(void)state;
	int n = 0;
	assert_int_equal(file_list(folder, ".", count, &n, NULL), OK);
	assert_int_equal(n, 0);
	for (char c = 'a'; c < 'g'; c++) scratch_write(in((char[]){ c, 0 }), "", 0);
	assert_int_equal(file_list(folder, ".", count, &n, NULL), OK);
	assert_int_equal(n, 6);
	assert_int_equal(file_list(folder, ".", count, &n, NULL), E_CANCELLED);
	assert_int_equal(file_list(folder, "none", count, &n, NULL), E_NOTFOUND);
	assert_int_equal(file_remove(folder, "a", NULL), OK);
	assert_int_equal(file_remove(folder, "a", NULL), E_NOTFOUND);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		CASE(whole_files_have_a_maximum),
		CASE(only_regular_files_are_opened),
		CASE(reads_are_exact),
		CASE(replacing_is_whole),
		CASE(replacing_fails_without_harm),
		CASE(placing_is_once),
		CASE(placing_takes_the_other_way),
		CASE(folders_are_made),
		CASE(folders_that_cannot_sync_are_fine),
		CASE(names_are_listed),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
