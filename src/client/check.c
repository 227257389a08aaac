#include "client/check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/checkheld.h"
#include "client/checktree.h"
#include "client/intents.h"
#include "core/chunkset.h"
#include "format/limits.h"
#include "os/signals.h"
#include "os/thread.h"

enum { TEXT = 256, LOOKS = 3 };

static const size_t names_max = (size_t)1 << 32;

struct checking {
	struct checkreport *r;
	struct vault *v;
	const struct check_options *o;
	struct packset packs;
	struct chunkset *missing; /* packs reported as missing or too short */
	struct fetch *fetch;
	/* of the index under way */
	struct hash index;
	bool index_damaged;
	uint64_t outside;
};

static enum err stop(struct why *why) {
	return signals_asked() ? why_set(why, E_CANCELLED, "interrupted") : OK;
}

/* Objects that the chains name: boxes of all epochs, lists of packs. */
static enum err check_named_object(
	struct checking *c, const struct hash *name, struct buf *needed, struct why *why) {
	struct buf bytes;
	buf_init(&bytes, STORE_OBJECT_MAX);
	enum err e = store_object_get(c->v->session->store, name, &bytes, why);
	buf_free(&bytes);
	if (e == E_NOTFOUND) {
		checkreport_damage(c->r, CHECKREPORT_OBJECT, name, 0, "is missing, and a chain names it");
		e = OK;
	}
	/* a damaged one is reported with all objects */
	if (e == E_FORMAT || e == E_IO || e == E_DENIED) e = OK;
	return e ? e : why_err(why, buf_add(needed, hash_span(name)), "checking objects");
}

static enum err check_ring(
	struct checking *c, const struct epochring *ring, struct buf *needed, struct why *why) {
	enum err e = OK;
	for (uint32_t epoch = 1; epoch <= epochring_newest(ring) && !e; epoch++) {
		struct hash name = epochring_boxes(ring, epoch);
		e = check_named_object(c, &name, needed, why);
	}
	return e;
}

static enum err check_list(struct checking *c, const struct entrypublic_packs *packs,
	struct buf *needed, struct why *why) {
	return packs->listed ? check_named_object(c, &packs->list, needed, why) : OK;
}

static enum err check_objects(struct checking *c, struct why *why) {
	const struct vaultstate *s = &c->v->state;
	struct buf needed;
	buf_init(&needed, names_max);
	enum err e = check_ring(c, c->v->session->account.chain.ring, &needed, why);
	if (!e) e = check_ring(c, c->v->chain.ring, &needed, why);
	for (size_t i = 0; i < s->intent_count && !e; i++)
		e = check_list(c, &s->intents[i].packs, &needed, why);
	for (size_t i = 0; i < s->purge_count && !e; i++)
		e = check_list(c, &s->purges[i].packs, &needed, why);
	buf_free(&needed);
	return e;
}

static void check_voids(struct checking *c) {
	const struct vaultstate *s = &c->v->state;
	char text[TEXT];
	c->r->counts.voids += s->void_count;
	c->r->counts.unknown += s->unknown_count;
	if (s->void_count) {
		(void)snprintf(text, sizeof text,
			"is void and has no effect, as are %llu in all: somebody with a key to write made them",
			(unsigned long long)s->void_count);
		checkreport_warning(c->r, CHECKREPORT_ENTRY, &c->v->id, s->newest_void, text);
	}
	if (s->unknown_count) {
		(void)snprintf(text, sizeof text,
			"%llu entries are of kinds that only a newer program knows",
			(unsigned long long)s->unknown_count);
		checkreport_warning(c->r, CHECKREPORT_CHAIN, &c->v->id, 0, text);
	}
}

/* Marks the packs that intents and purges name. */
static enum err mark_packs(struct checking *c, struct why *why) {
	const struct vaultstate *s = &c->v->state;
	struct buf names;
	enum err e = OK;
	buf_init(&names, names_max);
	for (size_t i = 0; i < s->intent_count + s->purge_count && e != E_NOMEM; i++) {
		bool purged = i >= s->intent_count;
		buf_clear(&names);
		e = purged ? intents_purged(c->v, &s->purges[i - s->intent_count], &names, why)
				   : intents_packs(c->v, &s->intents[i].packs, &names, why);
		for (size_t at = 0; !e && at < names.len; at += HASH_SIZE) {
			struct hash name = hash_from(names.ptr + at);
			struct packset_pack *pack = packset_find(&c->packs, &name);
			if (!pack) continue;
			if (purged) pack->is_purged = true;
			else pack->is_doomed = true;
		}
	}
	buf_free(&names);
	return e == E_NOMEM ? e : OK; /* a list that cannot be read was reported */
}

