#include "core/accountstate.h"

#include <string.h>

#include "base/mem.h"
#include "core/entrycraft.h"
#include "crypto/deviceid.h"

/* doc/spec/chains.md section 5 */
enum { DEVICES_MAX = 4096, VAULTS_MAX = 65536, ENTRIES_MAX = 1 << 24 };

enum { VAULT_TYPES = 32 }; /* from there on, types are those of vault chains */

void accountstate_init(struct accountstate *s) {
	memset(s, 0, sizeof *s);
}

void accountstate_done(struct accountstate *s) {
	mem_free(s->hashes);
	mem_free(s->devices);
	mem_free(s->vaults);
	accountstate_init(s);
}

/* Room for one more of ${size} bytes in a growing array. */
static enum err one_more(void **array, size_t *room, size_t count, size_t size, size_t max) {
	if (count < *room) return OK;
	if (count >= max) return E_LIMIT;
	size_t more = *room ? *room * 2 : 8;
	void *p = mem_resize(*array, more, size);
	if (!p) return E_NOMEM;
	*array = p;
	*room = more;
	return OK;
}

static struct account_device *find_device(const struct accountstate *s, const struct hash *id) {
	for (size_t i = 0; i < s->device_count; i++)
		if (hash_equal(&s->devices[i].id, id)) return &s->devices[i];
	return NULL;
}

const struct account_device *accountstate_device(
	const struct accountstate *s, const struct hash *id) {
	return find_device(s, id);
}

bool accountstate_valid_at(const struct account_device *d, uint64_t sequence) {
	return d->added <= sequence && sequence < d->removed;
}

const struct account_device *accountstate_kit(const struct accountstate *s) {
	for (size_t i = s->device_count; i > 0; i--)
		if (s->devices[i - 1].kind == DEVICERECORD_KIT && s->devices[i - 1].removed == UINT64_MAX)
			return &s->devices[i - 1];
	return NULL;
}

const struct account_vault *accountstate_vault(
	const struct accountstate *s, const struct hash *id) {
	for (size_t i = 0; i < s->vault_count; i++)
		if (hash_equal(&s->vaults[i].vault, id)) return &s->vaults[i];
	return NULL;
}

const struct account_vault *accountstate_vault_named(
	const struct accountstate *s, struct span name) {
	for (size_t i = 0; i < s->vault_count; i++)
		if (span_equal(span_of(s->vaults[i].name, s->vaults[i].name_len), name))
			return &s->vaults[i];
	return NULL;
}

/* Into room that is there. E_FORGED: the id is not new. */
static enum err add_device(struct accountstate *s, const struct devicerecord *r, int64_t time) {
	struct account_device d = {
		.kind = r->kind,
		.name_len = (uint8_t)r->name.len,
		.created = r->created,
		.added_time = time,
		.added = s->count,
		.removed = UINT64_MAX,
		.own_sequence = UINT64_MAX,
	};
	memcpy(d.entry_key, r->entry_key.ptr, SIGN_PUBLIC);
	memcpy(d.request_key, r->request_key.ptr, SIGN_PUBLIC);
	memcpy(d.kem_key, r->kem_key.ptr, KEM_PUBLIC);
	if (r->name.len) memcpy(d.name, r->name.ptr, r->name.len);
	deviceid_of(&d.id, d.entry_key, d.request_key, d.kem_key);
	if (accountstate_device(s, &d.id)) return E_FORGED;
	s->devices[s->device_count++] = d;
	return OK;
}

/* Room for ${n} more devices, before anything changes. */
static enum err device_room(struct accountstate *s, size_t n) {
	return one_more((void **)&s->devices, &s->device_room, s->device_count + n - 1,
		sizeof *s->devices, DEVICES_MAX);
}

static enum err check_joined(const struct accountstate *s, const struct accountbody *b) {
	struct hash none = { { 0 } };
	return deviceid_check_joined(
		b->device.entry_key.ptr, s->count ? &s->id : &none, b->device.bytes, b->joined.ptr);
}

static enum err apply_create(struct accountstate *s, const struct accountbody *b, int64_t time) {
	enum err e = check_joined(s, b);
	if (!e) e = device_room(s, 2);
	if (!e) e = add_device(s, &b->device, time);
	if (e) return e;
	e = add_device(s, &b->kit, time);
	if (e) s->device_count = 0;
	else s->home = b->home;
	return e;
}

