/* Folders of a walk that are closed and opened again: only ever the same ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/backupfolder.h"
#include "scratch.h"

enum { MOST = 16, DEPTH = 8 };

/* The folders from the root down to ${folder}, and DEPTH more in it, each called "d". */
struct row {
	char folder[SCRATCH_MAX], parts[SCRATCH_MAX];
	struct backupfolders open;
	struct backupfolder all[MOST + DEPTH];
	size_t count;
};

static void row_new(struct row *r) {
	char path[SCRATCH_MAX + 2 * DEPTH + 1];
	scratch_make(r->folder);
	(void)snprintf(r->parts, sizeof r->parts, "%s", r->folder);
	backupfolder_begin(&r->open);
	r->open.max = 0;
	r->count = 0;
	backupfolder_init(&r->all[r->count++], NULL, "", true);
	for (char *part = strtok(r->parts, "/"); part; part = strtok(NULL, "/"), r->count++)
		backupfolder_init(&r->all[r->count], &r->all[r->count - 1], part, true);
	(void)snprintf(path, sizeof path, "%s", r->folder);
	for (size_t i = 0; i < DEPTH; i++, r->count++) {
		memcpy(path + strlen(path), "/d", 3);
		assert_int_equal(mkdir(path, 0700), 0);
		backupfolder_init(&r->all[r->count], &r->all[r->count - 1], "d", false);
	}
}

static void row_done(struct row *r) {
	for (size_t i = 0; i < r->count; i++) backupfolder_close(&r->open, &r->all[i]);
	assert_int_equal(r->open.open, 0);
	backupfolder_end(&r->open);
	scratch_remove(r->folder);
}

static enum err use(struct row *r, size_t from_end, struct why *why) {
	struct backupfolder *b = &r->all[r->count - 1 - from_end];
	enum err e = backupfolder_hold(&r->open, b, why);
	if (!e) {
		assert_true(b->fd >= 0);
		backupfolder_let(&r->open, b);
	}
	return e;
}

static void only_what_is_held_stays_open(void **state) {
	struct row r;
	struct why why;
	(void)state;
	row_new(&r);
	struct backupfolder *last = &r.all[r.count - 1], *middle = last->above->above;
	assert_int_equal(backupfolder_hold(&r.open, last, &why), OK);
	assert_int_equal(r.open.open, 1);
	assert_int_equal(backupfolder_hold(&r.open, middle, &why), OK);
	assert_int_equal(backupfolder_hold(&r.open, middle, &why), OK);
	assert_int_equal(r.open.open, 2);
	backupfolder_let(&r.open, middle);
	assert_int_equal(r.open.open, 2);
	backupfolder_let(&r.open, middle);
	backupfolder_let(&r.open, last);
	assert_int_equal(r.open.open, 0);
	r.open.max = 3;
	assert_int_equal(use(&r, 0, &why), OK);
	assert_int_equal(r.open.open, 3);
	assert_true(last->above->fd >= 0); /* the ones used last */
	assert_true(r.all[0].fd < 0);
	row_done(&r);
}

/* In the place of a folder: another, a link to where it is now, nothing. */
static void another_folder_is_not_taken_for_it(void **state) {
	struct row r;
	struct why why;
	char path[SCRATCH_MAX], away[SCRATCH_MAX];
	(void)state;
	row_new(&r);
	assert_int_equal(use(&r, 0, &why), OK);
	(void)scratch_join(path, r.folder, "d/d/d");
	(void)scratch_join(away, r.folder, "away");
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(use(&r, 0, &why), E_IO);
	assert_non_null(strstr(why.msg, "moved or removed"));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(use(&r, DEPTH - 3, &why), E_IO);
	assert_non_null(strstr(why.msg, "replaced"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(away, path), 0);
	assert_int_equal(use(&r, 0, &why), E_IO);
	assert_int_equal(r.open.open, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(use(&r, 0, &why), OK);
	row_done(&r);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_held_stays_open),
		cmocka_unit_test(another_folder_is_not_taken_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