/* A pack that an index names must be there, with the size that the index states. */
static enum err need_pack(struct checking *c, const struct hash *name, uint64_t size,
	struct packset_pack **out, struct why *why) {
	struct packset_pack *pack = packset_find(&c->packs, name);
	uint32_t number;
	bool fresh;
	char text[TEXT];
	*out = pack;
	if (pack) pack->is_named = true;
	if (pack && (pack->size == size || size == 0)) return OK;
	*out = NULL;
	enum err e =
		why_err(why, chunkset_claim(c->missing, name, &number, &fresh), "checking indexes");
	if (e || !fresh) return e;
	if (pack) {
		atomic_store(&pack->is_bad, true);
		(void)snprintf(text, sizeof text, "is %llu bytes long and was %llu",
			(unsigned long long)pack->size, (unsigned long long)size);
		checkreport_damage(c->r, CHECKREPORT_PACK, name, 0, text);
	} else {
		checkreport_damage(c->r, CHECKREPORT_PACK, name, 0, "is missing, and an index names it");
	}
	return OK;
}

static enum err check_named(void *ctx, const struct hash *name, uint32_t size, struct why *why) {
	struct checking *c = ctx;
	struct packset_pack *pack;
	enum err e = stop(why);
	return e ? e : need_pack(c, name, size, &pack, why);
}

static enum err check_row(
	void *ctx, const struct hash *id, const struct place *p, struct why *why) {
	struct checking *c = ctx;
	struct packset_pack *pack, *next;
	(void)id;
	c->r->counts.index_rows++;
	enum err e = need_pack(c, &p->pack, p->pack_size, &pack, why);
	if (!e && p->cut) e = need_pack(c, &p->next_pack, p->next_size, &next, why);
	if (pack) pack->rows++;
	uint64_t end = (uint64_t)p->offset + p->length + SIZE_PACK_TRAILER_SEALED;
	if (p->pack_size && end > p->pack_size) c->outside++;
	return e;
}

static void index_warned(void *ctx, const struct why *why) {
	struct checking *c = ctx;
	if (c->index_damaged) return;
	c->index_damaged = true;
	checkreport_damage(c->r, CHECKREPORT_INDEX, &c->index, 0, why->msg);
}

/* One index by itself: its head, its leaves, each row. */
static enum err check_index(
	struct checking *c, struct packread *reader, const struct vault_index *index, struct why *why) {
	struct places *places = NULL;
	struct packset_pack *pack;
	char text[TEXT];
	struct places_params p = { .packs = reader,
		.store = c->v->session->store,
		.vault = c->v->id,
		.warn = index_warned,
		.ctx = c };
	c->index = index->location.pack;
	c->index_damaged = false;
	c->outside = 0;
	c->r->counts.indexes++;
	enum err e = need_pack(c, &index->location.pack, 0, &pack, why);
	if (!e) e = places_new(&places, &p, why);
	if (!e) e = places_load(places, index, 1, why);
	if (!e) e = places_packs(places, check_named, c, why);
	if (!e) e = places_rows(places, check_row, c, why);
	places_free(places);
	if (!e && c->outside) {
		(void)snprintf(text, sizeof text, "%llu of its rows point outside their packs",
			(unsigned long long)c->outside);
		checkreport_damage(c->r, CHECKREPORT_INDEX, &c->index, 0, text);
	}
	return e;
}

static enum err check_indexes(struct checking *c, struct why *why) {
	const struct vaultstate *s = &c->v->state;
	struct packread *reader = NULL;
	enum err e = packread_new(&reader, c->v->session->store, &c->v->id, c->v->chain.ring, why);
	for (size_t i = 0; i < s->index_count && !e; i++) {
		struct checkreport_progress p = {
			.step = "reading indexes", .done = i, .total = s->index_count
		};
		checkreport_tick(c->r, &p);
		e = check_index(c, reader, &s->indexes[i], why);
	}
	packread_free(reader);
	return e;
}

