/* cli/invocation: reading command lines with the real tables; and that the tables hold together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/invocation.h"
#include "cli/optiongroups.h"
#include "cli/suggest.h"
#include "cli/verb.h"

enum { WORDS = 12 };

static const char *no_variable(void *context, const char *name) {
	(void)context;
	(void)name;
	return NULL;
}

static enum err parse(struct invocation *inv, struct why *why, const char *const *words) {
	int n = 0;

	while (words[n]) n++;
	*why = (struct why){ 0 };
	return invocation_parse(inv, n, words, no_variable, NULL, why);
}

#define WORDS_OF(...) ((const char *const[WORDS]){ __VA_ARGS__, NULL })

static void good(struct invocation *inv, const char *const *words) {
	struct why why;

	if (parse(inv, &why, words) != OK) fail_msg("%s", why.msg);
}

static void bad(const char *const *words, const char *message) {
	struct invocation inv;
	struct why why;

	assert_int_equal(parse(&inv, &why, words), E_USAGE);
	assert_string_equal(why.msg, message);
	invocation_done(&inv);
}

static void options_before_and_behind(void **state) {
	struct invocation inv;

	(void)state;
	good(&inv,
		WORDS_OF(
			"--at", "/s", "-q", "backup", "--exclude=*.o", "-e", "*.a", "/x", "--vault=v", "/y"));
	assert_string_equal(inv.verb->name, "backup");
	assert_string_equal(invocation_text(&inv, "at"), "/s");
	assert_string_equal(invocation_text(&inv, "vault"), "v");
	assert_true(invocation_flag(&inv, "quiet"));
	assert_false(invocation_flag(&inv, "dry-run"));
	assert_string_equal(invocation_nth(&inv, "exclude", 0), "*.o");
	assert_string_equal(invocation_nth(&inv, "exclude", 1), "*.a");
	assert_null(invocation_nth(&inv, "exclude", 2));
	assert_int_equal(inv.args_n, 2);
	assert_string_equal(inv.args[0], "/x");
	assert_string_equal(inv.args[1], "/y");
	invocation_done(&inv);
}

static void two_words(void **state) {
	struct invocation inv;

	(void)state;
	good(&inv, WORDS_OF("vault", "--json", "create", "photos", "--hold", "12h"));
	assert_string_equal(inv.verb->name, "vault create");
	assert_int_equal(invocation_number(&inv, "hold"), 12 * 3600);
	assert_true(invocation_has(&inv, "hold"));
	invocation_done(&inv);
	good(&inv, WORDS_OF("kit", "--help"));
	assert_true(inv.help);
	assert_null(inv.verb);
	assert_string_equal(inv.group, "kit");
	invocation_done(&inv);
}

static void standard_values(void **state) {
	struct invocation inv;

	(void)state;
	good(&inv, WORDS_OF("backup", "/x"));
	assert_false(invocation_has(&inv, "compression"));
	assert_int_equal(invocation_number(&inv, "compression"), 2);
	assert_int_equal(invocation_number(&inv, "read-back"), 10000);
	assert_int_equal(invocation_number(&inv, "checkpoint-every"), 300);
	assert_string_equal(invocation_text(&inv, "vault"), "main");
	assert_string_equal(invocation_text(&inv, "stdin-filename"), "stdin");
	assert_null(invocation_text(&inv, "at"));
	assert_int_equal(invocation_time(&inv, "time"), 0);
	invocation_done(&inv);
	good(&inv, WORDS_OF("init"));
	assert_int_equal(invocation_number(&inv, "hold"), 7 * 86400);
	invocation_done(&inv);
	good(&inv, WORDS_OF("forget"));
	assert_int_equal(invocation_number(&inv, "group-by"), 7);
	assert_int_equal(invocation_part(&inv, "max-unused").kind, OPTION_PART_PERCENT);
	assert_int_equal(invocation_part(&inv, "max-unused").a, 50000);
	assert_int_equal(invocation_number(&inv, "keep-last"), 0);
	invocation_done(&inv);
}

static void values_of_every_type(void **state) {
	struct invocation inv;
	struct option_part part;

	(void)state;
	good(&inv,
		WORDS_OF("restore", "latest~2", "--target", "/d", "--allow", "setuid,devices",
			"--allow=trusted", "--overwrite", "if-changed"));
	assert_string_equal(invocation_text(&inv, "to"), "/d");
	assert_int_equal(invocation_number(&inv, "allow"), 1 | 2 | 8);
	assert_int_equal(invocation_number(&inv, "overwrite"), 1);
	invocation_done(&inv);
	good(&inv, WORDS_OF("restore", "x", "--allow", "all"));
	assert_int_equal(invocation_number(&inv, "allow") & 15, 15);
	invocation_done(&inv);
	good(&inv, WORDS_OF("check", "--read-data-subset", "2/5"));
	part = invocation_part(&inv, "read-data-subset");
	assert_true(part.kind == OPTION_PART_RATIO && part.a == 2 && part.b == 5);
	invocation_done(&inv);
	good(&inv, WORDS_OF("check", "--read-data-subset=500M"));
	part = invocation_part(&inv, "read-data-subset");
	assert_true(part.kind == OPTION_PART_BYTES && part.a == UINT64_C(500) << 20);
	invocation_done(&inv);
	good(&inv, WORDS_OF("prune", "--max-unused", "unlimited"));
	assert_int_equal(invocation_part(&inv, "max-unused").kind, OPTION_PART_ALL);
	invocation_done(&inv);
	good(&inv,
		WORDS_OF("forget", "--keep-last", "unlimited", "--keep-within", "2y5m7d3h", "-d7",
			"--group-by", ""));
	assert_true(invocation_number(&inv, "keep-last") == UINT64_MAX);
	assert_int_equal(invocation_age(&inv, "keep-within").months, 5);
	assert_int_equal(invocation_number(&inv, "keep-daily"), 7);
	assert_int_equal(invocation_number(&inv, "group-by"), 0);
	invocation_done(&inv);
	good(&inv, WORDS_OF("backup", "-nx", "--time", "2026-03-01T00:00:00Z", "--", "--odd", "-"));
	assert_true(invocation_flag(&inv, "dry-run"));
	assert_true(invocation_flag(&inv, "one-file-system"));
	assert_true(invocation_time(&inv, "time") == INT64_C(1772323200) * 1000000000);
	assert_int_equal(inv.args_n, 2);
	assert_string_equal(inv.args[0], "--odd");
	assert_string_equal(inv.args[1], "-");
	invocation_done(&inv);
	good(&inv, WORDS_OF("--vault", "a", "snapshots", "--vault", "b"));
	assert_string_equal(invocation_text(&inv, "vault"), "b"); /* the last one counts */
	invocation_done(&inv);
}

