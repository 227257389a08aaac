/* client/choose: which snapshot an id, the beginning of one, or "latest" means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/choose.h"

enum { SNAPSHOTS = 6 };

/* A state of six snapshots: the fourth is forgotten, the second and the fifth share their first three digits. */
struct fixture {
	struct vaultstate state;
	struct vault_snapshot snapshots[SNAPSHOTS];
	struct bytelist_build tags;
};

static void make(struct fixture *f) {
	static const uint8_t firsts[SNAPSHOTS][2] = { { 0xaa, 0x00 }, { 0xbb, 0xb1 }, { 0xcc, 0x00 },
		{ 0xdd, 0x00 }, { 0xbb, 0xb2 }, { 0xee, 0x00 } };

	memset(f, 0, sizeof(*f));
	bytelist_build_init(&f->tags);
	assert_int_equal(bytelist_build_add(&f->tags, span_text("one")), OK);
	assert_int_equal(bytelist_build_add(&f->tags, span_text("two")), OK);
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		struct vault_snapshot *s = &f->snapshots[i];

		memcpy(s->id.b, firsts[i], 2);
		s->sequence = i + 1;
		s->stamp.host = span_text(i % 2 ? "odd" : "even");
		s->stamp.branch = span_text("line");
		if (i == 2) s->stamp.tags = bytelist_build_list(&f->tags);
	}
	f->snapshots[3].forgotten = true;
	f->state.snapshots = f->snapshots;
	f->state.snapshot_count = SNAPSHOTS;
}

/* The place of the chosen one, or the negative code. */
static int choose(struct fixture *f, enum choose_among among, const struct choose_filter *filter,
	const char *text) {
	const struct vault_snapshot *s = NULL;
	struct why why = { 0 };
	enum err e = choose_snapshot(&f->state, among, filter, text, &s, &why);

	if (!e) return (int)(s - f->snapshots);
	assert_true(why.msg[0]);
	assert_int_equal(why.code, e);
	return -(int)e;
}

static void ids(void **state) {
	struct fixture f;
	char hex[HASH_HEX];

	(void)state;
	make(&f);
	hash_hex(hex, &f.snapshots[1].id);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, hex), 1);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "a"), 0);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "bbb1"), 1);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "bbb2"), 4);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "bbb"), -E_USAGE);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "b"), -E_USAGE);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "f"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "dd"), -E_NOTFOUND); /* forgotten */
	assert_int_equal(choose(&f, CHOOSE_FORGOTTEN, NULL, "dd"), 3);
	assert_int_equal(choose(&f, CHOOSE_FORGOTTEN, NULL, "aa"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, ""), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "AA"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "xyz"), -E_NOTFOUND);
	bytelist_build_done(&f.tags);
}

static void latest(void **state) {
	struct fixture f;
	struct choose_filter filter = { .by = { { NULL, 0 } } };

	(void)state;
	make(&f);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest"), 5);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest~0"), 5);
	assert_int_equal(
		choose(&f, CHOOSE_KEPT, NULL, "latest~2"), 2); /* the forgotten one does not count */
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest~4"), 0);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest~5"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest~"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest~-1"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest1"), -E_NOTFOUND);
	assert_int_equal(choose(&f, CHOOSE_FORGOTTEN, NULL, "latest"), 3);
	assert_int_equal(choose_filter_add(&filter, CHOOSE_HOST, "even"), OK);
	assert_int_equal(choose(&f, CHOOSE_KEPT, &filter, "latest"), 4);
	assert_int_equal(choose(&f, CHOOSE_KEPT, &filter, "latest~1"), 2);
	assert_int_equal(choose(&f, CHOOSE_KEPT, &filter, "ee"), 5); /* an id is an id */
	assert_int_equal(choose_filter_add(&filter, CHOOSE_BRANCH, "other"), OK);
	assert_int_equal(choose(&f, CHOOSE_KEPT, &filter, "latest"), -E_NOTFOUND);
	choose_filter_done(&filter);
	f.state.snapshot_count = 0;
	assert_int_equal(choose(&f, CHOOSE_KEPT, NULL, "latest"), -E_NOTFOUND);
	bytelist_build_done(&f.tags);
}

static bool passes(struct fixture *f, size_t i, const char *a, const char *b) {
	struct choose_filter filter = { .by = { { NULL, 0 } } };
	bool is;

	assert_int_equal(choose_filter_add(&filter, CHOOSE_TAGS, a), OK);
	if (b) assert_int_equal(choose_filter_add(&filter, CHOOSE_TAGS, b), OK);
	is = choose_passes(&filter, &f->snapshots[i]);
	choose_filter_done(&filter);
	return is;
}

static void tags(void **state) {
	struct fixture f;

	(void)state;
	make(&f);
	assert_true(passes(&f, 2, "one", NULL));
	assert_true(passes(&f, 2, "two,one", NULL));
	assert_false(passes(&f, 2, "one,three", NULL));
	assert_true(passes(&f, 2, "three", "two"));
	assert_false(passes(&f, 2, "on", NULL));
	assert_false(passes(&f, 2, "", NULL));
	assert_true(passes(&f, 0, "", NULL));
	assert_false(passes(&f, 0, "one", NULL));
	bytelist_build_done(&f.tags);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(latest),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
