#include "core/vaultstate.h"

#include <string.h>

#include "base/mem.h"
#include "core/entrycraft.h"
#include "core/vaultsummary.h"

enum {
	SNAPSHOTS_MAX = 1 << 24,
	INDEXES_MAX = 1 << 20,
	INTENTS_MAX = 1 << 16,
	PURGES_MAX = 1 << 24,
	THREADS_MAX = 1 << 16,
	POLICIES_MAX = 1 << 16,
	ENTRIES_MAX = 1 << 26,
};

static const int64_t second_ns = 1000000000;

void vaultstate_init(struct vaultstate *s) {
	memset(s, 0, sizeof *s);
}

void vaultstate_done(struct vaultstate *s) {
	for (size_t i = 0; i < s->snapshot_count; i++) mem_free(s->snapshots[i].bytes);
	for (size_t i = 0; i < s->intent_count; i++) mem_free(s->intents[i].bytes);
	for (size_t i = 0; i < s->purge_count; i++) mem_free(s->purges[i].bytes);
	mem_free(s->purges);
	mem_free(s->times);
	mem_free(s->snapshots);
	mem_free(s->indexes);
	mem_free(s->intents);
	mem_free(s->threads);
	mem_free(s->policies);
	vaultstate_init(s);
}

static enum err one_more(void **array, size_t *room, size_t count, size_t size, size_t max) {
	if (count < *room) return OK;
	if (count >= max) return E_LIMIT;
	size_t more = *room ? *room * 2 : 16;
	void *p = mem_resize(*array, more, size);
	if (!p) return E_NOMEM;
	*array = p;
	*room = more;
	return OK;
}

struct vault_snapshot *vaultstate_snapshot(const struct vaultstate *s, const struct hash *id) {
	for (size_t i = s->snapshot_count; i > 0; i--)
		if (hash_order(&s->snapshots[i - 1].id, id) == 0) return &s->snapshots[i - 1];
	return NULL;
}

struct vault_intent *vaultstate_intent(const struct vaultstate *s, uint64_t sequence) {
	for (size_t i = 0; i < s->intent_count; i++)
		if (s->intents[i].sequence == sequence) return &s->intents[i];
	return NULL;
}

static struct vault_thread *find_thread(const struct vaultstate *s, const struct hash *device) {
	for (size_t i = 0; i < s->thread_count; i++)
		if (hash_equal(&s->threads[i].device, device)) return &s->threads[i];
	return NULL;
}

const struct vault_thread *vaultstate_thread(
	const struct vaultstate *s, const struct hash *device) {
	return find_thread(s, device);
}

/* ${t} plus ${seconds}, at most INT64_MAX. */
static int64_t later(int64_t t, uint64_t seconds) {
	int64_t out;
	if (seconds > INT64_MAX / (uint64_t)second_ns) return INT64_MAX;
	if (__builtin_add_overflow(t, (int64_t)seconds * second_ns, &out)) return INT64_MAX;
	return out;
}

uint64_t vaultstate_hold(const struct vaultstate *s, int64_t time) {
	uint64_t hold = 0;
	for (size_t i = 0; i < s->policy_count; i++) {
		const struct vault_policy *p = &s->policies[i];
		int64_t from = i && p->hold < hold ? later(p->time, hold) : p->time;
		if (i == 0 || from <= time) hold = p->hold;
	}
	return hold;
}

enum err vaultstate_add_policy(struct vaultstate *s, int64_t time, uint64_t hold) {
	enum err e = one_more(
		(void **)&s->policies, &s->policy_room, s->policy_count, sizeof *s->policies, POLICIES_MAX);
	if (!e) s->policies[s->policy_count++] = (struct vault_policy){ .time = time, .hold = hold };
	return e;
}

static struct span copy_span(uint8_t **at, struct span in) {
	struct span out = span_of(*at, in.len);
	if (in.len) memcpy(*at, in.ptr, in.len);
	*at += in.len;
	return out;
}

/* Gives a snapshot its own copy of a stamp. */
static enum err own_stamp(struct vault_snapshot *v, const struct stamp *from) {
	uint8_t *bytes = mem_alloc(from->host.len + from->branch.len + from->tags.items.len);
	if (!bytes) return E_NOMEM;
	uint8_t *at = bytes;
	struct stamp stamp = *from;
	stamp.host = copy_span(&at, from->host);
	stamp.branch = copy_span(&at, from->branch);
	stamp.tags.items = copy_span(&at, from->tags.items);
	mem_free(v->bytes);
	v->bytes = bytes;
	v->stamp = stamp;
	return OK;
}

