#include "client/vault.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/statecache.h"
#include "core/boxmake.h"
#include "core/entrycraft.h"
#include "os/clock.h"
#include "secret/secretmem.h"

enum { TRIES_MAX = 10000, RECIPIENTS_MAX = 256 /* tried at a time */, UNSAVED_MAX = 64 };

static const size_t gone_max = (size_t)1 << 32;

struct head vault_head(const struct vault *v) {
	return (struct head){ .seq = v->chain.link.count - 1, .hash = v->chain.link.head };
}

uint32_t vault_epoch(const struct vault *v) {
	return epochring_newest(v->chain.ring);
}

/*
 * Boxes of a vault are sealed to the account, under the epoch key that it had then: the keys from ${epoch} back, as many as there
 * is room for. ${epoch} becomes the next older.
 */
static enum err account_recipients(
	const struct account *a, uint32_t *epoch, struct epochring_recipient *out, size_t *count) {
	for (*count = 0; *epoch > 0 && *count < RECIPIENTS_MAX; --*epoch, ++*count) {
		out[*count].id = a->id;
		enum err e = epochring_kem(a->chain.ring, *epoch, &out[*count].kem);
		if (e) return e;
	}
	return OK;
}

static enum err open_epochs(struct vault *v, struct why *why) {
	struct root_key root;
	size_t count = 0;
	const struct account *a = &v->session->account;
	uint32_t newest = epochring_newest(v->chain.ring), epoch = epochring_newest(a->chain.ring);
	if (epochring_secrets(v->chain.ring, newest)) return OK;
	struct epochring_recipient *who = secretmem_alloc(RECIPIENTS_MAX * sizeof *who);
	if (!who) return why_err(why, E_NOMEM, "opening the vault");
	enum err e = E_DENIED;
	while (e == E_DENIED && epoch > 0) {
		e = why_err(why, account_recipients(a, &epoch, who, &count), "opening the vault");
		if (e) break;
		e = chainread_open_epochs(&v->chain, v->session->store, who, count, &root, why);
	}
	if (!e && !v->secrets) {
		v->secrets = secretmem_alloc(sizeof *v->secrets);
		if (!v->secrets) e = why_err(why, E_NOMEM, "opening the vault");
	}
	if (!e) v->secrets->root = root;
	mem_wipe(&root, sizeof root);
	secretmem_free(who);
	return e;
}

static enum err apply_one(struct vault *v, const struct chainread_entry *n, struct why *why) {
	struct entry entry;
	struct account *a = &v->session->account;
	enum err e = entry_decode(&entry, n->bytes);
	if (!e) e = vaultstate_apply(&v->state, &entry, n->bytes, &n->hash, v->chain.ring, &a->state);
	if (e == E_ROLLBACK) {
		/* its author knew a newer account chain than this reader */
		e = account_refresh(a, why);
		if (!e)
			e = vaultstate_apply(&v->state, &entry, n->bytes, &n->hash, v->chain.ring, &a->state);
		if (e == E_ROLLBACK)
			return why_set(why, e,
				"the vault's entry %llu names an account entry that %s does not have: the account was set back",
				(unsigned long long)entry.sequence, store_address(v->session->store));
	}
	if (e == E_FORGED || e == E_FORMAT)
		return why_set(why, E_FORGED,
			"the vault's entry %llu is not by a device that may write it: it is forged",
			(unsigned long long)entry.sequence);
	if (e == E_UNSUPPORTED)
		return why_set(why, e, "the vault's entry %llu needs a newer program",
			(unsigned long long)entry.sequence);
	return why_err(why, e, "reading the vault");
}

