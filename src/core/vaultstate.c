#include "core/vaultstate.h"

#include <string.h>

#include "base/mem.h"
#include "core/entrycraft.h"
#include "core/vaultsummary.h"

/* doc/spec/chains.md section 5 */
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

/*
 * Room for ${n} more of ${size} bytes in a growing array. It is made before anything of an entry takes effect, so that one that
 * fails has none.
 */
static enum err make_room(
	void **array, size_t *room, size_t count, size_t n, size_t size, size_t max) {
	if (count + n > max) return E_LIMIT;
	if (count + n <= *room) return OK;
	size_t more = *room ? *room * 2 : 16;
	while (more < count + n) more *= 2;
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

uint64_t vaultstate_hold(const struct vaultstate *s, int64_t time) {
	uint64_t hold = 0;
	for (size_t i = 0; i < s->policy_count && (i == 0 || s->policies[i].time <= time); i++)
		hold = s->policies[i].hold;
	return hold;
}

static enum err policy_room(struct vaultstate *s) {
	return make_room((void **)&s->policies, &s->policy_room, s->policy_count, 1,
		sizeof *s->policies, POLICIES_MAX);
}

enum err vaultstate_add_policy(struct vaultstate *s, int64_t from, uint64_t hold) {
	enum err e = policy_room(s);
	if (!e) s->policies[s->policy_count++] = (struct vault_policy){ .time = from, .hold = hold };
	return e;
}

/*
 * A longer hold is in force at once, a shorter one when the hold in force now has passed. Either replaces one that has not
 * come into force yet: a short hold can't be reached in steps sooner than at once.
 */
static void set_hold(struct vaultstate *s, int64_t now, uint64_t hold) {
	uint64_t old = vaultstate_hold(s, now);
	int64_t from = now;
	while (s->policy_count > 1 && s->policies[s->policy_count - 1].time > now) s->policy_count--;
	if (s->policy_count && hold < old &&
		__builtin_add_overflow(now, (int64_t)old * second_ns, &from))
		return; /* never */
	s->policies[s->policy_count++] = (struct vault_policy){ .time = from, .hold = hold };
}

static struct span copy_span(uint8_t **at, struct span in) {
	struct span out = span_of(*at, in.len);
	if (in.len) memcpy(*at, in.ptr, in.len);
	*at += in.len;
	return out;
}

/* A copy of ${from} in memory of its own, ${*bytes}. */
static enum err copy_stamp(struct stamp *out, uint8_t **bytes, const struct stamp *from) {
	uint8_t *at = mem_alloc(from->host.len + from->branch.len + from->tags.items.len);
	if (!at) return E_NOMEM;
	*bytes = at;
	*out = *from;
	out->host = copy_span(&at, from->host);
	out->branch = copy_span(&at, from->branch);
	out->tags.items = copy_span(&at, from->tags.items);
	return OK;
}

static enum err index_room(struct vaultstate *s, size_t n) {
	return make_room(
		(void **)&s->indexes, &s->index_room, s->index_count, n, sizeof *s->indexes, INDEXES_MAX);
}

enum err vaultstate_add_index(struct vaultstate *s, const struct vault_index *v) {
	enum err e = index_room(s, 1);
	if (!e) s->indexes[s->index_count++] = *v;
	return e;
}

/* One that an entry names twice is added once. */
static void add_indexes(struct vaultstate *s, const struct locationlist *added, uint64_t sequence) {
	size_t before = s->index_count;
	for (size_t i = 0; i < location_count(added); i++) {
		struct vault_index v = { .location = location_at(added, i), .sequence = sequence };
		size_t k = before;
		while (k < s->index_count && location_order(&s->indexes[k].location, &v.location) != 0) k++;
		if (k == s->index_count) s->indexes[s->index_count++] = v;
	}
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
	enum err e = policy_room(s);
	if (e) return e;
	s->root_commitment = b->root_commitment;
	s->chunk_min = b->chunk_min;
	s->chunk_max = b->chunk_max;
	s->mask_bits = b->mask_bits;
	s->trust = b->trust;
	s->owner = b->owner;
	s->keys_sequence = inner->account_sequence;
	set_hold(s, time, b->hold);
	return OK;
}

static enum err apply_policy(struct vaultstate *s, const struct vaultbody *b, int64_t time) {
	enum err e = policy_room(s);
	if (e) return e;
	s->trust = b->trust;
	set_hold(s, time, b->hold);
	return OK;
}

enum err vaultstate_add_snapshot(
	struct vaultstate *s, const struct vault_snapshot *v, const struct stamp *stamp) {
	struct vault_snapshot copy = *v;
	enum err e = make_room((void **)&s->snapshots, &s->snapshot_room, s->snapshot_count, 1,
		sizeof copy, SNAPSHOTS_MAX);
	if (!e) e = copy_stamp(&copy.stamp, &copy.bytes, stamp);
	if (!e) s->snapshots[s->snapshot_count++] = copy;
	return e;
}

static enum err apply_snapshot(struct vaultstate *s, const struct vaultbody *b,
	const struct entryinner *inner, uint64_t sequence) {
	struct vault_snapshot v = {
		.sequence = sequence, .touched = sequence, .id = b->snapshot, .device = inner->device
	};
	enum err e = index_room(s, location_count(&b->added));
	if (!e) e = vaultstate_add_snapshot(s, &v, &b->stamp);
	if (!e) add_indexes(s, &b->added, sequence);
	return e;
}

static enum err apply_index(struct vaultstate *s, const struct vaultbody *b, uint64_t sequence) {
	enum err e = index_room(s, location_count(&b->added));
	if (e) return e;
	remove_indexes(s, &b->removed);
	add_indexes(s, &b->added, sequence);
	return OK;
}

/* The next entry of the snapshot ${id} at or after ${*i}: there may be more than one. NULL if there is none. */
static struct vault_snapshot *next_of(
	const struct vaultstate *s, const struct hash *id, size_t *i) {
	for (; *i < s->snapshot_count; ++*i)
		if (hash_order(&s->snapshots[*i].id, id) == 0) return &s->snapshots[(*i)++];
	return NULL;
}

static enum err apply_tag(struct vaultstate *s, const struct vaultbody *b) {
	struct vault_snapshot *v;
	for (size_t i = 0; (v = next_of(s, &b->snapshot, &i));) {
		struct stamp stamp = v->stamp;
		uint8_t *old = v->bytes;
		stamp.tags = b->tags;
		enum err e = copy_stamp(&v->stamp, &v->bytes, &stamp);
		if (e) return e;
		mem_free(old);
	}
	return OK;
}

static void apply_forget(struct vaultstate *s, const struct vaultbody *b) {
	for (size_t k = 0; k < hashlist_count(&b->forget); k++) {
		struct hash id = hashlist_at(&b->forget, k);
		struct vault_snapshot *v;
		for (size_t i = 0; (v = next_of(s, &id, &i));) v->forgotten = true;
	}
}

/* The others stay in order of sequence. */
static void drop_intent(struct vaultstate *s, struct vault_intent *gone) {
	size_t after = s->intent_count - (size_t)(gone - s->intents) - 1;
	mem_free(gone->bytes);
	memmove(gone, gone + 1, after * sizeof *gone);
	s->intent_count--;
}

static enum err apply_keep(struct vaultstate *s, const struct vaultbody *b, uint64_t sequence) {
	struct vault_intent *intent = b->keep_intent ? vaultstate_intent(s, b->intent) : NULL;
	if (b->keep_intent ? !intent : !vaultstate_snapshot(s, &b->snapshot)) return OK;
	enum err e = index_room(s, location_count(&b->added));
	if (e) return e;
	if (intent) {
		drop_intent(s, intent);
	} else {
		struct vault_snapshot *v;
		for (size_t i = 0; (v = next_of(s, &b->snapshot, &i));) {
			v->forgotten = false;
			v->touched = sequence;
		}
	}
	add_indexes(s, &b->added, sequence);
	return OK;
}

/* ${packs} with its names in memory of its own, ${*bytes}. */
static enum err own_packs(struct entrypublic_packs *packs, uint8_t **bytes) {
	uint8_t *at = mem_alloc(packs->names.rows.len);
	if (!at) return E_NOMEM;
	*bytes = at;
	packs->names.rows = copy_span(&at, packs->names.rows);
	return OK;
}

enum err vaultstate_add_intent(struct vaultstate *s, const struct vault_intent *v) {
	struct vault_intent copy = *v;
	enum err e = make_room(
		(void **)&s->intents, &s->intent_room, s->intent_count, 1, sizeof copy, INTENTS_MAX);
	if (!e) e = own_packs(&copy.packs, &copy.bytes);
	if (!e) s->intents[s->intent_count++] = copy;
	return e;
}

static enum err apply_intent(
	struct vaultstate *s, const struct entry *entry, const struct entrypublic *pub) {
	struct vault_intent v = {
		.sequence = entry->sequence, .time = entry->time, .packs = pub->packs
	};
	enum err e = vaultstate_add_intent(s, &v);
	if (!e) s->purge_events++;
	return e;
}

/* Whether the purge names nothing that the intent did not. Of what is in list objects, who deletes looks: the chain can't say. */
static bool is_part_of(
	const struct entrypublic_packs *purge, const struct entrypublic_packs *intent) {
	if (intent->listed) return purge->count <= intent->count;
	if (purge->listed) return false;
	for (size_t i = 0; i < hashlist_count(&purge->names); i++) {
		struct hash name = hashlist_at(&purge->names, i);
		if (!hashlist_has(&intent->names, &name)) return false;
	}
	return true;
}

/* The chain's times ascend, so the difference can't be negative; and no hold is as long as an overflow. */
static bool hold_is_over(
	const struct vaultstate *s, const struct vault_intent *intent, int64_t now) {
	uint64_t then = vaultstate_hold(s, intent->time), hold = vaultstate_hold(s, now);
	if (hold < then) hold = then;
	return (uint64_t)now - (uint64_t)intent->time >= hold * (uint64_t)second_ns;
}

enum err vaultstate_add_purge(struct vaultstate *s, const struct vault_purge *v) {
	struct vault_purge copy = *v;
	enum err e =
		make_room((void **)&s->purges, &s->purge_room, s->purge_count, 1, sizeof copy, PURGES_MAX);
	if (!e) e = own_packs(&copy.packs, &copy.bytes);
	if (!e) s->purges[s->purge_count++] = copy;
	return e;
}

static enum err apply_purge(
	struct vaultstate *s, const struct entry *entry, const struct entrypublic *pub) {
	struct vault_purge v = { .sequence = entry->sequence, .packs = pub->packs };
	struct vault_intent *intent = vaultstate_intent(s, pub->intent);
	if (!intent || !is_part_of(&pub->packs, &intent->packs) ||
		!hold_is_over(s, intent, entry->time))
		return E_FORGED;
	v.intended = intent->packs.listed ? intent->packs.list : (struct hash){ { 0 } };
	enum err e = vaultstate_add_purge(s, &v);
	if (e) return e;
	drop_intent(s, intent);
	s->purge_events++;
	return OK;
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
	case VAULTBODY_POLICY: return apply_policy(s, &b, entry->time);
	case VAULTBODY_SUMMARY: return check_summary(s, &b, entry->sequence);
	case VAULTBODY_HOME: s->home = pub.store; return OK;
	case VAULTBODY_SNAPSHOT: return apply_snapshot(s, &b, inner, entry->sequence);
	case VAULTBODY_INDEX: return apply_index(s, &b, entry->sequence);
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
	return (*device)->kind == DEVICERECORD_FULL ? OK : E_FORGED;
}

static bool own_thread_holds(const struct vaultstate *s, const struct entryinner *inner) {
	const struct vault_thread *t = vaultstate_thread(s, &inner->device);
	if (!t) return inner->own_sequence == ENTRYINNER_NONE;
	return inner->own_sequence == t->sequence && hash_equal(&inner->own_hash, &t->hash);
}

static enum err thread_room(struct vaultstate *s) {
	return make_room(
		(void **)&s->threads, &s->thread_room, s->thread_count, 1, sizeof *s->threads, THREADS_MAX);
}

static void move_thread(
	struct vaultstate *s, const struct hash *device, uint64_t sequence, const struct hash *hash) {
	struct vault_thread *t = find_thread(s, device);
	if (!t) t = &s->threads[s->thread_count++];
	*t = (struct vault_thread){ .device = *device, .sequence = sequence, .hash = *hash };
}

enum err vaultstate_add_thread(struct vaultstate *s, const struct vault_thread *v) {
	enum err e = find_thread(s, &v->device) ? OK : thread_room(s);
	if (!e) move_thread(s, &v->device, v->sequence, &v->hash);
	return e;
}

enum err vaultstate_add_time(struct vaultstate *s, size_t at, int64_t time) {
	enum err e = make_room((void **)&s->times, &s->time_room, at, 1, sizeof *s->times, ENTRIES_MAX);
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
	if (!e && !find_thread(s, &inner->device)) e = thread_room(s);
	if (!e) e = apply_body(s, entry, inner);
	if (e == E_UNSUPPORTED && entry->class == ENTRY_DATA) {
		s->unknown_count++;
		e = OK;
	}
	if (e) return e;
	s->account_sequence = inner->account_sequence;
	s->account_head = inner->account_head;
	move_thread(s, &inner->device, entry->sequence, hash);
	return OK;
}

enum err vaultstate_apply(struct vaultstate *s, const struct entry *entry, struct span bytes,
	const struct hash *hash, const struct epochring *ring, const struct accountstate *account) {
	struct buf plain;
	struct entryinner inner;
	struct hash outer;
	const struct epoch_secrets *secrets = epochring_secrets(ring, entry->epoch);
	if (!secrets) return E_DENIED;
	enum err e =
		make_room((void **)&s->times, &s->time_room, s->count, 1, sizeof *s->times, ENTRIES_MAX);
	if (e) return e;
	buf_init(&plain, LIMIT_ENTRY_INNER);
	e = entrycraft_open(entry, bytes, secrets, &plain, &inner, &outer);
	if (!e) e = apply_opened(s, entry, &inner, buf_span(&plain), &outer, hash, account);
	buf_wipe_free(&plain);
	if (e == E_FORMAT || e == E_FORGED || e == E_LIMIT) {
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
