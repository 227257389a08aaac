/* Backups beside what changes meanwhile: files that are cut short or grow under the reader, other devices that write or purge, a store that fails on the way. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/forget.h"
#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/prune.h"
#include "clientbox.h"

enum { MIB = 1 << 20, SHORT_NS = 5 * 1000 * 1000, LONG = 60000 };

/* Called before each read at a place in a file, while it is set. */
typedef void before_read(int fd, off_t at);
static _Atomic(before_read *) on_read;

/* In place of the C library's: the one way in which files of a backup are read. */
ssize_t pread(int fd, void *to, size_t n, off_t at);
ssize_t pread(int fd, void *to, size_t n, off_t at) {
	before_read *f = atomic_load(&on_read);
	if (f) f(fd, at);
	return (ssize_t)syscall(SYS_pread64, fd, to, n, at);
}

static struct clientbox *box; /* for hooks */
static char changing[SCRATCH_MAX];
static struct stat which;
static _Atomic int attempts;

static int setup(void **state) {
	if (clientbox_setup(state)) return -1;
	box = *state;
	atomic_store(&attempts, 0);
	return 0;
}

static int teardown(void **state) {
	atomic_store(&on_read, NULL);
	return clientbox_teardown(state);
}

/* The hook looks for this file. */
static void watch(struct clientbox *t, const char *name, before_read *f) {
	assert_int_equal(stat(clientbox_src(changing, t, name), &which), 0);
	atomic_store(&on_read, f);
}

static bool is_watched(int fd) {
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_dev == which.st_dev && st.st_ino == which.st_ino;
}

static void pause_briefly(void) {
	struct timespec t = { .tv_nsec = SHORT_NS };
	(void)nanosleep(&t, NULL);
}

/* What the notes said. */
struct said {
	unsigned changed, unreadable;
	char path[SCRATCH_MAX];
};

static void note(void *ctx, enum backup_note what, const char *path, const char *text) {
	struct said *s = ctx;
	(void)text;
	s->changed += what == BACKUP_CHANGED;
	s->unreadable += what == BACKUP_UNREADABLE;
	if (what == BACKUP_CHANGED) (void)snprintf(s->path, sizeof s->path, "%s", path);
}

/* One backup of src, in which one file changed: its entry. */
static struct direntry back_up(
	struct clientbox *t, struct backup_options *o, const char *name, struct buf *bytes) {
	struct said s = { 0 };
	struct direntry d;
	o->noted = note;
	o->ctx = &s;
	struct backup_result r = clientbox_backup(t, o);
	atomic_store(&on_read, NULL);
	assert_int_equal(r.unreadable, 0);
	assert_int_equal(r.changed, 1);
	assert_int_equal(s.changed, 1);
	assert_int_equal(s.unreadable, 0);
	assert_string_equal(s.path, changing);
	assert_true(clientbox_entry(t, &r.snapshot, name, bytes, &d));
	assert_true(d.flags & DIRENTRY_CHANGED);
	assert_int_equal(r.counts.bytes, d.stream.length);
	return d;
}

static void touch(int fd, off_t at) {
	if (!is_watched(fd) || at != 0) return;
	struct timespec times[2] = { { .tv_sec = atomic_fetch_add(&attempts, 1) }, { .tv_sec = 7 } };
	(void)utimensat(AT_FDCWD, changing, times, 0);
}

/* Whatever its size, the file that changed is named. */
static void what_changed_is_named(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct buf bytes;
	buf_init(&bytes, MIB);
	clientbox_put(t, "folder/small", 1000, 1);
	watch(t, "folder/small", touch);
	struct said s = { 0 };
	o.noted = note;
	o.ctx = &s;
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.changed, 1);
	assert_string_equal(s.path, changing);
	assert_int_equal(r.counts.bytes, 1000);
	assert_int_equal(atomic_load(&attempts), 3);
	atomic_store(&on_read, NULL);
	assert_int_equal(unlink(changing), 0);
	clientbox_put(t, "large", 5 * MIB, 2);
	watch(t, "large", touch);
	struct direntry d = back_up(t, &o, "large", &bytes);
	assert_int_equal(d.stream.length, 5 * MIB);
	buf_free(&bytes);
}

/* Changes twice, and is cut short the third time: in front of a hole. */
static void cut_at_last(int fd, off_t at) {
	if (!is_watched(fd) || at != 0) return;
	touch(fd, at);
	if (atomic_load(&attempts) == 3) (void)!truncate(changing, MIB / 2);
}

