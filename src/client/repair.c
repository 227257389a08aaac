#include "client/repair.h"

#include <string.h>

#include "base/mem.h"
#include "client/checkdata.h"
#include "client/intents.h"
#include "client/packrun.h"
#include "os/signals.h"
#include "os/thread.h"

enum { TRIES = 5 };

static const size_t names_max = (size_t)1 << 32;

struct repair {
	struct checkreport *r;
	struct vault *v;
	const struct repair_options *o;
	struct repair_result *out;
	struct fetch *fetch;
	struct packset packs;
	struct indexplan *plan;
	struct buf old, added, removed; /* locations */
	uint64_t purge_events;
	bool stale;
};

static void warned(void *ctx, const struct why *why) {
	struct repair *p = ctx;
	struct hash none = { { 0 } };
	(void)checkreport_why(p->r, CHECKREPORT_INDEX, &none, why, NULL);
}

/* Packs that are on their way out get into no index. */
static enum err mark_leaving(struct repair *p, struct why *why) {
	struct buf names;
	buf_init(&names, names_max);
	enum err e = intents_doomed(p->v, &names, why);
	if (!e) e = intents_gone(p->v, &names, why);
	for (size_t at = 0; !e && at < names.len; at += HASH_SIZE) {
		struct hash name = hash_from(names.ptr + at);
		struct packset_pack *pack = packset_find(&p->packs, &name);
		if (pack) pack->is_doomed = true;
	}
	buf_free(&names);
	return e;
}

static enum err number_of(struct repair *p, struct packset_pack *pack, uint32_t *out) {
	enum err e = OK;
	if (!pack->number) {
		e = indexplan_pack(p->plan, &pack->name, (uint32_t)pack->size, out);
		if (!e) pack->number = *out + 1;
	}
	*out = pack->number - 1;
	return e;
}

/* One place, and with it the cut of its block: a pack has at most one. */
static enum err add_row(struct repair *p, const struct indexleaf_row *from,
	struct packset_pack *pack, struct packset_pack *next, uint32_t rest_length) {
	struct indexleaf_row row = *from;
	enum err e = number_of(p, pack, &row.pack);
	if (!e) e = indexplan_row(p->plan, &row);
	if (e || !next || pack->has_cut) return e;
	struct indexhead_cut cut = {
		.pack = row.pack, .offset = row.offset, .rest_length = rest_length
	};
	e = number_of(p, next, &cut.next_pack);
	if (!e) e = indexplan_cut(p->plan, &cut);
	pack->has_cut = true;
	return e;
}

static struct packset_pack *usable(struct repair *p, const struct hash *name, uint32_t size) {
	struct packset_pack *pack = packset_find(&p->packs, name);
	return pack && pack->size == size && !pack->is_doomed ? pack : NULL;
}

/* A row of a readable index. With read_data it only counts: what was read says more. */
static enum err keep_row(
	void *ctx, const struct hash *id, const struct place *at, struct why *why) {
	struct repair *p = ctx;
	struct packset_pack *pack = usable(p, &at->pack, at->pack_size), *next = NULL;
	if (at->cut) next = usable(p, &at->next_pack, at->next_size);
	p->out->rows_before++;
	if (signals_asked()) return why_set(why, E_CANCELLED, "interrupted");
	if (!pack || (at->cut && !next)) {
		p->out->rows_dropped++;
		return OK;
	}
	pack->rows++;
	pack->is_named = true;
	if (p->o->read_data) return OK;
	struct indexleaf_row row = {
		.id = *id, .offset = at->offset, .length = at->length, .slot = at->slot
	};
	return why_err(why, add_row(p, &row, pack, next, at->rest_length), "making an index");
}

static enum err verified(void *ctx, struct packset_pack *pack, const struct packtable_block *b,
	struct packset_pack *next, uint32_t rest_length) {
	struct repair *p = ctx;
	enum err e = OK;
	if (pack->is_doomed || (next && next->is_doomed)) return OK;
	/* of a pack whose places were kept, only a block that goes on in one that was read can be new */
	if (!p->o->read_data && !pack->is_chosen && (!next || pack->has_cut)) return OK;
	for (size_t i = 0; i < hashlist_count(&b->ids) && !e; i++) {
		struct indexleaf_row row = {
			.id = hashlist_at(&b->ids, i),
			.offset = b->offset,
			.length = b->length,
			.slot = (uint16_t)i,
		};
		e = add_row(p, &row, pack, next, rest_length);
		pack->lost -= pack->lost > 0;
	}
	return e;
}

