/* client/treelist: the same list however much is fetched ahead, what cannot be read left out and said, and single paths. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/treelist.h"
#include "os/signals.h"
#include "rawbox.h"
#include "storesuite.h"

enum { FOLDERS = 120, FILES = 8, AHEAD = 3, FOREVER = 500, PATH = 256 };

static struct rawbox *box;
static struct craft craft;
static struct fetch *fetch;
static const struct streamref empty;

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	fetch = NULL;
	craft_begin_small(&craft, &box->t, LIMIT_PACK_LEAST);
	(void)alarm(FOREVER);
	return 0;
}

static int teardown(void **state) {
	(void)alarm(0);
	craft_drop(&craft);
	fetch_free(fetch);
	return rawbox_teardown(state);
}

static void done(void) {
	(void)craft_end(&craft, &empty, 0, 0);
	fetch = rawbox_fetch(box, AHEAD + 1);
}

static void add_file(struct buf *entries, const char *name) {
	struct direntry d = craft_file(name, &empty);
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

static struct streamref gone(uint64_t seed) {
	return (struct streamref){ .length = 100, .id = storesuite_id(seed) };
}

/* --- listing */

/* Paths, a line each; an error as "!" and its path. */
struct lines {
	char *text;
	size_t len, room;
	size_t entries, errors;
	enum err first;
	struct why why; /* of the first error */
};

static void add_line(struct lines *l, const char *mark, struct span path) {
	while (l->len + path.len + 3 > l->room) {
		l->room = l->room ? l->room * 2 : 4096;
		l->text = realloc(l->text, l->room);
		assert_non_null(l->text);
	}
	l->len += (size_t)snprintf(l->text + l->len, l->room - l->len, "%s%.*s\n", mark, (int)path.len,
		(const char *)path.ptr);
}

static struct treelist *new_list(const struct streamref *root, const char *prefix, unsigned ahead) {
	struct treelist *t = NULL;
	struct why why = { OK, "" };
	struct treelist_params p = {
		.fetch = fetch, .root = root, .prefix = span_text(prefix), .ahead = ahead
	};
	rawbox_ok(treelist_new(&t, &p, &why), &why);
	return t;
}

/* Lists to the end; folders called "skip…" are not gone into. E_NOMEM and E_CANCELLED end it. */
static enum err list_on(struct treelist *t, struct lines *l) {
	struct treelist_item item;
	bool more = true;
	for (;;) {
		struct why why = { OK, "" };
		enum err e = treelist_next(t, &item, &more, &why);
		if (!e && !more) return OK;
		if (!e) {
			l->entries++;
			add_line(l, "", item.path);
			if (item.entry.name.len >= 4 && memcmp(item.entry.name.ptr, "skip", 4) == 0)
				treelist_skip(t);
			continue;
		}
		assert_int_equal(why.code, e);
		if (!l->errors++) {
			l->first = e;
			l->why = why;
		}
		if (e == E_NOMEM || e == E_CANCELLED) return e;
		add_line(l, "!", span_of(NULL, 0));
		assert_true(l->errors < 100);
	}
}

static struct lines list(const struct streamref *root, const char *prefix, unsigned ahead) {
	struct lines l = { .len = 0 };
	struct treelist *t = new_list(root, prefix, ahead);
	assert_int_equal(list_on(t, &l), OK);
	treelist_free(t);
	return l;
}

static void expect(const struct streamref *root, const char *prefix, const char *text) {
	static const unsigned aheads[] = { 0, 1, AHEAD };
	for (size_t i = 0; i < 3; i++) {
		struct lines l = list(root, prefix, aheads[i]);
		assert_string_equal(l.text ? l.text : "", text);
		free(l.text);
	}
}

/* a/x, a/y/z, a.b, b, c (empty) */
static struct streamref make_tree(void) {
	struct buf entries;
	buf_init(&entries, 1 << 20);
	add_file(&entries, "z");
	struct streamref y = folder(&entries);
	struct streamref content = craft_content(&craft, span_text("content"));
	struct direntry x = craft_file("x", &content);
	craft_add(&entries, &x);
	add_folder(&entries, "y", &y);
	struct streamref a = folder(&entries);
	add_folder(&entries, "a", &a);
	add_file(&entries, "a.b");
	add_file(&entries, "b");
	add_folder(&entries, "c", &empty);
	return folder(&entries);
}

