#include "client/places.h"

#include <stdatomic.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/intents.h"
#include "client/tablescan.h"
#include "core/squeeze.h"
#include "format/block.h"
#include "format/chunktype.h"
#include "format/indexhead.h"
#include "format/limits.h"
#include "os/mutex.h"

/* A leaf, read when it is first needed. */
struct leaf {
	_Atomic(uint8_t *) rows; /* owned */
	uint32_t count;
};

struct loaded {
	struct location location;
	struct buf string;
	struct indexhead head;
	struct leaf *leaves;
	uint32_t own_size;    /* of the pack in which it lies */
	_Atomic bool damaged; /* a leaf could not be read */
};

struct places {
	struct places_params p;
	struct mutex lock; /* for reading leaves and scanning */
	struct squeeze *squeezer;
	struct loaded **loaded;
	size_t count, room;
	_Atomic size_t damaged;
	const struct indexplan *borrowed;
	struct indexplan *scan; /* from tables of packs that no readable index names; NULL: not read */
	bool scanned_all;       /* and of all others */
	unsigned scans;         /* how often ${scan} was replaced */
};

static const size_t head_max = (size_t)1 << 32, names_max = (size_t)1 << 32;

enum err places_new(struct places **out, const struct places_params *params, struct why *why) {
	struct places *p = mem_zalloc(sizeof *p);
	if (!p) return why_err(why, E_NOMEM, "reading the index");
	p->p = *params;
	mutex_init(&p->lock);
	if (squeeze_new(&p->squeezer, SQUEEZE_FAST)) {
		places_free(p);
		return why_err(why, E_NOMEM, "reading the index");
	}
	*out = p;
	return OK;
}

static void loaded_free(struct loaded *l) {
	if (!l) return;
	uint32_t leaves = l->leaves ? indexhead_leaf_count(&l->head) : 0;
	for (uint32_t i = 0; i < leaves; i++) mem_free(atomic_load(&l->leaves[i].rows));
	mem_free(l->leaves);
	buf_free(&l->string);
	mem_free(l);
}

void places_free(struct places *p) {
	if (!p) return;
	for (size_t i = 0; i < p->count; i++) loaded_free(p->loaded[i]);
	mem_free(p->loaded);
	indexplan_free(p->scan);
	squeeze_free(p->squeezer);
	mutex_done(&p->lock);
	mem_free(p);
}

size_t places_damaged(const struct places *p) {
	return p->damaged;
}

uint64_t places_count(const struct places *p) {
	uint64_t n = 0;
	for (size_t i = 0; i < p->count; i++) n += p->loaded[i]->head.entries;
	return n;
}

static enum err bad_index(struct why *why, const struct hash *pack) {
	char hex[HASH_HEX];
	hash_hex(hex, pack);
	return why_set(why, E_FORGED, "the index in pack %s is damaged", hex);
}

/* The one chunk of an index block, appended to ${out}. With the lock held or before threads start. */
static enum err read_part(
	struct places *p, const struct location *l, struct buf *out, struct why *why) {
	struct buf stored, raw;
	struct block block;
	buf_init(&stored, LIMIT_RECORD);
	buf_init(&raw, LIMIT_BLOCK_RAW);
	enum err e = packread_record(p->p.packs, &l->pack, l->offset, l->length, &stored, why);
	if (!e) {
		e = squeeze_unpack(p->squeezer, buf_span(&stored), &raw);
		if (!e) e = block_decode(&block, buf_span(&raw));
		if (!e && (block.count != 1 || block_chunk(&block, 0).len > LIMIT_HEAD_PART)) e = E_FORMAT;
		if (!e) e = buf_add(out, block_chunk(&block, 0));
		/* more than a leaf or all parts together may be */
		if (e == E_FORMAT || e == E_LIMIT) e = bad_index(why, &l->pack);
		else if (e) e = why_err(why, e, "reading the index");
	}
	buf_free(&stored);
	buf_free(&raw);
	return e;
}