enum err vaultstate_add_index(struct vaultstate *s, const struct vault_index *v) {
	enum err e = one_more(
		(void **)&s->indexes, &s->index_room, s->index_count, sizeof *s->indexes, INDEXES_MAX);
	if (!e) s->indexes[s->index_count++] = *v;
	return e;
}

static enum err add_indexes(
	struct vaultstate *s, const struct locationlist *added, uint64_t sequence) {
	enum err e = OK;
	for (size_t i = 0; i < location_count(added) && !e; i++) {
		struct vault_index index = { .location = location_at(added, i), .sequence = sequence };
		e = vaultstate_add_index(s, &index);
	}
	return e;
}

static void remove_indexes(struct vaultstate *s, const struct locationlist *removed) {
	for (size_t i = 0; i < location_count(removed); i++) {
		struct location gone = location_at(removed, i);
		size_t kept = 0;
		for (size_t k = 0; k < s->index_count; k++)
			if (location_order(&s->indexes[k].location, &gone) != 0)
				s->indexes[kept++] = s->indexes[k];
		s->index_count = kept;
	}
}

static enum err apply_create(
	struct vaultstate *s, const struct vaultbody *b, const struct entryinner *inner, int64_t time) {
	if (!hash_equal(&b->owner, &inner->account)) return E_FORGED;
	s->root_commitment = b->root_commitment;
	s->chunk_min = b->chunk_min;
	s->chunk_max = b->chunk_max;
	s->mask_bits = b->mask_bits;
	s->trust = b->trust;
	s->owner = b->owner;
	s->keys_sequence = inner->account_sequence;
	return vaultstate_add_policy(s, time, b->hold);
}

enum err vaultstate_add_snapshot(
	struct vaultstate *s, const struct vault_snapshot *v, const struct stamp *stamp) {
	struct vault_snapshot copy = *v;
	copy.bytes = NULL;
	enum err e = one_more(
		(void **)&s->snapshots, &s->snapshot_room, s->snapshot_count, sizeof copy, SNAPSHOTS_MAX);
	if (!e) e = own_stamp(&copy, stamp);
	if (!e) s->snapshots[s->snapshot_count++] = copy;
	return e;
}

static enum err apply_snapshot(struct vaultstate *s, const struct vaultbody *b,
	const struct entryinner *inner, uint64_t sequence) {
	struct vault_snapshot v = {
		.sequence = sequence, .touched = sequence, .id = b->snapshot, .device = inner->device
	};
	enum err e = add_indexes(s, &b->added, sequence);
	return e ? e : vaultstate_add_snapshot(s, &v, &b->stamp);
}

static enum err apply_tag(struct vaultstate *s, const struct vaultbody *b) {
	struct vault_snapshot *v = vaultstate_snapshot(s, &b->snapshot);
	if (!v) return OK;
	struct stamp stamp = v->stamp;
	stamp.tags = b->tags;
	return own_stamp(v, &stamp);
}

static void apply_forget(struct vaultstate *s, const struct vaultbody *b) {
	for (size_t i = 0; i < hashlist_count(&b->forget); i++) {
		struct hash id = hashlist_at(&b->forget, i);
		struct vault_snapshot *v = vaultstate_snapshot(s, &id);
		if (v) v->forgotten = true;
	}
}

static void drop_intent(struct vaultstate *s, uint64_t sequence) {
	struct vault_intent *gone = vaultstate_intent(s, sequence);
	if (!gone) return;
	mem_free(gone->bytes);
	*gone = s->intents[--s->intent_count];
	/* keep them in order of sequence */
	for (size_t i = (size_t)(gone - s->intents); i + 1 < s->intent_count; i++) {
		struct vault_intent t = s->intents[i];
		s->intents[i] = s->intents[i + 1];
		s->intents[i + 1] = t;
	}
}

static enum err apply_keep(struct vaultstate *s, const struct vaultbody *b, uint64_t sequence) {
	if (b->keep_intent) {
		drop_intent(s, b->intent);
	} else {
		struct vault_snapshot *v = vaultstate_snapshot(s, &b->snapshot);
		if (v) {
			v->forgotten = false;
			v->touched = sequence;
		}
	}
	return add_indexes(s, &b->added, sequence);
}

enum err vaultstate_add_intent(struct vaultstate *s, const struct vault_intent *v) {
	struct vault_intent copy = *v;
	enum err e =
		one_more((void **)&s->intents, &s->intent_room, s->intent_count, sizeof copy, INTENTS_MAX);
	if (e) return e;
	copy.bytes = mem_alloc(v->packs.names.rows.len);
	if (!copy.bytes) return E_NOMEM;
	uint8_t *at = copy.bytes;
	copy.packs.names.rows = copy_span(&at, v->packs.names.rows);
	s->intents[s->intent_count++] = copy;
	return OK;
}