/* The root is believed once the create entry has said its commitment. */
static enum err derive_keys(struct vault *v, struct why *why) {
	if (v->chunker) return OK;
	struct chunker_params chunks = {
		.min = v->state.chunk_min,
		.max = v->state.chunk_max,
		.mask_bits = v->state.mask_bits,
	};
	enum err e =
		vaultkeys_check_root(&v->secrets->root, &v->chain.link.birth, &v->state.root_commitment);
	if (e) return why_set(why, E_FORGED, "the vault's root key is not the one its chain states");
	vaultkeys_derive(&v->secrets->keys, &v->secrets->root, &v->id, ORIGIN_OWN, NULL);
	return why_err(
		why, chunker_new(&v->chunker, v->secrets->keys.chunker, &chunks), "opening the vault");
}

/* What a chain that is behind says of its home is old, and not remembered. */
static enum err find_home(struct vault *v, struct why *why) {
	const struct account_vault *row = accountstate_vault(&v->session->account.state, &v->id);
	struct hash home = v->state.home;
	if (hash_is_zero(&home) && row) home = row->store;
	v->is_home = !v->chain.lags && hash_equal(&home, store_id(v->session->store));
	if (v->chain.lags || v->session->ignore_heads || hash_equal(&home, &v->known_home)) return OK;
	v->known_home = home;
	return statefolder_put_home(&v->session->folder, &v->id, &home, why);
}

enum err vault_refresh(struct vault *v, struct why *why) {
	enum err e = chainread_on(&v->chain, v->session->store, &v->id, why);
	if (!e) e = open_epochs(v, why);
	/* one that cannot be applied stays the first: whoever tries again must not go on behind it */
	while (!e && v->chain.first) {
		e = apply_one(v, v->chain.first, why);
		if (e) break;
		v->unsaved++;
		chainread_entry_free(chainread_take(&v->chain));
	}
	if (!e) e = derive_keys(v, why);
	struct head head = vault_head(v);
	if (!e && !v->session->ignore_heads)
		e = heads_advance(v->session->folder.state, &v->id, &head, why);
	if (!e) e = find_home(v, why);
	if (!e && v->unsaved >= UNSAVED_MAX && !v->session->ignore_heads && !v->chain.may_lag) {
		statecache_save(v);
		v->unsaved = 0;
	}
	return e;
}

static enum err no_such_vault(const struct accountstate *a, const char *name, struct why *why) {
	char names[256] = "";
	size_t at = 0;
	for (size_t i = 0; i < a->vault_count && at < sizeof names; i++) {
		int n = snprintf(names + at, sizeof names - at, "%s%.*s", i ? ", " : "",
			(int)a->vaults[i].name_len, (const char *)a->vaults[i].name);
		if (n < 0) break;
		at += (size_t)n;
	}
	return why_set(why, E_NOTFOUND, "the account has no vault called %s (it has: %s)", name, names);
}

static const struct account_vault *find_row(const struct accountstate *a, const char *name) {
	if (name) return accountstate_vault_named(a, span_text(name));
	if (a->vault_count == 1) return &a->vaults[0];
	return accountstate_vault_named(a, span_text("main"));
}

enum err vault_open(struct vault *v, struct session *s, const char *name, struct why *why) {
	memset(v, 0, sizeof *v);
	v->session = s;
	buf_init(&v->gone, gone_max);
	chainread_init(&v->chain, CHAIN_VAULT);
	vaultstate_init(&v->state);
	const struct account_vault *row = find_row(&s->account.state, name);
	if (!row) return no_such_vault(&s->account.state, name ? name : "main", why);
	v->id = row->vault;
	memcpy(v->name, row->name, row->name_len);
	v->chain.seen = (struct head){ .seq = row->anchor_sequence, .hash = row->anchor_hash };
	v->chain.has_seen = true;
	enum err e = OK;
	v->chain.may_lag = s->account.chain.may_lag;
	if (!s->ignore_heads) {
		e = statefolder_get_home(&s->folder, &v->id, &v->known_home, why);
		if (!e) v->chain.may_lag = s->may_lag || !hash_equal(&v->known_home, store_id(s->store));
		if (e == E_NOTFOUND) e = OK;
	}
	if (!e && !s->ignore_heads) {
		struct head seen;
		e = heads_get(s->folder.state, &v->id, &seen, why);
		if (e == E_NOTFOUND) e = OK;
		else if (!e && seen.seq >= v->chain.seen.seq) v->chain.seen = seen;
	}
	if (!e && !s->ignore_heads && !s->whole_chains && !v->chain.may_lag) (void)statecache_load(v);
	if (!e) e = vault_refresh(v, why);
	if (e) vault_close(v);
	return e;
}

