#include "cli/opening.h"

#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "client/units.h"
#include "client/when.h"
#include "os/passphrase.h"

int opening_refused(const struct invocation *inv, const struct why *why) {
	say_why(inv->say, why);
	return (int)exitcode_of(why->code);
}

int opening_absent(const struct invocation *inv, const struct why *why) {
	say_why(inv->say, why);
	if (why->code == E_DENIED) return EXITCODE_ERROR;
	return (int)exitcode_of(why->code);
}

int opening_failed(const struct invocation *inv, const struct why *why) {
	say_why(inv->say, why);
	if (why->code == E_NOTFOUND || why->code == E_DENIED) return EXITCODE_ERROR;
	return (int)exitcode_of(why->code);
}

int opening_locked(const struct invocation *inv, const struct session *s, const struct why *why) {
	return s->is_locked ? opening_refused(inv, why) : opening_absent(inv, why);
}

/* A file that can't be read is no missing store and no wrong passphrase. */
static enum err read_file(
	const char *path, uint8_t *out, size_t room, size_t *len, struct why *why) {
	enum err e = passphrase_read(path, out, room, len, why);

	if (e == E_NOTFOUND || e == E_DENIED) e = E_IO;
	if (e && why) why->code = e;
	return e;
}

enum err opening_passphrase(void *ctx, uint8_t *out, size_t room, size_t *len, struct why *why) {
	const struct invocation *inv = ctx;
	const char *file = invocation_text(inv, "passphrase-file");
	enum err e;

	if (file) return read_file(file, out, room, len, why);
	e = passphrase_ask("passphrase of this device's keys: ", NULL, out, room, len, why);
	if (e == E_NOTFOUND)
		e = why_set(why, E_DENIED,
			"the keys have a passphrase and there is no terminal to ask for it: use --passphrase-file");
	return e;
}

/* The variable stands for --passphrase-file everywhere, so with --no-passphrase it is no contradiction. */
static bool is_from_environment(const char *file) {
	const char *variable = getenv("BROCH_PASSPHRASE_FILE");

	return variable && strcmp(variable, file) == 0;
}

enum err opening_new_passphrase(
	const struct invocation *inv, uint8_t *out, size_t *len, bool *none, struct why *why) {
	const char *file = invocation_text(inv, "passphrase-file");
	enum err e;

	*none = invocation_flag(inv, "no-passphrase");
	if (*none && file && !is_from_environment(file))
		return why_set(
			why, E_USAGE, "--no-passphrase and --passphrase-file can't be given together");
	if (*none) {
		say_warn(inv->say,
			"this device's keys get no passphrase: whoever can read this account's files "
			"can read the vaults");
		return OK;
	}
	if (file) return read_file(file, out, SESSION_PASSPHRASE_MAX, len, why);
	e = passphrase_ask("new passphrase for this device's keys: ", "the same again: ", out,
		SESSION_PASSPHRASE_MAX, len, why);
	if (e == E_NOTFOUND)
		e = why_set(why, E_USAGE,
			"there is no terminal to ask for a passphrase: use --passphrase-file or --no-passphrase");
	return e;
}

int opening_session(struct opening *o, const struct invocation *inv) {
	struct why why = { 0 };
	struct session_open open = {
		.at = invocation_text(inv, "at"),
		.passphrase = opening_passphrase,
		.ctx = (void *)(uintptr_t)inv, /* read only: opening_passphrase has it const again */
	};

	memset(o, 0, sizeof(*o));
	if (session_open(&o->session, &open, &why)) return opening_locked(inv, &o->session, &why);
	o->has_session = true;
	return EXITCODE_OK;
}

/* A mirror may be behind its home: how old what it shows is, is to be known. */
static void tell_mirror(const struct invocation *inv, const struct opening *o) {
	char when[WHEN_TEXT], behind[UNITS_TEXT];
	const struct chainread *c = &o->vault.chain;
	const char *address = store_address(o->session.store);

	when_local(when, c->link.time);
	if (!c->lags) {
		say_warn(
			inv->say, "%s is a mirror of this vault: its newest entry is of %s", address, when);
		return;
	}
	units_count(behind, c->seen.seq + 1 - c->link.count, "newer one", "newer ones");
	say_warn(inv->say,
		"%s is a mirror of this vault and lags: its newest entry is of %s, and this device has seen %s",
		address, when, behind);
}

int opening_vault(struct opening *o, const struct invocation *inv) {
	struct why why = { 0 };
	const char *name = invocation_has(inv, "vault") ? invocation_text(inv, "vault") : NULL;
	int code = opening_session(o, inv);

	if (code) return code;
	if (vault_open(&o->vault, &o->session, name, &why)) return opening_absent(inv, &why);
	o->has_vault = true;
	if (!o->vault.is_home) tell_mirror(inv, o);
	return EXITCODE_OK;
}

void opening_close(struct opening *o) {
	if (o->has_vault) vault_close(&o->vault);
	if (o->has_session) session_close(&o->session);
	o->has_vault = o->has_session = false;
}

enum err opening_filter(const struct invocation *inv, struct choose_filter *out, struct why *why) {
	static const char *const names[CHOOSE_BYS] = {
		[CHOOSE_HOST] = "host",
		[CHOOSE_BRANCH] = "branch",
		[CHOOSE_TAGS] = "tag",
	};
	enum err e = OK;
	const char *text;

	memset(out, 0, sizeof(*out));
	for (size_t by = 0; by < CHOOSE_BYS; by++)
		for (size_t i = 0; !e && (text = invocation_nth(inv, names[by], i)); i++)
			e = choose_filter_add(out, (enum choose_by)by, text);
	if (e) choose_filter_done(out);
	return why_err(why, e, "reading the options");
}

int opening_snapshot(const struct invocation *inv, const struct opening *o, const char *text,
	const struct vault_snapshot **out) {
	struct choose_filter filter;
	struct why why = { 0 };
	enum err e = opening_filter(inv, &filter, &why);

	if (e) return opening_failed(inv, &why);
	e = choose_snapshot(&o->vault.state, CHOOSE_KEPT, &filter, text, out, &why);
	choose_filter_done(&filter);
	return e ? opening_absent(inv, &why) : EXITCODE_OK;
}
