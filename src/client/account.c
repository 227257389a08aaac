#include "client/account.h"

#include <string.h>

#include "base/mem.h"
#include "core/boxmake.h"
#include "core/entrycraft.h"
#include "os/clock.h"
#include "secret/locator.h"
#include "secret/secretmem.h"

enum { TRIES_MAX = 1000 };

void account_actor_device(struct actor *out, const struct device_keys *keys) {
	struct device_public pub;
	devicekeys_public(&pub, keys);
	out->id = pub.id;
	out->kem = keys->kem;
	signer_init(&out->entry, &keys->entry);
}

void account_actor_kit(struct actor *out, const struct kit_keys *keys) {
	struct device_public pub;
	kitkeys_public(&pub, keys);
	out->id = pub.id;
	out->kem = keys->kem;
	signer_init(&out->entry, &keys->entry);
}

struct head account_head(const struct account *a) {
	return (struct head){ .seq = a->chain.link.count - 1, .hash = a->chain.link.head };
}

struct devicerecord account_record(
	const struct device_public *pub, uint8_t kind, struct span name, int64_t created) {
	return (struct devicerecord){
		.kind = kind,
		.entry_key = span_of(pub->entry, SIGN_PUBLIC),
		.request_key = span_of(pub->request, SIGN_PUBLIC),
		.kem_key = span_of(pub->kem, KEM_PUBLIC),
		.name = name,
		.created = created,
	};
}

/* Applies what was read. What cannot be applied stays the first: whoever tries again must not go on behind it. */
static enum err apply(struct account *a, struct why *why) {
	enum err e = OK;
	while (!e && a->chain.first) {
		const struct chainread_entry *n = a->chain.first;
		struct entry entry;
		e = entry_decode(&entry, n->bytes);
		if (!e) e = accountstate_apply(&a->state, &entry, n->bytes, &n->hash, a->chain.ring);
		if (e == E_FORGED || e == E_FORMAT)
			e = why_set(why, E_FORGED,
				"the account's entry %llu is not by a device that may write it: it is forged",
				(unsigned long long)entry.sequence);
		else if (e == E_UNSUPPORTED)
			e = why_set(why, e, "the account's entry %llu needs a newer program",
				(unsigned long long)entry.sequence);
		else if (e) e = why_err(why, e, "reading the account");
		if (!e) chainread_entry_free(chainread_take(&a->chain));
	}
	return e;
}

/* What a chain that is behind says of its home is old, and not remembered. */
static enum err find_home(struct account *a, struct why *why) {
	a->is_home = !a->chain.lags && hash_equal(&a->state.home, store_id(a->store));
	if (a->chain.lags || !a->folder || hash_equal(&a->state.home, &a->known_home)) return OK;
	a->known_home = a->state.home;
	return statefolder_put_home(a->folder, &a->id, &a->known_home, why);
}

enum err account_refresh(struct account *a, struct why *why) {
	struct epochring_recipient me = { .id = a->actor->id, .kem = a->actor->kem };
	enum err e = chainread_on(&a->chain, a->store, &a->id, why);
	if (!e) e = chainread_open_epochs(&a->chain, a->store, &me, 1, NULL, why);
	if (!e) e = apply(a, why);
	struct head head = account_head(a);
	if (!e && a->folder) e = heads_advance(a->folder->state, &a->id, &head, why);
	if (!e) e = find_home(a, why);
	mem_wipe(&me, sizeof me);
	return e;
}

static bool is_valid(const struct account *a) {
	const struct account_device *d = accountstate_device(&a->state, &a->actor->id);
	return d && d->removed == UINT64_MAX;
}

enum err account_open(struct account *a, const struct account_open *o, struct why *why) {
	*a = (struct account){
		.store = o->store,
		.folder = o->folder,
		.fresh = o->fresh,
		.actor = o->actor,
		.id = o->id,
	};
	chainread_init(&a->chain, CHAIN_ACCOUNT);
	accountstate_init(&a->state);
	a->chain.seen = o->anchor;
	a->chain.has_seen = o->has_anchor;
	a->chain.may_lag = o->may_lag;
	enum err e = OK;
	if (a->folder) {
		e = statefolder_get_home(a->folder, &a->id, &a->known_home, why);
		if (!e && !hash_equal(&a->known_home, store_id(a->store))) a->chain.may_lag = true;
		if (e == E_NOTFOUND) e = OK;
	}
	if (!e && a->folder) {
		struct head seen;
		e = heads_get(a->folder->state, &a->id, &seen, why);
		if (e == E_NOTFOUND) e = OK;
		else if (!e && (!a->chain.has_seen || seen.seq >= a->chain.seen.seq)) {
			a->chain.seen = seen;
			a->chain.has_seen = true;
		}
	}
	if (!e) e = account_refresh(a, why);
	if (!e && !is_valid(a))
		e = why_set(why, E_DENIED, "this device is not a device of the account");
	if (e == E_DENIED && a->chain.lags)
		e = why_set(why, e,
			"the mirror %.150s is older than this device and knows nothing of it: bring it up to date with broch copy --to. If "
			"its home is lost, make it the home from a device that is older than the mirror; or with the kit, by broch "
			"recover --promote with another BROCH_HOME",
			store_address(a->store));
	if (e) account_close(a);
	return e;
}