static enum err read_string(
	struct places *p, const struct location *l, struct buf *string, struct why *why) {
	struct buf part;
	struct indexhead_part0 zero;
	buf_init(&part, LIMIT_HEAD_PART);
	enum err e = read_part(p, l, &part, why);
	if (!e && indexhead_part0_decode(&zero, buf_span(&part))) e = bad_index(why, &l->pack);
	if (!e) e = why_err(why, buf_add(string, zero.first), "reading the index");
	size_t parts = e ? 0 : location_count(&zero.parts);
	for (size_t i = 0; i < parts && !e; i++) {
		struct location further = location_at(&zero.parts, i);
		if (hash_is_zero(&further.pack)) further.pack = l->pack;
		e = read_part(p, &further, string, why);
	}
	buf_free(&part);
	return e;
}

static enum err load(struct places *p, const struct location *location, struct why *why) {
	struct loaded *l = mem_zalloc(sizeof *l);
	if (!l) return why_err(why, E_NOMEM, "reading the index");
	l->location = *location;
	buf_init(&l->string, head_max);
	enum err e = read_string(p, location, &l->string, why);
	if (!e && indexhead_decode(&l->head, buf_span(&l->string))) e = bad_index(why, &location->pack);
	if (!e) {
		l->leaves = mem_array(indexhead_leaf_count(&l->head), sizeof *l->leaves);
		if (!l->leaves) e = why_err(why, E_NOMEM, "reading the index");
	}
	uint64_t size = 0;
	if (!e) e = store_pack_size(p->p.store, &p->p.vault, &location->pack, &size, why);
	l->own_size = size > LIMIT_PACK ? 0 : (uint32_t)size;
	if (!e && p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 16;
		struct loaded **more = mem_resize(p->loaded, room, sizeof(struct loaded *));
		if (!more) e = why_err(why, E_NOMEM, "reading the index");
		else {
			p->loaded = more;
			p->room = room;
		}
	}
	if (e) loaded_free(l);
	else p->loaded[p->count++] = l;
	return e;
}

static bool is_damage(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND;
}

enum err places_load(
	struct places *p, const struct vault_index *indexes, size_t count, struct why *why) {
	for (size_t i = 0; i < count; i++) {
		struct why reason = { OK, "" };
		enum err e = load(p, &indexes[i].location, &reason);
		if (is_damage(e)) {
			p->damaged++;
			if (p->p.warn) p->p.warn(p->p.ctx, &reason);
		} else if (e) {
			if (why) *why = reason;
			return e;
		}
	}
	return OK;
}

/* A leaf knows nothing of its head: whether the packs of its rows are there is only seen here. */
static bool packs_ok(const struct loaded *l, const struct indexleaf *leaf) {
	uint32_t count = indexhead_pack_count(&l->head);
	for (uint32_t i = 0; i < leaf->count; i++) {
		uint32_t pack = indexleaf_at(leaf, i).pack;
		if (pack >= count && pack != INDEXLEAF_SAME_PACK) return false;
	}
	return true;
}

/* The rows of leaf ${i}; reads it on first use. E_FORGED and the like: it is damaged, and warned of. */
static enum err leaf_of(
	struct places *p, struct loaded *l, uint32_t i, struct indexleaf *out, struct why *why) {
	struct leaf *leaf = &l->leaves[i];
	out->rows = atomic_load_explicit(&leaf->rows, memory_order_acquire);
	if (out->rows) {
		out->count = leaf->count; /* only now: it is written before the rows are shown */
		return OK;
	}
	if (l->damaged) return E_NOTFOUND;
	struct indexhead_leaf row = indexhead_leaf_at(&l->head, i);
	struct location at = { .pack = l->location.pack, .offset = row.offset, .length = row.length };
	if (row.pack != INDEXLEAF_SAME_PACK) at.pack = indexhead_pack_at(&l->head, row.pack).name;
	struct buf bytes;
	struct why reason = { OK, "" };
	buf_init(&bytes, LIMIT_LEAF);
	mutex_lock(&p->lock);
	enum err e = OK;
	if (!atomic_load(&leaf->rows)) {
		e = read_part(p, &at, &bytes, &reason);
		if (!e &&
			(indexleaf_decode(out, buf_span(&bytes)) || out->count != row.entries ||
				!packs_ok(l, out)))
			e = bad_index(&reason, &at.pack);
		if (!e) {
			leaf->count = out->count;
			atomic_store_explicit(&leaf->rows, bytes.ptr, memory_order_release);
			buf_init(&bytes, LIMIT_LEAF);
		} else if (is_damage(e) && !l->damaged) {
			l->damaged = true;
			p->damaged++;
			if (p->p.warn) p->p.warn(p->p.ctx, &reason);
		}
	}
	out->rows = atomic_load(&leaf->rows);
	out->count = leaf->count;
	mutex_unlock(&p->lock);
	buf_free(&bytes);
	if (e && !is_damage(e) && why) *why = reason;
	return e;
}