void vault_close(struct vault *v) {
	chunker_free(v->chunker);
	v->chunker = NULL;
	secretmem_free(v->secrets);
	v->secrets = NULL;
	buf_free(&v->gone);
	v->gone_count = 0;
	vaultstate_done(&v->state);
	chainread_done(&v->chain);
}

/* What is signed and appended. */
struct draft {
	const struct vault_entry *entry;
	enum entry_class class;
	const struct epoch_secrets *sealing;
	const struct epoch_secrets *access;
};

static enum err make_entry(struct session *s, const struct chainlink *link,
	const struct vault_thread *own, const struct draft *d, struct buf *out) {
	struct buf body, pub;
	struct head account = account_head(&s->account);
	buf_init(&body, LIMIT_ENTRY_BODY);
	buf_init(&pub, LIMIT_ENTRY_PUBLIC);
	enum err e = vaultbody_encode(&d->entry->body, &body);
	if (!e) e = entrypublic_encode(&d->entry->public_part, &pub);
	struct entry entry = chainlink_draft(link, clock_real_ns());
	entry.class = (uint8_t)d->class;
	entry.role = d->class == ENTRY_CONTROL ? ROLE_ADMIN : ROLE_WRITER;
	entry.seal = SEAL_BODY;
	entry.public_part = buf_span(&pub);
	entry.epoch = d->sealing->epoch;
	struct entrycraft craft = {
		.author = &s->secrets->actor.entry,
		.inner = {
			.type = d->entry->body.type,
			.account = s->account.id,
			.device = s->secrets->actor.id,
			.account_sequence = account.seq,
			.account_head = account.hash,
			.own_sequence = own ? own->sequence : ENTRYINNER_NONE,
			.body = buf_span(&body),
		},
		.sealing = d->sealing,
		.access = d->access,
		.fresh = &s->secrets->fresh,
	};
	if (own) craft.inner.own_hash = own->hash;
	if (!e) e = entrycraft_make(&craft, &entry, out);
	buf_free(&body);
	buf_free(&pub);
	return e;
}

static enum err append_made(struct vault *v, const struct draft *d, struct why *why) {
	struct buf made;
	buf_init(&made, LIMIT_ENTRY);
	enum err e = make_entry(v->session, &v->chain.link,
		vaultstate_thread(&v->state, &v->session->secrets->actor.id), d, &made);
	if (e) e = why_err(why, e, "making a chain entry");
	else
		e = store_chain_append(
			v->session->store, &v->id, v->chain.link.count, buf_span(&made), why);
	buf_free(&made);
	return e;
}

enum err vault_append(struct vault *v, vault_decide *decide, void *ctx, struct why *why) {
	enum err e = E_BUSY;
	for (int i = 0; e == E_BUSY && i < TRIES_MAX; i++) {
		struct vault_entry entry = { .public_part = { .kind = ENTRYPUBLIC_NONE } };
		e = vault_refresh(v, why);
		if (!e) e = account_refresh(&v->session->account, why);
		if (!e) e = vault_prepare_write(v, why);
		if (!e) e = decide(ctx, v, &entry, why);
		if (e) return e;
		const struct epoch_secrets *secrets = epochring_secrets(v->chain.ring, v->chain.link.epoch);
		struct draft d = {
			.entry = &entry,
			.class = vaultbody_is_control(entry.body.type) ? ENTRY_CONTROL : ENTRY_DATA,
			.sealing = secrets,
			.access = secrets,
		};
		e = append_made(v, &d, why);
	}
	if (e) return e;
	return vault_refresh(v, why);
}