static void a_sparse_file_that_is_cut_short_is_kept(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct buf bytes;
	buf_init(&bytes, MIB);
	clientbox_put(t, "sparse", MIB, 1);
	(void)clientbox_src(changing, t, "sparse");
	assert_int_equal(truncate(changing, 2 * MIB), 0);
	int fd = open(changing, O_WRONLY | O_CLOEXEC);
	uint8_t *more = clientbox_random(65536, 3);
	assert_int_equal(pwrite(fd, more, 65536, 2 * MIB), 65536);
	assert_int_equal(close(fd), 0);
	free(more);
	watch(t, "sparse", cut_at_last);
	struct direntry d = back_up(t, &o, "sparse", &bytes);
	assert_int_equal(d.stream.length, MIB / 2);
	assert_int_equal(direntry_size(&d), MIB / 2);
	buf_free(&bytes);
}

/* Of a file that several threads cut: by a megabyte each time. */
static void cut_each_time(int fd, off_t at) {
	if (!is_watched(fd) || at != 0) return;
	int n = atomic_fetch_add(&attempts, 1);
	if (n < 3) (void)!truncate(changing, (off_t)(53 - n) * MIB);
}

static void a_large_file_that_is_cut_short_is_kept(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct buf bytes;
	buf_init(&bytes, MIB);
	o.pack_limit = 0;
	clientbox_put(t, "large", 54 * MIB, 1);
	watch(t, "large", cut_each_time);
	struct direntry d = back_up(t, &o, "large", &bytes);
	assert_int_equal(d.stream.length, 51 * MIB);
	buf_free(&bytes);
}

static void grow(int fd, off_t at) {
	static uint8_t more[MIB];
	struct stat st;
	(void)at;
	if (!is_watched(fd) || fstat(fd, &st) || st.st_size >= 64 * MIB) return;
	int out = open(changing, O_WRONLY | O_APPEND | O_CLOEXEC);
	(void)!write(out, more, sizeof more);
	(void)close(out);
}

/* Who writes faster than is read does not hold up the backup: each time it is read as far as it went then. */
static void a_file_that_grows_has_an_end(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct buf bytes;
	buf_init(&bytes, MIB);
	clientbox_put(t, "log", 2 * MIB, 1);
	watch(t, "log", grow);
	struct direntry d = back_up(t, &o, "log", &bytes);
	assert_in_range(d.stream.length, 2 * MIB, 12 * MIB);
	buf_free(&bytes);
}

/* The bytes of a snapshot are what a restore needs: names of one file need room once. */
static void the_names_of_a_file_are_counted_once(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	clientbox_put(t, "one", 100000, 1);
	clientbox_put(t, "folder/alone", 5000, 2);
	(void)clientbox_src(path, t, "one");
	assert_int_equal(link(path, clientbox_src(other, t, "two")), 0);
	assert_int_equal(link(path, clientbox_src(other, t, "folder/three")), 0);
	clientbox_settle(t);
	o.threads = 1;
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files, 4);
	assert_int_equal(r.counts.bytes, 105000);
	r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files_unchanged, 4);
	assert_int_equal(r.counts.bytes, 105000);
}

/* More sources than a snapshot can say: that is said before anything is read. */
static void too_many_sources_are_refused_at_once(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	enum { MANY = LIMIT_PATHS + 1, NAME = 16 };
	const char **paths = calloc(MANY, sizeof *paths);
	char *names = calloc(MANY, NAME);
	struct backup_result r;
	struct why why;
	clientbox_put(t, "file", 5 * MIB, 1);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names + i * NAME, NAME, "missing %zu", i);
		paths[i] = i ? names + i * NAME : t->src;
	}
	o.paths = paths;
	o.path_count = MANY;
	assert_int_equal(backup_run(&t->vault, &o, &r, &why), E_USAGE);
	assert_non_null(strstr(why.msg, "4096"));
	assert_int_equal(clientbox_packs(t).count, 0);
	free(paths);
	free(names);
}

/* ---- Others, meanwhile ---- */

/* Holds up the reading of a file until the store has been asked so often to append to a chain; not for ever. */
static uint64_t wanted_appends;

static void wait_for_appends(int fd, off_t at) {
	(void)at;
	if (!is_watched(fd)) return;
	for (int i = 0; i < LONG && faulty_count(box->faulty, FAULTY_CHAIN_APPEND) < wanted_appends;
		 i++)
		pause_briefly();
}

/* Two files in one batch, the second of which is held up: what the first needs is in the store by then. */
static struct backup_options held_up(struct clientbox *t, before_read *f) {
	struct backup_options o = clientbox_options(t);
	clientbox_put(t, "a", 3 * MIB, 1);
	clientbox_put(t, "b", 50000, 2);
	o.threads = 1;
	o.pack_limit = CLIENTBOX_PACK;
	o.checkpoint_seconds = 1;
	wanted_appends = faulty_count(t->faulty, FAULTY_CHAIN_APPEND) + 1;
	watch(t, "b", f);
	return o;
}

