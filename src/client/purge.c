#include "client/purge.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/intents.h"
#include "client/packrun.h"
#include "client/treewalk.h"
#include "format/chunktype.h"
#include "format/snapshot.h"
#include "os/clock.h"
#include "os/file.h"

static const size_t names_max = (size_t)1 << 32;
static const int64_t second_ns = 1000000000;

/* When this device first saw an intent: without a server, the hold counts from then too. */
static enum err first_seen(struct vault *v, uint64_t sequence, int64_t *when, struct why *why) {
	char hex[HASH_HEX], name[96];
	struct buf b;
	uint8_t now[8];
	int folder = -1;
	hash_hex(hex, &v->id);
	(void)snprintf(name, sizeof name, "%.32s-%llu", hex, (unsigned long long)sequence);
	buf_init(&b, 8);
	enum err e = file_make_folder(v->session->folder.state, "intents", FOLDER_PRIVATE, why);
	if (!e) e = file_open_folder(v->session->folder.state, "intents", &folder, why);
	if (!e) e = file_read_whole(folder, name, 8, &b, why);
	if (!e && b.len == 8) {
		*when = (int64_t)little_get64(b.ptr);
	} else if (e == E_NOTFOUND || (!e && b.len != 8) || e == E_LIMIT) {
		*when = clock_real_ns();
		little_put64(now, (uint64_t)*when);
		e = file_replace(folder, name, span_of(now, sizeof now), FILE_PRIVATE, why);
	}
	file_close(&folder);
	buf_free(&b);
	return e;
}

static void forget_seen(struct vault *v, uint64_t sequence) {
	char hex[HASH_HEX], name[128];
	hash_hex(hex, &v->id);
	(void)snprintf(name, sizeof name, "intents/%.32s-%llu", hex, (unsigned long long)sequence);
	err_ignore(file_remove(v->session->folder.state, name, NULL));
}

static int64_t after(int64_t t, uint64_t seconds) {
	int64_t out;
	if (seconds > INT64_MAX / (uint64_t)second_ns ||
		__builtin_add_overflow(t, (int64_t)seconds * second_ns, &out))
		return INT64_MAX;
	return out;
}

/* What a purge looks at once more. */
struct looking {
	struct vault *v;
	struct fetch *fetch;
	struct buf names;   /* to be purged, ascending */
	struct buf rescued; /* of those, needed after all */
	const struct prune_options *o;
};

static bool is_kept(const struct looking *l, const struct place *p) {
	if (intents_has(buf_span(&l->names), &p->pack)) return false;
	return !(p->cut && intents_has(buf_span(&l->names), &p->next_pack));
}

static enum err rescue(struct looking *l, const struct place *p, struct why *why) {
	enum err e = buf_add(&l->rescued, hash_span(&p->pack));
	if (!e && p->cut) e = buf_add(&l->rescued, hash_span(&p->next_pack));
	return why_err(why, e, "looking at what is needed");
}

static enum err look_at_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, bool *skip, struct why *why) {
	struct looking *l = ctx;
	struct place places[PLACES_EACH];
	size_t count = 0;
	char hex[HASH_HEX];
	(void)type;
	(void)length;
	*skip = false;
	for (int scanned = 0; scanned < 2; scanned++) {
		enum err e = places_find(fetch_places(l->fetch), id, places, &count, why);
		for (size_t i = 0; i < count && !e; i++)
			if (is_kept(l, &places[i])) return OK;
		if (!e && count) return rescue(l, &places[0], why);
		if (!e && !scanned) e = places_scan(fetch_places(l->fetch), why);
		if (e) return e;
	}
	hash_hex(hex, id);
	return why_set(why, E_FORGED,
		"chunk %s, which a snapshot needs, is nowhere: run broch check; nothing is purged", hex);
}