size_t accountstate_full_devices(const struct accountstate *s) {
	size_t n = 0;
	for (size_t i = 0; i < s->device_count; i++)
		n += s->devices[i].kind == DEVICERECORD_FULL && s->devices[i].removed == UINT64_MAX;
	return n;
}

/* The kit outranks devices; one device alone may replace it only where there is no second to ask. */
static bool may_replace_kit(const struct accountstate *s, const struct hash *author) {
	const struct account_device *kit = accountstate_kit(s);
	return kit && (hash_equal(author, &kit->id) || accountstate_full_devices(s) == 1);
}

static enum err apply_recovery(
	struct accountstate *s, const struct accountbody *b, const struct hash *author, int64_t time) {
	const struct account_device *old = accountstate_kit(s);
	if (!may_replace_kit(s, author)) return E_FORGED;
	size_t place = (size_t)(old - s->devices);
	enum err e = device_room(s, 1);
	if (!e) e = add_device(s, &b->kit, time);
	if (e) return e;
	s->devices[place].removed = s->count;
	s->rotate_due = true;
	s->vaults_due = s->count;
	return OK;
}

static enum err apply_vault(struct accountstate *s, const struct accountbody_vault *b) {
	struct account_vault v = {
		.vault = b->vault,
		.store = b->store,
		.role = b->role,
		.name_len = (uint8_t)b->name.len,
		.anchor_sequence = b->anchor_sequence,
		.anchor_hash = b->anchor_hash,
	};
	memcpy(v.name, b->name.ptr, b->name.len);
	for (size_t i = 0; i < s->vault_count; i++) {
		if (!hash_equal(&s->vaults[i].vault, &b->vault)) continue;
		s->vaults[i] = v;
		return OK;
	}
	enum err e =
		one_more((void **)&s->vaults, &s->vault_room, s->vault_count, sizeof v, VAULTS_MAX);
	if (!e) s->vaults[s->vault_count++] = v;
	return e;
}

/* The type against chain, public part and seal: doc/spec/chains.md section 2. */
static bool type_fits(uint8_t type, uint8_t public_kind, uint8_t seal) {
	bool sealed_closer = type == ACCOUNTBODY_RECOVERY || type == ACCOUNTBODY_VAULT;
	if (type >= VAULT_TYPES || seal != (sealed_closer ? SEAL_BODY : SEAL_CONTACT)) return false;
	switch (public_kind) {
	case ENTRYPUBLIC_CREATE: return type == ACCOUNTBODY_CREATE;
	case ENTRYPUBLIC_ROTATE: return type == ACCOUNTBODY_ROTATE;
	case ENTRYPUBLIC_HOME: return type == ACCOUNTBODY_HOME;
	default:
		return type != ACCOUNTBODY_CREATE && type != ACCOUNTBODY_ROTATE && type != ACCOUNTBODY_HOME;
	}
}

static enum err apply_body(struct accountstate *s, const struct entry *entry,
	const struct entrypublic *pub, const struct accountbody *b, const struct hash *author) {
	enum err e;
	switch (b->type) {
	case ACCOUNTBODY_CREATE: return apply_create(s, b, entry->time);
	case ACCOUNTBODY_ADD_DEVICE:
		e = check_joined(s, b);
		if (!e) e = device_room(s, 1);
		return e ? e : add_device(s, &b->device, entry->time);
	case ACCOUNTBODY_RECOVERY: return apply_recovery(s, b, author, entry->time);
	case ACCOUNTBODY_VAULT: return apply_vault(s, &b->vault);
	case ACCOUNTBODY_ROTATE:
		s->rotate_due = false;
		s->epoch_began = s->count;
		return OK;
	case ACCOUNTBODY_HOME: s->home = pub->store; return OK;
	default: return E_UNSUPPORTED;
	}
}

/* A valid full device, or the kit. */
static bool may_write(const struct accountstate *s, const struct account_device *d) {
	return d && accountstate_valid_at(d, s->count) && d->kind != DEVICERECORD_WRITE_ONLY;
}

