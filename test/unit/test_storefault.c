/*
 * The store in a folder when the world fails: file systems that lack something, disks that are full
 * or do not sync, death.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "forbid.h"
#include "os/clock.h"
#include "os/thread.h"
#include "scratch.h"
#include "store/embedded.h"
#include "storeplace.h"
#include "storesuite.h"

enum { SKIPPED = 77 };

/* What a child returned: its exit code, or 128 and its signal. */
static int result_of(pid_t child) {
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs ${part} in a child, as faults are for the rest of a process; what it returned. */
static int in_child(int (*part)(struct storeplace *p), struct storeplace *p) {
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) _exit(part(p));
	return result_of(child);
}

static void skip_if(bool yes, const char *reason) {
	if (!yes) return;
	print_message("skipped: %s\n", reason);
	skip();
}

/* File systems that lack something. */

static int use_without_links(struct storeplace *p) {
	struct hash id = storesuite_id(5), name;
	struct store *s;
	uint8_t other[3] = { 1, 2, 3 };
	uint64_t length = 0;
	if (!forbid_call(SYS_linkat, EPERM)) return SKIPPED;
	if (embedded_create(p->path, &id, NULL) != OK || embedded_open(p->path, &s, NULL) != OK)
		return 1;
	if (storeplace_put(s, p, 1, &name, NULL) != OK || storeplace_append(s, p, 0, NULL) != OK)
		return 2;
	if (storeplace_append(s, p, 0, NULL) != OK || storeplace_append(s, p, 1, NULL) != OK) return 3;
	if (store_chain_append(s, &p->chain, 1, span_of(other, 3), NULL) != E_BUSY) return 4;
	if (store_chain_length(s, &p->chain, &length, NULL) != OK || length != 2) return 5;
	store_free(s);
	return 0;
}

static void renames_do_where_links_are_refused(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	int r = in_child(use_without_links, p);
	skip_if(r == SKIPPED, "no call filters here");
	assert_int_equal(r, 0);
	assert_int_equal(scratch_count(storeplace_inside(path, p, "tmp")), 0);
}

static int create_without_both(struct storeplace *p) {
	struct hash id = storesuite_id(5);
	struct why why;
	if (!forbid_call(SYS_linkat, EPERM) || !forbid_call(SYS_renameat2, EINVAL)) return SKIPPED;
	if (embedded_create(p->path, &id, &why) != E_UNSUPPORTED) return 1;
	if (!strstr(why.msg, "cannot put a file in place")) return 2;
	return 0;
}

static void neither_is_refused(void **state) {
	struct storeplace *p = *state;
	int r = in_child(create_without_both, p);
	skip_if(r == SKIPPED, "no call filters here");
	assert_int_equal(r, 0);
	assert_int_equal(scratch_count(p->path), -1);
	/* In a folder that was there, nothing is left. */
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(in_child(create_without_both, p), 0);
	assert_int_equal(scratch_count(p->path), 0);
}

/* Calls that say they are done, and do nothing: both racing processes win. */
static int create_with_lying_links(struct storeplace *p) {
	struct hash id = storesuite_id(5);
	struct why why;
	if (!forbid_call(SYS_linkat, 0)) return SKIPPED;
	if (embedded_create(p->path, &id, &why) != E_UNSUPPORTED) return 1;
	return strstr(why.msg, "raced") ? 0 : 2;
}

static int create_with_lying_renames(struct storeplace *p) {
	struct hash id = storesuite_id(5);
	struct why why;
	if (!forbid_call(SYS_linkat, EPERM) || !forbid_call(SYS_renameat2, 0)) return SKIPPED;
	if (embedded_create(p->path, &id, &why) != E_UNSUPPORTED) return 1;
	return strstr(why.msg, "raced") ? 0 : 2;
}

static void a_place_that_two_can_get_is_refused(void **state) {
	struct storeplace *p = *state;
	int r = in_child(create_with_lying_links, p);
	skip_if(r == SKIPPED, "no call filters here");
	assert_int_equal(r, 0);
	assert_int_equal(in_child(create_with_lying_renames, p), 0);
	assert_int_equal(scratch_count(p->path), -1);
}

static int put_again(struct storeplace *p) {
	struct hash name;
	struct store *s = storeplace_open(p);
	if (storeplace_put(s, p, 1, &name, NULL) != OK) return 1;
	if (!forbid_survival(SYS_write)) return SKIPPED;
	if (storeplace_put(s, p, 1, &name, NULL) != OK) return 2;
	store_free(s);
	return 0;
}

