/* client/treediff: each difference once, in order; the same folders not read; what one side can't be read of is not guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/treediff.h"
#include "rawbox.h"
#include "storesuite.h"

static struct rawbox *box;
static struct craft craft;
static struct fetch *fetch;
static const struct streamref empty;

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	fetch = NULL;
	craft_begin(&craft, &box->t);
	return 0;
}

static int teardown(void **state) {
	craft_drop(&craft);
	fetch_free(fetch);
	return rawbox_teardown(state);
}

static void done(void) {
	(void)craft_end(&craft, &empty, 0, 0);
	fetch = rawbox_fetch(box, 1);
}

static struct streamref content(uint64_t seed) {
	uint8_t bytes[100];
	storesuite_bytes(bytes, sizeof bytes, seed);
	return craft_content(&craft, span_of(bytes, sizeof bytes));
}

static void add_file(struct buf *entries, const char *name, uint64_t seed) {
	struct streamref ref = seed ? content(seed) : empty;
	struct direntry d = craft_file(name, &ref);
	craft_add(entries, &d);
}

static void add_folder(struct buf *entries, const char *name, const struct streamref *ref) {
	struct direntry d = craft_directory(name, ref);
	craft_add(entries, &d);
}

static struct streamref folder(struct buf *entries) {
	struct streamref ref = craft_folder(&craft, entries);
	buf_free(entries);
	return ref;
}

static struct streamref folder_of(const struct direntry *d) {
	struct buf entries;
	buf_init(&entries, 1 << 20);
	craft_add(&entries, d);
	return folder(&entries);
}

/* --- comparing */

struct changes {
	char text[4096];
	size_t len;
	size_t end_after; /* changes; 0: none */
	size_t count, broken;
	enum err broken_result;
	bool sides_ok;
};

static enum err change(void *ctx, const struct treediff_change *c, struct why *why) {
	static const char letters[] = { '+', '-', 'M', 'U', 'T' };
	struct changes *l = ctx;
	if ((c->before == NULL) != (c->kind == TREEDIFF_ADDED)) l->sides_ok = false;
	if ((c->after == NULL) != (c->kind == TREEDIFF_REMOVED)) l->sides_ok = false;
	l->len += (size_t)snprintf(l->text + l->len, sizeof l->text - l->len, "%c%.*s ",
		letters[c->kind], (int)c->path.len, (const char *)c->path.ptr);
	assert_true(l->len < sizeof l->text);
	if (++l->count == l->end_after) return why_set(why, E_BUSY, "enough");
	return OK;
}

static enum err broken(void *ctx, enum err e, const struct why *why) {
	struct changes *l = ctx;
	assert_int_equal(why->code, e);
	l->broken++;
	return l->broken_result;
}

static enum err compare(struct changes *l, const struct streamref *before,
	const struct streamref *after, struct why *why) {
	struct treediff d = { .fetch = fetch, .change = change, .broken = broken, .ctx = l };
	l->len = l->count = l->broken = 0;
	l->text[0] = '\0';
	l->sides_ok = true;
	*why = (struct why){ OK, "" };
	enum err e = treediff_run(&d, before, after, why);
	assert_true(l->sides_ok);
	return e;
}

static void expect_broken(
	const struct streamref *before, const struct streamref *after, const char *text, size_t count) {
	struct changes l = { .end_after = 0 };
	struct why why;
	rawbox_ok(compare(&l, before, after, &why), &why);
	assert_string_equal(l.text, text);
	assert_int_equal(l.broken, count);
}

static void expect(
	const struct streamref *before, const struct streamref *after, const char *text) {
	expect_broken(before, after, text, 0);
}

static void nothing_differs(void **state) {
	(void)state;
	struct buf entries;
	struct streamref gone = { .length = 100, .id = storesuite_id(1) };
	buf_init(&entries, 1 << 20);
	add_folder(&entries, "a", &gone); /* could not be read */
	add_file(&entries, "b", 1);
	struct streamref root = folder(&entries);
	add_folder(&entries, "a", &gone);
	add_file(&entries, "b", 2);
	struct streamref other = folder(&entries);
	done();
	uint64_t reads = rawbox_reads(box);
	expect(&root, &root, "");
	expect(&gone, &gone, "");
	expect(&empty, &empty, "");
	assert_int_equal(rawbox_reads(box), reads);
	expect(&root, &other, "M/b ");
}

