/* broch init: a store, an account with this machine as its first device, the vault "main", the recovery kit. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/kitgive.h"
#include "cli/newdevice.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "core/chunker.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/listing.h"
#include "os/userfile.h"
#include "secret/secretmem.h"
#include "store/embedded.h"

/* All that init holds, in secretmem. */
struct making {
	struct kit_secret kit;
	uint8_t passphrase[SESSION_PASSPHRASE_MAX];
	size_t passphrase_len;
	bool unprotected;
	char path[PATHS_MAX];
	struct hash store;
};

static uint64_t clock_for_fresh(void) {
	return (uint64_t)clock_real_ns();
}

static enum err refuse_full(const char *path, struct why *why) {
	struct listing names;
	enum userfile_kind kind;
	int fd = -1;
	enum err e = userfile_look(path, true, &kind, why);

	if (e || kind == USERFILE_NONE) return e;
	if (kind != USERFILE_FOLDER) return why_set(why, E_EXISTS, "%s is no folder", path);
	listing_init(&names);
	e = file_open_folder(AT_FDCWD, path, &fd, why);
	if (!e) e = listing_read(&names, fd, why);
	if (!e && names.count > 0)
		e = why_set(why, E_EXISTS,
			"%s is not empty: a new store needs an empty folder, or one that is not there yet",
			path);
	file_close(&fd);
	listing_done(&names);
	return e;
}

static const char first_vault[] = "main";

static enum err check_name(const struct invocation *inv, struct why *why) {
	const char *name = invocation_has(inv, "vault") ? invocation_text(inv, "vault") : first_vault;

	if (strcmp(name, first_vault) == 0) return OK;
	return why_set(why, E_USAGE,
		"the first vault is called %s; broch vault create makes one of another name after it",
		first_vault);
}

static enum err check(const struct invocation *inv, struct making *m, struct why *why) {
	const char *at = invocation_text(inv, "at");
	enum err e = check_name(inv, why);

	if (e) return e;
	if (!at) return why_set(why, E_USAGE, "say where the store is to be with --at DIR");
	e = session_absolute(at, m->path, why);
	if (!e) e = newdevice_check(why);
	if (!e) e = refuse_full(m->path, why);
	if (!e) e = kitgive_check(inv, m->path, why);
	if (!e)
		e = opening_new_passphrase(inv, m->passphrase, &m->passphrase_len, &m->unprotected, why);
	return e;
}

static enum err make_store(struct making *m, struct why *why) {
	struct fresh fresh;
	enum err e;

	fresh_init(&fresh, NULL, clock_for_fresh, (uint64_t)getpid());
	e = why_err(why, fresh_bytes(&fresh, m->store.b, HASH_SIZE), "making the store's id");
	fresh_done(&fresh);
	return e ? e : embedded_create(m->path, &m->store, why);
}

/* Keys of this device and of the kit, and the account that they begin. */
static enum err make_account(struct session *s, struct making *m, struct why *why) {
	struct keystore *k = &s->secrets->keys;
	struct account_new n = {
		.store = s->store,
		.fresh = &s->secrets->fresh,
		.keys = &k->keys,
		.kit = &m->kit,
		.folder = &s->folder,
	};
	enum err e = kitkeys_generate(&m->kit, n.fresh);

	if (e) return why_err(why, e, "making keys");
	e = newdevice_make(s, why);
	if (e) return e;
	n.device_name = span_of(k->name, k->name_len);
	e = account_create(&n, &k->account, why);
	if (e) return e;
	k->anchor_sequence = 0;
	k->anchor_head = k->account; /* a chain's id is the hash of its first entry */
	return OK;
}

static enum err make_vault(const struct invocation *inv, struct session *s, struct why *why) {
	struct vault_new n = {
		.name = first_vault, .hold = invocation_number(inv, "hold"), .chunks = chunker_default
	};

	return vault_create(s, &n, why);
}

/*
 * The kit's page comes before this device's keys are kept: whoever is interrupted between has either a kit that
 * opens the account, or nothing.
 */
static enum err make(
	const struct invocation *inv, struct session *s, struct making *m, struct why *why) {
	struct span passphrase = span_of(m->passphrase, m->passphrase_len);
	enum err e = session_open_store(s, m->path, why);

	if (!e) e = make_account(s, m, why);
	if (!e) e = kitgive_page(inv, &s->secrets->keys.account, m->path, &m->kit, why);
	if (!e) e = session_keep_keys(s, m->unprotected ? NULL : &passphrase, why);
	if (!e) e = statefolder_put_store(&s->folder, m->path, why);
	if (!e) e = newdevice_open_account(s, why);
	if (!e) e = make_vault(inv, s, why);
	return e;
}

static void tell(const struct invocation *inv, const struct session *s, const struct making *m) {
	const struct account_vault *row =
		accountstate_vault_named(&s->account.state, span_text(first_vault));

	if (say_json(inv->say)) {
		struct jsonl *o = jsonl_new("init");

		jsonl_bytes(o, "store", span_text(m->path));
		jsonl_hex(o, "store_id", hash_span(&m->store));
		jsonl_hex(o, "account", hash_span(&s->account.id));
		jsonl_hex(o, "device", hash_span(&s->secrets->actor.id));
		if (row) jsonl_hex(o, "vault", hash_span(&row->vault));
		say_object(inv->say, o);
		return;
	}
	say_out(inv->say, "made the account, and the vault \"main\" in ");
	say_line(inv->say, span_text(m->path));
}

int cmd_init(const struct invocation *inv) {
	struct why why = { 0 };
	struct session session = { 0 };
	struct making *m = secretmem_alloc(sizeof(*m));
	bool made = false, begun = false;
	enum err e = m ? check(inv, m, &why) : why_err(&why, E_NOMEM, "making room for keys");

	if (!e) e = make_store(m, &why);
	made = e == OK;
	if (!e) e = session_begin(&session, &why);
	begun = e == OK;
	if (!e) e = make(inv, &session, m, &why);
	if (!e) tell(inv, &session, m);
	if (begun) session_close(&session);
	if (e && made)
		say_note(inv->say,
			"%s holds an unfinished store: delete what is in it before you try again", m->path);
	secretmem_free(m);
	return e ? opening_failed(inv, &why) : EXITCODE_OK;
}
