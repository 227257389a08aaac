/* Backups of real folders, in process: what comes back, what is stored again, what is said, what a failing store does. */
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

#include "clientbox.h"

/* ABOVE: folders above the scratch folder, which others may change meanwhile. */
enum { MIB = 1 << 20, ABOVE = 4 };

/* The thread checker takes long over each byte: once is enough for it. */
#ifdef __SANITIZE_THREAD__
enum { LARGE_ROUNDS = 1, LARGE_EDITS = 0 };
#else
enum { LARGE_ROUNDS = 4, LARGE_EDITS = 1 };
#endif

/* Each is cut by all threads, if they have time: where all have a large file of their own, none waits for another. */
static void several_large_files_at_once(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct backup_result r;
	o.pack_limit = 0;
	o.force = true;
	clientbox_put(t, "a/large", 49 * MIB, 1);
	clientbox_put(t, "b/large", 49 * MIB, 2);
	(void)alarm(500); /* a wait for ever is a failure */
	for (int i = 0; i < LARGE_ROUNDS; i++) {
		r = clientbox_backup(t, &o);
		assert_int_equal(r.counts.files, 2);
	}
	(void)alarm(0);
	clientbox_compare(t, &r.snapshot);
}

/* Everything that is awkward in a small tree. */
static void make_tree(struct clientbox *t) {
	static const size_t sizes[] = { 0, 1, 63, 64, 1024, 1025, 4095, 4096, 4097, 32767, 32768, 32769,
		65536, 200000 };
	char path[SCRATCH_MAX], other[SCRATCH_MAX], name[300];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		(void)snprintf(name, sizeof name, "sizes/%zu", sizes[i]);
		clientbox_put(t, name, sizes[i], i);
	}
	clientbox_put(t, "odd/\xff\xfe\n name", 10, 50);
	clientbox_put(t, "odd/-rf", 10, 51);
	clientbox_put(t, "odd/\\", 10, 52);
	assert_int_equal(mkdir(clientbox_src(path, t, "empty"), 0700), 0);
	assert_int_equal(symlink("/nowhere/at all", clientbox_src(path, t, "dangling")), 0);
	assert_int_equal(symlink("sizes", clientbox_src(path, t, "tofolder")), 0);
	assert_int_equal(mkfifo(clientbox_src(path, t, "pipe"), 0640), 0);
	clientbox_put(t, "links/one", 5000, 60);
	assert_int_equal(
		link(clientbox_src(path, t, "links/one"), clientbox_src(other, t, "links/two")), 0);
	assert_int_equal(link(path, clientbox_src(other, t, "three")), 0);
	assert_int_equal(chmod(clientbox_src(path, t, "sizes/64"), 04755), 0);
}

static void make_large_tree(struct clientbox *t) {
	char name[32];
	make_tree(t);
	for (int i = 0; i < 800; i++) {
		(void)snprintf(name, sizeof name, "many/%d", i);
		clientbox_file(t, name, name, strlen(name));
	}
}

