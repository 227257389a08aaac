/* broch recover: opens an account on this machine from its kit and the store alone, and joins it as a device. */
#include <string.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/kitgive.h"
#include "cli/newdevice.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "client/promote.h"
#include "client/units.h"
#include "client/when.h"
#include "format/accountbody.h"
#include "format/limits.h"
#include "os/clock.h"
#include "secret/locator.h"
#include "secret/secretmem.h"
#include "store/embedded.h"

enum { HOUR = 60, DAY = 24 * HOUR }; /* in minutes */

static const uint64_t NS_PER_MINUTE = UINT64_C(60000000000);

/* All that recover holds, in secretmem. */
struct joining {
	struct kit_secret kit;
	struct kit_keys keys;
	struct actor actor;
	uint8_t passphrase[SESSION_PASSPHRASE_MAX];
	size_t passphrase_len;
	bool unprotected;
	bool promote;    /* the store is a mirror, and is to be the home from now on */
	bool is_refused; /* the kit is none, or opens nothing here */
	char path[PATHS_MAX];
	struct hash account;
	struct hash locator_sum; /* of the locator object that led to it */
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
	if (e) return e;
	e = kitgive_take(inv, &j->kit, why);
	j->is_refused = e == E_DENIED;
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
	j->is_refused = e == E_NOTFOUND;
	if (e == E_NOTFOUND)
		e = why_set(why, E_DENIED,
			"this kit opens no account in %.200s: it is another account's, or was replaced by a newer one",
			store_address(store));
	else if (!e && locator_open(&content, &j->keys, buf_span(&object)))
		e = why_set(why, E_FORGED, "the locator object of this kit is damaged or forged");
	if (!e) {
		j->account = content.account;
		hash_of(&j->locator_sum, buf_span(&object));
	}
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

	j->is_refused = e == E_DENIED;
	if (j->is_refused)
		e = why_set(why, e, "this kit was replaced by a newer one, which alone opens the account");
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

/* What check compares the store with. Without it check only looks at less. */
static void remember_locator(const struct session *s, const struct joining *j) {
	struct statefolder_locator l = {
		.name = j->keys.locator, .sum = j->locator_sum, .kit = j->actor.id
	};

	err_ignore(statefolder_put_locator(&s->folder, &l, NULL));
}

static enum err run(struct session *s, struct joining *j, struct why *why) {
	struct account *a = mem_zalloc(sizeof(*a));
	struct span passphrase = span_of(j->passphrase, j->passphrase_len);
	enum err e =
		a ? session_open_store(s, j->path, why) : why_err(why, E_NOMEM, "opening the account");

	if (!e) e = locate(j, s->store, why);
	if (!e) e = join(s, j, a, why);
	if (!e) e = session_keep_keys(s, j->unprotected ? NULL : &passphrase, why);
	if (!e) remember_locator(s, j);
	if (!e) e = statefolder_put_store(&s->folder, j->path, why);
	if (!e) e = newdevice_open_account(s, why);
	if (!e && j->promote) e = promote_vaults(s, why);
	mem_free(a);
	return e;
}

static const char *age(char out[UNITS_TEXT], int64_t then) {
	int64_t now = clock_real_ns();
	uint64_t minutes = now > then ? (uint64_t)(now - then) / NS_PER_MINUTE : 0;

	if (minutes >= 2 * DAY) return units_count(out, minutes / DAY, "day", "days");
	if (minutes >= 2 * HOUR) return units_count(out, minutes / HOUR, "hour", "hours");
	return units_count(out, minutes, "minute", "minutes");
}

/* What of a vault was found here: a fresh machine knows an old copy of a store by nothing but its age. */
static void tell_vault(
	const struct invocation *inv, struct jsonl *o, const char *name, const struct vaultstate *v) {
	const struct vault_snapshot *newest = NULL;
	char count[UNITS_TEXT], when[WHEN_TEXT], old[UNITS_TEXT];
	uint64_t kept = 0;
	int64_t time;

	for (size_t i = 0; i < v->snapshot_count; i++) {
		if (v->snapshots[i].forgotten) continue;
		newest = &v->snapshots[i];
		kept++;
	}
	/* when its entry was made: the snapshot's own time may be any that was asked for */
	time = newest && newest->sequence < v->count ? v->times[newest->sequence] : 0;
	if (o) {
		struct jsonl *item = jsonl_new("vault");

		jsonl_bytes(item, "name", span_text(name));
		jsonl_number(item, "snapshots", kept);
		if (newest) jsonl_time(item, "newest", time);
		jsonl_add_object(o, "contents", item);
		return;
	}
	say_out(inv->say, "vault ");
	say_name(inv->say, span_text(name));
	say_out(inv->say, ": %s", units_count(count, kept, "snapshot", "snapshots"));
	if (newest)
		say_out(inv->say, ", the newest made at %s, %s ago, on ", when_local(when, time),
			age(old, time));
	if (newest) say_name(inv->say, newest->stamp.host);
	say_out(inv->say, "\n");
}

/* A vault that can't be read does not take the account back. */
static void tell_vaults(const struct invocation *inv, struct session *s, struct jsonl *o) {
	struct vault *v = mem_zalloc(sizeof(*v));
	struct why why = { 0 };

	for (size_t i = 0; v && i < s->account.state.vault_count; i++) {
		const struct account_vault *row = &s->account.state.vaults[i];
		char name[LIMIT_VAULT_NAME + 1] = "";

		memcpy(name, row->name, row->name_len);
		if (vault_open(v, s, name, &why)) {
			say_warn(inv->say, "the vault %s does not open here: %s", name, why.msg);
			continue;
		}
		tell_vault(inv, o, name, &v->state);
		vault_close(v);
	}
	mem_free(v);
}

static void tell(const struct invocation *inv, struct session *s, const struct joining *j) {
	const struct accountstate *a = &s->account.state;
	struct jsonl *o;

	if (!say_json(inv->say)) {
		say_out(inv->say, "this machine is now a device of the account\n");
		tell_vaults(inv, s, NULL);
		say_note(inv->say,
			"if you know of newer snapshots, this is an old copy of the store: look for the newer one before you go on");
		return;
	}
	o = jsonl_new("recover");
	jsonl_bytes(o, "store", span_text(j->path));
	jsonl_hex(o, "account", hash_span(&s->account.id));
	jsonl_hex(o, "device", hash_span(&s->secrets->actor.id));
	jsonl_list(o, "vaults");
	for (size_t i = 0; i < a->vault_count; i++)
		jsonl_add_text(o, "vaults", span_of(a->vaults[i].name, a->vaults[i].name_len));
	jsonl_list(o, "contents");
	tell_vaults(inv, s, o);
	say_object(inv->say, o);
}

int cmd_recover(const struct invocation *inv) {
	struct why why = { 0 };
	struct session session = { 0 };
	struct joining *j = secretmem_alloc(sizeof(*j));
	int code = EXITCODE_OK;
	bool begun = false;
	enum err e = j ? check(inv, j, &why) : why_err(&why, E_NOMEM, "making room for keys");

	if (!e) e = session_begin(&session, &why);
	begun = e == OK;
	if (!e) e = run(&session, j, &why);
	if (!e) tell(inv, &session, j);
	if (begun) session_close(&session);
	if (e) code = j && j->is_refused ? opening_refused(inv, &why) : opening_absent(inv, &why);
	secretmem_free(j);
	return code;
}
