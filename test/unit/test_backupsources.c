/* What a backup is asked to store: which sources there are, what is missing, what counts as a change, what is left out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/packread.h"
#include "clientbox.h"
#include "format/chunktype.h"
#include "format/limits.h"

static void touch_above(const struct clientbox *t, time_t when) {
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	assert_int_equal(utimensat(AT_FDCWD, t->folder, times, 0), 0);
}

/* Others change the folders above the sources: that is no change of the sources, which are stored with those folders all the same. */
static void folders_above_are_no_change(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char a[SCRATCH_MAX], b[SCRATCH_MAX];
	o.skip_unchanged = true;
	o.branch = "one";
	clientbox_put(t, "a/file", 3000, 1);
	clientbox_put(t, "b/file", 3000, 2);
	const char *both[] = { clientbox_src(a, t, "a"), clientbox_src(b, t, "b") };
	o.paths = both;
	o.path_count = 2;
	touch_above(t, 1000);
	clientbox_settle(t);
	struct backup_result first = clientbox_backup(t, &o);
	for (time_t i = 0; i < 3; i++) {
		touch_above(t, 2000 + i);
		struct backup_result r = clientbox_backup(t, &o);
		assert_true(r.unchanged);
		assert_memory_equal(&r.snapshot, &first.snapshot, HASH_SIZE);
	}
	/* what those runs saw is in the cache, and in no pack */
	o.skip_unchanged = false;
	clientbox_reopen(t);
	struct backup_result last = clientbox_backup(t, &o);
	assert_int_equal(last.counts.files_unchanged, 2);
	clientbox_compare(t, &last.snapshot);
	o.skip_unchanged = true;
	assert_true(clientbox_backup(t, &o).unchanged);
	o.path_count = 1;
	assert_false(clientbox_backup(t, &o).unchanged);
	assert_true(clientbox_backup(t, &o).unchanged);
	/* the source itself counts */
	assert_int_equal(chmod(a, 0711), 0);
	assert_false(clientbox_backup(t, &o).unchanged);
}

/* A run that keeps no snapshot stores no folder that only leads to a source: one that has that folder for a source must. */
static void a_folder_above_becomes_a_source(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char a[SCRATCH_MAX];
	const char *paths[] = { clientbox_src(a, t, "x/y/b") };
	o.branch = "one";
	o.paths = paths;
	clientbox_put(t, "x/y/b/file", 3000, 1);
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	assert_int_equal(chmod(clientbox_src(a, t, "x/y"), 0711), 0);
	(void)clientbox_src(a, t, "x/y/b");
	o.skip_unchanged = true;
	assert_true(clientbox_backup(t, &o).unchanged);
	o.skip_unchanged = false;
	clientbox_reopen(t);
	(void)clientbox_src(a, t, "x");
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files_unchanged, 1);
	clientbox_compare(t, &r.snapshot);
	clientbox_reopen(t);
	r = clientbox_backup(t, &o);
	clientbox_compare(t, &r.snapshot);
}

struct deleted {
	struct clientbox *t;
	struct buf names;
};

static enum err delete_if_content(
	void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct deleted *d = ctx;
	struct clientbox *t = d->t;
	struct fetch *f = clientbox_fetch(t);
	struct packtable table;
	struct packtable_block block;
	struct buf bytes;
	bool is_content = true;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(fetch_packs(f), name, (uint32_t)size, &table, &bytes, why);
	for (struct span rest = table.blocks; !e && packtable_next(&rest, &block);)
		is_content = is_content && block.type == CHUNKTYPE_CONTENT;
	buf_free(&bytes);
	fetch_free(f);
	if (e || !is_content) return e;
	assert_int_equal(buf_add(&d->names, hash_span(name)), OK);
	return store_pack_delete(t->inner, &t->vault.id, name, why);
}

/* Deletes packs with nothing but contents; their names, ascending. Free them. */
static struct buf delete_contents(struct clientbox *t) {
	struct deleted d = { .t = t };
	struct why why = { OK, "" };
	buf_init(&d.names, 1 << 16);
	clientbox_ok(store_pack_list(t->inner, &t->vault.id, delete_if_content, &d, &why), &why);
	assert_true(d.names.len > 0);
	intents_sort(&d.names);
	return d.names;
}

/* What is missing is stored again: that is a change, of the vault if not of the sources. */
static void what_was_missing_gets_a_snapshot(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	o.skip_unchanged = true;
	o.pack_limit = CLIENTBOX_PACK;
	clientbox_put(t, "file", 300000, 1);
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	struct buf gone = delete_contents(t);
	buf_free(&gone);
	clientbox_reopen(t);
	struct backup_result r = clientbox_backup(t, &o);
	assert_false(r.unchanged);
	clientbox_compare(t, &r.snapshot);
}

/* Another process has taken the packs that are missing out of the indexes: what is stored again is in no index but this run's. */
static void what_no_index_has_gets_a_snapshot(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct why why = { OK, "" };
	o.skip_unchanged = true;
	clientbox_put(t, "file", 3000000, 1);
	clientbox_put(t, "folder/file", 300, 2);
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	o.force = true;
	assert_true(clientbox_backup(t, &o).unchanged);
	struct buf gone = delete_contents(t);
	clientbox_ok(indexmerge_without(&t->vault, buf_span(&gone), 0, &why), &why);
	buf_free(&gone);
	struct backup_result r = clientbox_backup(t, &o);
	assert_false(r.unchanged);
	clientbox_compare(t, &r.snapshot);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
}