static void what_is_there_is_not_written_again(void **state) {
	int r = in_child(put_again, *state);
	skip_if(r == SKIPPED, "no call filters here");
	assert_int_equal(r, 0);
}

static int create_and_die(struct storeplace *p, long call) {
	struct hash id = storesuite_id(5);
	if (!forbid_survival(call)) return SKIPPED;
	return embedded_create(p->path, &id, NULL) == OK ? 0 : 1;
}

static void a_create_that_was_killed_can_be_repeated(void **state) {
	struct storeplace *p = *state;
	static const long calls[] = { SYS_mkdirat, SYS_fsync, SYS_linkat, SYS_unlinkat, SYS_write,
		SYS_pipe2 };
	struct hash id = storesuite_id(6);
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		scratch_join(p->path, p->folder, (const char[]){ (char)('a' + i), 0 });
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) _exit(create_and_die(p, calls[i]));
		int r = result_of(child);
		skip_if(r == SKIPPED, "no call filters here");
		/* Killed itself, or its racing children were, which it reports. */
		assert_true(r == 128 + SIGSYS || r == 1);
		struct why why;
		enum err e = embedded_create(p->path, &id, &why);
		if (e != OK) fail_msg("after death at %ld: %s", calls[i], why.msg);
		store_free(storeplace_open(p));
	}
}

/* Faults. */

static int put_with_sync_failing(struct storeplace *p) {
	struct hash name;
	struct why why;
	uint64_t size;
	struct store *s = storeplace_open(p);
	if (!forbid_call(SYS_fsync, EIO)) return SKIPPED;
	if (storeplace_put(s, p, 1, &name, &why) != E_IO) return 1;
	if (store_pack_size(s, &p->vault, &name, &size, NULL) != E_NOTFOUND) return 2;
	if (storeplace_append(s, p, 0, NULL) != E_IO) return 3;
	store_free(s);
	return 0;
}

static int flush_with_sync_failing(struct storeplace *p) {
	struct hash name;
	struct why why;
	uint8_t got;
	struct store *s = storeplace_open(p);
	if (storeplace_put(s, p, 2, &name, NULL) != OK || storeplace_append(s, p, 0, NULL) != OK)
		return 1;
	if (!forbid_call(SYS_fsync, EIO)) return SKIPPED;
	if (store_flush(s, &p->vault, &why) != E_IO) return 2;
	/* Nothing is dirty any more, and yet it is not durable: never OK from now on. */
	if (store_flush(s, &p->vault, &why) != E_IO) return 3;
	if (storeplace_append(s, p, 1, &why) != E_IO || !strstr(why.msg, "nothing more is written"))
		return 4;
	if (storeplace_put(s, p, 3, &name, &why) != E_IO) return 5;
	/* Reading goes on. */
	if (storeplace_put(s, p, 2, &name, &why) != E_IO) return 6;
	if (store_pack_get(s, &p->vault, &name, 0, 1, &got, NULL) != OK) return 7;
	store_free(s);
	return 0;
}

static void a_sync_that_failed_is_final(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	int r = in_child(put_with_sync_failing, p);
	skip_if(r == SKIPPED, "no call filters here");
	assert_int_equal(r, 0);
	assert_int_equal(scratch_count(storeplace_inside(path, p, "tmp")), 0);
	r = in_child(flush_with_sync_failing, p);
	assert_int_equal(r, 0);
	/* Opened anew, all works. */
	struct hash name;
	struct store *s = storeplace_open(p);
	assert_int_equal(storeplace_put(s, p, 3, &name, NULL), OK);
	assert_int_equal(store_flush(s, &p->vault, NULL), OK);
	assert_int_equal(storeplace_append(s, p, 1, NULL), OK);
	store_free(s);
}

static enum err check_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	const struct storeplace *p = ((void **)ctx)[0];
	struct store *s = ((void **)ctx)[1];
	uint8_t bytes[STOREPLACE_PACK];
	assert_int_equal(size, STOREPLACE_PACK);
	enum err e = store_pack_get(s, &p->vault, name, 0, STOREPLACE_PACK, bytes, why);
	if (e != OK) return e;
	struct hash real = storesuite_name(bytes, STOREPLACE_PACK);
	assert_true(hash_equal(&real, name));
	return OK;
}

