#include "client/prune.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/packrun.h"
#include "client/placesexport.h"
#include "client/purge.h"
#include "client/repacking.h"
#include "client/spare.h"
#include "client/storing.h"
#include "client/treewalk.h"
#include "format/chunktype.h"
#include "format/snapshot.h"
#include "os/clock.h"
#include "os/signals.h"

enum { TRIES = 20, UNNAMED_DAYS = 30 };

static const size_t names_max = (size_t)1 << 32;
static const int64_t second_ns = 1000000000;

/* What is known of one pack. */
struct pack {
	struct hash name;
	struct repacking_pack weight; /* size in the store; 0: it is not there */
	uint32_t number;              /* in the plan; UINT32_MAX: no row names it */
	bool index_only; /* holds (parts of) an index in force, and nothing else that is indexed */
	bool kept;       /* not to go, nor to be stored again: see find_leaving */
	bool doomed;
};

struct prune {
	struct vault *v;
	const struct prune_options *o;
	struct prune_result *out;
	struct fetch *fetch;
	struct indexplan *rows; /* all places, sorted */
	uint8_t *
		walked; /* a bit for each row, the first of its chunk: a folder begins with it that was gone into */
	uint8_t *used; /* for each row: the type of the chunk if it is needed, and this is its place */
	struct pack *packs;
	size_t pack_count, pack_room;
	uint32_t *pack_of;  /* by plan number: index into packs */
	size_t marked;      /* snapshots of the state that were walked */
	uint64_t marked_at; /* the newest entry when marking began */
	struct buf new_indexes;
	struct buf missing; /* packs that the index names and the store does not have, ascending */
	struct buf already; /* packs that intents in force name, ascending */
	struct buf spared; /* of those, what purges will spare for snapshots touched at ${spared_for} */
	uint64_t spared_for;
	uint64_t touched;     /* of the snapshot that is being looked at */
	struct buf names;     /* doomed, ascending */
	struct buf forgotten; /* see struct prune_options: ascending */
};

static void tick(const struct prune *p, const char *step, uint64_t done, uint64_t total) {
	struct prune_progress t = { .step = step, .done = done, .total = total };
	if (p->o->ticked) p->o->ticked(p->o->ctx, &t);
}

static enum err add_pack(struct prune *p, const struct pack *pack) {
	if (p->pack_count == p->pack_room) {
		size_t room = p->pack_room ? p->pack_room * 2 : 256;
		struct pack *more = mem_resize(p->packs, room, sizeof *more);
		if (!more) return E_NOMEM;
		p->packs = more;
		p->pack_room = room;
	}
	p->packs[p->pack_count++] = *pack;
	return OK;
}

static enum err list_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct prune *p = ctx;
	struct pack pack = { .name = *name, .weight = { .size = size }, .number = UINT32_MAX };
	p->out->packs++;
	p->out->bytes += size;
	return why_err(why, add_pack(p, &pack), "listing packs");
}

static int by_name(const void *a, const void *b) {
	const struct pack *x = a, *y = b;
	return hash_order(&x->name, &y->name);
}

static struct pack *find_pack(struct prune *p, const struct hash *name) {
	struct pack key = { .name = *name };
	return p->pack_count ? bsearch(&key, p->packs, p->pack_count, sizeof key, by_name) : NULL;
}

/* Joins the store's list with the packs that the indexes name. */
static enum err join_packs(struct prune *p, struct why *why) {
	enum err e = store_pack_list(p->v->session->store, &p->v->id, list_pack, p, why);
	if (e) return e;
	if (p->pack_count) qsort(p->packs, p->pack_count, sizeof *p->packs, by_name);
	uint32_t count = indexplan_packs(p->rows);
	p->pack_of = mem_array((size_t)count + 1, sizeof *p->pack_of);
	if (!p->pack_of) return why_err(why, E_NOMEM, "listing packs");
	for (uint32_t i = 0; i < count && !e; i++) {
		struct indexhead_pack row = indexplan_pack_at(p->rows, i);
		struct pack *pack = find_pack(p, &row.name);
		p->pack_of[i] = pack ? (uint32_t)(pack - p->packs) : UINT32_MAX;
		if (pack) pack->number = i;
		else e = buf_add(&p->missing, hash_span(&row.name));
	}
	for (size_t i = 0; i < p->v->state.index_count; i++) {
		struct pack *pack = find_pack(p, &p->v->state.indexes[i].location.pack);
		if (pack && pack->number == UINT32_MAX) pack->index_only = true;
	}
	intents_sort(&p->missing);
	return why_err(why, e, "listing packs");
}