static enum err apply_intent(
	struct vaultstate *s, const struct entry *entry, const struct entrypublic *pub) {
	struct vault_intent v = {
		.sequence = entry->sequence, .time = entry->time, .packs = pub->packs
	};
	enum err e = vaultstate_add_intent(s, &v);
	if (e) return e;
	s->purge_events++;
	return OK;
}

enum err vaultstate_add_purge(struct vaultstate *s, const struct vault_purge *v) {
	struct vault_purge copy = *v;
	enum err e =
		one_more((void **)&s->purges, &s->purge_room, s->purge_count, sizeof copy, PURGES_MAX);
	if (e) return e;
	copy.bytes = mem_alloc(v->packs.names.rows.len);
	if (!copy.bytes) return E_NOMEM;
	uint8_t *at = copy.bytes;
	copy.packs.names.rows = copy_span(&at, v->packs.names.rows);
	s->purges[s->purge_count++] = copy;
	return OK;
}

static enum err apply_purge(
	struct vaultstate *s, const struct entry *entry, const struct entrypublic *pub) {
	const struct vault_intent *intent = vaultstate_intent(s, pub->intent);
	if (!intent) return E_FORGED;
	uint64_t hold = vaultstate_hold(s, intent->time), now = vaultstate_hold(s, entry->time);
	if (entry->time < later(intent->time, hold > now ? hold : now)) return E_FORGED;
	drop_intent(s, pub->intent);
	s->purge_events++;
	struct vault_purge done = { .sequence = entry->sequence, .packs = pub->packs };
	return vaultstate_add_purge(s, &done);
}

static bool type_fits(uint8_t type, uint8_t class, uint8_t public_kind) {
	if (vaultbody_is_control(type) != (class == ENTRY_CONTROL)) return false;
	switch (public_kind) {
	case ENTRYPUBLIC_CREATE: return type == VAULTBODY_CREATE;
	case ENTRYPUBLIC_ROTATE: return type == VAULTBODY_ROTATE;
	case ENTRYPUBLIC_HOME: return type == VAULTBODY_HOME;
	case ENTRYPUBLIC_INTENT: return type == VAULTBODY_INTENT;
	case ENTRYPUBLIC_PURGE: return type == VAULTBODY_PURGE;
	default:
		return type != VAULTBODY_CREATE && type != VAULTBODY_ROTATE && type != VAULTBODY_HOME &&
			type != VAULTBODY_INTENT && type != VAULTBODY_PURGE;
	}
}

/* Who has all entries before a summary holds it against them: a difference is an alarm. */
static enum err check_summary(struct vaultstate *s, const struct vaultbody *b, uint64_t sequence) {
	struct hash own;
	if (!s->count || b->covers != s->count - 1) return E_FORGED;
	enum err e = vaultsummary_hash(s, &own);
	if (e) return e;
	if (!hash_equal(&own, &b->state_hash)) return E_FORGED;
	s->summary_sequence = sequence;
	s->summary = b->state;
	s->summary_index = b->state_index;
	return OK;
}

static enum err apply_body(
	struct vaultstate *s, const struct entry *entry, const struct entryinner *inner) {
	struct entrypublic pub;
	struct vaultbody b;
	enum err e = entrypublic_decode(&pub, entry->public_part);
	if (!e && !type_fits(inner->type, entry->class, pub.kind)) e = E_FORGED;
	if (!e) e = vaultbody_decode(&b, inner->type, inner->body);
	if (e) return e;
	switch (b.type) {
	case VAULTBODY_CREATE: return apply_create(s, &b, inner, entry->time);
	case VAULTBODY_ROTATE: s->keys_sequence = inner->account_sequence; return OK;
	case VAULTBODY_POLICY: s->trust = b.trust; return vaultstate_add_policy(s, entry->time, b.hold);
	case VAULTBODY_SUMMARY: return check_summary(s, &b, entry->sequence);
	case VAULTBODY_HOME: s->home = pub.store; return OK;
	case VAULTBODY_SNAPSHOT: return apply_snapshot(s, &b, inner, entry->sequence);
	case VAULTBODY_INDEX:
		remove_indexes(s, &b.removed);
		return add_indexes(s, &b.added, entry->sequence);
	case VAULTBODY_TAG: return apply_tag(s, &b);
	case VAULTBODY_FORGET: apply_forget(s, &b); return OK;
	case VAULTBODY_KEEP: return apply_keep(s, &b, entry->sequence);
	case VAULTBODY_INTENT: return apply_intent(s, entry, &pub);
	case VAULTBODY_PURGE: return apply_purge(s, entry, &pub);
	case VAULTBODY_ACCOUNT: return OK;
	default: return E_UNSUPPORTED;
	}
}

