#include "client/mirror.h"

#include <string.h>

#include "base/mem.h"
#include "client/intents.h"
#include "client/mirrorchain.h"
#include "client/mirrorpacks.h"
#include "os/signals.h"
#include "store/embedded.h"

enum { TRIES = 20 };

static const size_t names_max = (size_t)1 << 32;

struct copying {
	struct session *s;
	struct store *to;
	const struct mirror_options *o;
	struct mirror_result *out;
};

static enum err make(struct copying *c, const char *to, struct why *why) {
	struct hash id;
	enum err e = fresh_bytes(&c->s->secrets->fresh, id.b, HASH_SIZE);
	if (e) return why_err(why, e, "making the mirror's id");
	e = embedded_create(to, &id, why);
	if (!e) e = embedded_open(to, &c->to, why);
	c->out->made = e == OK;
	return e;
}

static enum err open_mirror(struct copying *c, const char *to, struct why *why) {
	enum err e = embedded_open(to, &c->to, why);
	if (e == E_NOTFOUND) e = make(c, to, why);
	if (e) return e;
	c->out->store = *store_id(c->to);
	if (hash_equal(&c->out->store, store_id(c->s->store)))
		return why_set(why, E_USAGE,
			"%.200s is the store itself, or a copy of it made with other tools (it has the same id): a mirror has an id of its own",
			to);
	return OK;
}

static enum err say_damage(struct copying *c, const char *what, const struct hash *name) {
	struct why why;
	char hex[HASH_HEX];
	hash_hex(hex, name);
	c->out->damaged++;
	enum err e = why_set(&why, E_FORGED, "%s %s is damaged", what, hex);
	if (c->o->damaged) c->o->damaged(c->o->ctx, &why);
	return e;
}

static enum err copy_object(void *ctx, const struct hash *name, struct why *why) {
	struct copying *c = ctx;
	struct buf bytes;
	if (signals_asked()) return why_set(why, E_CANCELLED, "interrupted");
	buf_init(&bytes, STORE_OBJECT_MAX);
	enum err e = store_object_get(c->to, name, &bytes, NULL);
	bool there = e == OK, bad = e == E_FORMAT;
	buf_clear(&bytes);
	e = there ? OK : store_object_get(c->s->store, name, &bytes, why);
	if (e == E_FORMAT) {
		err_ignore(say_damage(c, "object", name)); /* counted */
		e = OK;
	} else if (!e && !there) {
		/* one that is damaged in the mirror is in the way of its like */
		if (bad) err_ignore(store_object_delete(c->to, name, NULL));
		e = store_object_put(c->to, name, buf_span(&bytes), why);
		c->out->objects++;
	}
	buf_free(&bytes);
	return e == E_NOTFOUND ? OK : e;
}

/*
 * A locator object in the mirror stays as it is: a store that gives out another one under its name, or none, must not
 * take the way to the account from it. Only what this device wrote itself may replace it.
 */
static enum err copy_locator(void *ctx, const struct hash *name, struct why *why) {
	struct copying *c = ctx;
	struct buf bytes;
	struct statefolder_locator own;
	struct hash now;
	buf_init(&bytes, STORE_LOCATOR_MAX);
	enum err e = store_locator_get(c->s->store, name, &bytes, why);
	hash_of(&now, buf_span(&bytes));
	if (!e) e = store_locator_put(c->to, name, buf_span(&bytes), why);
	if (e == E_EXISTS) {
		e = OK;
		if (!statefolder_get_locator(&c->s->folder, &own, NULL) && hash_equal(&own.name, name) &&
			hash_equal(&own.sum, &now)) {
			e = store_locator_delete(c->to, name, why);
			if (!e) e = store_locator_put(c->to, name, buf_span(&bytes), why);
		}
	}
	buf_free(&bytes);
	return e == E_NOTFOUND ? OK : e;
}

static enum err copy_objects(struct copying *c, struct why *why) {
	uint64_t before = c->out->damaged;
	enum err e = store_object_list(c->s->store, copy_object, c, why);
	if (!e) e = store_locator_list(c->s->store, copy_locator, c, why);
	if (!e && c->out->damaged > before)
		e = why_set(why, E_FORGED,
			"objects of the store are damaged: the mirror stays at the entries it had");
	return e;
}