/* Whether the pack is there as the index says, and not on its way out. */
static bool pack_stays(const struct prune *p, uint32_t number) {
	uint32_t i = p->pack_of[number];
	return i != UINT32_MAX && !intents_has(buf_span(&p->already), &p->packs[i].name) &&
		p->packs[i].weight.size == indexplan_pack_at(p->rows, number).size;
}

/* A block that goes on in another pack is there only if both are. */
static bool is_there(const struct prune *p, const struct indexleaf_row *row) {
	struct indexhead_cut cut;
	if (!pack_stays(p, row->pack)) return false;
	return !indexplan_find_cut(p->rows, row->pack, row->offset, &cut) ||
		pack_stays(p, cut.next_pack);
}

/*
 * What the purges of announced packs will spare for the snapshot that is being looked at: packs of intents that are older than
 * its entry, or its newest keep (spare.h).
 */
static enum err find_spared(struct prune *p, struct why *why) {
	const struct vaultstate *s = &p->v->state;
	enum err e = OK;
	if (p->spared_for == p->touched) return OK;
	buf_clear(&p->spared);
	for (size_t i = 0; i < s->intent_count && !e; i++)
		if (s->intents[i].sequence < p->touched)
			e = intents_packs(p->v, &s->intents[i].packs, &p->spared, why);
	intents_sort(&p->spared);
	if (!e) p->spared_for = p->touched;
	return e;
}

/* Whether the pack is there, and either stays or will be spared. It is then not to go before: see struct pack. */
static bool keep_pack(struct prune *p, const struct hash *name, uint32_t size) {
	struct pack *pack = find_pack(p, name);
	if (!pack || pack->weight.size != size) return false;
	if (intents_has(buf_span(&p->already), name) && !intents_has(buf_span(&p->spared), name))
		return false;
	pack->kept = true;
	return true;
}

static bool is_leaving(const struct prune *p, const struct place *place) {
	return intents_has(buf_span(&p->already), &place->pack) ||
		(place->cut && intents_has(buf_span(&p->already), &place->next_pack));
}

/*
 * A chunk that lies only in packs on their way out: the snapshot was kept after they were announced. No index may name it any
 * more: then the packs' tables do.
 */
static enum err find_leaving(struct prune *p, const struct hash *id, bool *found, struct why *why) {
	struct places *places = fetch_places(p->fetch);
	*found = false;
	if (!p->already.len) return OK;
	enum err e = find_spared(p, why);
	for (int scans = 0; !e && !*found && scans < 3; scans++) {
		struct places_cursor c = { .where = PLACES_ANY };
		struct place at;
		bool more = true;
		if (scans == 1) e = places_scan(places, why);
		if (scans == 2) e = places_scan_all(places, why);
		while (!e && more && !*found) {
			e = places_next(places, id, &c, &at, &more, why);
			if (e || !more) break;
			*found = is_leaving(p, &at) && keep_pack(p, &at.pack, at.pack_size) &&
				(!at.cut || keep_pack(p, &at.next_pack, at.next_size));
		}
	}
	return e;
}

/* Marks one place of a chunk as needed: one that is there, and not in a pack that is on its way out. */
static enum err mark_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	struct prune *p = ctx;
	char hex[HASH_HEX];
	(void)length;
	size_t first = indexplan_find(p->rows, id), best = SIZE_MAX;
	for (size_t i = first; i < indexplan_rows(p->rows); i++) {
		const struct indexleaf_row *row = indexplan_row_at(p->rows, i);
		if (hash_order(&row->id, id) != 0) break;
		if (p->used[i]) return OK;
		if (best == SIZE_MAX && is_there(p, row)) best = i;
	}
	if (signals_asked()) return why_set(why, E_CANCELLED, "interrupted");
	if (best == SIZE_MAX) {
		bool found;
		enum err e = find_leaving(p, id, &found, why);
		if (e || found) return e;
		hash_hex(hex, id);
		return why_set(why, E_FORGED,
			"chunk %s, which a snapshot needs, is missing: run broch check; nothing was pruned",
			hex);
	}
	p->used[best] = type;
	p->out->chunks_used++;
	return OK;
}

