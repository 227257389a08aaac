/*
 * broch kit verify and kit replace. Replacing goes in steps that each leave an account that opens, and that a second
 * run finishes: the new kit's page is given; its locator object is stored; the recovery entry makes it the kit in
 * force; the account's and the vaults' next epochs leave the old one out; its locator object is deleted.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/kitgive.h"
#include "cli/kitpage.h"
#include "cli/opening.h"
#include "cli/say.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/userfile.h"
#include "secret/locator.h"
#include "secret/secretmem.h"

/* The state file that names the kit whose page was given while its replacement is not finished. */
static const char pending_file[] = "kit-pending";

/* A kit with everything that follows from it, in secretmem. */
struct kit {
	struct kit_secret secret;
	struct kit_keys keys;
	struct device_public pub;
	struct actor actor;
};

static void derive(struct kit *k) {
	kitkeys_derive(&k->keys, &k->secret);
	kitkeys_public(&k->pub, &k->keys);
	account_actor_kit(&k->actor, &k->keys);
}

/* Whether ${k} is the account's kit now: E_DENIED if it is another account's, or was replaced. */
static enum err check_in_force(const struct account *a, const struct kit *k, struct why *why) {
	const struct account_device *now = accountstate_kit(&a->state);

	if (now && hash_equal(&now->id, &k->pub.id)) return OK;
	if (accountstate_device(&a->state, &k->pub.id))
		return why_set(why, E_DENIED, "this kit was replaced by another: it opens nothing new");
	return why_set(why, E_DENIED, "this kit is not one of this account");
}

/* The locator object leads a machine that has nothing but the kit to this account. */
static enum err check_locator(const struct account *a, const struct kit *k, struct why *why) {
	struct locator_content content;
	struct buf object;
	enum err e;

	buf_init(&object, STORE_LOCATOR_MAX);
	e = store_locator_get(a->store, &k->keys.locator, &object, why);
	if (e == E_NOTFOUND || e == E_FORMAT)
		e = why_set(why, E_FORGED,
			"the locator object of this kit is missing: recover would not find the account (broch kit "
			"replace makes another)");
	if (!e &&
		(locator_open(&content, &k->keys, buf_span(&object)) ||
			!hash_equal(&content.account, &a->id)))
		e = why_set(why, E_FORGED, "the locator object of this kit is damaged or forged");
	buf_free(&object);
	return e;
}

/* The account once more, as the kit sees it. For account_close and mem_free. */
static enum err open_as_kit(
	const struct account *a, const struct kit *k, struct account **out, struct why *why) {
	struct account_open open = {
		.store = a->store,
		.fresh = a->fresh,
		.actor = &k->actor,
		.id = a->id,
		.anchor = account_head(a),
		.has_anchor = true,
	};
	struct account *other = mem_zalloc(sizeof(*other));
	enum err e =
		other ? account_open(other, &open, why) : why_err(why, E_NOMEM, "opening the account");

	if (e) mem_free(other);
	else *out = other;
	return e;
}

static enum err verify(const struct account *a, const struct kit *k, struct why *why) {
	struct account *as_kit = NULL;
	enum err e = check_in_force(a, k, why);

	if (!e) e = open_as_kit(a, k, &as_kit, why);
	if (!e) e = check_locator(a, k, why);
	if (as_kit) account_close(as_kit);
	mem_free(as_kit);
	return e;
}

int cmd_kit_verify(const struct invocation *inv) {
	struct opening o;
	struct why why = { 0 };
	struct kit *k = secretmem_alloc(sizeof(*k));
	int code = opening_session(&o, inv);
	enum err e = OK;

	if (!code) {
		e = k ? kitgive_take(inv, &k->secret, &why)
			  : why_err(&why, E_NOMEM, "making room for keys");
		if (!e) derive(k);
		if (!e) e = verify(&o.session.account, k, &why);
		if (e) code = opening_refused(inv, &why);
	}
	if (!code && say_json(inv->say)) {
		struct jsonl *j = jsonl_new("kit-verify");

		jsonl_hex(j, "account", hash_span(&o.session.account.id));
		say_object(inv->say, j);
	} else if (!code) {
		say_out(inv->say, "this kit opens the account\n");
	}
	secretmem_free(k);
	opening_close(&o);
	return code;
}

/* What replacing holds. */
struct replacing {
	const struct invocation *inv;
	struct session *session;
	struct kit *old, *fresh; /* ${old} NULL: it is lost */
	bool is_resumed;         /* the recovery entry is there from an earlier run */
	bool is_refused;         /* ${old} is no kit, or not the one that counts */
};