/* The table of a pack, or false: what can't be read is left to those who read it whole. */
static bool table_of(struct repair *p, const struct packset_pack *pack, struct packtable *table,
	struct buf *bytes, enum err *e, struct why *why) {
	struct why reason = { OK, "" };
	buf_clear(bytes);
	*e = packread_table(fetch_packs(p->fetch), &pack->name, pack->size, table, bytes, &reason);
	if (!*e) return true;
	if (*e == E_NOMEM) *why = reason;
	else *e = OK;
	return false;
}

static bool ends_cut(const struct packtable *table) {
	struct packtable_block b = { .cut = false };
	struct span rest = table->blocks;
	while (packtable_next(&rest, &b)) continue;
	return b.cut;
}

/*
 * A block that begins in a pack to be read may go on in one that an index names: it is put together where that one is read.
 * Which one it is only its table says.
 */
static enum err choose_rests(struct repair *p, struct why *why) {
	struct packtable table;
	struct buf bytes, cut;
	enum err e = OK;
	buf_init(&bytes, LIMIT_PACK);
	buf_init(&cut, names_max);
	for (size_t i = 0; i < p->packs.count && !e; i++) {
		const struct packset_pack *pack = &p->packs.packs[i];
		if (pack->is_chosen && table_of(p, pack, &table, &bytes, &e, why) && ends_cut(&table))
			e = why_err(why, buf_add(&cut, hash_span(&pack->name)), "reading packs");
	}
	for (size_t i = 0; i < p->packs.count && !e && cut.len; i++) {
		struct packset_pack *pack = &p->packs.packs[i];
		if (pack->is_chosen || pack->is_doomed) continue;
		if (table_of(p, pack, &table, &bytes, &e, why) && table.continues)
			pack->is_chosen = intents_has(buf_span(&cut), &table.previous);
	}
	buf_free(&bytes);
	buf_free(&cut);
	return e;
}

/* Packs that no readable index names are read, and with read_data all of them. */
static enum err read_packs(struct repair *p, struct why *why) {
	struct checkdata_params c = {
		.vault = p->v,
		.fetch = p->fetch,
		.packs = &p->packs,
		.part = CHECKDATA_CHOSEN,
		.threads = p->o->threads ? p->o->threads : thread_cpus(),
		.verified = verified,
		.ctx = p,
	};
	struct places *places = fetch_places(p->fetch);
	struct buf names;
	buf_init(&names, names_max);
	enum err e = OK;
	if (!places_damaged(places)) e = why_err(why, places_names(places, &names), "reading packs");
	for (size_t i = 0; i < p->packs.count && !e; i++) {
		struct packset_pack *pack = &p->packs.packs[i];
		bool named = pack->is_named || intents_has(buf_span(&names), &pack->name);
		pack->is_chosen = !pack->is_doomed && (p->o->read_data || !named);
	}
	buf_free(&names);
	if (!e && !p->o->read_data) e = choose_rests(p, why);
	if (e) return e;
	for (size_t i = 0; i < p->packs.count; i++) {
		struct packset_pack *pack = &p->packs.packs[i];
		p->out->packs_read += pack->is_chosen;
		pack->lost = pack->is_chosen ? pack->rows : 0;
		pack->rows = 0; /* what an index says of it is not what is looked at here */
	}
	return checkdata_run(p->r, &c, why);
}