/* A slash comes before every byte of a name: "a/x" before "a.b" and "a\1". */
static void every_kind_in_order(void **state) {
	(void)state;
	struct buf entries;
	buf_init(&entries, 1 << 20);
	add_file(&entries, "x", 1);
	struct streamref with_x = folder(&entries);
	add_file(&entries, "x", 1);
	add_file(&entries, "y", 2);
	struct streamref with_y = folder(&entries);
	add_folder(&entries, "a", &with_x);
	add_file(&entries, "a\1", 1);
	add_file(&entries, "a.b", 1);
	add_file(&entries, "changed", 1);
	add_folder(&entries, "gone", &with_y);
	add_folder(&entries, "into a file", &with_x);
	add_file(&entries, "into a folder", 3);
	add_folder(&entries, "same", &with_x);
	struct streamref before = folder(&entries);
	add_folder(&entries, "a", &with_y);
	add_file(&entries, "a\1", 2);
	add_file(&entries, "changed", 2);
	add_file(&entries, "into a file", 3);
	add_folder(&entries, "into a folder", &with_y);
	add_folder(&entries, "new", &with_y);
	add_folder(&entries, "same", &with_x);
	struct streamref after = folder(&entries);
	done();
	expect(&before, &after,
		"+/a/y M/a\1 -/a.b M/changed -/gone -/gone/x -/gone/y T/into a file -/into a file/x "
		"T/into a folder +/into a folder/x +/into a folder/y +/new +/new/x +/new/y ");
	expect(&after, &before,
		"-/a/y M/a\1 +/a.b M/changed +/gone +/gone/x +/gone/y T/into a file +/into a file/x "
		"T/into a folder -/into a folder/x -/into a folder/y -/new -/new/x -/new/y ");
	expect(&empty, &with_y, "+/x +/y ");
	expect(&with_y, &empty, "-/x -/y ");
}

/* One entry before and after, each of them altered in one way. */
static void compare_entries(
	const struct direntry *before, const struct direntry *after, const char *text) {
	struct streamref a = folder_of(before), b = folder_of(after);
	done();
	expect(&a, &b, text);
	expect(&b, &a, text);
	fetch_free(fetch);
	fetch = NULL;
	craft_begin(&craft, &box->t);
}

static void content_and_metadata(void **state) {
	(void)state;
	struct streamref data = content(1);
	struct direntry file = craft_file("f", &data), d = file;
	struct buf items;
	uint64_t end = 0;
	buf_init(&items, 4096);
	d.mode = 0600;
	compare_entries(&file, &d, "U/f ");
	d = file;
	d.uid++;
	compare_entries(&file, &d, "U/f ");
	d = file;
	d.gid++;
	compare_entries(&file, &d, "U/f ");
	d = file;
	d.mtime.seconds++;
	compare_entries(&file, &d, "U/f ");
	d = file;
	d.mtime.nanos++;
	compare_entries(&file, &d, "U/f ");
	d = file;
	assert_int_equal(direntry_add_xattr(&items, span_text("user.a"), span_text("b")), OK);
	d.flags = DIRENTRY_HAS_XATTRS;
	d.xattrs = (struct direntry_items){ .count = 1, .items = buf_span(&items) };
	compare_entries(&file, &d, "U/f ");
	/* a hole more is other content; content and metadata are content */
	buf_clear(&items);
	d = file;
	assert_int_equal(direntry_add_hole(&items, &end, 10, 5000), OK);
	d.flags = DIRENTRY_HAS_HOLES;
	d.holes = (struct direntry_items){ .count = 1, .items = buf_span(&items) };
	compare_entries(&file, &d, "M/f ");
	d = file;
	d.stream = content(2);
	d.mode = 0600;
	compare_entries(&file, &d, "M/f ");
	/* the group of hard links comes with the inode: a file that was copied back is the same */
	d = file;
	craft_group(&d, 7);
	compare_entries(&file, &d, "");
	buf_free(&items);
}

static void other_types(void **state) {
	(void)state;
	struct direntry link = craft_link("n", "target"), d = link, device, fifo, file;
	file = craft_file("n", &empty);
	d.target = span_text("other");
	compare_entries(&link, &d, "M/n ");
	device = link;
	device.type = DIRENTRY_CHAR;
	device.target = span_of(NULL, 0);
	device.major = 1;
	device.minor = 5;
	d = device;
	d.minor = 6;
	compare_entries(&device, &d, "M/n ");
	d = device;
	d.major = 6;
	compare_entries(&device, &d, "M/n ");
	d = device;
	d.type = DIRENTRY_BLOCK;
	compare_entries(&device, &d, "T/n ");
	fifo = device;
	fifo.type = DIRENTRY_FIFO;
	fifo.major = fifo.minor = 0;
	compare_entries(&device, &fifo, "T/n ");
	d = fifo;
	d.mode ^= 1;
	compare_entries(&fifo, &d, "U/n ");
	compare_entries(&file, &link, "T/n ");
	/* of a type that this version does not know, and a link to another vault */
	struct direntry unknown = { .type = 99, .name = span_text("n"), .rest = span_text("one") };
	d = unknown;
	d.rest = span_text("two");
	compare_entries(&unknown, &d, "M/n ");
	compare_entries(&unknown, &unknown, "");
	struct direntry vault = {
		.type = DIRENTRY_VAULT, .name = span_text("n"), .epoch = 1, .path = span_text("/a")
	};
	d = vault;
	d.epoch = 2;
	compare_entries(&vault, &d, "M/n ");
	d = vault;
	d.path = span_text("/b");
	compare_entries(&vault, &d, "M/n ");
	d = vault;
	d.vault = storesuite_id(1);
	compare_entries(&vault, &d, "M/n ");
}

