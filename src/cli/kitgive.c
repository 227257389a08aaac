#include "cli/kitgive.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/kitpage.h"
#include "cli/say.h"
#include "client/when.h"
#include "os/clock.h"
#include "os/passphrase.h"
#include "os/terminal.h"
#include "os/userfile.h"

enum { DATE_LEN = 10, CODE_ROOM = 256, TRIES = 3 };

/* A path or a file that can't be used is neither a missing store nor a wrong kit. */
static enum err of_file(enum err e, struct why *why) {
	if (e != E_NOTFOUND && e != E_DENIED) return e;
	if (why) why->code = E_IO;
	return E_IO;
}

static enum err check_folder(const char *out, const char *store, struct why *why) {
	char folder[PATH_MAX] = ".", *whole = NULL, *whole_store = NULL;
	const char *slash = strrchr(out, '/');
	size_t len = slash == out ? 1 : slash ? (size_t)(slash - out) : 0;
	enum err e = OK;

	if (len >= sizeof(folder))
		return why_set(why, E_LIMIT, "the path of the recovery kit is too long");
	if (len > 0) {
		memcpy(folder, out, len);
		folder[len] = '\0';
	}
	if (access(folder, W_OK | X_OK) != 0) {
		err_ignore(why_errno(why, "can't write the recovery kit to %s", out));
		return of_file(E_NOTFOUND, why);
	}
	whole = realpath(folder, NULL);
	whole_store =
		realpath(store, NULL); /* NULL where it is yet to be made: then nothing lies in it */
	len = whole_store ? strlen(whole_store) : 0;
	if (whole && whole_store && strncmp(whole, whole_store, len) == 0 &&
		(whole[len] == '/' || whole[len] == '\0'))
		e = why_set(why, E_USAGE,
			"%s lies in the store: whoever has the store would have the kit, and with both everything",
			out);
	free(whole); /* realpath's own malloc */
	free(whole_store);
	return e;
}

enum err kitgive_check(const struct invocation *inv, const char *store, struct why *why) {
	const char *out = invocation_text(inv, "kit-out");
	enum userfile_kind kind;
	enum err e;

	if (!out && say_json(inv->say))
		return why_set(why, E_USAGE, "with --json the recovery kit's page needs --kit-out FILE");
	if (!out) return OK;
	e = of_file(userfile_look(out, false, &kind, why), why);
	if (!e && kind != USERFILE_NONE)
		e = why_set(
			why, E_EXISTS, "%s is there already: the recovery kit takes the place of nothing", out);
	return e ? e : check_folder(out, store, why);
}

static enum err show(const struct invocation *inv, const struct kitpage *page,
	const struct kit_secret *kit, struct why *why) {
	struct buf text;
	enum err e;

	buf_init(&text, KITPAGE_MAX);
	e = why_err(why, kitpage_render(&text, page, kit->b), "making the recovery kit's page");
	if (e == OK) {
		say_bytes(inv->say, buf_span(&text)); /* past the buffer, which is not wiped */
		say_bytes(inv->say, span_text("\n"));
	}
	buf_wipe_free(&text);
	return e;
}

enum err kitgive_page(const struct invocation *inv, const struct hash *account, const char *store,
	const struct kit_secret *kit, struct why *why) {
	const char *out = invocation_text(inv, "kit-out");
	char hex[HASH_HEX], date[WHEN_TEXT];
	struct kitpage page = { .account = hex, .store = store, .date = date };
	enum err e;

	hash_hex(hex, account);
	when_local(date, clock_real_ns());
	date[DATE_LEN] = '\0';
	if (out) {
		e = of_file(kitpage_write(out, &page, kit->b, why), why);
		if (e == OK)
			say_note(inv->say, "the recovery kit is in %s: print it, and delete the file", out);
		return e;
	}
	page.light_on_dark = terminal_is(STDOUT_FILENO);
	return show(inv, &page, kit, why);
}

static enum err ask_once(struct kit_secret *out, struct why *why) {
	uint8_t typed[CODE_ROOM];
	size_t len = 0;
	enum err e = passphrase_ask_seen("recovery code: ", typed, sizeof(typed), &len, why);

	if (e == E_NOTFOUND)
		e = why_set(
			why, E_USAGE, "there is no terminal to ask for the recovery kit: use --kit-file");
	if (e == OK) e = kitpage_parse(span_of(typed, len), out->b, why);
	mem_wipe(typed, sizeof(typed));
	return e;
}

/* Whoever mistyped it is told where, and may type it again. */
static enum err ask(const struct invocation *inv, struct kit_secret *out, struct why *why) {
	enum err e = ask_once(out, why);

	for (int i = 1; e == E_DENIED && i < TRIES; i++) {
		say_why(inv->say, why);
		e = ask_once(out, why);
	}
	return e;
}

enum err kitgive_take(const struct invocation *inv, struct kit_secret *out, struct why *why) {
	const char *file = invocation_text(inv, "kit-file");
	enum userfile_kind kind;
	enum err e;

	if (!file) return ask(inv, out, why);
	e = of_file(userfile_look(file, true, &kind, why), why);
	if (!e && kind == USERFILE_NONE) /* a missing file is no wrong kit */
		e = why_set(why, E_IO, "there is no file %s", file);
	if (e) return e;
	return kitpage_read(file, out->b, why);
}
