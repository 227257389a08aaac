#include "client/purge.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/forget.h"
#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/spare.h"
#include "os/clock.h"
#include "os/file.h"

enum { TRIES = 100 };

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

struct deciding {
	struct spare *spare;
	uint64_t intent;
	bool gone; /* somebody else purged or kept it */
};

static enum err decide_purge(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct deciding *d = ctx;
	d->gone = !vaultstate_intent(&v->state, d->intent);
	if (d->gone || v->state.count != d->spare->looked) return E_CANCELLED;
	out->body = (struct vaultbody){ .type = VAULTBODY_PURGE };
	out->public_part.kind = ENTRYPUBLIC_PURGE;
	out->public_part.intent = d->intent;
	return intents_make(v, buf_span(&d->spare->names), &out->public_part.packs, why);
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

/*
 * All that it names is needed after all. Were the intent to stay, the packs would go at the moment when they are needed no more:
 * its hold is over.
 */
static enum err take_back(struct vault *v, uint64_t sequence, struct why *why) {
	enum err e = forget_undo_intent(v, sequence, why);
	if (e == E_NOTFOUND && !vaultstate_intent(&v->state, sequence)) e = OK; /* somebody else did */
	if (!e) forget_seen(v, sequence);
	return e;
}

/* Purges one intent. What is needed after all is spared. */
static enum err purge_one(struct vault *v, uint64_t sequence, const struct prune_options *o,
	struct prune_result *out, struct why *why) {
	struct spare s;
	struct deciding d = { .spare = &s, .intent = sequence };
	const struct vault_intent *intent = vaultstate_intent(&v->state, sequence);
	spare_init(&s, v);
	s.warn = o->warn;
	s.ctx = o->ctx;
	s.pack_limit = o->pack_limit;
	enum err e = intents_packs(v, &intent->packs, &s.names, why);
	intents_sort(&s.names);
	for (int i = 0; !e && i < TRIES; i++) {
		e = spare_look(&s, sequence, why);
		if (e || s.names.len == 0) break;
		/* a prune that was killed after its intent left them in the index */
		e = indexmerge_without(v, buf_span(&s.names), o->pack_limit, why);
		if (!e) e = spare_look(&s, sequence, why);
		if (e || s.names.len == 0) break;
		e = vault_append(v, decide_purge, &d, why);
		if (e != E_CANCELLED || d.gone) break;
		e = OK;
	}
	if (e == E_CANCELLED && d.gone) {
		e = OK;
	} else if (!e && s.names.len == 0) {
		out->rescued_packs += s.spared.len / HASH_SIZE;
		e = take_back(v, sequence, why);
	} else if (!e && !vaultstate_intent(&v->state, sequence)) {
		out->rescued_packs += s.spared.len / HASH_SIZE;
		forget_seen(v, sequence);
		e = delete_packs(v, buf_span(&s.names), out, why);
	}
	spare_done(&s);
	return e;
}

/* Packs in the store, of those that purges named. */
struct leftover {
	struct buf gone;  /* all that purges named, ascending */
	struct buf there; /* of these */
};

static enum err note_leftover(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct leftover *l = ctx;
	(void)size;
	if (!intents_has(buf_span(&l->gone), name)) return OK;
	return why_err(why, buf_add(&l->there, hash_span(name)), "listing packs");
}

/*
 * A prune that was killed while it deleted left packs that its purge had named. One list of the store tells which, however
 * many were named in all the years.
 */
static enum err finish_earlier(struct vault *v, struct prune_result *out, struct why *why) {
	struct leftover l;
	buf_init(&l.gone, names_max);
	buf_init(&l.there, names_max);
	enum err e = intents_gone(v, &l.gone, why);
	if (!e && l.gone.len) e = store_pack_list(v->session->store, &v->id, note_leftover, &l, why);
	if (!e) e = delete_packs(v, buf_span(&l.there), out, why);
	buf_free(&l.gone);
	buf_free(&l.there);
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