static enum err start(struct repair *p, struct why *why) {
	struct vault *v = p->v;
	struct fetch_params fp = { .vault = v, .threads = thread_cpus() + 1, .warn = warned, .ctx = p };
	buf_init(&p->old, names_max);
	buf_init(&p->added, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	buf_init(&p->removed, (size_t)LIMIT_INDEXES_REMOVED * SIZE_LOCATION);
	p->purge_events = v->state.purge_events;
	p->out->indexes = v->state.index_count;
	enum err e = fetch_new(&p->fetch, &fp, why);
	for (size_t i = 0; i < v->state.index_count && !e; i++)
		e = why_err(why, location_add(&p->old, &v->state.indexes[i].location), "reading the index");
	if (!e) e = packset_read(&p->packs, v->session->store, &v->id, why);
	if (!e) e = mark_leaving(p, why);
	if (!e) e = why_err(why, indexplan_new(&p->plan), "making an index");
	if (!e) e = places_rows(fetch_places(p->fetch), keep_row, p, why);
	if (!e) p->out->indexes_damaged = places_damaged(fetch_places(p->fetch));
	return e;
}

static bool in_force(const struct vaultstate *s, const struct location *l) {
	for (size_t i = 0; i < s->index_count; i++)
		if (location_order(&s->indexes[i].location, l) == 0) return true;
	return false;
}

/* Replaces what was in force at the start and is still; in several entries if there are very many. */
static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct repair *p = ctx;
	struct locationlist old = { .rows = buf_span(&p->old) };
	p->stale = v->state.purge_events != p->purge_events;
	if (p->stale) return E_CANCELLED;
	buf_clear(&p->removed);
	for (size_t i = 0; i < location_count(&old) && p->removed.len < p->removed.max; i++) {
		struct location l = location_at(&old, i);
		enum err e = in_force(&v->state, &l) ? location_add(&p->removed, &l) : OK;
		if (e) return why_err(why, e, "replacing indexes");
	}
	out->body = (struct vaultbody){
		.type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(&p->added) },
		.removed = { .rows = buf_span(&p->removed) },
	};
	return OK;
}

static enum err write_out(struct repair *p, struct why *why) {
	struct vault *v = p->v;
	struct session *s = v->session;
	struct packrun *run = NULL;
	struct head head = vault_head(v);
	struct packrun_params rp = {
		.store = s->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.start_sequence = head.seq,
		.start_head = head.hash,
		.writer = s->secrets->actor.id,
		.fresh = &s->secrets->fresh,
	};
	enum err e = packrun_new(&run, &rp, why);
	if (!e) e = packrun_index(run, p->plan, &p->added, why);
	for (bool more = true; !e && more;) {
		e = vault_append(v, decide, p, why);
		more = p->removed.len == p->removed.max;
		buf_clear(&p->added); /* added once */
	}
	packrun_free(run);
	if (!e) statefolder_drop_caches(&s->folder, &v->id);
	p->out->written = e == OK;
	return e;
}

static enum err repair_once(struct repair *p, struct why *why) {
	struct repair_result *out = p->out;
	memset(out, 0, sizeof *out);
	enum err e = start(p, why);
	if (!e) e = read_packs(p, why);
	if (e) return e;
	indexplan_sort(p->plan);
	out->rows = indexplan_rows(p->plan);
	/* by pack: what one lost and another has more must not cancel out */
	for (size_t i = 0; i < p->packs.count; i++) out->rows_dropped += p->packs.packs[i].lost;
	uint64_t kept = out->rows_before - out->rows_dropped;
	out->rows_new = out->rows > kept ? out->rows - kept : 0;
	if (out->rows < kept) out->rows_dropped += kept - out->rows;
	out->needed = out->indexes_damaged || out->rows_dropped || out->rows_new;
	return out->needed && p->o->apply ? write_out(p, why) : OK;
}

static void repair_done(struct repair *p) {
	fetch_free(p->fetch);
	packset_done(&p->packs);
	indexplan_free(p->plan);
	buf_free(&p->old);
	buf_free(&p->added);
	buf_free(&p->removed);
}

enum err repair_run(struct checkreport *r, struct vault *v, const struct repair_options *o,
	struct repair_result *out, struct why *why) {
	enum err e = o->apply ? vault_prepare_write(v, why) : OK;
	for (int i = 0; !e && i < TRIES; i++) {
		struct repair p = { .r = r, .v = v, .o = o, .out = out };
		e = repair_once(&p, why);
		bool again = e == E_CANCELLED && p.stale && !signals_asked();
		repair_done(&p);
		if (!again) break;
		e = vault_refresh(v, why);
		if (!e && i + 1 == TRIES)
			e = why_set(why, E_BUSY, "other devices kept pruning: run it again later");
	}
	return e;
}
