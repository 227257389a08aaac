#include "client/promote.h"

#include <string.h>

#include "base/mem.h"
#include "client/when.h"
#include "store/embedded.h"

/* Calls for each vault of the account of ${s}, open. */
static enum err each_vault(struct session *s,
	enum err (*with)(void *ctx, struct vault *v, struct why *why), void *ctx, struct why *why) {
	struct vault *v = mem_zalloc(sizeof *v);
	enum err e = v ? OK : why_err(why, E_NOMEM, "opening a vault");
	for (size_t i = 0; !e && i < s->account.state.vault_count; i++) {
		const struct account_vault *row = &s->account.state.vaults[i];
		char name[LIMIT_VAULT_NAME + 1] = "";
		memcpy(name, row->name, row->name_len);
		e = vault_open(v, s, name, why);
		if (e) break;
		e = with(ctx, v, why);
		vault_close(v);
	}
	mem_free(v);
	return e;
}

static enum err move_vault(void *ctx, struct vault *v, struct why *why) {
	return vault_move_home(v, ctx, why);
}

/* The entries that say where the home is: the account's first, which the vaults' name. */
static enum err move_all(struct session *s, const struct hash *to, struct why *why) {
	struct hash id = *to;
	enum err e = account_move_home(&s->account, &id, why);
	return e ? e : each_vault(s, move_vault, &id, why);
}

enum err promote_vaults(struct session *s, struct why *why) {
	struct hash id = *store_id(s->store);
	return each_vault(s, move_vault, &id, why);
}

static enum err is_behind(const struct chainread *c, const char *what, struct why *why) {
	char when[WHEN_TEXT];
	return why_set(why, E_ROLLBACK,
		"the mirror is behind: its newest entry of %.64s is of %s, and this device has seen a newer one. Bring back the home and copy; "
		"if it is lost for good, broch accept-older --at gives up what is newer",
		what, when_local(when, c->link.time));
}

static enum err check_vault_lag(void *ctx, struct vault *v, struct why *why) {
	bool *moved = ctx;
	if (v->chain.lags) return is_behind(&v->chain, v->name, why);
	if (!v->is_home) *moved = false;
	return OK;
}

/* The remembered store, if it is another one, opens, and is not behind. */
static bool open_home(struct session *s, struct session *home) {
	char path[PATHS_MAX];
	struct account_open open = {
		.folder = &s->folder,
		.fresh = &s->secrets->fresh,
		.actor = &s->secrets->actor,
		.id = s->account.id,
	};
	memset(home, 0, sizeof *home);
	home->folder = s->folder;
	home->secrets = s->secrets;
	if (statefolder_get_store(&s->folder, path, NULL)) return false;
	if (embedded_open(path, &home->store, NULL)) return false;
	open.store = home->store;
	if (hash_equal(store_id(home->store), store_id(s->store)) ||
		account_open(&home->account, &open, NULL)) {
		store_free(home->store);
		return false;
	}
	home->account_is_open = true;
	if (!home->account.chain.lags) return true;
	account_close(&home->account);
	store_free(home->store);
	return false;
}

/* Folder and keys stay with the session they were borrowed from. */
static void close_home(struct session *home) {
	account_close(&home->account);
	store_free(home->store);
}

/*
 * Copied before and after: in the time between the entry in the old home and its arrival here, neither store can be
 * written to; so that is kept short.
 */
static enum err move_from(struct session *home, struct session *s, const struct mirror_options *o,
	struct promote_result *out, struct why *why) {
	struct mirror_result after;
	enum err e = mirror_run(home, store_address(s->store), o, &out->copied, why);
	if (!e) e = move_all(home, store_id(s->store), why);
	if (!e) e = mirror_run(home, store_address(s->store), o, &after, why);
	if (e) return e;
	out->copied.packs += after.packs;
	out->copied.bytes += after.bytes;
	out->copied.entries += after.entries;
	out->copied.objects += after.objects;
	return OK;
}

static enum err move_here(struct session *s, struct why *why) {
	bool moved = s->account.is_home;
	if (s->account.chain.lags) return is_behind(&s->account.chain, "the account", why);
	enum err e = each_vault(s, check_vault_lag, &moved, why);
	if (e) return e;
	if (moved) return why_set(why, E_EXISTS, "%.200s is the home already", store_address(s->store));
	return move_all(s, store_id(s->store), why);
}

enum err promote_run(struct session *s, const struct mirror_options *o, struct promote_result *out,
	struct why *why) {
	struct session *home = mem_zalloc(sizeof *home);
	if (!home) return why_err(why, E_NOMEM, "looking for the home");
	memset(out, 0, sizeof *out);
	out->home_was_there = open_home(s, home);
	enum err e;
	if (out->home_was_there) {
		e = move_from(home, s, o, out, why);
		close_home(home);
		if (!e) e = account_refresh(&s->account, why);
	} else {
		e = move_here(s, why);
	}
	mem_free(home);
	if (!e) e = statefolder_put_store(&s->folder, store_address(s->store), why);
	if (!e) e = statefolder_put_store_id(&s->folder, store_id(s->store), why);
	return e;
}