/* A folder that only packs on their way out have is gone into each time. */
static bool was_walked(void *ctx, const struct hash *id) {
	struct prune *p = ctx;
	size_t row = indexplan_find(p->rows, id);
	if (row == indexplan_rows(p->rows)) return false;
	uint8_t *byte = &p->walked[row / 8], bit = (uint8_t)(1 << row % 8);
	bool was = (*byte & bit) != 0;
	*byte |= bit;
	return was;
}

static enum err mark_snapshot(struct prune *p, const struct vault_snapshot *v, struct why *why) {
	struct snapshot s;
	struct hash id = v->id;
	struct buf bytes;
	struct treewalk t = { .fetch = p->fetch, .chunk = mark_chunk, .folder = was_walked, .ctx = p };
	buf_init(&bytes, LIMIT_SNAPSHOT);
	p->touched = v->touched;
	enum err e = mark_chunk(p, CHUNKTYPE_SNAPSHOT, &id, 0, why);
	if (!e) e = treewalk_snapshot(p->fetch, &id, &s, &bytes, why);
	if (!e) e = treewalk_run(&t, &s.root, why);
	buf_free(&bytes);
	return e;
}

static bool is_forgotten(const struct prune *p, const struct vault_snapshot *s) {
	return s->forgotten || intents_has(buf_span(&p->forgotten), &s->id);
}

static enum err mark_all(struct prune *p, struct why *why) {
	const struct vaultstate *s = &p->v->state;
	enum err e = OK;
	p->marked_at = s->count - 1;
	for (; p->marked < s->snapshot_count && !e; p->marked++) {
		tick(p, "looking at what snapshots need", p->marked, s->snapshot_count);
		if (!is_forgotten(p, &s->snapshots[p->marked]))
			e = mark_snapshot(p, &s->snapshots[p->marked], why);
	}
	return e;
}

/* A row of the plan by where its chunk lies. */
struct placed {
	uint64_t block; /* number of the pack, and offset in it */
	uint32_t row;
	uint16_t slot;
};

static int by_block(const void *a, const void *b) {
	const struct placed *x = a, *y = b;
	if (x->block != y->block) return x->block < y->block ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static enum err sorted_by_block(struct prune *p, struct placed **out) {
	size_t count = indexplan_rows(p->rows);
	struct placed *order = mem_array(count + 1, sizeof *order);
	if (!order) return E_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct indexleaf_row *row = indexplan_row_at(p->rows, i);
		order[i] = (struct placed){
			.block = (uint64_t)row->pack << 32 | row->offset,
			.row = (uint32_t)i,
			.slot = row->slot,
		};
	}
	if (count) qsort(order, count, sizeof *order, by_block);
	*out = order;
	return OK;
}

/* A piece of a block, with what the pack's table says of it: ${used} of its ${chunks} chunks are needed. */
static void weigh_piece(
	struct prune *p, uint32_t pack, uint64_t length, size_t chunks, size_t used, uint8_t type) {
	if (p->pack_of[pack] == UINT32_MAX) return;
	struct repacking_pack *of = &p->packs[p->pack_of[pack]].weight;
	if (used < chunks) of->has_waste = true;
	if (!used) return;
	uint64_t bytes = length * used / chunks;
	of->used += bytes ? bytes : 1; /* a short rest is needed all the same */
	if (type == CHUNKTYPE_CONTENT) of->data += bytes;
}

/*
 * A block counts for its pack by the share of its chunks that are needed; a cut one counts for the next pack too. ${type}: of
 * a chunk that is needed.
 */
static void weigh_block(
	struct prune *p, const struct indexleaf_row *row, size_t chunks, size_t used, uint8_t type) {
	struct indexhead_cut cut;
	weigh_piece(p, row->pack, row->length + packtable_block_len(chunks), chunks, used, type);
	if (indexplan_find_cut(p->rows, row->pack, row->offset, &cut))
		weigh_piece(p, cut.next_pack, cut.rest_length + packtable_block_len(0), chunks, used, type);
}