/* The place that a row gives. ${leaf_pack}: where the leaf lies. */
static struct place place_of(
	const struct loaded *l, const struct indexleaf_row *row, const struct hash *leaf_pack) {
	struct place out = { .offset = row->offset, .length = row->length, .slot = row->slot };
	struct indexhead_cut cut;
	if (row->pack == INDEXLEAF_SAME_PACK) {
		out.pack = *leaf_pack;
		out.pack_size =
			l->own_size; /* rows of the same pack are only in indexes that lie in one pack */
	} else {
		struct indexhead_pack pack = indexhead_pack_at(&l->head, row->pack);
		out.pack = pack.name;
		out.pack_size = pack.size;
	}
	out.cut = indexhead_find_cut(&l->head, row->pack, row->offset, &cut);
	if (out.cut) {
		out.rest_length = cut.rest_length;
		struct indexhead_pack next = { .name = l->location.pack, .size = l->own_size };
		if (cut.next_pack != INDEXLEAF_SAME_PACK) next = indexhead_pack_at(&l->head, cut.next_pack);
		out.next_pack = next.name;
		out.next_size = next.size;
	}
	return out;
}

static struct hash leaf_pack(const struct loaded *l, uint32_t i) {
	struct indexhead_leaf row = indexhead_leaf_at(&l->head, i);
	return row.pack == INDEXLEAF_SAME_PACK ? l->location.pack
										   : indexhead_pack_at(&l->head, row.pack).name;
}

/* ${cut}: or NULL. */
static struct place planned_place(const struct indexplan *plan, const struct indexleaf_row *row,
	const struct indexhead_cut *cut) {
	struct indexhead_pack pack = indexplan_pack_at(plan, row->pack);
	struct place out = {
		.pack = pack.name,
		.pack_size = pack.size,
		.offset = row->offset,
		.length = row->length,
		.slot = row->slot,
		.cut = cut != NULL,
	};
	if (cut) {
		struct indexhead_pack next = indexplan_pack_at(plan, cut->next_pack);
		out.rest_length = cut->rest_length;
		out.next_pack = next.name;
		out.next_size = next.size;
	}
	return out;
}

static struct place scanned_place(const struct indexplan *plan, const struct indexleaf_row *row) {
	struct indexhead_cut cut;
	bool is_cut = indexplan_find_cut(plan, row->pack, row->offset, &cut);
	return planned_place(plan, row, is_cut ? &cut : NULL);
}

/* The cursor is at the row to look at, or at the start of a leaf. */
static enum err next_loaded(struct places *p, struct loaded *l, const struct hash *id,
	struct places_cursor *c, struct place *out, bool *found, struct why *why) {
	uint32_t from, to;
	indexhead_find_leaves(&l->head, id, &from, &to);
	for (; c->leaf < to - from; c->leaf++, c->row = 0) {
		struct indexleaf leaf;
		enum err e = leaf_of(p, l, from + c->leaf, &leaf, why);
		if (is_damage(e)) continue;
		if (e) return e;
		uint32_t k = c->row ? (uint32_t)c->row : indexleaf_find(&leaf, id);
		if (k >= leaf.count) continue;
		struct indexleaf_row row = indexleaf_at(&leaf, k);
		if (hash_order(&row.id, id) != 0) continue;
		struct hash pack = leaf_pack(l, from + c->leaf);
		*out = place_of(l, &row, &pack);
		*found = true;
		c->row = k + 1;
		break;
	}
	return OK;
}

