/*
 * cli/invocation and cli/option: the input is a command line, a word a line. Behind a zero byte stands what every variable
 * of the environment is set to.
 */
#include <assert.h>
#include <string.h>

#include "cli/invocation.h"
#include "cli/verb.h"

enum { TEXT_MAX = 4096, WORDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(void *context, const char *name) {
	(void)name;
	return context;
}

/* Reads each option as its type is meant to be read. */
static void ask(const struct invocation *inv) {
	const struct option *o;
	for (size_t i = 0; (o = verb_option(inv->verb, &i));) {
		(void)invocation_has(inv, o->name);
		switch (o->type) {
		case OPTION_FLAG: (void)invocation_flag(inv, o->name); break;
		case OPTION_TIME: (void)invocation_time(inv, o->name); break;
		case OPTION_AGE: (void)invocation_age(inv, o->name); break;
		case OPTION_SUBSET:
		case OPTION_UNUSED: (void)invocation_part(inv, o->name); break;
		case OPTION_TEXT:
		case OPTION_TAGS:
		case OPTION_PATH:
		case OPTION_FOLDER:
		case OPTION_PATTERN: (void)invocation_text(inv, o->name); break;
		case OPTION_NUMBER:
		case OPTION_COUNT:
		case OPTION_SIZE:
		case OPTION_SECONDS:
		case OPTION_PERCENT:
		case OPTION_CHOICE:
		case OPTION_CHOICES: (void)invocation_number(inv, o->name); break;
		}
		for (size_t k = 0; o->repeat && invocation_nth(inv, o->name, k); k++) continue;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char text[TEXT_MAX + 1] = "";
	const char *words[WORDS_MAX];
	struct invocation inv;
	struct why why = { OK, "" };
	int n = 0;

	if (size > TEXT_MAX) return 0;
	if (size > 0) memcpy(text, data, size);
	char *value = memchr(text, '\0', size);
	for (char *at = text; at && n < WORDS_MAX;) {
		char *stop = strchr(at, '\n');
		words[n++] = at;
		if (stop) *stop++ = '\0';
		at = stop;
	}
	enum err e = invocation_parse(&inv, n, words, variable, value ? value + 1 : NULL, &why);
	assert(e == OK || (e == E_USAGE && why.code == e && why.msg[0]));
	if (!e && !inv.help) {
		assert(inv.args_n >= inv.verb->args_min && inv.args_n <= inv.verb->args_max);
		ask(&inv);
	}
	invocation_done(&inv);
	return 0;
}
