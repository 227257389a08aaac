#include "client/accept.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/vault.h"
#include "crypto/entryproof.h"

enum { LINE = 512 };

/* The hash of entry ${seq} of a chain that was read whole. */
struct finding {
	uint64_t seq;
	struct hash hash;
	bool found;
};

static enum err find_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct finding *f = ctx;
	(void)why;
	if (seq != f->seq) return E_CANCELLED;
	entryproof_hash(&f->hash, bytes);
	f->found = true;
	return E_CANCELLED;
}

static enum err compare(
	struct session *s, const struct chainread *c, struct accept_chain *out, struct why *why) {
	out->there = (struct head){ .seq = c->link.count - 1, .hash = c->link.head };
	out->time = c->link.time;
	enum err e = heads_get(s->folder.state, &out->id, &out->seen, why);
	out->has_seen = e == OK;
	if (e == E_NOTFOUND || e == E_FORMAT) return OK; /* a damaged one is replaced */
	if (e) return e;
	out->is_older = out->there.seq < out->seen.seq;
	if (out->is_older) return OK;
	struct finding f = { .seq = out->seen.seq };
	e = store_chain_read(s->store, &out->id, f.seq, STORE_READ_SINGLE, find_entry, &f, why);
	if (e && e != E_CANCELLED) return e;
	out->is_other = !f.found || !hash_equal(&f.hash, &out->seen.hash);
	return OK;
}

enum err accept_look(struct session *s, accept_visit *visit, void *ctx, struct why *why) {
	struct accept_chain chain = { .name = "", .id = s->account.id };
	struct vault *v = mem_zalloc(sizeof *v);
	enum err e = v ? OK : why_err(why, E_NOMEM, "opening a vault");
	if (!e) e = compare(s, &s->account.chain, &chain, why);
	if (!e) e = visit(ctx, &chain, why);
	for (size_t i = 0; !e && i < s->account.state.vault_count; i++) {
		const struct account_vault *row = &s->account.state.vaults[i];
		char name[LIMIT_VAULT_NAME + 1] = "";
		memcpy(name, row->name, row->name_len);
		e = vault_open(v, s, name, why);
		if (e) break;
		chain = (struct accept_chain){ .name = name, .id = v->id };
		e = compare(s, &v->chain, &chain, why);
		if (!e) e = visit(ctx, &chain, why);
		vault_close(v);
	}
	mem_free(v);
	return e;
}

static enum err accept_one(void *ctx, const struct accept_chain *c, struct why *why) {
	struct session *s = ctx;
	char line[LINE], hex[HASH_HEX];
	hash_hex(hex, &c->id);
	enum err e = heads_set(s->folder.state, &c->id, &c->there, why);
	if (e) return e;
	if (c->name[0]) statefolder_drop_caches(&s->folder, &c->id);
	if (!c->is_older && !c->is_other) return OK;
	(void)snprintf(line, sizeof line,
		"accepted %s state of chain %s: entry %llu, where %llu was seen, in %.200s",
		c->is_older ? "an older" : "another", hex, (unsigned long long)c->there.seq,
		(unsigned long long)c->seen.seq, store_address(s->store));
	statefolder_record(&s->folder, line);
	return OK;
}

enum err accept_now(struct session *s, struct why *why) {
	enum err e = accept_look(s, accept_one, s, why);
	return e ? e : session_accept_store(s, why);
}