static void put_sparse(struct clientbox *t, const char *name, off_t size, off_t at, size_t len) {
	char path[SCRATCH_MAX];
	uint8_t *bytes = clientbox_random(len, 9);
	clientbox_file(t, name, NULL, 0);
	assert_int_equal(truncate(clientbox_src(path, t, name), size), 0);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseeko(f, at, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	free(bytes);
}

static void everything_comes_back(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	make_tree(t);
	put_sparse(t, "sparse", 3 * MIB, MIB, 100000);
	put_sparse(t, "hole", 100, 0, 0);
	struct backup_result r = clientbox_backup(t, &o);
	clientbox_compare(t, &r.snapshot);
	assert_int_equal(r.unreadable + r.changed + r.incomplete, 0);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
	/* the same in the smallest packs, where blocks are cut */
	o.force = true;
	o.branch = "small packs";
	o.pack_limit = CLIENTBOX_PACK;
	clientbox_put(t, "more", 3 * MIB, 70);
	r = clientbox_backup(t, &o);
	clientbox_compare(t, &r.snapshot);
}

static void short_holes_stay_holes(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct buf bytes;
	struct direntry d;
	buf_init(&bytes, 1 << 20);
	put_sparse(t, "hole", 100, 0, 0);
	struct backup_result r = clientbox_backup(t, &o);
	assert_true(clientbox_entry(t, &r.snapshot, "hole", &bytes, &d));
	assert_int_equal(d.stream.length, 0);
	assert_int_equal(d.holes.count, 1);
	assert_int_equal(direntry_size(&d), 100);
	buf_free(&bytes);
}

static void the_names_of_a_file_share_a_group(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	struct buf bytes;
	struct direntry a, b;
	buf_init(&bytes, 1 << 20);
	clientbox_put(t, "a", 20000, 1);
	clientbox_put(t, "b", 20000, 1);
	assert_int_equal(link(clientbox_src(path, t, "a"), clientbox_src(other, t, "c")), 0);
	struct backup_result r = clientbox_backup(t, &o);
	assert_true(clientbox_entry(t, &r.snapshot, "a", &bytes, &a));
	uint8_t group[sizeof a.link_group];
	memcpy(group, a.link_group, sizeof group);
	assert_true(a.flags & DIRENTRY_HAS_LINK_GROUP);
	assert_true(clientbox_entry(t, &r.snapshot, "c", &bytes, &b));
	assert_memory_equal(group, b.link_group, sizeof group);
	assert_true(clientbox_entry(t, &r.snapshot, "b", &bytes, &b));
	assert_false(b.flags & DIRENTRY_HAS_LINK_GROUP);
	buf_free(&bytes);
}

static void unchanged_stores_next_to_nothing(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	make_large_tree(t);
	clientbox_settle(t);
	struct backup_result first = clientbox_backup(t, &o);
	struct clientbox_packs before = clientbox_packs(t);
	clientbox_reopen(t);
	struct backup_result second = clientbox_backup(t, &o);
	struct clientbox_packs after = clientbox_packs(t);
	assert_int_equal(second.counts.files_unchanged, first.counts.files);
	assert_int_equal(second.counts.files_new, 0);
	assert_int_equal(second.counts.bytes, first.counts.bytes);
	assert_int_equal(after.count, before.count + 1);
	assert_int_equal(after.bytes, before.bytes + 65536);
	assert_in_range(second.chunks_new, 0, ABOVE); /* the snapshot object comes later */
	clientbox_compare(t, &second.snapshot);
}

/* Whatever differs in a file's metadata, its content is read; a change of content without one is seen by its change time. */
static void changes_are_seen(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	struct stat st;
	make_large_tree(t);
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	/* same size, same times but the change time */
	assert_int_equal(stat(clientbox_src(path, t, "sizes/65536"), &st), 0);
	clientbox_put(t, "sizes/65536", 65536, 1234);
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_int_equal(
		rename(clientbox_src(path, t, "sizes/1024"), clientbox_src(other, t, "sizes/1025")), 0);
	assert_int_equal(unlink(clientbox_src(path, t, "many/7")), 0);
	assert_int_equal(rmdir(clientbox_src(path, t, "empty")), 0);
	assert_int_equal(chmod(clientbox_src(path, t, "many/8"), 0600), 0);
	clientbox_put(t, "many/0a", 100, 5);
	struct backup_result r = clientbox_backup(t, &o);
	clientbox_compare(t, &r.snapshot);
	assert_true(r.counts.files_new <= 5);
	/* what was too young to be relied on is read again, and then is not */
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files_new, 0);
	clientbox_compare(t, &r.snapshot);
}

