/* broch recover: opens an account on this machine from its kit and the store alone, and joins it as a device. */
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/kitgive.h"
#include "cli/newdevice.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "client/promote.h"
#include "format/accountbody.h"
#include "secret/locator.h"
#include "secret/secretmem.h"
#include "store/embedded.h"

/* All that recover holds, in secretmem. */
struct joining {
	struct kit_secret kit;
	struct kit_keys keys;
	struct actor actor;
	uint8_t passphrase[SESSION_PASSPHRASE_MAX];
	size_t passphrase_len;
	bool unprotected;
	bool promote; /* the store is a mirror, and is to be the home from now on */
	char path[PATHS_MAX];
	struct hash account;
};

/* Looks for the store before anything is asked for. */
static enum err check(const struct invocation *inv, struct joining *j, struct why *why) {
	const char *at = invocation_text(inv, "at");
	struct store *store = NULL;
	enum err e;

	if (!at) return why_set(why, E_USAGE, "say where the store is with --at DIR");
	j->promote = invocation_flag(inv, "promote");
	e = session_absolute(at, j->path, why);
	if (!e) e = newdevice_check(why);
	if (!e) e = embedded_open(j->path, &store, why);
	store_free(store);
	if (!e) e = kitgive_take(inv, &j->kit, why);
	if (!e)
		e = opening_new_passphrase(inv, j->passphrase, &j->passphrase_len, &j->unprotected, why);
	return e;
}

/* Which account the kit opens: a hint, proved by the account's chain. */
static enum err locate(struct joining *j, struct store *store, struct why *why) {
	struct locator_content content;
	struct buf object;
	enum err e;

	buf_init(&object, STORE_LOCATOR_MAX);
	kitkeys_derive(&j->keys, &j->kit);
	account_actor_kit(&j->actor, &j->keys);
	e = store_locator_get(store, &j->keys.locator, &object, why);
	if (e == E_NOTFOUND)
		e = why_set(why, E_DENIED, "this kit opens no account in %s", store_address(store));
	else if (!e && locator_open(&content, &j->keys, buf_span(&object)))
		e = why_set(why, E_FORGED, "the locator object of this kit is damaged or forged");
	if (!e) j->account = content.account;
	buf_free(&object);
	return e;
}

/* To a mirror a device is added only where it takes the place of a home that is lost: else the two would part. */
static enum err move_home(const struct joining *j, struct account *a, struct why *why) {
	if (j->promote) return account_move_home(a, store_id(a->store), why);
	return why_set(why, E_DENIED,
		"%.200s is a mirror of the account: recover at its home; if the home is lost, --promote makes this mirror the home",
		store_address(a->store));
}

/* The kit as an author adds this device. ${a} stays open on success. */
static enum err join(struct session *s, struct joining *j, struct account *a, struct why *why) {
	struct keystore *k = &s->secrets->keys;
	struct account_open open = {
		.store = s->store,
		.fresh = &s->secrets->fresh,
		.actor = &j->actor,
		.id = j->account,
	};
	struct head head;
	enum err e = account_open(a, &open, why);

	if (e) return e;
	if (!a->is_home) e = move_home(j, a, why);
	if (!e && a->state.rotate_due) e = account_rotate(a, why);
	if (!e) e = newdevice_make(s, why);
	if (!e) e = account_add_device(a, &k->keys, span_of(k->name, k->name_len), why);
	if (!e) {
		head = account_head(a);
		k->account = a->id;
		k->anchor_sequence = head.seq;
		k->anchor_head = head.hash;
	}
	account_close(a);
	return e;
}

static enum err run(struct session *s, struct joining *j, struct why *why) {
	struct account *a = mem_zalloc(sizeof(*a));
	struct span passphrase = span_of(j->passphrase, j->passphrase_len);
	enum err e =
		a ? session_open_store(s, j->path, why) : why_err(why, E_NOMEM, "opening the account");

	if (!e) e = locate(j, s->store, why);
	if (!e) e = join(s, j, a, why);
	if (!e) e = session_keep_keys(s, j->unprotected ? NULL : &passphrase, why);
	if (!e) e = statefolder_put_store(&s->folder, j->path, why);
	if (!e) e = newdevice_open_account(s, why);
	if (!e && j->promote) e = promote_vaults(s, why);
	mem_free(a);
	return e;
}

static void tell(const struct invocation *inv, const struct session *s, const struct joining *j) {
	const struct accountstate *a = &s->account.state;

	if (say_json(inv->say)) {
		struct jsonl *o = jsonl_new("recover");

		jsonl_bytes(o, "store", span_text(j->path));
		jsonl_hex(o, "account", hash_span(&s->account.id));
		jsonl_hex(o, "device", hash_span(&s->secrets->actor.id));
		jsonl_list(o, "vaults");
		for (size_t i = 0; i < a->vault_count; i++)
			jsonl_add_text(o, "vaults", span_of(a->vaults[i].name, a->vaults[i].name_len));
		say_object(inv->say, o);
		return;
	}
	say_out(inv->say, "this machine is now a device of the account; vaults:");
	for (size_t i = 0; i < a->vault_count; i++) {
		say_out(inv->say, " ");
		say_name(inv->say, span_of(a->vaults[i].name, a->vaults[i].name_len));
	}
	say_out(inv->say, "\n");
}

int cmd_recover(const struct invocation *inv) {
	struct why why = { 0 };
	struct session session = { 0 };
	struct joining *j = secretmem_alloc(sizeof(*j));
	bool begun = false;
	enum err e = j ? check(inv, j, &why) : why_err(&why, E_NOMEM, "making room for keys");

	if (!e) e = session_begin(&session, &why);
	begun = e == OK;
	if (!e) e = run(&session, j, &why);
	if (!e) tell(inv, &session, j);
	if (begun) session_close(&session);
	secretmem_free(j);
	return e ? opening_refused(inv, &why) : EXITCODE_OK;
}