static enum err weigh(struct prune *p, struct why *why) {
	struct placed *order = NULL;
	size_t count = indexplan_rows(p->rows);
	enum err e = sorted_by_block(p, &order);
	for (size_t i = 0; i < count && !e;) {
		size_t used = 0, n = 0;
		uint8_t type = 0;
		for (; i + n < count && order[i + n].block == order[i].block; n++) {
			used += p->used[order[i + n].row] != 0;
			if (!type) type = p->used[order[i + n].row];
		}
		weigh_block(p, indexplan_row_at(p->rows, order[i].row), n, used, type);
		i += n;
	}
	mem_free(order);
	return why_err(why, e, "weighing packs");
}

/* Whether a pack that no index names was written by a run so old that it is surely dead. */
static bool is_abandoned(struct prune *p, const struct pack *pack) {
	struct packtable table;
	struct buf bytes;
	int64_t now = clock_real_ns();
	uint64_t least = vaultstate_hold(&p->v->state, now), days = (uint64_t)UNNAMED_DAYS * 86400;
	if (least < days) least = days;
	buf_init(&bytes, LIMIT_PACK);
	bool old = packread_table(fetch_packs(p->fetch), &pack->name, pack->weight.size, &table, &bytes,
				   NULL) == OK &&
		table.start_sequence < p->v->state.count &&
		p->v->state.times[table.start_sequence] < now - (int64_t)least * second_ns;
	buf_free(&bytes);
	return old;
}

/* Of the packs that are needed in part, those that go are chosen; all others are doomed or stay by what they are. */
static enum err gather(struct prune *p, struct repacking *r, struct why *why) {
	r->packs = mem_array(p->pack_count + 1, sizeof *r->packs);
	if (!r->packs) return why_err(why, E_NOMEM, "weighing packs");
	for (size_t i = 0; i < p->pack_count; i++) {
		struct pack *pack = &p->packs[i];
		if (pack->kept) continue;
		if (pack->number == UINT32_MAX) {
			pack->doomed = pack->index_only || is_abandoned(p, pack);
			continue;
		}
		p->out->used += pack->weight.used;
		if (pack->weight.used == 0) pack->doomed = true;
		else r->packs[r->count++] = &pack->weight;
	}
	return OK;
}

/* Which packs go, and which are stored again first. */
static enum err decide_packs(struct prune *p, struct why *why) {
	struct repacking r = { .limit = p->o->pack_limit ? p->o->pack_limit : LIMIT_PACK,
		.may_stay = p->o->max_unused };
	enum err e = gather(p, &r, why);
	if (p->o->max_unused_is_share && r.may_stay != PRUNE_ANY_UNUSED)
		r.may_stay = (uint64_t)((double)p->out->used * (double)r.may_stay / 1e6);
	if (!e) repacking_choose(&r);
	for (size_t i = 0; i < p->pack_count && !e; i++) {
		struct pack *pack = &p->packs[i];
		if (!pack->weight.chosen) continue;
		pack->doomed = true;
		p->out->repacked_packs++;
		p->out->repacked_bytes += pack->weight.used;
	}
	mem_free(r.packs);
	return e;
}

/* A cut block keeps both of its packs or neither: where one is stored again, so is the other's half of the block. */
static bool block_goes(const struct prune *p, const struct indexleaf_row *row) {
	struct indexhead_cut cut;
	uint32_t i = p->pack_of[row->pack];
	if (i == UINT32_MAX || p->packs[i].doomed) return true;
	if (!indexplan_find_cut(p->rows, row->pack, row->offset, &cut)) return false;
	i = p->pack_of[cut.next_pack];
	return i == UINT32_MAX || p->packs[i].doomed;
}

