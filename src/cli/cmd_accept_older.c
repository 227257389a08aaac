/* broch accept-older: shows what the store lost, asks for words to be typed, and goes on with what is there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "client/accept.h"
#include "client/units.h"
#include "client/when.h"
#include "os/signals.h"
#include "os/terminal.h"

static const char words[] = "accept older";

struct looking {
	const struct invocation *inv;
	size_t older;
};

static enum err show(void *ctx, const struct accept_chain *c, struct why *why) {
	struct looking *l = ctx;
	struct say *say = l->inv->say;
	char when[WHEN_TEXT], lost[UNITS_TEXT];
	const char *what = c->is_older ? "older" : c->is_other ? "other" : "same";

	(void)why;
	l->older += c->is_older || c->is_other || !c->has_seen;
	if (say_json(say)) {
		struct jsonl *o = jsonl_new("chain");

		jsonl_bytes(o, "vault", span_text(c->name));
		jsonl_hex(o, "chain", hash_span(&c->id));
		jsonl_text(o, "state", span_text(what));
		if (c->has_seen) jsonl_number(o, "seen", c->seen.seq);
		jsonl_number(o, "there", c->there.seq);
		jsonl_time(o, "there_time", c->time);
		say_object(say, o);
		return OK;
	}
	if (c->name[0]) {
		say_out(say, "vault ");
		say_name(say, span_text(c->name));
	} else {
		say_out(say, "account");
	}
	say_out(say, ": the store ends at entry %llu of %s; ", (unsigned long long)c->there.seq,
		when_local(when, c->time));
	if (!c->has_seen) say_out(say, "this device does not know what it saw\n");
	else if (c->is_older)
		say_out(say, "this device has seen entry %llu: %s lost\n", (unsigned long long)c->seen.seq,
			units_count(lost, c->seen.seq - c->there.seq, "entry is", "entries are"));
	else if (c->is_other)
		say_out(say, "entry %llu is not the one that this device saw\n",
			(unsigned long long)c->seen.seq);
	else say_out(say, "nothing is older\n");
	return OK;
}

/* The words, from --confirm or typed. */
static int confirm(const struct invocation *inv) {
	const char *given = invocation_text(inv, "confirm");
	char line[64] = "";

	if (!given) {
		if (!terminal_is(STDIN_FILENO)) {
			say_error(inv->say, "there is no terminal to ask at: use --confirm \"%s\"", words);
			return EXITCODE_USAGE;
		}
		say_flush(inv->say);
		(void)fprintf(stderr, "type \"%s\" to go on with what is there: ", words);
		if (!fgets(line, sizeof(line), stdin)) line[0] = '\0';
		if (signals_asked()) {
			say_error(inv->say, "nothing was accepted: interrupted");
			return EXITCODE_INTERRUPTED;
		}
		line[strcspn(line, "\r\n")] = '\0';
		given = line;
	}
	if (strcmp(given, words) == 0) return EXITCODE_OK;
	say_error(inv->say, "nothing was accepted: that was not \"%s\"", words);
	return EXITCODE_USAGE;
}

static int accept_older(const struct invocation *inv, struct session *s) {
	struct looking l = { .inv = inv };
	struct why why = { 0 };
	int code;

	if (accept_look(s, show, &l, &why)) return opening_absent(inv, &why);
	if (l.older == 0) {
		if (session_accept_store(s, &why)) return opening_failed(inv, &why);
	} else {
		code = confirm(inv);
		if (code) return code;
		if (accept_now(s, &why)) return opening_failed(inv, &why);
	}
	if (say_json(inv->say)) {
		struct jsonl *o = jsonl_new("accept-older");

		jsonl_number(o, "accepted", l.older);
		say_object(inv->say, o);
	} else {
		say_out(inv->say,
			l.older ? "accepted; from now on this device holds the store to this state\n"
					: "the store shows nothing older than this device has seen\n");
	}
	return EXITCODE_OK;
}

int cmd_accept_older(const struct invocation *inv) {
	struct session session = { .store = NULL };
	struct why why = { 0 };
	struct session_open open = {
		.at = invocation_text(inv, "at"),
		.passphrase = opening_passphrase,
		.ctx = (void *)(uintptr_t)inv, /* read only: opening_passphrase has it const again */
		.ignore_heads = true,
		.whole_chains = true,
	};
	int code;

	if (session_open(&session, &open, &why)) return opening_locked(inv, &session, &why);
	code = accept_older(inv, &session);
	session_close(&session);
	return code;
}