/* Sources: given twice, inside one another, a file, a link, one that only leads through a link. */
static void sources(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char a[SCRATCH_MAX], b[SCRATCH_MAX], c[SCRATCH_MAX];
	clientbox_put(t, "x/y/file", 3000, 1);
	clientbox_put(t, "x/other", 3000, 2);
	assert_int_equal(symlink("x", clientbox_src(a, t, "link")), 0);
	const char *paths[] = { clientbox_src(a, t, "x/y"), t->src, clientbox_src(b, t, "x/./y/../y/"),
		t->src, clientbox_src(c, t, "link") };
	o.paths = paths;
	o.path_count = 5;
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files, 2);
	clientbox_compare(t, &r.snapshot);
	const char *one[] = { clientbox_src(a, t, "x/other") };
	o.paths = one;
	o.path_count = 1;
	r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files, 1);
	const char *through[] = { clientbox_src(a, t, "link/y") };
	o.paths = through;
	r = clientbox_backup(t, &o);
	assert_int_equal(r.counts.files, 1);
	const char *none[] = { clientbox_src(a, t, "not there") };
	o.paths = none;
	struct why why;
	assert_int_equal(backup_run(&t->vault, &o, &r, &why), E_NOTFOUND);
}

/* What is not there is said, also where it would lie in another source; the rest is backed up, on the branch of all of them. */
static void a_missing_source_is_unreadable(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct clientbox_notes n = { { 0 } };
	char a[SCRATCH_MAX], b[SCRATCH_MAX], c[SCRATCH_MAX];
	clientbox_put(t, "x/file", 3000, 1);
	const char *paths[] = { clientbox_src(a, t, "gone/deep"), t->src, clientbox_src(b, t, "gone"),
		clientbox_src(c, t, "x/file/below") };
	o.paths = paths;
	o.path_count = 4;
	o.noted = clientbox_note;
	o.ctx = &n;
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(r.unreadable, 3);
	assert_int_equal(n.count[BACKUP_UNREADABLE], 3);
	assert_int_equal(r.counts.files, 1);
	clientbox_compare(t, &r.snapshot);
	clientbox_settle(t);
	o.skip_unchanged = true;
	assert_true(clientbox_backup(t, &o).unchanged);
	clientbox_put(t, "gone/deep", 3000, 1);
	r = clientbox_backup(t, &o);
	assert_false(r.unchanged);
	assert_int_equal(r.unreadable, 1);
	const struct vault_snapshot *v = vaultstate_snapshot(&t->vault.state, &r.snapshot);
	assert_false(hash_is_zero(&v->stamp.parent));
	struct why why;
	paths[1] = paths[3];
	o.path_count = 1;
	assert_int_equal(unlink(a), 0);
	n.count[BACKUP_UNREADABLE] = 0;
	size_t snapshots = t->vault.state.snapshot_count;
	assert_int_equal(backup_run(&t->vault, &o, &r, &why), E_NOTFOUND);
	assert_int_equal(n.count[BACKUP_UNREADABLE], 0);
	assert_int_equal(t->vault.state.snapshot_count, snapshots);
}

/* However often it is given, it is one source, and the branch is the same. */
static void sources_are_a_set(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	char a[SCRATCH_MAX], b[SCRATCH_MAX], c[SCRATCH_MAX];
	clientbox_put(t, "x/file", 3000, 1);
	clientbox_put(t, "y", 3000, 2);
	(void)clientbox_src(a, t, "./x/");
	const char *paths[] = { clientbox_src(b, t, "x"), clientbox_src(c, t, "y"), a, b };
	o.paths = paths;
	o.path_count = 2;
	struct backup_result first = clientbox_backup(t, &o);
	o.path_count = 4;
	o.skip_unchanged = true;
	clientbox_settle(t);
	struct backup_result second = clientbox_backup(t, &o);
	assert_true(second.unchanged);
	assert_memory_equal(&first.snapshot, &second.snapshot, HASH_SIZE);
}

static void own_state_and_stores_are_left_out(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct clientbox_notes n = { { 0 } };
	const char *paths[] = { t->folder };
	clientbox_put(t, "file", 10, 1);
	o.paths = paths;
	o.noted = clientbox_note;
	o.ctx = &n;
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(n.count[BACKUP_SKIPPED_OWN], 2);
	assert_int_equal(r.counts.files, 1);
}

/* The names of a store's parts make no store: its mark does, of whatever version. */
static void a_folder_with_names_of_a_store_is_no_store(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct clientbox_notes n = { { 0 } };
	static const char later[] = "broch store 7\n", mine[] = "my notes on broch-store\n";
	o.noted = clientbox_note;
	o.ctx = &n;
	clientbox_file(t, "mine/broch-store", mine, sizeof mine - 1);
	clientbox_put(t, "mine/chains/one", 100, 1);
	clientbox_put(t, "mine/packs/one", 100, 2);
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(n.count[BACKUP_SKIPPED_OWN], 0);
	assert_int_equal(r.counts.files, 3);
	clientbox_compare(t, &r.snapshot);
	clientbox_file(t, "later/broch-store", later, sizeof later - 1);
	clientbox_put(t, "later/chains/one", 100, 1);
	clientbox_put(t, "later/packs/one", 100, 2);
	r = clientbox_backup(t, &o);
	assert_int_equal(n.count[BACKUP_SKIPPED_OWN], 1);
	assert_int_equal(r.counts.files, 3);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			folders_above_are_no_change, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_missing_gets_a_snapshot, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_no_index_has_gets_a_snapshot, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_above_becomes_a_source, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(sources, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_missing_source_is_unreadable, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(sources_are_a_set, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			own_state_and_stores_are_left_out, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_with_names_of_a_store_is_no_store, clientbox_setup, clientbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