static void mistakes(void **state) {
	(void)state;
	bad(WORDS_OF(NULL), "no command was given; \"broch help\" lists them");
	bad(WORDS_OF("bakcup"), "there is no command \"bakcup\"; did you mean \"backup\"?");
	bad(WORDS_OF("xyzzy"), "there is no command \"xyzzy\"; \"broch help\" lists them");
	bad(WORDS_OF("vault"), "\"vault\" needs a second word; \"broch help vault\" lists them");
	bad(WORDS_OF("vault", "crate"),
		"there is no command \"vault crate\"; did you mean \"vault create\"?");
	bad(WORDS_OF("backup", "--exlude", "x"),
		"backup: there is no option --exlude; did you mean --exclude?");
	bad(WORDS_OF("backup", "--frobnicate"), "backup: there is no option --frobnicate");
	bad(WORDS_OF("backup", "-Z"), "backup: there is no option -Z");
	bad(WORDS_OF("--tag", "x", "backup"), "--tag belongs behind the command");
	bad(WORDS_OF("-n", "backup"), "-n belongs behind the command");
	bad(WORDS_OF("backup", "--tag"), "--tag needs a value: --tag TAG[,TAG...]");
	bad(WORDS_OF("backup", "-e"), "--exclude needs a value: --exclude PATTERN");
	bad(WORDS_OF("backup", "--dry-run=yes"), "--dry-run takes no value");
	bad(WORDS_OF("backup", "--host="), "--host is empty");
	bad(WORDS_OF("backup", "--compression", "best"),
		"--compression: \"best\" is not one of off|fast|auto|max");
	bad(WORDS_OF("backup", "--read-back", "101"), "--read-back: \"101\" is out of range");
	bad(WORDS_OF("restore", "x", "--allow", "setuid,"),
		"--allow: \"setuid,\" is not one of setuid|devices|capabilities|trusted|all");
	bad(WORDS_OF("check", "--read-data-subset", "6/5"),
		"--read-data-subset: \"6/5\" is out of range");
	bad(WORDS_OF("version", "x"), "version takes no argument; \"x\" is one too many");
	bad(WORDS_OF("cat", "x"), "usage: broch cat [options] SNAPSHOT PATH");
	bad(WORDS_OF("diff", "a", "b", "c"),
		"\"c\" is one argument too many; usage: broch diff [options] SNAPSHOT SNAPSHOT");
}