/* FOLDERS folders with FILES files each, and a folder with one in it. */
static struct streamref make_wide(void) {
	struct buf entries, inner;
	char name[32];
	buf_init(&entries, 1 << 20);
	buf_init(&inner, 1 << 20);
	for (unsigned i = 0; i < FOLDERS; i++) {
		for (unsigned k = 0; k < FILES; k++) {
			(void)snprintf(name, sizeof name, "%03u-%u", i, k);
			add_file(&inner, name);
		}
		struct streamref leaf = folder(&inner);
		add_folder(&inner, "inner", &leaf);
		add_file(&inner, "later");
		struct streamref one = folder(&inner);
		(void)snprintf(name, sizeof name, "%03u", i);
		add_folder(&entries, name, &one);
	}
	return folder(&entries);
}

enum { WIDE = FOLDERS * (FILES + 3) };

static void a_folder_before_what_is_in_it(void **state) {
	(void)state;
	struct streamref root = make_tree();
	done();
	expect(&root, "", "/a\n/a/x\n/a/y\n/a/y/z\n/a.b\n/b\n/c\n");
	expect(&root, "/some/where",
		"/some/where/a\n/some/where/a/x\n/some/where/a/y\n/some/where/a/y/z\n/some/where/a.b\n"
		"/some/where/b\n/some/where/c\n");
	expect(&empty, "", "");
}

/* At the end it stays, and the entry says what it is. */
static void the_end(void **state) {
	(void)state;
	struct buf entries;
	struct treelist_item item;
	struct why why = { OK, "" };
	bool more = false;
	buf_init(&entries, 4096);
	struct direntry link = craft_link("link", "target");
	craft_add(&entries, &link);
	struct streamref root = folder(&entries);
	done();
	struct treelist *t = new_list(&root, "", 0);
	rawbox_ok(treelist_next(t, &item, &more, &why), &why);
	assert_true(more);
	assert_int_equal(item.entry.type, DIRENTRY_SYMLINK);
	assert_true(span_equal(item.entry.target, span_text("target")));
	for (int i = 0; i < 3; i++) {
		rawbox_ok(treelist_next(t, &item, &more, &why), &why);
		assert_false(more);
	}
	treelist_free(t);
	treelist_free(NULL);
}

static void the_same_list_with_threads(void **state) {
	(void)state;
	struct streamref root = make_wide();
	done();
	struct lines one = list(&root, "", 0);
	assert_int_equal(one.entries, WIDE);
	for (unsigned ahead = 1; ahead <= AHEAD; ahead++) {
		struct lines l = list(&root, "", ahead);
		assert_int_equal(l.entries, WIDE);
		assert_string_equal(l.text, one.text);
		free(l.text);
	}
	free(one.text);
}

/* What is skipped is not read: here it could not be. */
static void what_is_skipped_is_not_read(void **state) {
	(void)state;
	struct buf entries;
	struct streamref nowhere = gone(1);
	buf_init(&entries, 4096);
	add_file(&entries, "a");
	struct streamref inner = folder(&entries);
	add_file(&entries, "b");
	struct streamref other = folder(&entries);
	add_folder(&entries, "in", &inner);
	add_folder(&entries, "skip-1", &inner);
	add_folder(&entries, "skip-2", &nowhere);
	add_folder(&entries, "skip-3", &inner);
	add_folder(&entries, "up", &other);
	struct streamref root = folder(&entries);
	done();
	expect(&root, "", "/in\n/in/a\n/skip-1\n/skip-2\n/skip-3\n/up\n/up/b\n");
	/* nothing to skip: before the first, after a file */
	struct treelist *t = new_list(&root, "", 0);
	struct treelist_item item;
	bool more;
	treelist_skip(t);
	for (int i = 0; i < 2; i++) assert_int_equal(treelist_next(t, &item, &more, NULL), OK);
	assert_true(span_equal(item.path, span_text("/in/a")));
	treelist_skip(t);
	assert_int_equal(treelist_next(t, &item, &more, NULL), OK);
	assert_true(span_equal(item.path, span_text("/skip-1")));
	uint64_t reads = rawbox_reads(box);
	treelist_skip(t);
	treelist_skip(t); /* once is enough */
	assert_int_equal(treelist_next(t, &item, &more, NULL), OK);
	assert_true(span_equal(item.path, span_text("/skip-2")));
	assert_int_equal(rawbox_reads(box), reads);
	treelist_free(t);
}