static enum err decide_home(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct hash *store = ctx;
	(void)why;
	if (hash_equal(&v->state.home, store)) return E_CANCELLED;
	out->body = (struct vaultbody){ .type = VAULTBODY_HOME };
	out->public_part = (struct entrypublic){ .kind = ENTRYPUBLIC_HOME, .store = *store };
	return OK;
}

enum err vault_move_home(struct vault *v, const struct hash *store, struct why *why) {
	struct hash to = *store;
	v->is_moving = true;
	enum err e = vault_append(v, decide_home, &to, why);
	v->is_moving = false;
	return e == E_CANCELLED ? OK : e;
}

static struct entrypublic_keys public_keys(
	const struct epoch_public *pub, const struct hash *boxes) {
	return (struct entrypublic_keys){
		.kem = span_of(pub->kem, KEM_PUBLIC),
		.reader = span_of(pub->reader, SIGN_PUBLIC),
		.writer = span_of(pub->writer, SIGN_PUBLIC),
		.admin = span_of(pub->admin, SIGN_PUBLIC),
		.commitment = pub->commitment,
		.boxes = *boxes,
	};
}

/* Stores the boxes of an epoch that begins, for the account alone, and fills in its public keys. */
static enum err put_epoch(struct session *s, const struct box_content *content,
	const struct epoch_secret *previous, struct epoch_public *keys, struct entrypublic *pub,
	struct why *why) {
	struct buf object;
	struct hash boxes;
	const struct epochring *ring = s->account.chain.ring;
	struct boxmake_recipient who = { .id = s->account.id,
		.kem_key = epochring_kem_public(ring, epochring_newest(ring)) };
	buf_init(&object, STORE_OBJECT_MAX);
	enum err e = epochkeys_public(keys, &content->secrets);
	if (!e) e = boxmake_object(content, &who, 1, previous, &s->secrets->fresh, &object);
	if (e) e = why_err(why, e, "making the keys of an epoch");
	hash_of(&boxes, buf_span(&object));
	if (!e) e = store_object_put(s->store, &boxes, buf_span(&object), why);
	if (!e) pub->keys = public_keys(keys, &boxes);
	buf_free(&object);
	return e;
}

static enum err make_content(struct box_content *c, const struct hash *birth, uint32_t epoch,
	const struct root_key *root, struct fresh *fresh) {
	c->kind = CHAIN_VAULT;
	enum err e = epochkeys_generate(&c->secrets, CHAIN_VAULT, birth, epoch, fresh);
	if (e) return e;
	if (root) {
		c->root = *root;
		return OK;
	}
	return vaultkeys_generate_root(&c->root, fresh);
}

static enum err add_to_account(
	struct session *s, const struct hash *vault, const char *name, struct why *why) {
	struct accountbody body = {
		.type = ACCOUNTBODY_VAULT,
		.vault = {
			.vault = *vault,
			.store = *store_id(s->store),
			.role = ROLE_ADMIN,
			.name = span_text(name),
			.anchor_sequence = 0,
			.anchor_hash = *vault,
		},
	};
	return account_append(&s->account, &body, why);
}