/* What a checkpoint stored and could not name, the snapshot names. */
static void a_checkpoint_that_fails_loses_nothing(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = held_up(t, wait_for_appends);
	faulty_order(t->faulty,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
	struct backup_result r = clientbox_backup(t, &o);
	atomic_store(&on_read, NULL);
	assert_int_equal(faulty_hits(t->faulty), 1);
	faulty_clear(t->faulty);
	clientbox_compare(t, &r.snapshot);
	/* the index in force knows all of it: nothing is stored again */
	o.checkpoint_seconds = 0;
	o.force = true;
	r = clientbox_backup(t, &o);
	assert_in_range(r.chunks_new, 0, 4);
	clientbox_compare(t, &r.snapshot);
}

/* Twenty snapshots of another process, while this one reads. */
static void others_write(int fd, off_t at) {
	enum { SNAPSHOTS = 20 };
	struct clientbox other;
	if (!is_watched(fd)) return;
	atomic_store(&on_read, NULL);
	clientbox_again(&other, box);
	struct backup_options o = clientbox_options(&other);
	char path[SCRATCH_MAX];
	const char *one = clientbox_src(path, &other, "c");
	o.paths = &one;
	o.branch = "other";
	for (int i = 0; i < SNAPSHOTS; i++) (void)clientbox_backup(&other, &o);
	clientbox_again_done(&other);
	wait_for_appends(fd, at);
}

static void the_parent_stays_the_parent(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	clientbox_put(t, "c", 10, 9);
	struct backup_result first = clientbox_backup(t, &o);
	o = held_up(t, others_write);
	struct backup_result r = clientbox_backup(t, &o);
	const struct vault_snapshot *v = vaultstate_snapshot(&t->vault.state, &r.snapshot);
	assert_non_null(v);
	assert_memory_equal(&v->stamp.parent, &first.snapshot, HASH_SIZE);
	assert_true(t->vault.state.snapshot_count > 20);
	clientbox_compare(t, &r.snapshot);
}

static struct hash parent;

/* Another process forgets the parent, while this one reads. */
static void others_forget(int fd, off_t at) {
	struct clientbox other;
	struct why why = { OK, "" };
	(void)at;
	if (!is_watched(fd)) return;
	atomic_store(&on_read, NULL);
	clientbox_again(&other, box);
	clientbox_ok(forget_snapshots(&other.vault, &parent, 1, &why), &why);
	clientbox_again_done(&other);
}

/* A snapshot that is forgotten by now keeps nothing: the same tree makes a new one. */
static void a_forgotten_parent_is_another_tree(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	o.skip_unchanged = true;
	o.force = true;
	clientbox_put(t, "file", 1000, 1);
	parent = clientbox_backup(t, &o).snapshot;
	assert_true(clientbox_backup(t, &o).unchanged);
	watch(t, "file", others_forget);
	struct backup_result r = clientbox_backup(t, &o);
	assert_null(atomic_load(&on_read));
	assert_false(r.unchanged);
	assert_memory_not_equal(&r.snapshot, &parent, HASH_SIZE);
	clientbox_compare(t, &r.snapshot);
}

struct feeding {
	struct clientbox *t;
	const uint8_t *bytes;
	size_t len, first;
	int to;
};

static void feed_part(int to, const uint8_t *bytes, size_t len) {
	while (len > 0) {
		ssize_t n = write(to, bytes, len);
		if (n <= 0) return;
		bytes += n;
		len -= (size_t)n;
	}
}

/* Half of the input; then what it relies on is pruned; then the rest. */
static void *feed(void *ctx) {
	struct feeding *f = ctx;
	struct clientbox other;
	struct prune_options o = { .pack_limit = CLIENTBOX_PACK };
	struct prune_result r;
	struct why why = { OK, "" };
	feed_part(f->to, f->bytes, f->first);
	clientbox_again(&other, f->t);
	enum err e = prune_run(&other.vault, &o, &r, &why);
	clientbox_again_done(&other);
	feed_part(f->to, f->bytes + f->first, f->len - f->first);
	(void)close(f->to);
	return e || r.purged_packs == 0 ? ctx : NULL;
}

/* An input can't be read twice: where the backup would have to begin again, it fails, and keeps no empty file. */
static void a_pipe_is_not_begun_again(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct why why = { OK, "" };
	struct backup_result r;
	char path[SCRATCH_MAX];
	int ends[2];
	pthread_t thread;
	void *failed = NULL;
	size_t len = 44 * MIB;
	uint8_t *bytes = clientbox_random(len, 1);
	clientbox_file(t, "image", bytes, len);
	clientbox_put(t, "other", 10, 2);
	struct backup_result first = clientbox_backup(t, &o);
	assert_int_equal(unlink(clientbox_src(path, t, "image")), 0);
	(void)clientbox_backup(t, &o);
	clientbox_ok(forget_snapshots(&t->vault, &first.snapshot, 1, &why), &why);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct feeding f = { .t = t, .bytes = bytes, .len = len, .first = 20 * MIB, .to = ends[1] };
	o.stdin_fd = ends[0];
	o.stdin_name = "image";
	size_t snapshots = t->vault.state.snapshot_count;
	assert_int_equal(pthread_create(&thread, NULL, feed, &f), 0);
	enum err e = backup_run(&t->vault, &o, &r, &why);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(e, E_BUSY);
	assert_int_equal(t->vault.state.snapshot_count, snapshots);
	(void)close(ends[0]);
	free(bytes);
}

struct purging {
	struct buf *names;
	uint64_t intent; /* 0: the intent is to be made */
};

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct purging *p = ctx;
	out->body.type = p->intent ? VAULTBODY_PURGE : VAULTBODY_INTENT;
	out->public_part.kind = p->intent ? ENTRYPUBLIC_PURGE : ENTRYPUBLIC_INTENT;
	out->public_part.intent = p->intent;
	return intents_make(v, buf_span(p->names), &out->public_part.packs, why);
}

