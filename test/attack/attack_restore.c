/*
 * What a member with all keys can put into a tree to make a restore write elsewhere or give rights away, and what stays of a
 * file that is not finished. Rows P01, P07, P08, F20.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "os/signals.h"
#include "restorebox.h"
#include "scratch.h"

/* P01: names that are not single components. */
static void names(void **state) {
	struct restorebox *f = *state;
	static const struct {
		const char *name;
		size_t len;
	} bad[] = { { "..", 2 }, { ".", 1 }, { "", 0 }, { "../victim/x", 11 }, { "/tmp/x", 6 },
		{ "a/../../x", 9 }, { "a\0b", 3 }, { "a/b", 3 }, { "x/", 2 } };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct direntry d = craft_file("x", &f->text);
		struct direntry good = craft_file("\xff\xff", &f->text);
		struct streamref folder;
		buf_clear(&f->entries);
		craft_add_named(&f->entries, &d, span_of(bad[i].name, bad[i].len));
		craft_add(&f->entries, &good);
		folder = craft_folder(&f->c, &f->entries);
		buf_clear(&f->entries);
		struct direntry inner = craft_directory("inner", &folder),
						other = craft_file("other", &f->text);
		craft_add(&f->entries, &inner);
		craft_add(&f->entries, &other);
		struct hash id = restorebox_snapshot(f);
		struct restore_result r = restorebox_run(f, &id);
		assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
		assert_string_equal(f->noted, "/inner");
		restorebox_has_text(f->target, "other", "restored"); /* the rest goes on */
		restorebox_victim_is_whole(f);
		assert_int_equal(scratch_count(f->top), 3);
		scratch_remove(f->target);
	}
}

/* P01: the same name twice, or names out of order. */
static void order(void **state) {
	struct restorebox *f = *state;
	struct direntry link = craft_link("evil", f->victim), file = craft_file("evil", &f->text);
	craft_add(&f->entries, &link);
	craft_add(&f->entries, &file);
	struct hash id = restorebox_snapshot(f);
	struct restore_result r = restorebox_run(f, &id);
	assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
	restorebox_victim_is_whole(f);
}

/* P07: rights that the snapshot grants are not given without being asked for. */
static void rights(void **state) {
	struct restorebox *f = *state;
	char path[SCRATCH_MAX];
	struct stat st;
	struct buf items;
	static const uint8_t capability[20] = { 0, 0, 0, 2, 0, 0x20 };
	buf_init(&items, 1 << 16);
	assert_int_equal(
		direntry_add_xattr(&items, span_text("security.capability"), span_of(capability, 20)), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("security.other"), span_text("x")), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("trusted.x"), span_text("x")), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("user.x"), span_text("x")), OK);
	struct direntry d = craft_file("file", &f->text),
					device = { .type = DIRENTRY_CHAR,
						.name = span_text("null"),
						.mode = 0666,
						.major = 1,
						.minor = 3 };
	d.mode = 06755;
	d.flags |= DIRENTRY_HAS_XATTRS;
	d.xattrs = (struct direntry_items){ .count = 4, .items = buf_span(&items) };
	craft_add(&f->entries, &d);
	craft_add(&f->entries, &device);
	struct hash id = restorebox_snapshot(f);
	struct restore_result r = restorebox_run(f, &id);
	(void)scratch_join(path, f->target, "file");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	char names_found[256];
	ssize_t n = listxattr(path, names_found, sizeof names_found);
	if (r.counts[RESTORE_NOT_COMPLETE] == 0)
		assert_int_equal(n, sizeof "user.x"); /* where the file system has attributes */
	else assert_int_equal(n, 0);
	assert_false(restorebox_is_there(f->target, "null"));
	assert_int_equal(r.counts[RESTORE_NO_SETUID], 1);
	assert_int_equal(r.counts[RESTORE_NO_CAPABILITY], 1);
	assert_int_equal(r.counts[RESTORE_NO_TRUSTED], 2);
	assert_int_equal(r.counts[RESTORE_NO_DEVICE], 1);
	buf_free(&items);
}

