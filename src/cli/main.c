/* The program: reads the command line, runs the verb, prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/invocation.h"
#include "cli/say.h"
#include "cli/verb.h"
#include "crypto/crypto.h"
#include "os/process.h"
#include "os/signals.h"

static const char *variable(void *context, const char *name) {
	(void)context;
	return getenv(name);
}

/* --help takes the place of whatever else was asked for. */
static int help(const struct invocation *inv) {
	const char *words[2] = { NULL, NULL };
	struct invocation ask = { .verb = verb_find("help"), .say = inv->say, .args = words };
	char first[INVOCATION_NAME];

	if (inv->verb) {
		/* One word or two, as one: cmd_help looks for the whole name. */
		words[0] = inv->verb->name;
		ask.args_n = 1;
	} else if (inv->group[0]) {
		snprintf(first, sizeof(first), "%s", inv->group);
		words[0] = first;
		ask.args_n = 1;
	}
	return cmd_help(&ask);
}

static int run(const struct invocation *inv) {
	if (inv->help) return help(inv);
	if (!inv->verb->run) {
		say_error(inv->say, "this build of broch has no \"%s\"", inv->verb->name);
		return EXITCODE_ERROR;
	}
	return inv->verb->run(inv);
}

/* How to print has to be known before anything can go wrong with the command line. */
static struct say_options say_options(const struct invocation *inv) {
	struct say_options o = { 0 };

	for (size_t i = 0; i < inv->given_n; i++) {
		const struct option *given = inv->given[i].option;

		o.json |= given == invocation_common("json");
		o.quiet |= given == invocation_common("quiet");
		o.verbose |= given == invocation_common("verbose");
		o.no_progress |= given == invocation_common("no-progress");
	}
	return o;
}

int main(int argc, char **argv) {
	struct invocation inv;
	struct why why = { 0 };
	struct say *say = NULL;
	struct say_options options;
	enum err e;
	int code;

	process_prepare();
	signals_install();
	e = invocation_parse(
		&inv, argc > 0 ? argc - 1 : 0, (const char *const *)argv + 1, variable, NULL, &why);
	options = say_options(&inv);
	for (int i = 1; e != OK && i < argc; i++) /* it may stand behind what is wrong */
		options.json |= strcmp(argv[i], "--json") == 0;
	if (say_new(&options, &say) != OK) {
		invocation_done(&inv);
		return EXITCODE_ERROR;
	}
	inv.say = say;
	if (e == OK) e = why_err(&why, crypto_start(), "starting libsodium");
	if (e == OK) {
		code = run(&inv);
	} else {
		say_why(say, &why);
		code = e == E_USAGE ? EXITCODE_USAGE : EXITCODE_ERROR;
	}
	if (!say_finish(say) && code == EXITCODE_OK) code = EXITCODE_ERROR;
	invocation_done(&inv);
	say_free(say);
	return code;
}