static enum err copy_chain(struct copying *c, const struct hash *chain, enum chain_kind kind,
	uint64_t count, struct why *why) {
	struct mirrorchain m = {
		.from = c->s->store, .to = c->to, .chain = *chain, .kind = kind, .count = count
	};
	return mirrorchain_copy(&m, &c->out->entries, why);
}

static enum err copy_account(struct copying *c, struct why *why) {
	const struct account *a = &c->s->account;
	return copy_chain(c, &a->id, CHAIN_ACCOUNT, a->state.count, why);
}

/* The names of all packs that were purged so far. */
static enum err purged_names(struct vault *v, struct buf *out, struct why *why) {
	enum err e = OK;
	buf_clear(out);
	for (size_t i = 0; i < v->state.purge_count && !e; i++)
		e = intents_purged(v, &v->state.purges[i], out, why);
	if (!e) intents_sort(out);
	return e;
}

/*
 * The packs that the chain needs as it stands. Where some vanished on the way, a prune was at work: its entries are read,
 * and it is done again up to them.
 */
static enum err copy_packs(
	struct vault *v, struct mirrorpacks *m, struct buf *purged, struct why *why) {
	enum err e = OK;
	for (int i = 0; i < TRIES && !e; i++) {
		e = vault_refresh(v, why);
		if (!e) e = purged_names(v, purged, why);
		m->purged = buf_span(purged);
		if (!e) e = mirrorpacks_copy(m, why);
		if (e || !m->vanished) return e;
	}
	return e ? e
			 : why_set(why, E_BUSY,
				   "packs keep vanishing from the store while it is copied: run it again later");
}

static enum err copy_vault(struct copying *c, struct vault *v, struct why *why) {
	struct buf purged;
	struct mirrorpacks packs = {
		.from = c->s->store, .to = c->to, .vault = v->id, .options = c->o, .result = c->out
	};
	buf_init(&purged, names_max);
	enum err e = copy_packs(v, &packs, &purged, why);
	if (!e) e = copy_objects(c, why);
	if (!e) e = copy_account(c, why);
	if (!e) e = copy_chain(c, &v->id, CHAIN_VAULT, v->state.count, why);
	if (!e) e = mirrorpacks_delete(&packs, why);
	c->out->vaults++;
	buf_free(&purged);
	return e;
}

typedef enum err with_vault(struct copying *c, struct vault *v, struct why *why);

static enum err each_vault(struct copying *c, with_vault *with, struct why *why) {
	struct vault *v = mem_zalloc(sizeof *v);
	enum err e = v ? OK : why_err(why, E_NOMEM, "copying a vault");
	for (size_t i = 0; !e && i < c->s->account.state.vault_count; i++) {
		const struct account_vault *row = &c->s->account.state.vaults[i];
		char name[LIMIT_VAULT_NAME + 1] = "";
		memcpy(name, row->name, row->name_len);
		e = vault_open(v, c->s, name, why);
		if (e) break;
		e = with(c, v, why);
		vault_close(v);
	}
	mem_free(v);
	return e;
}

static enum err only_opens(struct copying *c, struct vault *v, struct why *why) {
	(void)c;
	(void)v;
	(void)why;
	return OK;
}

static enum err compare_vault(struct copying *c, struct vault *v, struct why *why) {
	return copy_chain(c, &v->id, CHAIN_VAULT, 0, why);
}

/* Before anything is written: the chains open here, and those in the mirror are beginnings of them. */
static enum err compare(struct copying *c, struct why *why) {
	enum err e = copy_chain(c, &c->s->account.id, CHAIN_ACCOUNT, 0, why);
	return e ? e : each_vault(c, compare_vault, why);
}

enum err mirror_run(struct session *s, const char *to, const struct mirror_options *o,
	struct mirror_result *out, struct why *why) {
	struct copying c = { .s = s, .o = o, .out = out };
	memset(out, 0, sizeof *out);
	enum err e = each_vault(&c, only_opens, why);
	if (!e) e = open_mirror(&c, to, why);
	if (!e) e = compare(&c, why);
	if (!e) e = copy_objects(&c, why);
	if (!e) e = copy_account(&c, why);
	if (!e) e = each_vault(&c, copy_vault, why);
	store_free(c.to);
	return e;
}
