/* doc/man and doc/completion are what the tables give; and what the tables give can be read by those it is for. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/completion.h"
#include "cli/helptext.h"
#include "cli/manpage.h"
#include "cli/topics.h"
#include "cli/verb.h"

static void source_path(char *out, size_t room, const char *folder, const char *name) {
	const char *root = getenv("BROCH_SOURCE_ROOT");

	assert_non_null(root);
	assert_true(snprintf(out, room, "%s/%s/%s", root, folder, name) < (int)room);
}

static void same_as_file(const char *folder, const char *name, const struct buf *want) {
	char path[4096];
	char *text = malloc(TEXTOUT_MAX);
	size_t n;
	FILE *f;

	source_path(path, sizeof(path), folder, name);
	f = fopen(path, "r");
	if (!f) fail_msg("%s is missing: make it with tools/generate", path);
	assert_non_null(text);
	n = fread(text, 1, TEXTOUT_MAX, f);
	fclose(f);
	if (n != want->len || memcmp(text, want->ptr, n) != 0)
		fail_msg("%s is not what the tables give: run tools/generate", path);
	free(text);
}

static void manual_pages(void **state) {
	const struct verb *v;
	size_t pages = 0;
	size_t files = 0;
	char path[4096];
	DIR *folder;

	(void)state;
	for (size_t i = 0; i == 0 || (v = verb_at(i - 1)); i++) {
		char name[MANPAGE_NAME];
		struct buf text;
		struct textout t;

		if (i > 0 && v->hidden) continue;
		buf_init(&text, TEXTOUT_MAX);
		t = textout_to(&text);
		manpage_name(name, i == 0 ? NULL : v);
		if (i == 0) manpage_overview(&t);
		else manpage_verb(&t, v);
		assert_int_equal(textout_finish(&t), OK);
		same_as_file("doc/man", name, &text);
		buf_free(&text);
		pages++;
	}
	source_path(path, sizeof(path), "doc/man", "");
	folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *d; (d = readdir(folder));) files += strstr(d->d_name, ".1") != NULL;
	closedir(folder);
	assert_int_equal(files, pages); /* none is left of a verb that is gone */
}

static void completions(void **state) {
	(void)state;
	for (int shell = 0; shell < COMPLETION_SHELLS; shell++) {
		struct buf text;
		struct textout t;

		buf_init(&text, TEXTOUT_MAX);
		t = textout_to(&text);
		completion_write(&t, (enum completion_shell)shell);
		assert_int_equal(textout_finish(&t), OK);
		same_as_file("doc/completion", completion_files[shell], &text);
		buf_free(&text);
	}
}

/* No line of help is wider than it was asked to be, but for what can't be broken. */
static void help_fits(void **state) {
	const struct verb *v;

	(void)state;
	for (size_t i = 0; (v = verb_at(i)); i++) {
		struct buf text;
		struct textout t;
		size_t column = 0;

		buf_init(&text, TEXTOUT_MAX);
		t = textout_to(&text);
		helptext_verb(&t, v, 80);
		helptext_overview(&t, 80);
		for (size_t j = 0; j < topics_count; j++) helptext_topic(&t, &topics_table[j], 80);
		assert_int_equal(textout_finish(&t), OK);
		for (size_t j = 0; j < text.len; j++) {
			column = text.ptr[j] == '\n' ? 0 : column + 1;
			if (column > 110) fail_msg("%s: a line of help is too long", v->name);
		}
		buf_free(&text);
	}
}

static void wraps(void **state) {
	struct buf text;
	struct textout t;

	(void)state;
	buf_init(&text, 1000);
	t = textout_to(&text);
	textout_wrap(&t, "one two three\n\nfour averyverylongword five", 0, 2, 10);
	assert_int_equal(textout_finish(&t), OK);
	assert_int_equal(buf_add(&text, span_of("", 1)), OK);
	assert_string_equal(
		(const char *)text.ptr, "one two\n  three\n\n  four\n  averyverylongword\n  five\n");
	buf_free(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual_pages),
		cmocka_unit_test(completions),
		cmocka_unit_test(help_fits),
		cmocka_unit_test(wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
