/* client/restore: what must hold while it runs: no part of a file, nobody forgotten, no stack that grows, no folder open too early. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "client/restorewindow.h"
#include "os/clock.h"
#include "rawbox.h"
#include "storesuite.h"

enum { DEEP = 1900, STACK = 128 << 10, PIECE = 200000, MS = 1000000, LINKS = 20 };

static struct rawbox *box;
static struct craft craft;
static char target[SCRATCH_MAX];

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	craft_begin(&craft, &box->t);
	(void)scratch_join(target, box->folder, "target");
	return 0;
}

static int teardown(void **state) {
	craft_drop(&craft);
	return rawbox_teardown(state);
}

static struct hash snapshot_of(const struct streamref *root, uint64_t entries) {
	struct hash id = craft_end(&craft, root, entries, 0);
	craft_begin(&craft, &box->t);
	return id;
}

static struct restore_options options(const struct hash *id) {
	return (struct restore_options){
		.snapshot = *id, .target = target, .threads = 2, .overwrite = RESTORE_ALWAYS
	};
}

static struct restore_result restore(const struct restore_options *o) {
	struct restore_result r;
	struct why why = { OK, "" };
	rawbox_ok(restore_run(&box->t.vault, o, &r, &why), &why);
	return r;
}

static bool is_there(const char *name, struct stat *st) {
	char path[SCRATCH_MAX];
	return lstat(scratch_join(path, target, name), st) == 0;
}

/* --- a file whose list cannot be read to its end */

static void no_part_of_a_file_gets_its_name(void **state) {
	(void)state;
	struct streamref_item chunks[3], lists[2];
	struct streamref ref = { .depth = 2 };
	struct buf entries;
	struct stat st;
	struct why why = { OK, "" };
	char path[SCRATCH_MAX];
	uint8_t *bytes = malloc(PIECE);
	assert_non_null(bytes);
	for (uint64_t i = 0; i < 3; i++) {
		storesuite_bytes(bytes, PIECE, i + 1);
		chunks[i].length = PIECE;
		rawbox_ok(storing_chunk(
					  craft.storing, CHUNKTYPE_CONTENT, span_of(bytes, PIECE), &chunks[i].id, &why),
			&why);
	}
	free(bytes);
	lists[0].id = craft_list(&craft, chunks, 3);
	lists[0].length = lists[1].length = 3 * SIZE_STREAM_ITEM;
	lists[1].id = storesuite_id(5); /* nowhere */
	ref.id = craft_list(&craft, lists, 2);
	ref.length = (uint64_t)6 * PIECE;
	buf_init(&entries, 4096);
	struct direntry cut = craft_file("cut", &ref);
	craft_add(&entries, &cut);
	struct streamref root = craft_folder(&craft, &entries);
	buf_free(&entries);
	struct hash id = snapshot_of(&root, 1);
	struct restore_options o = options(&id);
	for (int before = 0; before < 2; before++) {
		if (before) scratch_write(scratch_join(path, target, "cut"), "before", 6);
		struct restore_result r = restore(&o);
		assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
		assert_int_equal(r.counts[RESTORE_FILES], 0);
		assert_int_equal(is_there("cut", &st), before);
		if (before) assert_int_equal(st.st_size, 6);
		assert_int_equal(scratch_count(target), before); /* nor under another */
	}
}

/* --- members of link groups, when the threads are done before they are waited for */

static bool late;

bool __real_restorewindow_wait(struct restorewindow_line *l);
bool __wrap_restorewindow_wait(struct restorewindow_line *l);

bool __wrap_restorewindow_wait(struct restorewindow_line *l) {
	if (late) clock_sleep_ns(50 * MS);
	return __real_restorewindow_wait(l);
}