static enum err get_pending(const struct session *s, struct hash *id) {
	struct buf b;
	enum err e;

	buf_init(&b, HASH_SIZE);
	e = file_read_whole(s->folder.state, pending_file, HASH_SIZE, &b, NULL);
	if (!e && b.len == HASH_SIZE) *id = hash_from(b.ptr);
	else e = E_NOTFOUND;
	buf_free(&b);
	return e;
}

/*
 * An earlier run was ended after it wrote the page: the page there is taken, if this device noted then which kit was on
 * it. Without that note anybody's page could lie there.
 */
static enum err take_pending(struct replacing *r, bool *is_taken, struct why *why) {
	const char *file = invocation_text(r->inv, "kit-out");
	struct hash id;
	enum userfile_kind kind;

	*is_taken = false;
	if (!file || userfile_look(file, false, &kind, NULL) || kind != USERFILE_FILE) return OK;
	if (get_pending(r->session, &id)) return OK;
	if (kitpage_read(file, r->fresh->secret.b, NULL)) return OK;
	derive(r->fresh);
	*is_taken = hash_equal(&r->fresh->pub.id, &id);
	(void)why;
	return OK;
}

static enum err make_kit(struct replacing *r, struct why *why) {
	struct session *s = r->session;
	bool is_taken;
	enum err e = take_pending(r, &is_taken, why);

	if (e || is_taken) return e;
	e = kitgive_check(r->inv, store_address(s->store), why);
	if (!e) e = why_err(why, kitkeys_generate(&r->fresh->secret, s->account.fresh), "making keys");
	if (e) return e;
	derive(r->fresh);
	e = file_replace(
		s->folder.state, pending_file, hash_span(&r->fresh->pub.id), FILE_PRIVATE, why);
	if (!e)
		e = kitgive_page(r->inv, &s->account.id, store_address(s->store), &r->fresh->secret, why);
	return e;
}

/* What check compares the store with: the run that stored the object may have been ended before it noted that. */
static enum err remember_locator(const struct account *a, const struct kit *k, struct why *why) {
	struct statefolder_locator l = { .name = k->keys.locator, .kit = k->pub.id };
	struct buf object;
	enum err e;

	buf_init(&object, STORE_LOCATOR_MAX);
	e = store_locator_get(a->store, &k->keys.locator, &object, why);
	hash_of(&l.sum, buf_span(&object));
	if (!e && a->folder) e = statefolder_put_locator(a->folder, &l, why);
	buf_free(&object);
	return e;
}

/* An earlier run may have stored it; it is sealed with fresh randomness, so another of the same would be in its way. */
static enum err ensure_locator(struct replacing *r, struct why *why) {
	struct account *a = &r->session->account;
	enum err e;

	if (!check_locator(a, r->fresh, NULL)) return remember_locator(a, r->fresh, why);
	e = store_locator_delete(a->store, &r->fresh->keys.locator, why);
	if (e && e != E_NOTFOUND) return e;
	return account_put_locator(a, &r->fresh->secret, why);
}

/* By the kit in force; by this device where that is lost and there is no second device to ask. */
static enum err append_recovery(struct replacing *r, struct why *why) {
	struct account *a = &r->session->account;
	struct account *as_kit = NULL;
	struct accountbody body = {
		.type = ACCOUNTBODY_RECOVERY,
		.kit = account_record(
			&r->fresh->pub, DEVICERECORD_KIT, span_text("recovery kit"), clock_real_ns()),
	};
	enum err e;

	if (!r->old) return account_append(a, &body, why);
	e = open_as_kit(a, r->old, &as_kit, why);
	if (!e) e = account_append(as_kit, &body, why);
	if (as_kit) account_close(as_kit);
	mem_free(as_kit);
	return e ? e : account_refresh(a, why);
}

/* The vaults of this store begin an epoch that the old kit has no way into. */
static enum err rotate_vaults(struct replacing *r, struct why *why) {
	struct session *s = r->session;
	struct vault *v = mem_zalloc(sizeof(*v));
	enum err e = v ? OK : why_err(why, E_NOMEM, "opening a vault");