/* Stores again every needed chunk whose place goes. */
static enum err repack(struct prune *p, struct packrun *run, struct why *why) {
	struct storing_shared shared = {
		.vault = p->v, .run = run, .squeeze = SQUEEZE_AUTO, .pack_limit = p->o->pack_limit
	};
	struct storing *storing = NULL;
	struct placed *order = NULL;
	size_t count = indexplan_rows(p->rows);
	enum err e = storing_new(&storing, &shared, why);
	if (!e) e = why_err(why, sorted_by_block(p, &order), "storing chunks again");
	for (size_t i = 0; i < count && !e; i++) {
		const struct indexleaf_row *row = indexplan_row_at(p->rows, order[i].row);
		struct fetch_chunk chunk;
		struct hash id;
		uint8_t type = p->used[order[i].row];
		if (!type || !block_goes(p, row)) continue;
		if ((i & 1023) == 0) tick(p, "storing again what is needed", i, count);
		if (signals_asked()) e = why_set(why, E_CANCELLED, "interrupted");
		if (!e) e = fetch_chunk(p->fetch, type, &row->id, &chunk, why);
		if (e) break;
		e = storing_chunk(storing, type, chunk.bytes, &id, why);
		fetch_release(p->fetch, &chunk);
	}
	if (!e) e = storing_flush(storing, why);
	mem_free(order);
	storing_free(storing);
	return e;
}

static enum err decide_index(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){
		.type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(locations) },
	};
	return OK;
}

static enum err decide_intent(
	void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct spare *s = ctx;
	if (v->state.count != s->looked) return E_CANCELLED;
	out->body = (struct vaultbody){ .type = VAULTBODY_INTENT };
	out->public_part.kind = ENTRYPUBLIC_INTENT;
	return intents_make(v, buf_span(&s->names), &out->public_part.packs, why);
}

/* Names what goes. A snapshot that came between the marking and the intent knew of no intent: it is looked at first. */
static enum err announce(struct prune *p, struct why *why) {
	struct spare s;
	spare_init(&s, p->v);
	s.warn = p->o->warn;
	s.ctx = p->o->ctx;
	s.pack_limit = p->o->pack_limit;
	enum err e = why_err(why, buf_add(&s.names, buf_span(&p->names)), "naming packs");
	for (int i = 0; !e && i < TRIES; i++) {
		e = spare_look(&s, p->marked_at, why);
		if (e || !s.names.len) break;
		e = vault_append(p->v, decide_intent, &s, why);
		if (e != E_CANCELLED) break;
		e = i + 1 < TRIES ? OK
						  : why_set(why, E_BUSY, "other devices kept writing: run it again later");
	}
	buf_clear(&p->names);
	if (!e) e = why_err(why, buf_add(&p->names, buf_span(&s.names)), "naming packs");
	spare_done(&s);
	return e;
}

/*
 * Packs of indexes that are replaced, and of leaves that lie elsewhere, go with the rest. What one intent has no room for, more than
 * 8 TB, goes with the next prune.
 */
static enum err name_doomed(struct prune *p, struct why *why) {
	enum err e = OK;
	for (size_t i = 0; i < p->pack_count && !e; i++) {
		if (p->names.len >= (size_t)LIMIT_LIST_NAMES * HASH_SIZE) break;
		const struct pack *pack = &p->packs[i];
		if (!pack->doomed || intents_has(buf_span(&p->already), &pack->name)) continue;
		e = why_err(why, buf_add(&p->names, hash_span(&pack->name)), "naming packs");
		p->out->named_packs++;
		p->out->named_bytes += pack->weight.size;
	}
	intents_sort(&p->names);
	return e;
}

/* An index can't be read: it is damaged, or another device has replaced it and its packs are gone already. */
static enum err damaged(struct vault *v, struct why *why) {
	uint64_t count = v->state.count;
	enum err e = vault_refresh(v, why);
	if (e) return e;
	if (v->state.count != count)
		return why_set(why, E_BUSY, "another device pruned at the same time: run it again later");
	return why_set(
		why, E_FORGED, "an index is damaged: run broch repair first; nothing was pruned");
}

