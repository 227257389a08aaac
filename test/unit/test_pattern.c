/* core/pattern and core/glob: the rules of restic's filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/glob.h"
#include "core/pattern.h"

static struct pattern_set *set_of(const char *const *patterns) {
	struct pattern_set *set = NULL;

	assert_int_equal(pattern_set_new(&set), OK);
	for (; *patterns; patterns++) assert_int_equal(pattern_set_add(set, span_text(*patterns)), OK);
	return set;
}

static struct pattern_verdict verdict(const char *pattern, const char *path) {
	struct pattern_set *set = set_of((const char *const[]){ pattern, NULL });
	struct pattern_verdict v = pattern_set_match(set, span_text(path));

	pattern_set_free(set);
	return v;
}

static void matches(void **state) {
	static const struct {
		const char *pattern;
		const char *path;
		bool match;
	} cases[] = {
		{ "*.txt", "/data/a/note.txt", true },
		{ "*.doc", "/data/a/note.txt", false },
		{ "*", "/data/a/note.txt", true },
		{ "**", "/data/a/note.txt", true },
		{ "**", "/", false },
		{ "/**", "/", true },
		{ "/**", "/data", true },
		{ "/", "/data", true },
		{ "/", "data", false },
		{ "data*", "/data/a/note.txt", true },
		{ "a*", "/data/a/note.txt", true },
		{ "/a*", "/data/a/note.txt", false },
		{ "a/*", "/data/a/note.txt", true },
		{ "b/*", "/data/a/note.txt", false },
		{ "a/note.txt", "/data/a/note.txt", true },
		{ "a/*.txt", "/data/a/note.txt", true },
		{ "?/n*.txt", "/data/a/note.txt", true },
		{ "?\?/n*.txt", "/data/a/note.txt", false },
		{ "note.*", "/data/a/note.txt", true },
		{ "Note.*", "/data/a/note.txt", false },
		{ "a", "/data/a", true },
		{ "a/", "/data/a", true },
		{ "./a", "/data/a", true },
		{ "/data/a", "/data/a", true },
		{ "/data/a/", "/data/a", true },
		{ "/data/a", "/data/b", false },
		{ "/data///a", "/data/a", true },
		{ "/data/../a", "/data/a", false },
		{ "/data/../a", "/a", true },
		{ "/../a", "/a", true },
		{ "/data", "/data/b", true },
		{ "/data", "/database", false },
		{ "/data/*", "/data", false },
		{ "/data/*", "/data/b", true },
		{ "a", "/data/a/b/c/d", true },
		{ "/data/*note.*", "/data/a/note.txt", false },
		{ "/data/*/note.*", "/data/a/note.txt", true },
		{ "/data/*/a/note.*", "/data/a/note.txt", false },
		{ "/*/*/b/note.*", "/data/a/b/note.txt", true },
		{ "/data/a/note.*", "a/b/note.txt", false },
		{ "b/note.*", "a/b/note.txt", true },
		{ "a/note.*", "a/b/note.txt", false },
		{ "lib", "/data/a/lib/x/lib_y.c", true },
		{ "lib/*/c/*/*v.html", "/u/lib/docs/c/ref/a517.html", false },
		{ "a/**/b/*.c", "/home/u/a/work/x/y/b/t.c", true },
		{ "a/**/b/*.c", "/home/u/a/b/t.c", true },
		{ "a/**/b/*.c", "x/a/b/t.c", true },
		{ "a/**/b/*.c", "a/b/t.c", true },
		{ "a/**/b/*.c", "a/b/z/b/t.c", true },
		{ "a/**/b/*.c", "/home/u/a/t.c", false },
		{ "a/**/b/*.c", "b/a/m.c", false },
		{ "a/**/b/*.c", "/a/b/m.c", true },
		{ "a/**/b", "/home/u/a/x/y/b/m.c", true },
		{ "a/**/b/**/x", "/home/u/a/b/x", true },
		{ "a/**/b/**/x", "/home/u/a/q/r/b/s/t/x", true },
		{ "u/**/imp*", "/home/u/work/x/y/hid/x", false },
		{ "u/**/hid*/**/c", "/home/u/work/x/y/hid/z/a/b/c", true },
		{ "a/**", "/x/a", true },
		{ "**/a", "a", true },
		{ "/a/**/b", "/b/a/c/b", false },
		{ "/a/**/b", "/a/c/d/b", true },
		{ "[uU]ser/[^a-y]", "/home/User/z", true },
		{ "[uU]ser/[^a-y]", "/home/User/b", false },
		{ "\\*", "/a/*", true },
		{ "\\*", "/a/b", false },
		{ "a\\bc", "/abc", true },
		{ "caf?", "/caf\xc3\xa9", true },
		{ "caf?", "/caf\xe9", true },
		{ "caf??", "/caf\xc3\xa9", false },
		{ "[\xc3\xa0-\xc3\xaf]", "/\xc3\xa9", true },
		{ "[\xc3\xa0-\xc3\xaf]", "/z", false },
		{ "*a*b*c*", "/xxaxxbxxcxx", true },
		{ "*a*b*c*", "/xxaxxcxxbxx", false },
		{ "a*a*a*a*a*a*a*a*b", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (verdict(cases[i].pattern, cases[i].path).matched != cases[i].match)
			fail_msg("%s against %s", cases[i].pattern, cases[i].path);
}