/* All that can be seen is whole; and the store can go on. */
static void check_whole(struct storeplace *p) {
	struct store *s = storeplace_open(p);
	void *ctx[2] = { p, s };
	struct why why = { 0 };
	if (store_pack_list(s, &p->vault, check_pack, ctx, &why) != OK) fail_msg("%s", why.msg);
	struct storeplace_follow f = { 0 };
	assert_int_equal(
		store_chain_read(s, &p->chain, 0, STORE_READ_FAST, storeplace_follow_entry, &f, NULL), OK);
	assert_int_equal(f.wrong, 0);
	uint64_t length;
	assert_int_equal(store_chain_length(s, &p->chain, &length, NULL), OK);
	assert_int_equal(length, f.next);
	struct hash name;
	assert_int_equal(storeplace_put(s, p, 0, &name, NULL), OK);
	assert_int_equal(storeplace_append(s, p, length, NULL), OK);
	store_free(s);
}

/* Puts and appends until it is killed. */
static int write_on(struct storeplace *p) {
	struct store *s = storeplace_open(p);
	struct hash name;
	uint64_t seq;
	if (store_chain_length(s, &p->chain, &seq, NULL) != OK) return 1;
	for (uint64_t i = 0; i < 100000; i++) {
		if (storeplace_put(s, p, seq * 100 + i, &name, NULL) != OK) return 2;
		if (storeplace_append(s, p, seq + i, NULL) != OK) return 3;
	}
	return 0;
}

static void kills_leave_nothing_half_made(void **state) {
	struct storeplace *p = *state;
	for (unsigned round = 0; round < 30; round++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) _exit(write_on(p));
		clock_sleep_ns(500000 + (uint64_t)(rand() % 6000) * 1000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(result_of(child), 128 + SIGKILL);
		check_whole(p);
	}
}

static void death_at_each_call_leaves_nothing_half_made(void **state) {
	struct storeplace *p = *state;
	static const long calls[] = { SYS_write, SYS_fsync, SYS_linkat, SYS_unlinkat, SYS_mkdirat };
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			if (!forbid_survival(calls[i])) _exit(SKIPPED);
			_exit(write_on(p));
		}
		int r = result_of(child);
		skip_if(r == SKIPPED, "no call filters here");
		assert_int_equal(r, 128 + SIGSYS);
		check_whole(p);
	}
}

/* A small file system of its own, mounted where only this child sees it. */
static bool mount_small(struct storeplace *p, const char *options, unsigned long flags) {
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0) return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return false;
	return mount("tmpfs", p->folder, "tmpfs", flags, options) == 0;
}

static int fill_up(struct storeplace *p) {
	if (!mount_small(p, "size=400k", 0)) return SKIPPED;
	storeplace_create(p);
	struct store *s = storeplace_open(p);
	struct hash name, last = { { 0 } };
	struct why why = { 0 };
	enum err e = OK;
	uint64_t n = 0;
	for (; e == OK && n < 1000; n++) {
		last = name;
		e = storeplace_put(s, p, n, &name, &why);
	}
	if (e != E_IO || !strstr(why.msg, "space") || n < 10) return 1;
	uint64_t size;
	if (store_pack_size(s, &p->vault, &name, &size, NULL) != E_NOTFOUND) return 2;
	char path[SCRATCH_MAX];
	if (scratch_count(storeplace_inside(path, p, "tmp")) != 0) return 3;
	/* What is there can be read and deleted, and then it goes on. */
	uint8_t got;
	if (store_pack_get(s, &p->vault, &last, 0, 1, &got, NULL) != OK) return 4;
	void *ctx[2] = { p, s };
	if (store_pack_list(s, &p->vault, check_pack, ctx, NULL) != OK) return 5;
	if (store_pack_delete(s, &p->vault, &last, NULL) != OK) return 6;
	if (storeplace_put(s, p, 5000, &name, NULL) != OK) return 7;
	store_free(s);
	return 0;
}

static void a_full_disk_leaves_nothing_half_made(void **state) {
	int r = in_child(fill_up, *state);
	skip_if(r == SKIPPED, "only root can mount a small file system");
	assert_int_equal(r, 0);
}

static int read_only(struct storeplace *p) {
	struct hash name;
	struct why why;
	struct store *s = storeplace_open(p);
	if (storeplace_put(s, p, 1, &name, NULL) != OK || storeplace_append(s, p, 0, NULL) != OK)
		return 1;
	store_free(s);
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0) return SKIPPED;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return SKIPPED;
	if (mount(p->folder, p->folder, NULL, MS_BIND, NULL) != 0) return SKIPPED;
	if (mount(NULL, p->folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0) return SKIPPED;
	s = storeplace_open(p);
	void *ctx[2] = { p, s };
	if (store_pack_list(s, &p->vault, check_pack, ctx, NULL) != OK) return 2;
	struct storeplace_follow f = { 0 };
	if (store_chain_read(s, &p->chain, 0, STORE_READ_FAST, storeplace_follow_entry, &f, NULL) != OK)
		return 3;
	if (f.next != 1) return 4;
	if (storeplace_append(s, p, 1, &why) != E_IO || storeplace_put(s, p, 2, &name, &why) != E_IO)
		return 5;
	if (!strstr(why.msg, "ead-only")) return 6;
	store_free(s);
	return 0;
}