/* --- what cannot be read */

static void a_folder_that_is_gone_is_left_out(void **state) {
	(void)state;
	struct buf entries;
	struct streamref nowhere = gone(1);
	buf_init(&entries, 4096);
	add_file(&entries, "f");
	add_folder(&entries, "gone", &nowhere);
	add_file(&entries, "h");
	struct streamref inner = folder(&entries);
	add_folder(&entries, "a", &inner);
	add_folder(&entries, "b", &nowhere);
	add_folder(&entries, "c", &inner);
	struct streamref root = folder(&entries);
	done();
	expect(&root, "", "/a\n/a/f\n/a/gone\n!\n/a/h\n/b\n!\n/c\n/c/f\n/c/gone\n!\n/c/h\n");
	struct lines l = list(&root, "/top", AHEAD);
	assert_int_equal(l.first, E_FORGED);
	assert_non_null(strstr(l.why.msg, "/top/a/gone"));
	free(l.text);
	/* the root */
	expect(&nowhere, "", "!\n");
}

/* A folder that is cut short, or not in order: what stands before is listed. */
static void a_folder_that_is_malformed(void **state) {
	(void)state;
	struct buf entries;
	buf_init(&entries, 4096);
	add_file(&entries, "a");
	add_file(&entries, "b");
	entries.len--;
	struct streamref torn = folder(&entries);
	add_file(&entries, "b");
	add_folder(&entries, "c", &torn);
	add_file(&entries, "a");
	struct streamref disorder = folder(&entries);
	add_folder(&entries, "one", &torn);
	add_folder(&entries, "two", &disorder);
	add_file(&entries, "z");
	struct streamref root = folder(&entries);
	done();
	expect(&root, "", "/one\n/one/a\n!\n/two\n/two/b\n/two/c\n/two/c/a\n!\n!\n/z\n");
	struct lines l = list(&root, "", 0);
	assert_int_equal(l.first, E_FORGED);
	assert_non_null(strstr(l.why.msg, "/one: "));
	free(l.text);
	/* names that no writer makes */
	static const char *const names[] = { "..", ".", "", "a/b" };
	for (size_t i = 0; i < 4; i++) {
		struct direntry d = craft_file("x", &empty);
		craft_begin_small(&craft, &box->t, LIMIT_PACK_LEAST);
		craft_add_named(&entries, &d, span_text(names[i]));
		struct streamref bad = folder(&entries);
		fetch_free(fetch);
		done();
		expect(&bad, "", "!\n");
	}
}

static void a_store_that_fails(void **state) {
	(void)state;
	struct streamref root = make_tree();
	done();
	for (unsigned ahead = 0; ahead <= AHEAD; ahead += AHEAD) {
		rawbox_fail(box, FAULTY_PACK_GET, E_IO);
		struct lines l = list(&root, "", ahead);
		assert_string_equal(l.text, "!\n");
		assert_int_equal(l.first, E_IO);
		free(l.text);
		faulty_clear(box->store);
	}
	expect(&root, "", "/a\n/a/x\n/a/y\n/a/y/z\n/a.b\n/b\n/c\n");
}

/* --- ending early */

/* Folders that are under way when the list is given up are waited for and freed: seen by the leak checker. */
static void it_can_be_given_up_anywhere(void **state) {
	(void)state;
	struct streamref root = make_wide();
	done();
	for (unsigned n = 0; n < WIDE; n += 1 + n / 8) {
		struct treelist *t = new_list(&root, "", AHEAD);
		struct treelist_item item;
		bool more;
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(treelist_next(t, &item, &more, NULL), OK);
			if (i % 5 == 4) treelist_skip(t);
			if (!more) break;
		}
		treelist_free(t);
	}
}

static void being_asked_to_stop(void **state) {
	(void)state;
	struct streamref root = make_wide();
	done();
	signals_install();
	for (unsigned ahead = 0; ahead <= AHEAD; ahead += AHEAD) {
		struct treelist *t = new_list(&root, "", ahead);
		struct lines l = { .len = 0 };
		struct treelist_item item;
		bool more;
		for (int i = 0; i < 20; i++) assert_int_equal(treelist_next(t, &item, &more, NULL), OK);
		assert_int_equal(raise(SIGINT), 0);
		assert_int_equal(list_on(t, &l), E_CANCELLED);
		assert_true(l.entries <= FILES + 3);
		signals_forget();
		treelist_free(t);
		free(l.text);
	}
}