static void nobody_who_waits_is_forgotten(void **state) {
	(void)state;
	struct buf entries;
	struct stat first, st;
	char name[8];
	buf_init(&entries, 1 << 16);
	struct streamref text = craft_content(&craft, span_text("linked"));
	for (unsigned i = 0; i < LINKS; i++) {
		(void)snprintf(name, sizeof name, "%02u", i);
		struct direntry d = craft_file(name, &text);
		craft_group(&d, 3);
		craft_add(&entries, &d);
	}
	struct streamref root = craft_folder(&craft, &entries);
	buf_free(&entries);
	struct hash id = snapshot_of(&root, LINKS);
	struct restore_options o = options(&id);
	late = true;
	struct restore_result r = restore(&o);
	late = false;
	assert_int_equal(r.counts[RESTORE_FILES], LINKS);
	assert_int_equal(r.counts[RESTORE_LINKS], LINKS - 1);
	assert_true(is_there("00", &first));
	assert_int_equal(first.st_nlink, LINKS);
	assert_true(is_there("19", &st) && st.st_ino == first.st_ino);
}

/* --- a deep path, of which nothing is made before its end is reached */

struct deep {
	struct restore_options o;
	struct restore_result r;
	enum err e;
	struct why why;
};

static void *run_deep(void *ctx) {
	struct deep *d = ctx;
	d->e = restore_run(&box->t.vault, &d->o, &d->r, &d->why);
	return NULL;
}

static void depth_takes_no_stack(void **state) {
	(void)state;
	struct buf entries;
	pthread_attr_t attr;
	pthread_t thread;
	static char path[2 * DEEP + 3];
	const char *const paths[] = { path };
	buf_init(&entries, 4096);
	struct streamref at = craft_content(&craft, span_text("deep"));
	struct direntry file = craft_file("f", &at);
	craft_add(&entries, &file);
	for (size_t i = 0; i < DEEP; i++) {
		at = craft_folder(&craft, &entries);
		struct direntry d = craft_directory("d", &at);
		buf_clear(&entries);
		craft_add(&entries, &d);
		memcpy(path + 2 * i, "/d", 2);
	}
	memcpy(path + 2 * (size_t)DEEP, "/f", 3);
	at = craft_folder(&craft, &entries);
	buf_free(&entries);
	struct hash id = snapshot_of(&at, DEEP + 1);
	struct deep d = { .o = options(&id) };
	d.o.paths = paths;
	d.o.path_count = 1;
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attr, run_deep, &d), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)pthread_attr_destroy(&attr);
	rawbox_ok(d.e, &d.why);
	assert_int_equal(d.r.counts[RESTORE_FILES], 1);
	assert_int_equal(d.r.counts[RESTORE_DIRECTORIES], DEEP);
}

/* --- a folder that anybody will be let into, while it is filled */

static _Atomic unsigned looks, seen;

static void look_at_folders(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct stat st;
	(void)ctx;
	(void)text;
	if (note != RESTORE_ITEM) return;
	const char *folder = span_equal(path, span_text("/open/file")) ? "open"
		: span_equal(path, span_text("/open/inner/file"))          ? "open/inner"
																   : NULL;
	if (!folder || !is_there(folder, &st)) return;
	looks++;
	seen |= st.st_mode & 0077;
}

static void nobody_is_let_in_before_it_is_full(void **state) {
	(void)state;
	struct buf entries;
	struct stat st;
	buf_init(&entries, 4096);
	struct streamref text = craft_content(&craft, span_text("text"));
	struct direntry file = craft_file("file", &text);
	craft_add(&entries, &file);
	struct streamref inner = craft_folder(&craft, &entries);
	struct direntry d = craft_directory("inner", &inner);
	d.mode = 0775;
	craft_add(&entries, &d);
	struct streamref open = craft_folder(&craft, &entries);
	d = craft_directory("open", &open);
	d.mode = 01777;
	buf_clear(&entries);
	craft_add(&entries, &d);
	struct streamref root = craft_folder(&craft, &entries);
	buf_free(&entries);
	struct hash id = snapshot_of(&root, 4);
	struct restore_options o = options(&id);
	o.each = true;
	o.noted = look_at_folders;
	(void)restore(&o);
	assert_int_equal(looks, 2);
	assert_int_equal(seen, 0);
	assert_true(is_there("open", &st));
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_true(is_there("open/inner", &st));
	assert_int_equal(st.st_mode & 07777, 0775);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_part_of_a_file_gets_its_name, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_who_waits_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_takes_no_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_is_let_in_before_it_is_full, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