static void a_medium_that_can_only_be_read_will_do(void **state) {
	int r = in_child(read_only, *state);
	skip_if(r == SKIPPED, "only root can mount a file system for reading only");
	assert_int_equal(r, 0);
}

static int few_descriptors(struct storeplace *p) {
	struct store *s = storeplace_open(p);
	struct hash names[60];
	uint8_t got[10];
	for (size_t i = 0; i < 60; i++)
		if (storeplace_put(s, p, i, &names[i], NULL) != OK) return 1;
	struct rlimit files = { .rlim_cur = 30, .rlim_max = 30 };
	if (setrlimit(RLIMIT_NOFILE, &files) != 0) return 2;
	for (size_t i = 0; i < 200; i++)
		if (store_pack_get(s, &p->vault, &names[i * 7 % 60], i, 10, got, NULL) != OK) return 3;
	store_free(s);
	return 0;
}

static void few_descriptors_are_enough(void **state) {
	assert_int_equal(in_child(few_descriptors, *state), 0);
}

struct reader_thread {
	struct store *store;
	const struct storeplace *place;
	const struct hash *names;
	unsigned number;
	bool bad;
	struct thread thread;
};

enum { MANY = 150 };

static void run_reader(void *ctx) {
	struct reader_thread *r = ctx;
	uint8_t got[50], expected[STOREPLACE_PACK];
	for (unsigned i = 0; i < 1000; i++) {
		unsigned at = (i * 31 + r->number * 17) % MANY;
		storesuite_bytes(expected, 100, at);
		if (store_pack_get(r->store, &r->place->vault, &r->names[at], 20, 50, got, NULL) != OK ||
			memcmp(got, expected + 20, 50) != 0)
			r->bad = true;
	}
}

/*
 * More packs than descriptors are kept open, read by several threads, while some of them are
 * deleted and put again.
 */
static void readers_share_descriptors(void **state) {
	struct storeplace *p = *state;
	struct store *s = storeplace_open(p);
	struct hash names[MANY];
	struct reader_thread threads[4] = { { 0 } };
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(storeplace_put(s, p, i, &names[i], NULL), OK);
	for (unsigned i = 0; i < 4; i++) {
		threads[i].store = s;
		threads[i].place = p;
		threads[i].names = names;
		threads[i].number = i;
		assert_int_equal(thread_start(&threads[i].thread, run_reader, &threads[i], NULL), OK);
	}
	struct hash name;
	for (uint64_t i = 0; i < 100; i++) {
		uint8_t got;
		assert_int_equal(storeplace_put(s, p, 900 + i, &name, NULL), OK);
		assert_int_equal(store_pack_get(s, &p->vault, &name, 0, 1, &got, NULL), OK);
		assert_int_equal(store_pack_delete(s, &p->vault, &name, NULL), OK);
		assert_int_equal(store_pack_get(s, &p->vault, &name, 0, 1, &got, NULL), E_NOTFOUND);
	}
	for (unsigned i = 0; i < 4; i++) thread_join(&threads[i].thread);
	for (unsigned i = 0; i < 4; i++) assert_false(threads[i].bad);
	store_free(s);
}

#define BARE(name) cmocka_unit_test_setup_teardown(name, storeplace_bare, storeplace_done)
#define CASE(name) cmocka_unit_test_setup_teardown(name, storeplace_new, storeplace_done)

int main(void) {
	const struct CMUnitTest tests[] = {
		BARE(renames_do_where_links_are_refused),
		BARE(neither_is_refused),
		BARE(a_place_that_two_can_get_is_refused),
		CASE(what_is_there_is_not_written_again),
		BARE(a_create_that_was_killed_can_be_repeated),
		CASE(a_sync_that_failed_is_final),
		CASE(kills_leave_nothing_half_made),
		CASE(death_at_each_call_leaves_nothing_half_made),
		BARE(a_full_disk_leaves_nothing_half_made),
		CASE(a_medium_that_can_only_be_read_will_do),
		CASE(few_descriptors_are_enough),
		CASE(readers_share_descriptors),
	};
	return cmocka_run_group_tests_name("storefault", tests, NULL, NULL);
}