/* Memory that runs out is said: a list that ends without an error is whole. */
static void memory_that_runs_out(void **state) {
	(void)state;
	struct streamref root = make_tree();
	done();
	struct lines all = list(&root, "", 0);
	uint64_t before = mem_count();
	struct lines again = list(&root, "", 0);
	uint64_t asked = mem_count() - before;
	assert_true(asked > 5);
	for (uint64_t i = 1; i <= asked; i++) {
		struct treelist *t = NULL;
		struct treelist_params p = { .fetch = fetch, .root = &root, .prefix = span_text("") };
		struct lines l = { .len = 0 };
		mem_fail_at(i);
		enum err e = treelist_new(&t, &p, NULL);
		if (!e) e = list_on(t, &l);
		mem_fail_at(0);
		assert_int_equal(e, E_NOMEM);
		if (t) treelist_free(t);
		free(l.text);
	}
	assert_string_equal(all.text, again.text);
	free(all.text);
	free(again.text);
}

/* --- single paths */

static enum err find(const struct streamref *root, const char *path, struct direntry *out,
	bool *is_root, struct buf *bytes) {
	struct why why = { OK, "" };
	enum err e = treelist_find(fetch, root, span_text(path), out, is_root, bytes, &why);
	if (e) assert_int_equal(why.code, e);
	return e;
}

static void single_paths(void **state) {
	(void)state;
	static const char *const found[] = { "/a", "a", "/a/", "//a/y//z", "a/y/z/", "/a.b", "c" };
	static const char *const last[] = { "a", "a", "a", "z", "z", "a.b", "c" };
	static const char *const missing[] = { "/d", "/a/z", "/a/x/y", "/a.b/x", "/c/x", "/A",
		"/a/y/z/z", ".", "/a/..", "/a/./x" };
	struct streamref root = make_tree();
	struct direntry d;
	struct buf bytes;
	bool is_root = false;
	done();
	buf_init(&bytes, 1 << 20);
	for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
		assert_int_equal(find(&root, found[i], &d, &is_root, &bytes), OK);
		assert_false(is_root);
		assert_true(span_equal(d.name, span_text(last[i])));
	}
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		assert_int_equal(find(&root, missing[i], &d, &is_root, &bytes), E_NOTFOUND);
	static const char *const roots[] = { "", "/", "///" };
	for (size_t i = 0; i < 3; i++) {
		is_root = false;
		assert_int_equal(find(&root, roots[i], &d, &is_root, &bytes), OK);
		assert_true(is_root);
	}
	fetch_free(fetch);
	fetch = rawbox_fetch(box, 1);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(find(&root, "/a", &d, &is_root, &bytes), E_IO);
	faulty_clear(box->store);
	buf_free(&bytes);
}

static void paths_through_what_is_damaged(void **state) {
	(void)state;
	struct buf entries;
	struct direntry d;
	bool is_root;
	struct streamref nowhere = gone(1);
	buf_init(&entries, 1 << 20);
	add_file(&entries, "a");
	add_file(&entries, "b");
	entries.len--;
	struct streamref torn = folder(&entries);
	add_folder(&entries, "gone", &nowhere);
	add_folder(&entries, "torn", &torn);
	struct streamref root = folder(&entries);
	done();
	assert_int_equal(find(&root, "/gone", &d, &is_root, &entries), OK);
	assert_int_equal(find(&root, "/gone/x", &d, &is_root, &entries), E_FORGED);
	assert_int_equal(find(&root, "/torn/a", &d, &is_root, &entries), OK);
	/* whether there is a b can't be said */
	assert_int_equal(find(&root, "/torn/b", &d, &is_root, &entries), E_FORGED);
	assert_int_equal(find(&root, "/torn/c", &d, &is_root, &entries), E_FORGED);
	assert_int_equal(find(&nowhere, "/x", &d, &is_root, &entries), E_FORGED);
	assert_int_equal(find(&nowhere, "/", &d, &is_root, &entries), OK);
	buf_free(&entries);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_folder_before_what_is_in_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_list_with_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_skipped_is_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_is_gone_is_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_is_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_given_up_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(being_asked_to_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_that_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(single_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_through_what_is_damaged, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