static void a_damaged_cache_costs_only_time(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char path[SCRATCH_MAX], find[2 * SCRATCH_MAX];
	make_large_tree(t);
	clientbox_settle(t);
	struct backup_result first = clientbox_backup(t, &o);
	(void)snprintf(find, sizeof find, "ls %s/cache/tree-*", t->home);
	FILE *ls = popen(find, "r");
	assert_non_null(ls);
	assert_int_equal(fscanf(ls, "%255s", path), 1);
	assert_int_equal(pclose(ls), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	uint64_t unchanged = 0;
	for (off_t at = 64; at < st.st_size; at += st.st_size / 5) {
		FILE *f = fopen(path, "r+");
		assert_non_null(f);
		assert_int_equal(fseeko(f, at, SEEK_SET), 0);
		int c = fgetc(f);
		assert_int_equal(fseeko(f, at, SEEK_SET), 0);
		assert_true(fputc(c ^ 1, f) != EOF);
		assert_int_equal(fclose(f), 0);
		struct backup_result r = clientbox_backup(t, &o);
		assert_in_range(r.chunks_new, 0, ABOVE);
		assert_int_equal(r.counts.files, first.counts.files);
		clientbox_compare(t, &r.snapshot);
		unchanged += r.counts.files_unchanged;
	}
	assert_true(unchanged > 0); /* other folders' records are good still */
}

/* A run that was killed leaves records behind the last foot: what that foot reaches is still there. */
static void what_a_dead_run_left_in_the_cache_is_passed_over(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char append[2 * SCRATCH_MAX];
	make_large_tree(t);
	clientbox_settle(t);
	struct backup_result first = clientbox_backup(t, &o);
	(void)snprintf(append, sizeof append,
		"for f in %s/cache/tree-*; do head -c 100000 /dev/zero >> $f; done", t->home);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(system(append), 0);
		clientbox_put(t, "new", 100, (uint64_t)i);
		clientbox_settle(t);
		struct backup_result r = clientbox_backup(t, &o);
		assert_true(r.counts.files_unchanged >= first.counts.files);
		clientbox_compare(t, &r.snapshot);
	}
}

/* No sources' fault, and no reason to try all other files. */
static void a_failing_store_ends_it(void **state) {
	struct clientbox *t = *state;
	static const enum faulty_verb verbs[] = { FAULTY_PACK_PUT, FAULTY_FLUSH, FAULTY_CHAIN_APPEND };
	static const enum err errors[] = { E_IO, E_DENIED, E_NOTFOUND };
	struct clientbox_notes n;
	struct backup_result r;
	struct why why;
	make_tree(t);
	clientbox_put(t, "big", 2 * MIB, 77);
	for (size_t i = 0; i < 9; i++) {
		struct backup_options o = clientbox_options(t);
		o.pack_limit = CLIENTBOX_PACK;
		o.noted = clientbox_note;
		o.ctx = &n;
		memset(&n, 0, sizeof n);
		faulty_order(t->faulty,
			(struct faulty_order){ .verb = verbs[i / 3],
				.nth = 1 + i % 3 % 2,
				.forever = true,
				.way = FAULTY_BEFORE,
				.error = errors[i % 3] });
		enum err e = backup_run(&t->vault, &o, &r, &why);
		faulty_clear(t->faulty);
		if (verbs[i / 3] == FAULTY_PACK_PUT || i % 3 % 2 == 0) assert_int_equal(e, errors[i % 3]);
		assert_int_equal(n.count[BACKUP_UNREADABLE], 0);
		clientbox_reopen(t);
	}
	struct backup_options o = clientbox_options(t);
	r = clientbox_backup(t, &o);
	clientbox_compare(t, &r.snapshot);
}

/* A run that dies after its packs are stored is not sent again, neither after a fault nor when it was cut short. */
static void what_a_dead_run_stored_is_used(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	o.pack_limit = CLIENTBOX_PACK;
	struct backup_result r;
	struct why why;
	clientbox_put(t, "big", 6 * MIB, 1);
	clientbox_put(t, "other/big", 6 * MIB, 2);
	faulty_order(t->faulty,
		(struct faulty_order){ .verb = FAULTY_CHAIN_APPEND,
			.nth = 1,
			.forever = true,
			.way = FAULTY_BEFORE,
			.error = E_IO });
	assert_int_equal(backup_run(&t->vault, &o, &r, &why), E_IO);
	faulty_clear(t->faulty);
	struct clientbox_packs before = clientbox_packs(t);
	assert_true(before.bytes > 12 * MIB);
	/* in between one that finds nothing new and keeps no snapshot */
	clientbox_reopen(t);
	r = clientbox_backup(t, &o);
	struct clientbox_packs after = clientbox_packs(t);
	assert_true(after.bytes - before.bytes < before.bytes / 20);
	clientbox_compare(t, &r.snapshot);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
}