static const char *variable(void *context, const char *name) {
	const char *const *pair = context;

	return strcmp(name, pair[0]) == 0 ? pair[1] : NULL;
}

static void environment(void **state) {
	const char *at[2] = { "BROCH_AT", "/store" };
	const char *empty[2] = { "BROCH_VAULT", "" };
	const char *const words[] = { "snapshots", "--at", "/other" };
	struct invocation inv;
	struct why why = { 0 };

	(void)state;
	assert_int_equal(invocation_parse(&inv, 1, words, variable, at, &why), OK);
	assert_string_equal(invocation_text(&inv, "at"), "/store");
	assert_true(invocation_has(&inv, "at"));
	invocation_done(&inv);
	assert_int_equal(invocation_parse(&inv, 3, words, variable, at, &why), OK);
	assert_string_equal(invocation_text(&inv, "at"), "/other");
	invocation_done(&inv);
	assert_int_equal(invocation_parse(&inv, 1, words, variable, empty, &why), OK);
	assert_string_equal(invocation_text(&inv, "vault"), "main");
	invocation_done(&inv);
}

/* Whatever allocation fails, the answer is E_NOMEM and nothing leaks. */
static void without_memory(void **state) {
	const char *const words[] = { "forget", "--keep-last", "3", "--tag", "a", "--tag", "b", "x" };

	(void)state;
	for (uint64_t nth = 1;; nth++) {
		struct invocation inv;
		struct why why = { 0 };
		enum err e;

		mem_fail_at(nth);
		e = invocation_parse(&inv, 8, words, no_variable, NULL, &why);
		mem_fail_at(0);
		invocation_done(&inv);
		if (e == OK) {
			assert_true(nth > 2);
			break;
		}
		assert_int_equal(e, E_NOMEM);
	}
}

static void suggestions(void **state) {
	struct suggest s = suggest_for("snapshto", 8);

	(void)state;
	suggest_offer(&s, "stats");
	suggest_offer(&s, "snapshots");
	suggest_offer(&s, "snap");
	assert_string_equal(suggest_best(&s), "snapshots");
	s = suggest_for("q", 1);
	suggest_offer(&s, "ls");
	assert_null(suggest_best(&s));
}

static bool same_name(const struct option *a, const struct option *b) {
	return strcmp(a->name, b->name) == 0 || (a->alias && strcmp(a->alias, b->name) == 0) ||
		(a->letter && a->letter == b->letter);
}

/* Rows that contradict each other would be found by nobody at run time. */
static void tables(void **state) {
	const struct verb *v;
	size_t verbs = 0;

	(void)state;
	for (size_t i = 0; (v = verb_at(i)); i++, verbs++) {
		const struct option *a, *b;

		assert_ptr_equal(verb_find(v->name), v);
		assert_true(strlen(v->name) < INVOCATION_NAME);
		assert_true(v->line && v->line[0] && v->args && v->args_min <= v->args_max);
		assert_true((v->args[0] == '\0') == (v->args_max == 0));
		assert_true(v->options[0] != NULL);
		for (size_t j = 0; (a = verb_option(v, &j));) {
			struct option_value value;
			char problem[OPTION_PROBLEM];

			assert_true((a->type == OPTION_FLAG) == (a->arg == NULL));
			assert_true(
				(a->type == OPTION_CHOICE || a->type == OPTION_CHOICES) == (a->choices != NULL));
			assert_true(a->line && a->line[0]);
			if (a->standard) assert_int_equal(option_read(a, a->standard, &value, problem), OK);
			for (size_t k = j; (b = verb_option(v, &k));)
				if (same_name(a, b)) fail_msg("%s: --%s and --%s", v->name, a->name, b->name);
		}
	}
	assert_int_equal(verbs, 27);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_before_and_behind),
		cmocka_unit_test(two_words),
		cmocka_unit_test(standard_values),
		cmocka_unit_test(values_of_every_type),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(environment),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
