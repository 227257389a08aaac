/*
 * Links from a snapshot, links that were in the target before, and folders that are exchanged for links meanwhile: nothing is
 * written to what they point to. Rows P02 to P05.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "os/thread.h"
#include "restorebox.h"
#include "scratch.h"

enum { SWAPS = 400, SWAP_FOLDERS = 50 };

static struct hash link_snapshot(struct restorebox *f, const char *name) {
	struct direntry d = craft_link(name, f->victim);
	craft_add(&f->entries, &d);
	return restorebox_snapshot(f);
}

static struct hash folder_snapshot(struct restorebox *f, const char *name) {
	struct direntry file = craft_file("passwd", &f->text), large = craft_file("shadow", &f->large);
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &large);
	struct streamref folder = craft_folder(&f->c, &f->entries);
	buf_clear(&f->entries);
	struct direntry d = craft_directory(name, &folder);
	d.mode = 0700;
	craft_add(&f->entries, &d);
	return restorebox_snapshot(f);
}

/* P02: a link, then a child through it, from two snapshots, in both orders. */
static void child_through_link(void **state) {
	struct restorebox *f = *state;
	struct hash link = link_snapshot(f, "evil"), folder = folder_snapshot(f, "evil");
	(void)restorebox_run(f, &link);
	struct restore_result r = restorebox_run(f, &folder);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	assert_int_equal(r.counts[RESTORE_FILES], 0);
	restorebox_victim_is_whole(f);
	scratch_remove(f->target);
	(void)restorebox_run(f, &folder);
	r = restorebox_run(f, &link);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	assert_int_equal(restorebox_temps(f->target), 0);
	restorebox_victim_is_whole(f);
}

/* P03: links that were in the target before, where files, large files, folders and links are to be. */
static void planted_links(void **state) {
	struct restorebox *f = *state;
	char path[SCRATCH_MAX], secret[SCRATCH_MAX];
	struct direntry file = craft_file("file", &f->text), large = craft_file("large", &f->large),
					link = craft_link("link", "elsewhere"),
					empty = craft_directory("folder", &(struct streamref){ .length = 0 });
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &empty);
	craft_add(&f->entries, &large);
	craft_add(&f->entries, &link);
	struct hash id = restorebox_snapshot(f);
	(void)scratch_join(secret, f->victim, "secret");
	for (int overwrite = RESTORE_NEVER; overwrite <= RESTORE_ALWAYS; overwrite++) {
		struct restore_result r;
		assert_int_equal(mkdir(f->target, 0755), 0);
		assert_int_equal(symlink(secret, scratch_join(path, f->target, "file")), 0);
		assert_int_equal(symlink(secret, scratch_join(path, f->target, "large")), 0);
		assert_int_equal(symlink(secret, scratch_join(path, f->target, "link")), 0);
		assert_int_equal(symlink(f->victim, scratch_join(path, f->target, "folder")), 0);
		enum err e = restorebox_try(
			f, &id, (struct restore_options){ .overwrite = (enum restore_overwrite)overwrite }, &r);
		assert_int_equal(e, OK);
		assert_int_equal(r.counts[RESTORE_NOT_DONE], 1); /* the folder */
		if (overwrite == RESTORE_NEVER) assert_int_equal(r.counts[RESTORE_KEPT], 3);
		else restorebox_has_text(f->target, "file", "restored");
		restorebox_victim_is_whole(f);
		scratch_remove(f->target);
	}
}

/* P03: a link above what is restored, when only that part is asked for. */
static void planted_above(void **state) {
	struct restorebox *f = *state;
	char path[SCRATCH_MAX];
	struct restore_result r;
	struct hash id = folder_snapshot(f, "evil");
	assert_int_equal(mkdir(f->target, 0755), 0);
	assert_int_equal(symlink(f->victim, scratch_join(path, f->target, "evil")), 0);
	const char *only = "/evil/passwd";
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .paths = &only, .path_count = 1 };
	assert_int_equal(restorebox_try(f, &id, o, &r), OK);
	assert_int_equal(r.counts[RESTORE_FILES], 0);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	restorebox_victim_is_whole(f);
}

/* P04: a group whose first member is a link to the victim's file; members become names of the link, or files of their own. */
static void link_groups(void **state) {
	struct restorebox *f = *state;
	char secret[SCRATCH_MAX], path[SCRATCH_MAX];
	struct stat a, b;
	(void)scratch_join(secret, f->victim, "secret");
	struct direntry first = craft_link("a", secret), same = craft_link("b", secret),
					file = craft_file("c", &f->text), again = craft_file("d", &f->text);
	craft_group(&first, 1);
	craft_group(&same, 1);
	craft_group(&file, 1);
	craft_group(&again, 1);
	craft_add(&f->entries, &first);
	craft_add(&f->entries, &same);
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &again);
	struct hash id = restorebox_snapshot(f);
	(void)restorebox_run(f, &id);
	assert_int_equal(lstat(scratch_join(path, f->target, "a"), &a), 0);
	assert_int_equal(lstat(scratch_join(path, f->target, "b"), &b), 0);
	assert_true(S_ISLNK(b.st_mode) && a.st_ino == b.st_ino);
	restorebox_has_text(f->target, "c", "restored");
	restorebox_has_text(f->target, "d", "restored");
	restorebox_victim_is_whole(f);
}