/* Not what is below it, wherever the pattern may fit besides. */
static void chooses_the_entry_itself(void **state) {
	static const struct {
		const char *pattern;
		const char *path;
		bool chosen;
	} cases[] = {
		{ "a", "/x/a", true },
		{ "a", "/a/x", false },
		{ "a", "/a/a", true },
		{ "a", "/a/x/a", true },
		{ "*", "/a/x", true },
		{ "*", "/", false },
		{ "/", "/a", false },
		{ "/a", "/a", true },
		{ "/a", "/a/a", false },
		{ "/a/b", "/a/b", true },
		{ "/a/b", "/a/b/c", false },
		{ "/a/b", "a/b", false },
		{ "a/b", "/a/b/a/b", true },
		{ "a/b", "/a/b/b", false },
		{ "a/**/b", "/a/b", true },
		{ "a/**/b", "/a/x/b", true },
		{ "a/**/b", "/a/b/x/b", true },
		{ "a/**/b", "/q/a/b/b", true },
		{ "a/**/b", "/a/b/x", false },
		{ "a/**/b", "/b/a", false },
		{ "/a/**/b", "/a/b/x/b", true },
		{ "/a/**/b", "/x/a/b", false },
		{ "/a/**/b", "/a/b/b/c", false },
		{ "/**/b", "/b", true },
		{ "/**/b", "/b/x/b", true },
		{ "**/b", "/b/x/b", true },
		{ "**/b", "/b/x", false },
		{ "a/**", "/a", true },
		{ "a/**", "/a/x/y", true },
		{ "a/**", "/x/y", false },
		{ "/**", "/a/b", true },
		{ "**", "/a/b", true },
		{ "a/**/b/**/c", "/a/b/c/x/b/c", true },
		{ "a/**/b/**/c", "/a/c/b", false },
		{ "a/**/b/c/**/c", "/a/b/c/c", true },
		{ "a/**/b/c/**/c", "/a/b/c", false },
		{ "x/*/**/b/*.c", "/x/1/b/b/t.c", true },
	};
	struct pattern_set *set = set_of((const char *const[]){ "*.c", "a/**", "!b", "keep", NULL });

	(void)state;
	assert_true(pattern_set_chooses(set, span_text("/x/t.c")));
	assert_false(pattern_set_chooses(set, span_text("/b/t.c")));
	assert_false(pattern_set_chooses(set, span_text("/a/b/x")));
	assert_true(pattern_set_chooses(set, span_text("/b/keep")));
	pattern_set_free(set);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set = set_of((const char *const[]){ cases[i].pattern, NULL });
		if (pattern_set_chooses(set, span_text(cases[i].path)) != cases[i].chosen)
			fail_msg("%s against %s", cases[i].pattern, cases[i].path);
		pattern_set_free(set);
	}
}