/* Two chains, one order: doc/spec/chains.md section 4. */
static enum err check_account_head(const struct vaultstate *s, const struct entryinner *inner,
	const struct accountstate *account, const struct account_device **device) {
	if (!hash_equal(&inner->account, &account->id) ||
		(s->count && !hash_equal(&inner->account, &s->owner)))
		return E_FORGED;
	if (inner->account_sequence >= account->count) return E_ROLLBACK;
	if (!hash_equal(&inner->account_head, &account->hashes[inner->account_sequence]))
		return E_FORGED;
	if (s->count && inner->account_sequence < s->account_sequence) return E_FORGED;
	*device = accountstate_device(account, &inner->device);
	if (!*device || !accountstate_valid_at(*device, inner->account_sequence)) return E_FORGED;
	return (*device)->kind == DEVICERECORD_WRITE_ONLY ? E_FORGED : OK;
}

static bool own_thread_holds(const struct vaultstate *s, const struct entryinner *inner) {
	const struct vault_thread *t = vaultstate_thread(s, &inner->device);
	if (!t) return inner->own_sequence == ENTRYINNER_NONE;
	return inner->own_sequence == t->sequence && hash_equal(&inner->own_hash, &t->hash);
}

static enum err move_thread(
	struct vaultstate *s, const struct hash *device, uint64_t sequence, const struct hash *hash) {
	struct vault_thread *t = find_thread(s, device);
	if (!t) {
		enum err e = one_more(
			(void **)&s->threads, &s->thread_room, s->thread_count, sizeof *t, THREADS_MAX);
		if (e) return e;
		t = &s->threads[s->thread_count++];
	}
	*t = (struct vault_thread){ .device = *device, .sequence = sequence, .hash = *hash };
	return OK;
}

enum err vaultstate_add_thread(struct vaultstate *s, const struct vault_thread *v) {
	return move_thread(s, &v->device, v->sequence, &v->hash);
}

enum err vaultstate_add_time(struct vaultstate *s, size_t at, int64_t time) {
	enum err e = one_more((void **)&s->times, &s->time_room, at, sizeof *s->times, ENTRIES_MAX);
	if (!e) s->times[at] = time;
	return e;
}

static enum err apply_opened(struct vaultstate *s, const struct entry *entry,
	const struct entryinner *inner, struct span plain, const struct hash *outer,
	const struct hash *hash, const struct accountstate *account) {
	const struct account_device *device;
	enum err e = check_account_head(s, inner, account, &device);
	if (!e && !own_thread_holds(s, inner)) e = E_FORGED;
	if (!e) e = entrycraft_check_author(inner, plain, outer, device->entry_key);
	if (!e) e = apply_body(s, entry, inner);
	if (e == E_UNSUPPORTED && entry->class == ENTRY_DATA) {
		s->unknown_count++;
		e = OK;
	}
	if (e) return e;
	s->account_sequence = inner->account_sequence;
	s->account_head = inner->account_head;
	return move_thread(s, &inner->device, entry->sequence, hash);
}

enum err vaultstate_apply(struct vaultstate *s, const struct entry *entry, struct span bytes,
	const struct hash *hash, const struct epochring *ring, const struct accountstate *account) {
	struct buf plain;
	struct entryinner inner;
	struct hash outer;
	const struct epoch_secrets *secrets = epochring_secrets(ring, entry->epoch);
	if (!secrets) return E_DENIED;
	enum err e =
		one_more((void **)&s->times, &s->time_room, s->count, sizeof *s->times, ENTRIES_MAX);
	if (e) return e;
	buf_init(&plain, LIMIT_ENTRY_INNER);
	e = entrycraft_open(entry, bytes, secrets, &plain, &inner, &outer);
	if (!e) e = apply_opened(s, entry, &inner, buf_span(&plain), &outer, hash, account);
	buf_wipe_free(&plain);
	if (e == E_FORMAT || e == E_FORGED) {
		s->void_count++;
		s->newest_void = entry->sequence;
		if (entry->class == ENTRY_CONTROL) return E_FORGED;
		e = OK;
	}
	if (e) return e;
	if (s->count == 0) s->id = *hash;
	s->head = *hash;
	s->times[s->count++] = entry->time;
	return OK;
}
