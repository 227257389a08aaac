#include "client/checkstore.h"

#include <stdio.h>
#include <string.h>

#include "chain/chainlink.h"
#include "os/signals.h"
#include "secret/locator.h"

enum { TEXT = 256 };

static const uint8_t locator_magic[4] = { 'b', 'r', 'o', 1 };

struct checking {
	struct checkreport *r;
	struct store *store;
	const struct hash *chain;
	struct chainlink link;
	bool begun, broken;
	uint64_t until; /* an entry that is looked for in the copies */
	bool copy_is_good;
};

static enum err stop(struct why *why) {
	return signals_asked() ? why_set(why, E_CANCELLED, "interrupted") : OK;
}

/* Checks one entry against where the chain stands; the first tells which kind of chain it is. */
static enum err follow(struct checking *c, uint64_t seq, struct span bytes) {
	struct entry entry;
	struct entrypublic pub;
	if (seq == 0) {
		enum err e = entry_decode(&entry, bytes);
		if (e) return e;
		chainlink_init(&c->link, (enum chain_kind)entry.kind);
	}
	enum err e = chainlink_next(&c->link, bytes, &entry, &pub);
	if (!e && seq == 0 && !hash_equal(&c->link.id, c->chain)) e = E_FORGED;
	return e;
}

/* Whether the copy of entry ${c->until} is good where the entry itself is not. */
static enum err look_at_copy(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct checking *c = ctx;
	(void)why;
	if (seq < c->until) return OK;
	struct checking copy = *c;
	c->copy_is_good = follow(&copy, seq, bytes) == OK;
	return E_CANCELLED; /* only this one */
}

static bool has_copy(struct checking *c, uint64_t seq) {
	c->until = seq;
	c->copy_is_good = false;
	/* from further back, so that the store prefers its copies */
	err_ignore(store_chain_read(
		c->store, c->chain, seq - seq % 256, STORE_READ_FAST, look_at_copy, c, NULL));
	return c->copy_is_good;
}

static enum err check_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct checking *c = ctx;
	enum err e = stop(why);
	if (e) return e;
	e = follow(c, seq, bytes);
	if (!e) {
		c->r->counts.entries++;
		return OK;
	}
	if (e == E_NOMEM) return why_err(why, e, "checking a chain");
	c->broken = true;
	checkreport_damage(c->r, CHECKREPORT_ENTRY, c->chain, seq,
		e == E_UNSUPPORTED ? "needs a newer program"
			: has_copy(c, seq)
			? "is damaged; the store has a good copy of it in a segment (broch repair tells which)"
			: "is damaged or forged; nothing behind it can be read");
	return E_FORGED;
}

static enum err check_copy(
	void *ctx, const char *place, uint64_t seq, const char *what, struct why *why) {
	struct checking *c = ctx;
	char text[TEXT];
	(void)why;
	(void)snprintf(text, sizeof text, "the file %.160s %.80s", place, what);
	if (strstr(what, "gap") && !c->broken) {
		checkreport_damage(c->r, CHECKREPORT_ENTRY, c->chain, seq, text);
		c->broken = true;
	} else {
		checkreport_warning(c->r, CHECKREPORT_ENTRY, c->chain, seq, text);
	}
	return OK;
}

static enum err check_chain(void *ctx, const struct hash *name, struct why *why) {
	struct checking *all = ctx;
	struct checking c = { .r = all->r, .store = all->store, .chain = name };
	struct why reason = { OK, "" };
	enum err e = store_chain_read(c.store, name, 0, STORE_READ_SINGLE, check_entry, &c, &reason);
	c.r->counts.chains++;
	if (e == E_IO || (e == E_FORMAT && !c.broken)) {
		/* a file that cannot be read: the reason names it */
		checkreport_damage(c.r, CHECKREPORT_ENTRY, name, c.link.count, reason.msg);
		c.broken = true;
		e = OK;
	}
	if (e == E_FORGED) e = OK;
	if (e && why) *why = reason;
	if (!e) e = store_chain_check(c.store, name, check_copy, &c, why);
	return e;
}

static enum err check_object(void *ctx, const struct hash *name, struct why *why) {
	struct checking *c = ctx;
	struct buf bytes;
	struct why reason = { OK, "" };
	enum err e = stop(why);
	if (e) return e;
	buf_init(&bytes, STORE_OBJECT_MAX);
	e = store_object_get(c->store, name, &bytes, &reason);
	c->r->counts.objects++;
	buf_free(&bytes);
	if (e == E_NOTFOUND) return OK; /* deleted meanwhile */
	if (e == E_NOMEM) return why_err(why, e, "checking objects");
	if (e)
		checkreport_damage(c->r, CHECKREPORT_OBJECT, name, 0,
			e == E_IO || e == E_DENIED ? reason.msg
									   : "its bytes do not have its name: it is damaged");
	return OK;
}

static enum err check_locator(void *ctx, const struct hash *name, struct why *why) {
	struct checking *c = ctx;
	struct buf bytes;
	struct why reason = { OK, "" };
	buf_init(&bytes, STORE_LOCATOR_MAX);
	enum err e = store_locator_get(c->store, name, &bytes, &reason);
	c->r->counts.locators++;
	if (!e &&
		(bytes.len != LOCATOR_SIZE || memcmp(bytes.ptr, locator_magic, sizeof locator_magic) != 0))
		e = E_FORMAT;
	buf_free(&bytes);
	if (e == E_NOTFOUND) return OK;
	if (e == E_NOMEM) return why_err(why, e, "checking locators");
	if (e)
		checkreport_damage(c->r, CHECKREPORT_LOCATOR, name, 0,
			"is damaged: the recovery kit cannot find the account by it");
	return OK;
}

enum err checkstore_locator(struct checkreport *r, struct store *store,
	const struct statefolder *folder, const struct hash *kit, struct why *why) {
	struct statefolder_locator own;
	struct hash now;
	struct buf bytes;
	enum err e = statefolder_get_locator(folder, &own, why);
	if (e == E_NOTFOUND) return OK;
	if (e) return e;
	if (kit && !hash_is_zero(&own.kit) && !hash_equal(kit, &own.kit)) return OK;
	buf_init(&bytes, STORE_LOCATOR_MAX);
	e = store_locator_get(store, &own.name, &bytes, why);
	hash_of(&now, buf_span(&bytes));
	if (e == E_NOTFOUND)
		checkreport_damage(r, CHECKREPORT_LOCATOR, &own.name, 0,
			"is missing: the recovery kit cannot find the account in this store");
	else if (e == OK && !hash_equal(&now, &own.sum))
		checkreport_damage(r, CHECKREPORT_LOCATOR, &own.name, 0,
			"is not what this device stored: the recovery kit cannot find the account by it");
	buf_free(&bytes);
	return e == E_NOMEM ? e : OK;
}

enum err checkstore_run(
	struct checkreport *r, struct store *store, const struct statefolder *folder, struct why *why) {
	struct checking c = { .r = r, .store = store };
	struct checkreport_progress p = { .step = "reading chains" };
	checkreport_tick(r, &p);
	enum err e = store_chain_list(store, check_chain, &c, why);
	p.step = "reading objects";
	checkreport_tick(r, &p);
	if (!e) e = store_object_list(store, check_object, &c, why);
	if (!e) e = store_locator_list(store, check_locator, &c, why);
	if (!e && folder) e = checkstore_locator(r, store, folder, NULL, why);
	return e;
}