static void count_packs(struct checking *c) {
	c->r->counts.packs += c->packs.count;
	c->r->counts.pack_bytes += c->packs.bytes;
	for (size_t i = 0; i < c->packs.count; i++) {
		const struct packset_pack *p = &c->packs.packs[i];
		if (p->is_purged) c->r->counts.packs_purged++;
		else if (!p->is_named) c->r->counts.packs_unnamed++;
	}
}

static enum err check_data(struct checking *c, struct why *why) {
	struct checkdata_params p = {
		.vault = c->v,
		.fetch = c->fetch,
		.packs = &c->packs,
		.part = c->o->part,
		.a = c->o->a,
		.b = c->o->b,
		.threads = c->o->threads ? c->o->threads : thread_cpus(),
	};
	return checkdata_run(c->r, &p, why);
}

static enum err check_snapshots(struct checking *c, struct why *why) {
	const struct vaultstate *s = &c->v->state;
	struct checktree *tree = NULL;
	struct hash pack;
	char text[TEXT], hex[HASH_HEX];
	enum err e = checktree_new(&tree, c->r, c->fetch, &c->packs, why);
	/* the newest first: what it lost is what people ask for */
	for (size_t i = s->snapshot_count; i > 0 && !e; i--) {
		if (s->snapshots[i - 1].forgotten) {
			c->r->counts.snapshots_forgotten++;
			continue;
		}
		c->r->counts.snapshots++;
		e = checktree_snapshot(tree, &s->snapshots[i - 1].id, why);
	}
	uint64_t doomed = e ? 0 : checktree_doomed(tree, &pack);
	if (doomed && s->intent_count) {
		hash_hex(hex, &pack);
		(void)snprintf(text, sizeof text,
			"announces the deletion of packs that snapshots need, such as %.16s (%llu chunks in all): "
			"prune will keep them; broch keep %llu takes the announcement back",
			hex, (unsigned long long)doomed, (unsigned long long)s->intents[0].sequence);
		checkreport_warning(c->r, CHECKREPORT_INTENT, &c->v->id, s->intents[0].sequence, text);
	}
	checktree_free(tree);
	return e;
}

static enum err check_all(struct checking *c, struct why *why) {
	struct fetch_params fp = { .vault = c->v, .threads = thread_cpus() + 1 };
	enum err e = why_err(why, chunkset_new(&c->missing), "checking");
	if (!e) e = check_objects(c, why);
	if (!e) e = packset_read(&c->packs, c->v->session->store, &c->v->id, why);
	if (!e) e = mark_packs(c, why);
	if (!e) e = check_indexes(c, why);
	if (e) return e;
	count_packs(c);
	e = fetch_new(&c->fetch, &fp, why);
	if (!e) e = check_data(c, why);
	if (!e) e = check_snapshots(c, why);
	return e;
}

static enum err check_once(
	struct checkreport *r, struct vault *v, const struct check_options *o, struct why *why) {
	struct checking c = { .r = r, .v = v, .o = o };
	check_voids(&c);
	r->counts.vaults++;
	r->counts.intents += v->state.intent_count;
	enum err e = check_all(&c, why);
	fetch_free(c.fetch);
	chunkset_free(c.missing);
	packset_done(&c.packs);
	return e;
}

/* What was looked at is the vault as it was in the beginning: whether packs were purged since then. */
static bool was_purged(struct vault *v) {
	struct why ignored;
	size_t purges = v->state.purge_count;
	return vault_refresh(v, &ignored) == OK && v->state.purge_count > purges;
}

enum err check_vault(
	struct checkreport *r, struct vault *v, const struct check_options *o, struct why *why) {
	struct checkheld held;
	enum err e = OK;
	checkheld_init(&held, r);
	for (unsigned looks = 1;; looks++) {
		e = check_once(&held.report, v, o, why);
		if (e || !held.report.counts.damaged || !was_purged(v)) break;
		if (looks == LOOKS || held.passes) {
			checkreport_warning(&held.report, CHECKREPORT_VAULT, &v->id, 0,
				"packs were purged meanwhile: what is missing may be gone by right, so run it again");
			break;
		}
		checkheld_drop(&held);
	}
	checkheld_tell(&held);
	checkheld_done(&held);
	return e;
}