void places_borrow(struct places *p, const struct indexplan *plan) {
	p->borrowed = plan;
}

static void next_planned(const struct indexplan *plan, const struct hash *id,
	struct places_cursor *c, struct place *out, bool *found) {
	size_t i = c->row ? c->row : indexplan_find(plan, id);
	if (i >= indexplan_rows(plan)) return;
	const struct indexleaf_row *row = indexplan_row_at(plan, i);
	if (hash_order(&row->id, id) != 0) return;
	*out = scanned_place(plan, row);
	*found = true;
	c->row = i + 1;
}

static void next_scanned(struct places *p, const struct hash *id, struct places_cursor *c,
	struct place *out, bool *found) {
	mutex_lock(&p->lock);
	if (c->scan != p->scans) c->row = 0; /* another one: from its start */
	c->scan = p->scans;
	if (p->scan) next_planned(p->scan, id, c, out, found);
	mutex_unlock(&p->lock);
}

static void next_source(struct places_cursor *c) {
	c->source++;
	c->leaf = 0;
	c->row = 0;
}

enum err places_next(struct places *p, const struct hash *id, struct places_cursor *c,
	struct place *out, bool *found, struct why *why) {
	*found = false;
	/* the newest index first: what was written last is what is read most */
	while (c->source < p->count) {
		struct loaded *l = p->loaded[p->count - 1 - c->source];
		enum err e = next_loaded(p, l, id, c, out, found, why);
		if (e || *found) return e;
		next_source(c);
	}
	if (c->where == PLACES_INDEXED) return OK;
	if (c->source == p->count) {
		if (p->borrowed) next_planned(p->borrowed, id, c, out, found);
		if (*found) return OK;
		next_source(c);
	}
	if (c->where == PLACES_ANY) next_scanned(p, id, c, out, found);
	return OK;
}

enum err places_find(struct places *p, const struct hash *id, struct place out[PLACES_EACH],
	size_t *count, struct why *why) {
	struct places_cursor c = { .where = PLACES_ANY };
	bool found = true;
	enum err e = OK;
	*count = 0;
	while (!e && found && *count < PLACES_EACH) {
		e = places_next(p, id, &c, &out[*count], &found, why);
		*count += !e && found;
	}
	return e;
}

/* What indexes say of packs, looked up for each pack of the store. */
struct indexed {
	struct places *p;
	struct buf named, homes; /* packs that are named; those in which an index lies: ascending */
};

/* Whether the pack's table says nothing that the indexes do not. */
static bool is_indexed(void *ctx, const struct hash *name) {
	const struct indexed *x = ctx;
	/* an index names its packs, but the pack in which it lies only if it is another's */
	return !x->p->damaged && intents_has(buf_span(&x->named), name) &&
		!intents_has(buf_span(&x->homes), name);
}

static enum err find_indexed(struct indexed *x, struct why *why) {
	enum err e = places_names(x->p, &x->named);
	for (size_t i = 0; i < x->p->count && !e; i++)
		e = buf_add(&x->homes, hash_span(&x->p->loaded[i]->location.pack));
	intents_sort(&x->homes);
	return why_err(why, e, "reading the tables of packs");
}

static enum err reads_cut(void *ctx, uint8_t type, const struct indexplan *plan,
	const struct indexleaf_row *row, const struct indexhead_cut *cut, struct why *why) {
	struct places *p = ctx;
	struct place place = planned_place(plan, row, cut);
	return p->p.reads(p->p.reads_ctx, type, &row->id, &place, why);
}

static enum err scan_packs(struct places *p, bool all, struct indexplan **out, struct why *why) {
	struct indexed x = { .p = p };
	const struct tablescan_params params = {
		.packs = p->p.packs,
		.store = p->p.store,
		.vault = p->p.vault,
		.skip = all ? NULL : is_indexed,
		.skip_ctx = &x,
		.warn = p->p.warn,
		.warn_ctx = p->p.ctx,
		.reads = p->p.reads ? reads_cut : NULL,
		.reads_ctx = p,
	};
	buf_init(&x.named, names_max);
	buf_init(&x.homes, names_max);
	enum err e = all ? OK : find_indexed(&x, why);
	if (!e) e = tablescan_run(&params, out, why);
	buf_free(&x.named);
	buf_free(&x.homes);
	return e;
}