/* A folder's own attributes, with the same and with other contents. */
static void folders(void **state) {
	(void)state;
	struct direntry child = craft_file("x", &empty);
	struct streamref inner = folder_of(&child);
	struct direntry before = craft_directory("d", &inner), after = before;
	after.mode = 0700;
	compare_entries(&before, &after, "U/d ");
	after.stream = empty;
	struct streamref a = folder_of(&before), b = folder_of(&after);
	done();
	expect(&a, &b, "U/d -/d/x ");
	expect(&b, &a, "U/d +/d/x ");
}

static void what_the_caller_says_ends_it(void **state) {
	(void)state;
	struct buf entries;
	struct changes l = { .end_after = 2 };
	struct why why;
	buf_init(&entries, 4096);
	add_file(&entries, "a", 1);
	add_file(&entries, "b", 1);
	add_file(&entries, "c", 1);
	struct streamref root = folder(&entries);
	done();
	assert_int_equal(compare(&l, &empty, &root, &why), E_BUSY);
	assert_string_equal(why.msg, "enough");
	assert_string_equal(l.text, "+/a +/b ");
	assert_int_equal(compare(&l, &root, &empty, &why), E_BUSY);
	l.end_after = 1;
	assert_int_equal(compare(&l, &root, &empty, &why), E_BUSY);
	assert_string_equal(l.text, "-/a ");
}

/* A folder that can't be read in one tree: nobody knows what was added or removed in it. */
static void what_cannot_be_read_is_not_guessed(void **state) {
	(void)state;
	struct buf entries;
	struct streamref gone = { .length = 100, .id = storesuite_id(1) };
	struct streamref gone2 = { .length = 100, .id = storesuite_id(2) };
	struct changes l = { .end_after = 0 };
	struct why why;
	buf_init(&entries, 1 << 20);
	add_file(&entries, "x", 1);
	struct streamref deeper = folder(&entries);
	add_file(&entries, "a", 1);
	add_folder(&entries, "b", &deeper);
	add_file(&entries, "c", 1);
	struct streamref inner = folder(&entries);
	add_file(&entries, "a", 2);
	add_folder(&entries, "b", &deeper);
	size_t cut = entries.len;
	add_file(&entries, "c", 2);
	entries.len = cut + 5; /* from there on it is torn */
	struct streamref torn = folder(&entries);
	struct streamref refs[] = { inner, gone, torn, gone2 }, roots[4];
	for (size_t i = 0; i < 4; i++) {
		add_file(&entries, "c", i + 1);
		add_folder(&entries, "d", &refs[i]);
		add_file(&entries, "d!", i + 1);
		add_folder(&entries, "dd", &refs[i]);
		roots[i] = folder(&entries);
	}
	done();
	expect_broken(&roots[0], &roots[1], "M/c M/d! ", 2);
	expect_broken(&roots[1], &roots[0], "M/c M/d! ", 2);
	/* what stands before the damage is compared */
	expect_broken(&roots[0], &roots[2], "M/c M/d/a M/d! M/dd/a ", 2);
	expect_broken(&roots[2], &roots[0], "M/c M/d/a M/d! M/dd/a ", 2);
	expect_broken(&roots[1], &roots[3], "M/c M/d! ", 4);
	expect_broken(&roots[1], &roots[2], "M/c M/d! ", 4);
	/* the whole of one */
	expect_broken(&gone, &roots[0], "", 1);
	expect_broken(&roots[0], &gone, "", 1);
	/* a folder that only one has is new or gone, whether it can be read or not */
	expect_broken(&empty, &roots[1], "+/c +/d +/d! +/dd ", 2);
	expect_broken(&roots[1], &empty, "-/c -/d -/d! -/dd ", 2);
	l.broken_result = E_IO;
	assert_int_equal(compare(&l, &roots[0], &roots[1], &why), E_IO);
	assert_int_equal(l.broken, 1);
	assert_int_equal(compare(&l, &roots[1], &roots[0], &why), E_IO);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_differs, setup, teardown),
		cmocka_unit_test_setup_teardown(every_kind_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(content_and_metadata, setup, teardown),
		cmocka_unit_test_setup_teardown(other_types, setup, teardown),
		cmocka_unit_test_setup_teardown(folders, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_caller_says_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_not_guessed, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