/* P04: the first member is not restored because something is there: the others are never linked to that. */
static void group_not_linked_to_others(void **state) {
	struct restorebox *f = *state;
	char secret[SCRATCH_MAX], path[SCRATCH_MAX];
	struct restore_result r;
	struct stat st;
	struct direntry first = craft_file("a", &f->text), second = craft_file("b", &f->text);
	craft_group(&first, 2);
	craft_group(&second, 2);
	craft_add(&f->entries, &first);
	craft_add(&f->entries, &second);
	struct hash id = restorebox_snapshot(f);
	assert_int_equal(mkdir(f->target, 0755), 0);
	assert_int_equal(
		link(scratch_join(secret, f->victim, "secret"), scratch_join(path, f->target, "a")), 0);
	assert_int_equal(
		restorebox_try(f, &id, (struct restore_options){ .overwrite = RESTORE_NEVER }, &r), OK);
	restorebox_has_text(f->target, "b", "restored");
	assert_int_equal(lstat(scratch_join(path, f->target, "b"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(unlink(scratch_join(path, f->target, "a")), 0);
	restorebox_victim_is_whole(f);
}

/* Puts the victim's file in the place of a group's first member, as soon as that is restored. */
static void exchanged(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct restorebox *f = ctx;
	char member[SCRATCH_MAX], secret[SCRATCH_MAX];
	(void)text;
	if (note != RESTORE_ITEM || !span_equal(path, span_text("/a"))) return;
	assert_int_equal(unlink(scratch_join(member, f->target, "a")), 0);
	assert_int_equal(link(scratch_join(secret, f->victim, "secret"), member), 0);
	f->items++;
}

/* P04, P05: a first member that was exchanged meanwhile is not linked to. */
static void exchanged_member(void **state) {
	struct restorebox *f = *state;
	char path[SCRATCH_MAX];
	struct stat st;
	struct restore_result r;
	struct direntry first = craft_file("a", &f->text), second = craft_file("b", &f->text);
	craft_group(&first, 4);
	craft_group(&second, 4);
	craft_add(&f->entries, &first);
	craft_add(&f->entries, &second);
	struct hash id = restorebox_snapshot(f);
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .each = true, .noted = exchanged };
	assert_int_equal(restorebox_try(f, &id, o, &r), OK);
	assert_int_equal(f->items, 1);
	assert_int_equal(r.counts[RESTORE_NOT_COMPLETE], 1);
	restorebox_has_text(f->target, "b", "restored");
	assert_int_equal(lstat(scratch_join(path, f->target, "b"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(unlink(scratch_join(path, f->target, "a")), 0);
	restorebox_victim_is_whole(f);
}

struct swapper {
	const struct restorebox *f;
	_Atomic bool stop;
	_Atomic unsigned long swaps;
};

/* Puts links to the victim in the places of folders, and back, as fast as it can. */
static void swap(void *ctx) {
	struct swapper *s = ctx;
	int target = -1;
	while (!atomic_load(&s->stop)) {
		char name[16], aside[16];
		if (target < 0) target = open(s->f->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (target < 0) continue;
		unsigned n = (unsigned)(atomic_load(&s->swaps) / 2 % SWAP_FOLDERS);
		(void)snprintf(name, sizeof name, "d%02u", n);
		(void)snprintf(aside, sizeof aside, "x%02u", n);
		/* what the restore has just made may be in the way: the next round finds it */
		if (renameat2(target, name, target, aside, RENAME_EXCHANGE) && errno == ENOENT &&
			symlinkat(s->f->victim, target, aside) && errno != EEXIST && errno != ENOENT)
			break;
		atomic_fetch_add(&s->swaps, 1);
	}
	if (target >= 0) (void)close(target);
}

/* P05: folders are exchanged for links to the victim while files are put into them. */
static void swapped_folders(void **state) {
	struct restorebox *f = *state;
	struct direntry file = craft_file("planted", &f->text),
					linked = craft_file("zlinked", &f->text);
	craft_group(&file, 3);
	craft_group(&linked, 3);
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &linked);
	struct streamref folder = craft_folder(&f->c, &f->entries);
	buf_clear(&f->entries);
	for (unsigned i = 0; i < SWAP_FOLDERS; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "d%02u", i);
		struct direntry d = craft_directory(name, &folder);
		craft_add(&f->entries, &d);
	}
	struct hash id = restorebox_snapshot(f);
	struct swapper s = { .f = f };
	struct thread thread;
	unsigned long tries = 0, failed = 0;
	assert_int_equal(mkdir(f->target, 0755), 0);
	assert_int_equal(thread_start(&thread, swap, &s, NULL), OK);
	for (unsigned long i = 0; i < SWAPS || (failed == 0 && i < 100UL * SWAPS); i++) {
		struct restore_result r;
		assert_int_equal(
			restorebox_try(f, &id, (struct restore_options){ .overwrite = RESTORE_ALWAYS }, &r),
			OK);
		tries += SWAP_FOLDERS;
		failed += r.counts[RESTORE_NOT_DONE];
		assert_int_equal(scratch_count(f->victim), 1);
	}
	atomic_store(&s.stop, true);
	thread_join(&thread);
	restorebox_victim_is_whole(f);
	printf(
		"%lu folders restored, %lu refused, %lu exchanges\n", tries, failed, atomic_load(&s.swaps));
	assert_true(failed > 0); /* the attack did meet the restore */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(child_through_link, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(planted_links, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(planted_above, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(link_groups, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(
			group_not_linked_to_others, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(exchanged_member, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(swapped_folders, restorebox_setup, restorebox_teardown),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