static void an_unchanged_tree_makes_no_snapshot(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	o.skip_unchanged = true;
	make_large_tree(t);
	struct backup_result first = clientbox_backup(t, &o);
	assert_false(first.unchanged);
	clientbox_settle(t);
	/* the files were too young: all are read again, once */
	struct backup_result second = clientbox_backup(t, &o), third = clientbox_backup(t, &o);
	assert_true(second.unchanged && third.unchanged);
	assert_memory_equal(&second.snapshot, &third.snapshot, HASH_SIZE);
	assert_int_equal(third.counts.files_unchanged, first.counts.files);
	size_t snapshots = t->vault.state.snapshot_count;
	clientbox_put(t, "new", 10, 4);
	third = clientbox_backup(t, &o);
	assert_false(third.unchanged);
	assert_int_equal(t->vault.state.snapshot_count, snapshots + 1);
	clientbox_compare(t, &third.snapshot);
}

/* Edits in a large file store the chunks around them, whether it is cut by one thread or several, foreseen or not. */
static void edits_store_little(void **state) {
	if (!LARGE_EDITS) skip();
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	o.pack_limit = 0;
	size_t len = 60 * MIB;
	uint8_t *bytes = clientbox_random(len, 1);
	clientbox_file(t, "image", bytes, len);
	(void)clientbox_backup(t, &o);
	struct buf entries;
	struct direntry d;
	struct streamref refs[3];
	buf_init(&entries, 1 << 20);
	for (int i = 0; i < 3; i++) bytes[(size_t)(i + 1) * 17 * MIB] ^= 1;
	clientbox_file(t, "image", bytes, len);
	struct backup_result r = clientbox_backup(t, &o);
	assert_true(r.counts.bytes_new < 3 * 4 * MIB);
	/* the same tree on branches without a last version, with one thread and with three: the same stream */
	for (unsigned i = 0; i < 3; i++) {
		char branch[8];
		(void)snprintf(branch, sizeof branch, "b%u", i);
		o.threads = i ? i : 3;
		o.branch = i ? branch : NULL;
		r = clientbox_backup(t, &o);
		assert_true(clientbox_entry(t, &r.snapshot, "image", &entries, &d));
		refs[i] = d.stream;
		if (i) assert_true(streamref_equal(&refs[0], &refs[i]));
		assert_true(r.counts.bytes_new < MIB);
	}
	clientbox_compare(t, &r.snapshot);
	buf_free(&entries);
	free(bytes);
}

/* Two devices' worth of processes on one branch at once: the second finds the cache taken, and both are whole. */
static void two_at_once(void **state) {
	struct clientbox *t = *state;
	struct clientbox other;
	struct backup_options o = clientbox_options(t);
	make_large_tree(t);
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	clientbox_again(&other, t);
	struct backup_result r = clientbox_backup(&other, &o), s = clientbox_backup(t, &o);
	clientbox_compare(t, &r.snapshot);
	clientbox_compare(t, &s.snapshot);
	clientbox_again_done(&other);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_comes_back, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			short_holes_stay_holes, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			the_names_of_a_file_share_a_group, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			unchanged_stores_next_to_nothing, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(changes_are_seen, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_damaged_cache_costs_only_time, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_a_dead_run_left_in_the_cache_is_passed_over, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_failing_store_ends_it, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_a_dead_run_stored_is_used, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			an_unchanged_tree_makes_no_snapshot, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(two_at_once, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			edits_store_little, clientbox_setup_large, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			several_large_files_at_once, clientbox_setup_large, clientbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