static enum err start(struct prune *p, struct why *why) {
	struct vault *v = p->v;
	struct fetch_params fp = { .vault = v, .threads = 1, .warn = p->o->warn, .ctx = p->o->ctx };
	buf_init(&p->new_indexes, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	buf_init(&p->names, names_max);
	buf_init(&p->already, names_max);
	buf_init(&p->spared, names_max);
	buf_init(&p->missing, names_max);
	buf_init(&p->forgotten, names_max);
	enum err e = intents_doomed(v, &p->already, why);
	if (!e && p->o->dry_run)
		e = why_err(why, buf_add(&p->forgotten, p->o->forgotten), "looking at snapshots");
	intents_sort(&p->forgotten);
	if (!e) e = fetch_new(&p->fetch, &fp, why);
	if (!e && places_damaged(fetch_places(p->fetch))) e = damaged(v, why);
	if (!e) e = why_err(why, indexplan_new(&p->rows), "reading the index");
	if (!e) e = placesexport_all(fetch_places(p->fetch), p->rows, NULL, NULL, why);
	if (!e && places_damaged(fetch_places(p->fetch))) e = damaged(v, why);
	if (e) return e;
	indexplan_sort(p->rows);
	p->out->chunks = indexplan_rows(p->rows);
	p->used = mem_zalloc(indexplan_rows(p->rows) + 1);
	p->walked = mem_zalloc(indexplan_rows(p->rows) / 8 + 1);
	if (!p->used || !p->walked) return why_err(why, E_NOMEM, "reading the index");
	return join_packs(p, why);
}

/* Stores again what is needed from packs that go, and names the new places. */
static enum err store_again(struct prune *p, struct why *why) {
	struct vault *v = p->v;
	struct packrun *run = NULL;
	struct head head = vault_head(v);
	struct packrun_params rp = {
		.store = v->session->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.start_sequence = head.seq,
		.start_head = head.hash,
		.writer = v->session->secrets->actor.id,
		.fresh = &v->session->secrets->fresh,
		.pack_limit = p->o->pack_limit,
	};
	enum err e = packrun_new(&run, &rp, why);
	if (!e) e = repack(p, run, why);
	if (!e) tick(p, "writing the index", 0, 1);
	if (!e) e = packrun_index(run, NULL, &p->new_indexes, why);
	if (!e && p->new_indexes.len) e = vault_append(v, decide_index, &p->new_indexes, why);
	packrun_free(run);
	return e;
}

/*
 * In this order, so that a prune that is killed in between has lost nothing: new places are named before the old packs are,
 * and the old packs leave the index only when everybody knows that they go.
 */
static enum err write_out(struct prune *p, struct why *why) {
	enum err e = p->out->repacked_packs ? store_again(p, why) : OK;
	if (!e && p->names.len) e = announce(p, why);
	if (!e) e = why_err(why, buf_add(&p->names, buf_span(&p->missing)), "naming packs");
	intents_sort(&p->names);
	if (!e) e = indexmerge_without(p->v, buf_span(&p->names), p->o->pack_limit, why);
	return e;
}

static void done(struct prune *p) {
	fetch_free(p->fetch);
	indexplan_free(p->rows);
	mem_free(p->used);
	mem_free(p->walked);
	mem_free(p->packs);
	mem_free(p->pack_of);
	buf_free(&p->new_indexes);
	buf_free(&p->names);
	buf_free(&p->already);
	buf_free(&p->spared);
	buf_free(&p->missing);
	buf_free(&p->forgotten);
}

static bool anything_to_do(const struct prune *p) {
	for (size_t i = 0; i < p->pack_count; i++)
		if (p->packs[i].doomed && !p->packs[i].index_only) return true;
	return p->missing.len > 0;
}

static enum err prune_once(struct prune *p, struct why *why) {
	enum err e = start(p, why);
	if (!e) e = mark_all(p, why);
	if (!e) e = weigh(p, why);
	if (!e) e = decide_packs(p, why);
	if (!e) e = name_doomed(p, why);
	if (!e && !anything_to_do(p))
		p->out->named_packs = p->out->named_bytes = 0; /* index packs alone are not worth it */
	else if (!e && !p->o->dry_run) e = write_out(p, why);
	return e;
}

enum err prune_run(
	struct vault *v, const struct prune_options *o, struct prune_result *out, struct why *why) {
	memset(out, 0, sizeof *out);
	enum err e = o->dry_run ? OK : vault_prepare_write(v, why);
	if (!e) e = purge_due(v, o, out, why);
	struct prune p = { .v = v, .o = o, .out = out };
	if (!e) e = prune_once(&p, why);
	done(&p);
	if (!e) e = purge_due(v, o, out, why);
	return e;
}