static enum err create(struct session *s, const struct vault_new *n, struct box_content *content,
	struct hash *id, struct why *why) {
	struct epoch_public keys;
	struct chainlink link;
	struct entry entry;
	struct entrypublic seen;
	struct buf made;
	struct vault_entry first = {
		.body = {
			.type = VAULTBODY_CREATE,
			.chunk_min = n->chunks.min,
			.chunk_max = n->chunks.max,
			.mask_bits = (uint8_t)n->chunks.mask_bits,
			.hold = n->hold,
			.trust = VAULTBODY_TRUST_OWN,
			.owner = s->account.id,
		},
		.public_part = { .kind = ENTRYPUBLIC_CREATE },
	};
	buf_init(&made, LIMIT_ENTRY);
	chainlink_init(&link, CHAIN_VAULT);
	enum err e = fresh_bytes(&s->secrets->fresh, first.public_part.birth.b, HASH_SIZE);
	if (!e) e = make_content(content, &first.public_part.birth, 1, NULL, &s->secrets->fresh);
	if (e) return why_err(why, e, "making the vault");
	vaultkeys_root_commitment(
		&first.body.root_commitment, &content->root, &first.public_part.birth);
	e = put_epoch(s, content, NULL, &keys, &first.public_part, why);
	struct draft d = { .entry = &first,
		.class = ENTRY_CONTROL,
		.sealing = &content->secrets,
		.access = &content->secrets };
	if (!e) e = why_err(why, make_entry(s, &link, NULL, &d, &made), "making the vault");
	if (!e)
		e = why_err(why, chainlink_next(&link, buf_span(&made), &entry, &seen),
			"checking the vault's first entry");
	if (!e) e = store_chain_append(s->store, &link.id, 0, buf_span(&made), why);
	if (!e) *id = link.id;
	buf_free(&made);
	return e;
}

enum err vault_create(struct session *s, const struct vault_new *n, struct why *why) {
	struct hash id;
	if (!s->account.is_home)
		return why_set(why, E_DENIED, "%s is a mirror of this account: make the vault in its home",
			store_address(s->store));
	/* before anything is stored; account_append looks again */
	if (accountstate_vault_named(&s->account.state, span_text(n->name)))
		return why_set(why, E_EXISTS, "the account has a vault called %s already", n->name);
	struct box_content *content = secretmem_alloc(sizeof *content);
	if (!content) return why_err(why, E_NOMEM, "making the vault");
	enum err e = create(s, n, content, &id, why);
	if (!e) e = add_to_account(s, &id, n->name, why);
	secretmem_free(content);
	return e;
}

static enum err rotate_once(struct vault *v, struct box_content *content, struct why *why) {
	struct epoch_public keys;
	struct vault_entry entry = {
		.body = { .type = VAULTBODY_ROTATE },
		.public_part = { .kind = ENTRYPUBLIC_ROTATE },
	};
	const struct epoch_secrets *old = epochring_secrets(v->chain.ring, v->chain.link.epoch);
	enum err e = make_content(content, &v->chain.link.birth, old->epoch + 1, &v->secrets->root,
		&v->session->secrets->fresh);
	if (e) return why_err(why, e, "making the keys of an epoch");
	e = put_epoch(v->session, content, &old->s, &keys, &entry.public_part, why);
	struct draft d = {
		.entry = &entry, .class = ENTRY_CONTROL, .sealing = &content->secrets, .access = old
	};
	if (!e) e = append_made(v, &d, why);
	return e;
}

enum err vault_rotate(struct vault *v, struct why *why) {
	struct box_content *content = secretmem_alloc(sizeof *content);
	if (!content) return why_err(why, E_NOMEM, "making the keys of an epoch");
	uint32_t before = v->chain.link.epoch;
	enum err e = E_BUSY;
	for (int i = 0; e == E_BUSY && i < TRIES_MAX; i++) {
		e = rotate_once(v, content, why);
		if (e && e != E_BUSY) break;
		enum err again = vault_refresh(v, why);
		if (again) e = again;
		else if (e == E_BUSY && v->chain.link.epoch > before) e = OK;
	}
	secretmem_free(content);
	return e;
}

static bool rotation_is_due(const struct vault *v) {
	const struct accountstate *a = &v->session->account.state;
	return a->vaults_due && v->state.keys_sequence < a->vaults_due;
}

enum err vault_prepare_write(struct vault *v, struct why *why) {
	if (v->is_moving) return OK;
	if (!v->is_home)
		return why_set(why, E_DENIED,
			"%s is a mirror of this vault and is only read; write to its home, or make it the home with broch copy --promote",
			store_address(v->session->store));
	enum err e = OK;
	if (v->session->account.state.rotate_due) e = account_rotate(&v->session->account, why);
	if (!e && rotation_is_due(v)) e = vault_rotate(v, why);
	return e;
}