void account_close(struct account *a) {
	accountstate_done(&a->state);
	chainread_done(&a->chain);
}

static enum err put_object(
	struct store *store, struct span bytes, struct hash *name, struct why *why) {
	hash_of(name, bytes);
	return store_object_put(store, name, bytes, why);
}

/* What is signed and appended. */
struct draft {
	uint8_t type;
	uint8_t seal;
	struct span body;
	struct span public_part;
	const struct epoch_secrets *sealing;
	const struct epoch_secrets *access;
};

static enum err make_entry(const struct chainlink *link, const struct actor *actor,
	struct fresh *fresh, const struct account_device *self, const struct draft *d,
	struct buf *out) {
	struct entry entry = chainlink_draft(link, clock_real_ns());
	entry.class = ENTRY_CONTROL;
	entry.role = ROLE_ADMIN;
	entry.seal = d->seal;
	entry.public_part = d->public_part;
	entry.epoch = d->sealing->epoch;
	struct entrycraft craft = {
		.author = &actor->entry,
		.inner = {
			.type = d->type,
			.device = actor->id,
			.own_sequence = self ? self->own_sequence : ENTRYINNER_NONE,
			.body = d->body,
		},
		.sealing = d->sealing,
		.access = d->access,
		.fresh = fresh,
	};
	if (self) craft.inner.own_hash = self->own_hash;
	return entrycraft_make(&craft, &entry, out);
}