static bool is_known(const struct accountstate *s, const struct devicerecord *r) {
	struct hash id;
	deviceid_of(&id, r->entry_key.ptr, r->request_key.ptr, r->kem_key.ptr);
	return find_device(s, &id) != NULL;
}

enum err accountstate_allows(
	const struct accountstate *s, const struct accountbody *b, const struct hash *author) {
	if (!may_write(s, find_device(s, author))) return E_DENIED;
	if (s->rotate_due && b->type != ACCOUNTBODY_ROTATE) return E_DENIED;
	if (b->type == ACCOUNTBODY_RECOVERY && !may_replace_kit(s, author)) return E_DENIED;
	if (b->type == ACCOUNTBODY_RECOVERY && is_known(s, &b->kit)) return E_EXISTS;
	if (b->type == ACCOUNTBODY_ADD_DEVICE && is_known(s, &b->device)) return E_EXISTS;
	return OK;
}

/* With its own thread intact. */
static enum err check_author(const struct accountstate *s, const struct entryinner *inner,
	struct span plain, const struct hash *outer) {
	const struct account_device *d = find_device(s, &inner->device);
	if (!may_write(s, d)) return E_FORGED;
	if (inner->own_sequence != d->own_sequence || !hash_equal(&inner->own_hash, &d->own_hash))
		return E_FORGED;
	return entrycraft_check_author(inner, plain, outer, d->entry_key);
}

/* The first entry is signed by the device that it makes. */
static enum err check_first(const struct accountbody *b, const struct entryinner *inner,
	struct span plain, const struct hash *outer) {
	struct hash id;
	if (b->type != ACCOUNTBODY_CREATE || inner->own_sequence != ENTRYINNER_NONE) return E_FORGED;
	deviceid_of(&id, b->device.entry_key.ptr, b->device.request_key.ptr, b->device.kem_key.ptr);
	if (!hash_equal(&id, &inner->device)) return E_FORGED;
	return entrycraft_check_author(inner, plain, outer, b->device.entry_key.ptr);
}

static enum err apply_opened(struct accountstate *s, const struct entry *entry,
	const struct entryinner *inner, struct span plain, const struct hash *outer,
	const struct hash *hash) {
	struct accountbody body;
	struct entrypublic pub;
	enum err e = OK;
	if (s->count) e = check_author(s, inner, plain, outer);
	if (!e) e = entrypublic_decode(&pub, entry->public_part);
	if (e) return e;
	if (!type_fits(inner->type, pub.kind, entry->seal)) return E_FORGED;
	/* until it is there, who has the replaced kit can open what is written */
	if (s->rotate_due && inner->type != ACCOUNTBODY_ROTATE) return E_FORGED;
	e = accountbody_decode(&body, inner->type, inner->body);
	if (!e && !s->count) e = check_first(&body, inner, plain, outer);
	if (!e) e = apply_body(s, entry, &pub, &body, &inner->device);
	if (e) return e;
	struct account_device *author = find_device(s, &inner->device);
	author->own_sequence = entry->sequence;
	author->own_hash = *hash;
	return OK;
}

enum err accountstate_apply(struct accountstate *s, const struct entry *entry, struct span bytes,
	const struct hash *hash, const struct epochring *ring) {
	struct buf plain;
	struct entryinner inner;
	struct hash outer;
	const struct epoch_secrets *secrets = epochring_secrets(ring, entry->epoch);
	if (!secrets) return E_DENIED;
	enum err e =
		one_more((void **)&s->hashes, &s->hash_room, s->count, sizeof *s->hashes, ENTRIES_MAX);
	if (e) return e;
	buf_init(&plain, LIMIT_ENTRY_INNER);
	e = entrycraft_open(entry, bytes, secrets, &plain, &inner, &outer);
	if (!e) e = apply_opened(s, entry, &inner, buf_span(&plain), &outer, hash);
	buf_wipe_free(&plain);
	if (e == E_FORMAT || e == E_FORGED || e == E_LIMIT) {
		s->void_count++;
		s->newest_void = entry->sequence;
		return E_FORGED;
	}
	if (e) return e;
	if (s->count == 0) s->id = *hash;
	s->hashes[s->count++] = *hash;
	return OK;
}