static enum err look_at_snapshot(struct looking *l, const struct hash *id, struct why *why) {
	struct snapshot s;
	struct buf bytes;
	bool skip;
	struct treewalk t = { .fetch = l->fetch, .chunk = look_at_chunk, .ctx = l };
	buf_init(&bytes, LIMIT_SNAPSHOT);
	enum err e = look_at_chunk(l, CHUNKTYPE_SNAPSHOT, id, 0, &skip, why);
	if (!e) e = treewalk_snapshot(l->fetch, id, &s, &bytes, why);
	if (!e) e = treewalk_run(&t, &s.root, why);
	buf_free(&bytes);
	return e;
}

/* Every snapshot that came, or was kept, after the intent. */
static enum err look_at_new(struct looking *l, uint64_t intent, struct why *why) {
	struct fetch_params fp = { .vault = l->v, .threads = 1, .warn = l->o->warn, .ctx = l->o->ctx };
	fetch_free(l->fetch);
	l->fetch = NULL;
	enum err e = fetch_new(&l->fetch, &fp, why);
	for (size_t i = 0; i < l->v->state.snapshot_count && !e; i++) {
		const struct vault_snapshot *s = &l->v->state.snapshots[i];
		if (!s->forgotten && s->touched > intent) e = look_at_snapshot(l, &s->id, why);
	}
	if (!e) intents_sort(&l->rescued);
	return e;
}

/* Takes the rescued packs out of those to be purged. */
static void drop_rescued(struct looking *l) {
	size_t kept = 0;
	for (size_t at = 0; at < l->names.len; at += HASH_SIZE) {
		struct hash name = hash_from(l->names.ptr + at);
		if (intents_has(buf_span(&l->rescued), &name)) continue;
		memmove(l->names.ptr + kept, l->names.ptr + at, HASH_SIZE);
		kept += HASH_SIZE;
	}
	l->names.len = kept;
}

static enum err decide_index(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body =
		(struct vaultbody){ .type = VAULTBODY_INDEX, .added = { .rows = buf_span(locations) } };
	return OK;
}

static bool wants_rescued(void *ctx, const struct hash *pack) {
	const struct looking *l = ctx;
	return intents_has(buf_span(&l->rescued), pack);
}