static enum err scan(struct places *p, bool all, struct why *why) {
	struct indexplan *plan = NULL;
	mutex_lock(&p->lock);
	bool done = all ? p->scanned_all : p->scan != NULL;
	mutex_unlock(&p->lock);
	if (done) return OK;
	enum err e = scan_packs(p, all, &plan, why);
	if (e) return e;
	mutex_lock(&p->lock);
	if (!p->scan || (all && !p->scanned_all)) {
		struct indexplan *old = p->scan;
		p->scan = plan;
		p->scans++;
		p->scanned_all = all;
		plan = old;
	}
	mutex_unlock(&p->lock);
	indexplan_free(plan);
	return OK;
}

enum err places_scan(struct places *p, struct why *why) {
	return scan(p, false, why);
}

enum err places_scan_all(struct places *p, struct why *why) {
	return scan(p, true, why);
}

enum err places_packs(struct places *p, places_pack *visit, void *ctx, struct why *why) {
	for (size_t i = 0; i < p->count; i++) {
		struct loaded *l = p->loaded[i];
		for (uint32_t k = 0; k < indexhead_pack_count(&l->head); k++) {
			struct indexhead_pack row = indexhead_pack_at(&l->head, k);
			enum err e = visit(ctx, &row.name, row.size, why);
			if (e) return e;
		}
	}
	return OK;
}

enum err places_rows_of(struct places *p, size_t i, places_row *visit, void *ctx, struct why *why) {
	struct loaded *l = p->loaded[i];
	for (uint32_t k = 0; k < indexhead_leaf_count(&l->head); k++) {
		struct indexleaf leaf;
		enum err e = leaf_of(p, l, k, &leaf, why);
		if (is_damage(e)) continue;
		struct hash pack = leaf_pack(l, k);
		for (uint32_t n = 0; n < leaf.count && !e; n++) {
			struct indexleaf_row row = indexleaf_at(&leaf, n);
			struct place place = place_of(l, &row, &pack);
			e = visit(ctx, &row.id, &place, why);
		}
		if (e) return e;
	}
	return OK;
}

enum err places_rows(struct places *p, places_row *visit, void *ctx, struct why *why) {
	for (size_t i = 0; i < p->count; i++) {
		enum err e = places_rows_of(p, i, visit, ctx, why);
		if (e) return e;
	}
	for (size_t i = 0; p->scan && i < indexplan_rows(p->scan); i++) {
		const struct indexleaf_row *row = indexplan_row_at(p->scan, i);
		struct place place = scanned_place(p->scan, row);
		enum err e = visit(ctx, &row->id, &place, why);
		if (e) return e;
	}
	return OK;
}

uint64_t places_index_rows(const struct places *p, size_t i) {
	return p->loaded[i]->head.entries;
}

bool places_index_names(const struct places *p, size_t i, struct span names) {
	const struct loaded *l = p->loaded[i];
	if (intents_has(names, &l->location.pack)) return true;
	for (uint32_t k = 0; k < indexhead_pack_count(&l->head); k++) {
		struct indexhead_pack row = indexhead_pack_at(&l->head, k);
		if (intents_has(names, &row.name)) return true;
	}
	return false;
}

enum err places_names(const struct places *p, struct buf *out) {
	enum err e = OK;
	for (size_t i = 0; i < p->count && !e; i++) {
		const struct loaded *l = p->loaded[i];
		if (l->damaged) continue;
		e = buf_add(out, hash_span(&l->location.pack));
		for (uint32_t k = 0; k < indexhead_pack_count(&l->head) && !e; k++) {
			struct indexhead_pack row = indexhead_pack_at(&l->head, k);
			e = buf_add(out, hash_span(&row.name));
		}
	}
	intents_sort(out);
	return e;
}