static enum err add_name(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	(void)size;
	return why_err(why, buf_add(ctx, hash_span(name)), "listing packs");
}

/* Packs that a dead run left, and a purge named, are there until who purged deletes them: nothing may rely on them. */
static void what_was_purged_is_not_taken_over(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct why why = { OK, "" };
	struct backup_result r;
	struct buf names;
	buf_init(&names, 1 << 20);
	o.pack_limit = CLIENTBOX_PACK;
	clientbox_put(t, "big", 3 * MIB, 1);
	faulty_order(t->faulty,
		(struct faulty_order){ .verb = FAULTY_CHAIN_APPEND,
			.nth = 1,
			.forever = true,
			.way = FAULTY_BEFORE,
			.error = E_IO });
	assert_int_equal(backup_run(&t->vault, &o, &r, &why), E_IO);
	faulty_clear(t->faulty);
	clientbox_reopen(t);
	clientbox_ok(store_pack_list(t->inner, &t->vault.id, add_name, &names, &why), &why);
	intents_sort(&names);
	assert_true(names.len > 10 * HASH_SIZE);
	struct purging p = { .names = &names };
	clientbox_ok(vault_append(&t->vault, decide, &p, &why), &why);
	p.intent = t->vault.state.count - 1;
	clientbox_ok(vault_append(&t->vault, decide, &p, &why), &why);
	assert_int_equal(t->vault.state.purge_count, 1);
	/* the purger was killed here; a backup; the next prune deletes what the purge named */
	r = clientbox_backup(t, &o);
	struct prune_options prune = { .pack_limit = CLIENTBOX_PACK };
	struct prune_result pruned;
	clientbox_ok(prune_run(&t->vault, &prune, &pruned, &why), &why);
	assert_true(pruned.purged_packs >= names.len / HASH_SIZE);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
	buf_free(&names);
}

/* Another process purges all packs that this run has stored and named on the way, and is killed before it deletes them. */
static void others_purge(int fd, off_t at) {
	struct clientbox other;
	struct why why = { OK, "" };
	struct buf names;
	if (!is_watched(fd)) return;
	wait_for_appends(fd, at);
	atomic_store(&on_read, NULL);
	buf_init(&names, 1 << 20);
	clientbox_again(&other, box);
	while (other.vault.state.index_count == 0) {
		pause_briefly();
		clientbox_ok(vault_refresh(&other.vault, &why), &why);
	}
	clientbox_ok(store_pack_list(box->inner, &box->vault.id, add_name, &names, &why), &why);
	intents_sort(&names);
	struct purging p = { .names = &names };
	clientbox_ok(vault_append(&other.vault, decide, &p, &why), &why);
	p.intent = other.vault.state.count - 1;
	clientbox_ok(indexmerge_without(&other.vault, buf_span(&names), CLIENTBOX_PACK, &why), &why);
	clientbox_ok(vault_append(&other.vault, decide, &p, &why), &why);
	clientbox_again_done(&other);
	buf_free(&names);
}

static void what_was_purged_on_the_way_is_stored_again(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = held_up(t, others_purge);
	struct prune_options prune = { .pack_limit = CLIENTBOX_PACK };
	struct prune_result pruned;
	struct why why = { OK, "" };
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(t->vault.state.purge_count, 1);
	clientbox_ok(prune_run(&t->vault, &prune, &pruned, &why), &why);
	assert_true(pruned.purged_packs > 0);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_changed_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sparse_file_that_is_cut_short_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_file_that_is_cut_short_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_grows_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(the_names_of_a_file_are_counted_once, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_sources_are_refused_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forgotten_parent_is_another_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(a_checkpoint_that_fails_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_parent_stays_the_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pipe_is_not_begun_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_purged_is_not_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_purged_on_the_way_is_stored_again, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