	for (size_t i = 0; !e && i < s->account.state.vault_count; i++) {
		const struct account_vault *row = &s->account.state.vaults[i];
		char name[LIMIT_VAULT_NAME + 1] = "";

		memcpy(name, row->name, row->name_len);
		if (!hash_equal(&row->store, store_id(s->store))) {
			say_note(r->inv->say,
				"the vault %s is in another store: it gets new keys when it is next written to",
				name);
			continue;
		}
		e = vault_open(v, s, name, why);
		if (e) break;
		if (v->is_home) e = vault_prepare_write(v, why);
		vault_close(v);
	}
	mem_free(v);
	return e;
}

/* All that follows the recovery entry; each step is done only where it is due. */
static enum err finish(struct replacing *r, struct why *why) {
	struct session *s = r->session;
	enum err e = OK;

	if (s->account.state.rotate_due) e = account_rotate(&s->account, why);
	if (!e) e = rotate_vaults(r, why);
	if (!e && r->old &&
		check_in_force(&s->account, r->old, NULL)) { /* a second run may be given the new kit */
		e = store_locator_delete(s->store, &r->old->keys.locator, why);
		if (e == E_NOTFOUND) e = OK;
	}
	if (!e) {
		e = file_remove(s->folder.state, pending_file, why);
		if (e == E_NOTFOUND) e = OK;
	}
	return e;
}

/* Whether an earlier run got as far as the recovery entry and no farther than that of finish. */
static bool is_unfinished(const struct replacing *r) {
	const struct account_device *now = accountstate_kit(&r->session->account.state);
	struct hash id;

	if (r->session->account.state.rotate_due) return true;
	return now && !get_pending(r->session, &id) && hash_equal(&id, &now->id);
}

static enum err replace(struct replacing *r, struct why *why) {
	struct account *a = &r->session->account;
	enum err e = OK;

	r->is_resumed = is_unfinished(r);
	if (r->is_resumed && (!r->old || accountstate_device(&a->state, &r->old->pub.id)))
		return finish(r, why);
	if (r->old) e = check_in_force(a, r->old, why);
	else if (accountstate_full_devices(&a->state) != 1)
		e = why_set(why, E_DENIED,
			"--lost is for an account with one device: with several, the kit is needed");
	r->is_refused = e != OK && r->old;
	if (!e) e = make_kit(r, why);
	if (!e) e = ensure_locator(r, why);
	if (!e) e = append_recovery(r, why);
	return e ? e : finish(r, why);
}

/* Before a page is given of a kit that could never count. */
static enum err check_home(const struct account *a, struct why *why) {
	if (a->is_home) return OK;
	return why_set(why, E_DENIED,
		"%.200s is a mirror of the account: replace the kit at its home, or make it the home with broch copy --promote",
		store_address(a->store));
}

static enum err take_old(struct replacing *r, struct kit *room, struct why *why) {
	enum err e;

	if (invocation_flag(r->inv, "lost")) {
		if (invocation_has(r->inv, "kit-file"))
			return why_set(why, E_USAGE, "--lost and --kit-file can't be given together");
		return OK;
	}
	e = kitgive_take(r->inv, &room->secret, why);
	r->is_refused = e == E_DENIED;
	if (e) return e;
	derive(room);
	r->old = room;
	return OK;
}

static void tell(const struct replacing *r) {
	const struct account *a = &r->session->account;
	const struct account_device *now = accountstate_kit(&a->state);

	if (say_json(r->inv->say)) {
		struct jsonl *j = jsonl_new("kit-replace");

		jsonl_hex(j, "account", hash_span(&a->id));
		if (now) jsonl_hex(j, "kit", hash_span(&now->id));
		jsonl_flag(j, "resumed", r->is_resumed);
		say_object(r->inv->say, j);
		return;
	}
	say_out(r->inv->say,
		r->is_resumed
			? "the replacement that was interrupted is finished: the page given then counts\n"
			: "the new recovery kit counts from now on; destroy the old one\n");
}

int cmd_kit_replace(const struct invocation *inv) {
	struct opening o;
	struct why why = { 0 };
	struct kit *kits = secretmem_alloc(2 * sizeof(*kits));
	struct replacing r = { .inv = inv, .session = &o.session };
	int code = opening_session(&o, inv);
	enum err e;

	if (!code) {
		e = check_home(&o.session.account, &why);
		if (!e)
			e = kits ? take_old(&r, &kits[0], &why)
					 : why_err(&why, E_NOMEM, "making room for keys");
		if (kits) r.fresh = &kits[1];
		if (!e) e = replace(&r, &why);
		if (e) code = r.is_refused ? opening_refused(inv, &why) : opening_failed(inv, &why);
		else tell(&r);
	}
	secretmem_free(kits);
	opening_close(&o);
	return code;
}