static void says_what_may_be_below(void **state) {
	static const struct {
		const char *pattern;
		const char *path;
		bool children;
	} cases[] = {
		{ "a/b", "/x", true },
		{ "*", "/x/y", true },
		{ "/a/b", "/a", true },
		{ "/a/b/c", "/a/b", true },
		{ "/a/b/c", "/a/c", false },
		{ "/a/**/c", "/a/b/c", true },
		{ "/a/**/q", "/a/b/c/d", true },
		{ "/a/**", "/a/b", true },
		{ "/a/*/q", "/a/b", true },
		{ "/a/*/q", "/a/b/d", false },
		{ "/a/*/q", "/a/b/d/e", false },
		{ "/c/b", "/a", false },
		{ "/a", "/a/b", true },
		{ "/*", "/a/b", true },
		{ "/*/**", "/a", true },
		{ "/b/*", "/a", false },
		{ "/**/b", "/a/b", true },
		{ "/a", "/", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (verdict(cases[i].pattern, cases[i].path).children != cases[i].children)
			fail_msg("below %s against %s", cases[i].path, cases[i].pattern);
}

static void later_patterns_take_back(void **state) {
	struct pattern_set *set =
		set_of((const char *const[]){ "/home/*", "!/home/ann", "*.o", "!keep.o", "", NULL });

	(void)state;
	assert_true(pattern_set_match(set, span_text("/home/bob")).matched);
	assert_false(pattern_set_match(set, span_text("/home/ann")).matched);
	assert_true(pattern_set_match(set, span_text("/home/ann/x.o")).matched);
	assert_false(pattern_set_match(set, span_text("/home/ann/keep.o")).matched);
	assert_false(pattern_set_match(set, span_text("/home/ann/x.c")).matched);
	pattern_set_free(set);
}

static void empty_sets_match_nothing(void **state) {
	struct pattern_set *set = set_of((const char *const[]){ "", NULL });
	struct pattern_verdict v = pattern_set_match(set, span_text("/a"));

	(void)state;
	assert_true(pattern_set_is_empty(set));
	assert_false(v.matched);
	assert_false(v.children);
	pattern_set_free(set);
	pattern_set_free(NULL);
}

static void refuses_malformed(void **state) {
	static const char *const bad[] = { "[", "a/[", "a/**/[", "[]", "[]a]", "[a", "[a-", "[a-]",
		"[-a]", "[z-a]", "a\\", "[\\", "[^", "[^]", "!", "!/[", ".", "a/..", "[\xff]" };
	struct pattern_set *set = NULL;
	char *longest = malloc(PATTERN_MAX + 1);

	(void)state;
	assert_non_null(longest);
	assert_int_equal(pattern_set_new(&set), OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pattern_set_add(set, span_text(bad[i])) != E_FORMAT) fail_msg("%s was taken", bad[i]);
	assert_int_equal(pattern_set_add(set, span_of("a\0b", 3)), E_FORMAT);
	memset(longest, 'a', PATTERN_MAX + 1);
	assert_int_equal(pattern_set_add(set, span_of(longest, PATTERN_MAX + 1)), E_LIMIT);
	for (size_t i = 1; i < PATTERN_MAX; i += 2) longest[i] = '/';
	assert_int_equal(pattern_set_add(set, span_of(longest, PATTERN_MAX)), E_LIMIT);
	assert_true(pattern_set_is_empty(set));
	free(longest);
	pattern_set_free(set);
}

static const char *variable(void *context, struct span name) {
	(void)context;
	return span_equal(name, span_text("HOME")) ? "/home/ann" : NULL;
}

static void reads_files(void **state) {
	static const char text[] = "# a comment\n\n  *.o \t\r\n$HOME/x\n${HOME}y\n$$z\nq$\n$NONE/w";
	static const char *const matched[] = { "/a.o", "/home/ann/x", "/home/anny", "/$z", "/q$",
		"/w" };
	struct pattern_set *set = NULL;
	size_t line = 0;

	(void)state;
	assert_int_equal(pattern_set_new(&set), OK);
	assert_int_equal(pattern_set_add_lines(set, span_text(text), variable, NULL, &line), OK);
	for (size_t i = 0; i < sizeof(matched) / sizeof(matched[0]); i++)
		if (!pattern_set_match(set, span_text(matched[i])).matched) fail_msg("%s", matched[i]);
	assert_false(pattern_set_match(set, span_text("/home/bob")).matched);
	assert_int_equal(
		pattern_set_add_lines(set, span_text("a\n\n[\nb"), variable, NULL, &line), E_FORMAT);
	assert_int_equal(line, 3);
	pattern_set_free(set);
}

/* Names are bytes: nothing that a name may hold can stop the matching or leave the name. */
static void any_bytes(void **state) {
	static const char *const patterns[] = { "?", "*", "[^a]", "\\?", "a*?[b-z]" };
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = round % 9;
		uint8_t *name =
			malloc(n ? n : 1); /* exactly as long, so that a sanitizer sees what is read behind */

		assert_non_null(name);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			name[i] = (uint8_t)(seed >> 23);
		}
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
			(void)glob_match(span_text(patterns[i]), span_of(name, n));
		assert_true(glob_match(span_text("*"), span_of(name, n)));
		if (glob_valid(span_of(name, n))) (void)glob_match(span_of(name, n), span_text("abc"));
		free(name);
	}
}

/* Whatever allocation fails, the set stays usable and nothing leaks. */
static void without_memory(void **state) {
	bool done = false;

	(void)state;
	for (uint64_t nth = 1; !done; nth++) {
		struct pattern_set *set = NULL;
		size_t line;
		enum err e;

		mem_fail_at(nth);
		e = pattern_set_new(&set);
		for (int i = 0; e == OK && i < 9; i++) e = pattern_set_add(set, span_text("a/**/b"));
		if (e == OK)
			e = pattern_set_add_lines(set, span_text("$HOME/x\n*.o\n"), variable, NULL, &line);
		mem_fail_at(0);
		done = e == OK;
		if (!done) assert_int_equal(e, E_NOMEM);
		if (set) (void)pattern_set_match(set, span_text("/a/c/b"));
		pattern_set_free(set);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(chooses_the_entry_itself),
		cmocka_unit_test(says_what_may_be_below),
		cmocka_unit_test(later_patterns_take_back),
		cmocka_unit_test(empty_sets_match_nothing),
		cmocka_unit_test(refuses_malformed),
		cmocka_unit_test(reads_files),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