/* An index for the rescued packs, so that they are named again before the purge is. */
static enum err index_rescued(struct looking *l, struct why *why) {
	struct vault *v = l->v;
	struct session *s = v->session;
	struct indexplan *plan = NULL;
	struct packrun *run = NULL;
	struct buf locations;
	struct head head = vault_head(v);
	buf_init(&locations, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	enum err e = places_scan(fetch_places(l->fetch), why);
	if (!e) e = why_err(why, indexplan_new(&plan), "indexing packs");
	if (!e) e = places_export(fetch_places(l->fetch), plan, wants_rescued, l, why);
	struct packrun_params p = {
		.store = s->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.start_sequence = head.seq,
		.start_head = head.hash,
		.writer = s->secrets->actor.id,
		.fresh = &s->secrets->fresh,
		.pack_limit = l->o->pack_limit,
	};
	if (!e) e = packrun_new(&run, &p, why);
	if (!e) e = packrun_index(run, plan, &locations, why);
	if (!e && locations.len) e = vault_append(v, decide_index, &locations, why);
	packrun_free(run);
	indexplan_free(plan);
	buf_free(&locations);
	return e;
}

struct deciding {
	struct looking *l;
	uint64_t intent;
	uint64_t looked; /* entries that were looked at */
	bool gone;       /* somebody else purged or kept it */
};

static enum err decide_purge(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct deciding *d = ctx;
	if (!vaultstate_intent(&v->state, d->intent)) {
		d->gone = true;
		return E_CANCELLED;
	}
	if (v->state.count != d->looked) {
		size_t before = d->l->rescued.len;
		enum err e = look_at_new(d->l, d->intent, why);
		if (e) return e;
		d->looked = v->state.count;
		if (d->l->rescued.len != before) return E_CANCELLED; /* they must be indexed first */
	}
	out->body = (struct vaultbody){ .type = VAULTBODY_PURGE };
	out->public_part.kind = ENTRYPUBLIC_PURGE;
	out->public_part.intent = d->intent;
	return intents_make(v, buf_span(&d->l->names), &out->public_part.packs, why);
}

static enum err delete_packs(
	struct vault *v, struct span names, struct prune_result *out, struct why *why) {
	struct store *store = v->session->store;
	for (size_t at = 0; at < names.len; at += HASH_SIZE) {
		struct hash name = hash_from(names.ptr + at);
		uint64_t size = 0;
		enum err e = store_pack_size(store, &v->id, &name, &size, NULL);
		if (e == E_NOTFOUND) continue;
		e = store_pack_delete(store, &v->id, &name, why);
		if (e == E_NOTFOUND) continue;
		if (e) return e;
		out->purged_packs++;
		out->purged_bytes += size;
	}
	return OK;
}

/* Purges one intent. What is needed after all is rescued, indexed and left out. */
static enum err purge_one(struct vault *v, uint64_t sequence, const struct prune_options *o,
	struct prune_result *out, struct why *why) {
	struct looking l = { .v = v, .o = o };
	struct deciding d = { .l = &l, .intent = sequence };
	buf_init(&l.names, names_max);
	buf_init(&l.rescued, names_max);
	const struct vault_intent *intent = vaultstate_intent(&v->state, sequence);
	enum err e = intents_packs(v, &intent->packs, &l.names, why);
	intents_sort(&l.names);
	for (int i = 0; !e && i < 100; i++) {
		size_t indexed = l.rescued.len;
		e = look_at_new(&l, sequence, why);
		if (!e && l.rescued.len != indexed) e = index_rescued(&l, why);
		if (!e) drop_rescued(&l);
		d.looked = v->state.count;
		if (!e && l.names.len == 0)
			break; /* everything is needed: the intent is kept waiting, and purges nothing */
		if (!e) e = vault_append(v, decide_purge, &d, why);
		if (e != E_CANCELLED || d.gone) break;
		e = OK;
	}
	if (e == E_CANCELLED && d.gone) e = OK;
	else if (!e && l.names.len) {
		out->rescued_packs += l.rescued.len / HASH_SIZE;
		forget_seen(v, sequence);
		e = delete_packs(v, buf_span(&l.names), out, why);
	}
	fetch_free(l.fetch);
	buf_free(&l.names);
	buf_free(&l.rescued);
	return e;
}

/* A prune that was killed while it deleted left packs that its purge had named. */
static enum err finish_earlier(struct vault *v, struct prune_result *out, struct why *why) {
	struct buf names;
	enum err e = OK;
	buf_init(&names, names_max);
	for (size_t i = 0; i < v->state.purge_count && !e; i++) {
		buf_clear(&names);
		e = intents_packs(v, &v->state.purges[i].packs, &names, why);
		if (!e) e = delete_packs(v, buf_span(&names), out, why);
	}
	buf_free(&names);
	return e;
}

enum err purge_due(
	struct vault *v, const struct prune_options *o, struct prune_result *out, struct why *why) {
	enum err e = o->dry_run ? OK : finish_earlier(v, out, why);
	int64_t now = clock_real_ns();
	out->waiting_intents = 0;
	out->waiting_until = 0;
	for (size_t i = 0; i < v->state.intent_count && !e;) {
		uint64_t sequence = v->state.intents[i].sequence;
		int64_t time = v->state.intents[i].time, seen = time;
		uint64_t hold = vaultstate_hold(&v->state, time);
		if (vaultstate_hold(&v->state, now) > hold) hold = vaultstate_hold(&v->state, now);
		if (!o->dry_run) e = first_seen(v, sequence, &seen, why);
		int64_t due = after(seen > time ? seen : time, hold);
		now = clock_real_ns();
		size_t before = v->state.intent_count;
		if (!e && due <= now && !o->dry_run) e = purge_one(v, sequence, o, out, why);
		if (!e && v->state.intent_count == before) {
			out->waiting_intents++;
			if (!out->waiting_until || due < out->waiting_until) out->waiting_until = due;
			i++;
		} else if (!e) {
			i = 0;
			out->waiting_intents = 0;
			out->waiting_until = 0;
		}
	}
	return e;
}