static uint8_t seal_of(uint8_t type) {
	return type == ACCOUNTBODY_RECOVERY || type == ACCOUNTBODY_VAULT ? SEAL_BODY : SEAL_CONTACT;
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

/* The boxes object and the encoded public part of an epoch that begins with ${content}. */
static enum err put_epoch(struct store *store, struct fresh *fresh,
	const struct box_content *content, const struct boxmake_recipient *who, size_t count,
	const struct epoch_secret *previous, struct entrypublic *pub, struct buf *out,
	struct why *why) {
	struct buf object;
	struct epoch_public keys;
	struct hash boxes;
	buf_init(&object, STORE_OBJECT_MAX);
	enum err e = epochkeys_public(&keys, &content->secrets);
	if (!e) e = boxmake_object(content, who, count, previous, fresh, &object);
	if (e) e = why_err(why, e, "making the keys of an epoch");
	if (!e) e = put_object(store, buf_span(&object), &boxes, why);
	if (!e) {
		pub->keys = public_keys(&keys, &boxes);
		e = why_err(why, entrypublic_encode(pub, out), "making the keys of an epoch");
	}
	buf_free(&object);
	return e;
}

/* ${folder}: where the device remembers it, for checks; or NULL. */
static enum err put_locator(struct store *store, struct fresh *fresh, const struct hash *account,
	const struct kit_secret *kit, const struct statefolder *folder, struct why *why) {
	struct {
		struct kit_keys keys;
		struct device_public pub;
	} s;
	uint8_t object[LOCATOR_SIZE];
	struct locator_content content = { .account = *account, .store = *store_id(store) };
	const char *address = store_address(store);
	size_t len = strlen(address);
	if (len <= LOCATOR_ADDRESS_MAX) {
		memcpy(content.address, address, len);
		content.address_len = (uint8_t)len;
	}
	kitkeys_derive(&s.keys, kit);
	kitkeys_public(&s.pub, &s.keys);
	enum err e = locator_seal(object, s.pub.kem, &s.keys.locator, &content, fresh);
	if (e) e = why_err(why, e, "making the locator object");
	else e = store_locator_put(store, &s.keys.locator, span_of(object, sizeof object), why);
	if (!e && folder) {
		struct statefolder_locator l = { .name = s.keys.locator, .kit = s.pub.id };
		hash_of(&l.sum, span_of(object, sizeof object));
		e = statefolder_put_locator(folder, &l, why);
	}
	mem_wipe(&s, sizeof s);
	return e;
}

enum err account_put_locator(struct account *a, const struct kit_secret *kit, struct why *why) {
	return put_locator(a->store, a->fresh, &a->id, kit, a->folder, why);
}

static enum err encode_create(const struct account_new *n, const struct device_public *device,
	const struct device_public *kit, struct buf *out) {
	uint8_t joined[SIGN_SIGNATURE];
	struct hash none = { { 0 } };
	struct buf record;
	int64_t now = clock_real_ns();
	struct accountbody body = {
		.type = ACCOUNTBODY_CREATE,
		.device = account_record(device, DEVICERECORD_FULL, n->device_name, now),
		.kit = account_record(kit, DEVICERECORD_KIT, span_text("recovery kit"), now),
		.home = *store_id(n->store),
	};
	buf_init(&record, 4096);
	enum err e = devicerecord_encode(&body.device, &record);
	if (!e) e = devicekeys_join(joined, n->keys, &none, buf_span(&record));
	body.joined = span_of(joined, sizeof joined);
	if (!e) e = accountbody_encode(&body, out);
	buf_free(&record);
	return e;
}

/* All that account_create holds, wiped as one. */
struct creation {
	struct box_content content;
	struct kit_keys kit;
	struct actor actor;
	struct device_public device_pub, kit_pub;
};

static enum err create(const struct account_new *n, struct creation *c, struct buf *public_part,
	struct buf *body, struct buf *out, struct why *why) {
	struct entrypublic pub = { .kind = ENTRYPUBLIC_CREATE };
	struct chainlink link;
	chainlink_init(&link, CHAIN_ACCOUNT);
	enum err e = fresh_bytes(n->fresh, pub.birth.b, HASH_SIZE);
	c->content.kind = CHAIN_ACCOUNT;
	if (!e) e = epochkeys_generate(&c->content.secrets, CHAIN_ACCOUNT, &pub.birth, 1, n->fresh);
	if (e) return why_err(why, e, "making the account");
	struct boxmake_recipient who[] = {
		{ .id = c->device_pub.id, .kem_key = c->device_pub.kem },
		{ .id = c->kit_pub.id, .kem_key = c->kit_pub.kem },
	};
	e = put_epoch(n->store, n->fresh, &c->content, who, 2, NULL, &pub, public_part, why);
	if (!e)
		e = why_err(why, encode_create(n, &c->device_pub, &c->kit_pub, body), "making the account");
	struct draft d = {
		.type = ACCOUNTBODY_CREATE,
		.seal = SEAL_CONTACT,
		.body = buf_span(body),
		.public_part = buf_span(public_part),
		.sealing = &c->content.secrets,
		.access = &c->content.secrets,
	};
	if (!e)
		e = why_err(
			why, make_entry(&link, &c->actor, n->fresh, NULL, &d, out), "making the account");
	return e;
}

enum err account_create(const struct account_new *n, struct hash *id, struct why *why) {
	struct buf public_part, body, out;
	struct entry entry;
	struct entrypublic pub;
	struct chainlink link;
	struct creation *c = secretmem_alloc(sizeof *c);
	if (!c) return why_err(why, E_NOMEM, "making the account");
	buf_init(&public_part, LIMIT_ENTRY_PUBLIC);
	buf_init(&body, LIMIT_ENTRY_BODY);
	buf_init(&out, LIMIT_ENTRY);
	devicekeys_public(&c->device_pub, n->keys);
	kitkeys_derive(&c->kit, n->kit);
	kitkeys_public(&c->kit_pub, &c->kit);
	account_actor_device(&c->actor, n->keys);
	enum err e = create(n, c, &public_part, &body, &out, why);
	chainlink_init(&link, CHAIN_ACCOUNT);
	if (!e)
		e = why_err(why, chainlink_next(&link, buf_span(&out), &entry, &pub),
			"checking the account's first entry");
	if (!e) e = store_chain_append(n->store, &link.id, 0, buf_span(&out), why);
	if (!e) e = put_locator(n->store, n->fresh, &link.id, n->kit, n->folder, why);
	if (!e) *id = link.id;
	secretmem_free(c);
	buf_free(&public_part);
	buf_free(&body);
	buf_free(&out);
	return e;
}

/* Appends one made entry; E_BUSY: another was first. */
static enum err append_made(struct account *a, struct buf *made, struct why *why) {
	enum err e = store_chain_append(a->store, &a->id, a->chain.link.count, buf_span(made), why);
	if (!e) e = account_refresh(a, why);
	return e;
}

static enum err check_home(const struct account *a, struct why *why) {
	if (a->is_home) return OK;
	return why_set(why, E_DENIED,
		"%s is a mirror of this account and is only read; write to its home, or make it the home with broch copy --promote",
		store_address(a->store));
}

/* Two vaults of one name would be told apart by nobody: of two devices that make them at once the second is refused. */
static enum err check_name(
	const struct account *a, const struct accountbody_vault *b, struct why *why) {
	const struct account_vault *row = accountstate_vault_named(&a->state, b->name);
	if (!row || hash_equal(&row->vault, &b->vault)) return OK;
	return why_set(why, E_EXISTS, "the account has a vault called %.*s already", (int)b->name.len,
		(const char *)b->name.ptr);
}

static bool gets_box(const struct account_device *d) {
	return d->removed == UINT64_MAX && d->kind != DEVICERECORD_WRITE_ONLY;
}

static size_t recipient_count(const struct accountstate *s) {
	size_t n = 0;
	for (size_t i = 0; i < s->device_count; i++) n += gets_box(&s->devices[i]);
	return n;
}

/* A device that no box has room for would be one that can open nothing. */
static enum err check_boxes(const struct account *a, struct why *why) {
	if (recipient_count(&a->state) < LIMIT_BOXES) return OK;
	return why_set(why, E_LIMIT, "the account has %u devices and kits, and cannot have more",
		(unsigned)LIMIT_BOXES);
}

/* What would be void is not written: it would stop every reader. Looked at again whenever another writer was first. */
static enum err check_right(const struct account *a, const struct accountbody *b, struct why *why) {
	enum err e = accountstate_allows(&a->state, b, &a->actor->id);
	if (e == E_EXISTS) return why_set(why, e, "the account has this device or kit already");
	if (e &&
		accountstate_allows(
			&a->state, &(struct accountbody){ .type = ACCOUNTBODY_ROTATE }, &a->actor->id))
		return why_set(why, e, "this device or kit is no longer one of the account");
	if (e) return why_set(why, e, "where there are two devices, only the kit can replace the kit");
	if (b->type == ACCOUNTBODY_ADD_DEVICE) return check_boxes(a, why);
	return b->type == ACCOUNTBODY_VAULT ? check_name(a, &b->vault, why) : OK;
}

static enum err rotate(struct account *a, struct why *why);

/* Appends an entry with this public part. */
static enum err append(
	struct account *a, const struct accountbody *body, struct entrypublic pub, struct why *why) {
	struct buf bytes, made, none;
	buf_init(&bytes, LIMIT_ENTRY_BODY);
	buf_init(&made, LIMIT_ENTRY);
	buf_init(&none, LIMIT_ENTRY_PUBLIC);
	enum err e = accountbody_encode(body, &bytes);
	if (!e) e = entrypublic_encode(&pub, &none);
	bool is_done = false;
	if (e) e = why_err(why, e, "making an account entry");
	for (int i = 0; !e && !is_done && i < TRIES_MAX; i++) {
		/* a recovery entry is followed by its rotate, whoever finds it without */
		if (a->state.rotate_due) e = rotate(a, why);
		if (!e) e = check_right(a, body, why);
		if (e) break;
		const struct epoch_secrets *secrets = epochring_secrets(a->chain.ring, a->chain.link.epoch);
		struct draft d = {
			.type = body->type,
			.seal = seal_of(body->type),
			.body = buf_span(&bytes),
			.public_part = buf_span(&none),
			.sealing = secrets,
			.access = secrets,
		};
		buf_clear(&made);
		e = make_entry(&a->chain.link, a->actor, a->fresh,
			accountstate_device(&a->state, &a->actor->id), &d, &made);
		if (e) e = why_err(why, e, "making an account entry");
		else e = append_made(a, &made, why);
		is_done = e == OK;
		if (e == E_BUSY) e = account_refresh(a, why);
	}
	if (!e && !is_done)
		e = why_set(why, E_BUSY, "others keep writing to the account: try again later");
	buf_free(&bytes);
	buf_free(&made);
	buf_free(&none);
	return e;
}

enum err account_append(struct account *a, const struct accountbody *body, struct why *why) {
	struct entrypublic pub = { .kind = ENTRYPUBLIC_NONE };
	enum err e = check_home(a, why);
	return e ? e : append(a, body, pub, why);
}

enum err account_move_home(struct account *a, const struct hash *store, struct why *why) {
	struct accountbody body = { .type = ACCOUNTBODY_HOME };
	struct entrypublic pub = { .kind = ENTRYPUBLIC_HOME, .store = *store };
	if (hash_equal(&a->state.home, store)) return OK;
	return append(a, &body, pub, why);
}

/* Everyone who gets a box of the next account epoch, to ${who} (LIMIT_BOXES); how many. */
static size_t recipients(const struct accountstate *s, struct boxmake_recipient *who) {
	size_t n = 0;
	for (size_t i = 0; i < s->device_count && n < LIMIT_BOXES; i++) {
		const struct account_device *d = &s->devices[i];
		if (!gets_box(d)) continue;
		who[n++] = (struct boxmake_recipient){ .id = d->id, .kem_key = d->kem_key };
	}
	return n;
}

static enum err rotate_once(struct account *a, struct box_content *content, struct why *why) {
	struct boxmake_recipient who[LIMIT_BOXES];
	struct entrypublic pub = { .kind = ENTRYPUBLIC_ROTATE };
	struct buf public_part, made;
	const struct epoch_secrets *old = epochring_secrets(a->chain.ring, a->chain.link.epoch);
	buf_init(&public_part, LIMIT_ENTRY_PUBLIC);
	buf_init(&made, LIMIT_ENTRY);
	content->kind = CHAIN_ACCOUNT;
	enum err e = epochkeys_generate(
		&content->secrets, CHAIN_ACCOUNT, &a->chain.link.birth, old->epoch + 1, a->fresh);
	if (e) e = why_err(why, e, "making the keys of an epoch");
	else
		e = put_epoch(a->store, a->fresh, content, who, recipients(&a->state, who), &old->s, &pub,
			&public_part, why);
	struct draft d = {
		.type = ACCOUNTBODY_ROTATE,
		.seal = SEAL_CONTACT,
		.public_part = buf_span(&public_part),
		.sealing = &content->secrets,
		.access = old,
	};
	if (!e)
		e = why_err(why,
			make_entry(&a->chain.link, a->actor, a->fresh,
				accountstate_device(&a->state, &a->actor->id), &d, &made),
			"making an account entry");
	if (!e) e = append_made(a, &made, why);
	buf_free(&public_part);
	buf_free(&made);
	return e;
}

static enum err rotate(struct account *a, struct why *why) {
	struct box_content *content = secretmem_alloc(sizeof *content);
	if (!content) return why_err(why, E_NOMEM, "making the keys of an epoch");
	uint32_t before = a->chain.link.epoch;
	enum err e = E_BUSY;
	for (int i = 0; e == E_BUSY && i < TRIES_MAX; i++) {
		e = check_right(a, &(struct accountbody){ .type = ACCOUNTBODY_ROTATE }, why);
		if (!e) e = rotate_once(a, content, why);
		if (e != E_BUSY) break;
		e = account_refresh(a, why);
		if (!e && a->chain.link.epoch > before) break; /* somebody else rotated */
		if (!e) e = E_BUSY;
	}
	secretmem_free(content);
	return e;
}

enum err account_rotate(struct account *a, struct why *why) {
	enum err e = check_home(a, why);
	return e ? e : rotate(a, why);
}

/* Whether the device was added and no epoch began since: who added it got no further. */
static bool lacks_box(const struct account *a, const struct hash *id) {
	const struct account_device *d = accountstate_device(&a->state, id);
	return d && d->removed == UINT64_MAX && d->added > a->state.epoch_began;
}

enum err account_add_device(
	struct account *a, const struct device_keys *keys, struct span name, struct why *why) {
	uint8_t joined[SIGN_SIGNATURE];
	struct device_public pub;
	struct buf record;
	devicekeys_public(&pub, keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_ADD_DEVICE,
		.device = account_record(&pub, DEVICERECORD_FULL, name, clock_real_ns()),
		.joined = span_of(joined, sizeof joined),
	};
	buf_init(&record, 4096);
	enum err e = devicerecord_encode(&body.device, &record);
	if (!e) e = devicekeys_join(joined, keys, &a->id, buf_span(&record));
	if (e) e = why_err(why, e, "making a device");
	else e = account_append(a, &body, why);
	if (e == E_EXISTS && lacks_box(a, &pub.id)) e = OK;
	if (!e) e = account_rotate(a, why);
	buf_free(&record);
	return e;
}