/* P07: a file whose owner cannot be given stays without its set-user-id bit, even if that is allowed. */
static void setuid_of_another(void **state) {
	struct restorebox *f = *state;
	char path[SCRATCH_MAX];
	struct stat st;
	struct restore_result r;
	struct direntry d = craft_file("file", &f->text);
	d.mode = 06755;
	d.uid = geteuid() + 1;
	craft_add(&f->entries, &d);
	struct hash id = restorebox_snapshot(f);
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .allow = RESTORE_ALLOW_ALL };
	assert_int_equal(restorebox_try(f, &id, o, &r), OK);
	assert_int_equal(stat(scratch_join(path, f->target, "file"), &st), 0);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 1);
		assert_int_equal(st.st_mode & 07777, 06755);
	} else {
		assert_int_equal(st.st_mode & 07777, 02755);
		assert_int_equal(r.counts[RESTORE_NO_OWNER], 1);
		assert_int_equal(r.counts[RESTORE_NO_SETUID], 1);
	}
}

/* P08: any other name is taken as it is, and means nothing. */
static void special_names(void **state) {
	struct restorebox *f = *state;
	static const char *const odd[] = { "\x01\x1b[31mred", " ", "-rf", "...", "AUX", "CON.txt",
		"a\\..\\b", "file:stream", "new\nline", "trailing.", "trailing ", "~",
		"\xe2\x80\xaegpj.exe", "\xff\xfe" };
	size_t count = sizeof odd / sizeof odd[0];
	for (size_t i = 0; i < count; i++) {
		struct direntry d = craft_file(odd[i], &f->text);
		buf_clear(&f->entries);
		craft_add(&f->entries, &d);
		struct hash id = restorebox_snapshot(f);
		struct restore_result r = restorebox_run(f, &id);
		assert_int_equal(r.counts[RESTORE_FILES], 1);
		restorebox_has_text(f->target, odd[i], "restored");
	}
	assert_int_equal(scratch_count(f->target), (int)count);
	restorebox_victim_is_whole(f);
}

/* F20: the last chunk of a file is missing: nothing of it stays, what was there before stays, the rest goes on. */
static void last_chunk(void **state) {
	struct restorebox *f = *state;
	struct restore_result r;
	static const uint8_t nowhere[HASH_SIZE] = { 7 };
	struct hash whole;
	uint8_t *bytes = malloc(LIMIT_CHUNK);
	struct why why = { OK, "" };
	memset(bytes, 'w', LIMIT_CHUNK);
	testvault_must(
		storing_chunk(f->c.storing, CHUNKTYPE_CONTENT, span_of(bytes, LIMIT_CHUNK), &whole, &why),
		&why, "chunk");
	free(bytes);
	struct streamref_item items[3] = { { whole, LIMIT_CHUNK }, { whole, LIMIT_CHUNK },
		{ hash_from(nowhere), 5 } };
	struct streamref ref = {
		.length = 2 * (uint64_t)LIMIT_CHUNK + 5, .depth = 1, .id = craft_list(&f->c, items, 3)
	};
	struct direntry cut = craft_file("cut", &ref), file = craft_file("file", &f->text);
	craft_add(&f->entries, &cut);
	craft_add(&f->entries, &file);
	struct hash id = restorebox_snapshot(f);
	r = restorebox_run(f, &id);
	assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
	assert_string_equal(f->noted, "/cut");
	assert_non_null(strstr(f->last, "0700000000")); /* the chunk is named */
	assert_false(restorebox_is_there(f->target, "cut"));
	restorebox_has_text(f->target, "file", "restored");
	char path[SCRATCH_MAX];
	scratch_write(scratch_join(path, f->target, "cut"), "before", 6);
	r = restorebox_run(f, &id);
	assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
	restorebox_has_text(f->target, "cut", "before");
	assert_int_equal(restorebox_temps(f->target), 0);
}

static atomic_flag asked = ATOMIC_FLAG_INIT;

static void stop_at_once(void *ctx, uint64_t files, uint64_t bytes) {
	(void)ctx;
	(void)files;
	/* a second signal would end the program */
	if (bytes > 0 && !atomic_flag_test_and_set(&asked)) (void)kill(getpid(), SIGTERM);
}

/* Interrupted while a large file is written: no half of it stays. */
static void interrupted(void **state) {
	struct restorebox *f = *state;
	struct restore_result r;
	struct direntry a = craft_file("a", &f->large), b = craft_file("b", &f->large);
	craft_add(&f->entries, &a);
	craft_add(&f->entries, &b);
	struct hash id = restorebox_snapshot(f);
	signals_install();
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .moved = stop_at_once };
	enum err e = restorebox_try(f, &id, o, &r);
	signals_forget();
	assert_int_equal(e, E_CANCELLED);
	assert_int_equal(restorebox_temps(f->target), 0);
	assert_true(scratch_count(f->target) < 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(order, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(rights, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(setuid_of_another, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(special_names, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(last_chunk, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(interrupted, restorebox_setup, restorebox_teardown),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
