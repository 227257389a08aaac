#include "client/packrun.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "client/indexwrite.h"
#include "client/intents.h"
#include "core/packbuild.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "os/mutex.h"

enum {
	MIXED_MAX = 1 << 20, /* a run that stays below writes one pack */
	PIECE_LEAST = 4096,  /* a shorter first piece is not worth a cut */
	BUFFERS_MAX = 64,
	NO_PACK = -1,
};

#define UNPLANNED UINT32_C(0xfffffffe)

/* A pack of this run, by its number. */
struct outpack {
	struct hash name;
	uint32_t size;
	bool stored;
	bool indexed;
	bool lost; /* see packrun_doubt */
	bool has_cut;
	struct indexhead_cut cut; /* its last block, if that is cut; packs by run number */
};

/* A writer of packs: the one it fills now. */
struct lane {
	struct packbuild *open;
	uint32_t number;
	int64_t previous; /* run number of the pack whose last block goes on in this one, or NO_PACK */
};

/* A full pack on its way to the store. */
struct leaving {
	struct packbuild *pack;
	uint8_t *memory;
	uint32_t number;
	int64_t previous;
	bool full;
};

/* A block that waits to see whether the run stays small. */
struct pending {
	struct packrun_block block;
	struct pending *next;
};

struct packrun {
	struct packrun_params p;
	uint8_t epoch_public[SIZE_KEM_PUBLIC];
	uint8_t run[16];
	struct mutex lock;
	struct mutex_cond named; /* a pack got its name, or the run failed */
	struct chunkset *chunks;
	struct outpack *packs;
	size_t pack_count, pack_room;
	struct lane data, meta, side; /* side: the index of a checkpoint, while the others go on */
	struct pending *pending, **pending_end;
	size_t pending_bytes;
	bool small; /* blocks still wait in pending */
	uint8_t *buffers[BUFFERS_MAX];
	size_t buffer_count;
	uint64_t bytes;
	enum err failed;
	struct why why;
};

enum err packrun_new(struct packrun **out, const struct packrun_params *p, struct why *why) {
	struct packrun *r = mem_zalloc(sizeof *r);
	if (!r) return why_err(why, E_NOMEM, "starting a run");
	r->p = *p;
	/* its own copy: where it came from may move when a new epoch is met on the way */
	memcpy(r->epoch_public, p->epoch_public, sizeof r->epoch_public);
	r->p.epoch_public = r->epoch_public;
	if (!r->p.pack_limit) r->p.pack_limit = LIMIT_PACK;
	r->small = true;
	r->pending_end = &r->pending;
	r->data.previous = r->meta.previous = r->side.previous = NO_PACK;
	mutex_init(&r->lock);
	mutex_cond_init(&r->named);
	enum err e = chunkset_new(&r->chunks);
	if (!e) e = fresh_bytes(p->fresh, r->run, sizeof r->run);
	if (e) {
		packrun_free(r);
		return why_err(why, e, "starting a run");
	}
	*out = r;
	return OK;
}

static void pending_free(struct pending *q) {
	while (q) {
		struct pending *next = q->next;
		mem_free(q);
		q = next;
	}
}

void packrun_free(struct packrun *r) {
	if (!r) return;
	pending_free(r->pending);
	struct lane *lanes[] = { &r->data, &r->meta, &r->side };
	for (size_t i = 0; i < 3; i++) {
		if (!lanes[i]->open) continue;
		mem_free(packbuild_memory(lanes[i]->open));
		packbuild_free(lanes[i]->open);
	}
	for (size_t i = 0; i < r->buffer_count; i++) mem_free(r->buffers[i]);
	chunkset_free(r->chunks);
	mem_free(r->packs);
	mutex_cond_done(&r->named);
	mutex_done(&r->lock);
	mem_free(r);
}

/* The run is over for all threads; the first reason stands. With the lock held. */
static enum err fail(struct packrun *r, enum err e, const struct why *why) {
	if (!r->failed) {
		r->failed = e;
		if (why) r->why = *why;
	}
	mutex_wake_all(&r->named);
	return e;
}

static enum err check_failed(struct packrun *r, struct why *why) {
	if (r->failed && why) *why = r->why;
	return r->failed;
}

enum err packrun_claim(struct packrun *r, const struct hash *id, uint32_t *number, bool *fresh) {
	mutex_lock(&r->lock);
	enum err e = chunkset_claim(r->chunks, id, number, fresh);
	mutex_unlock(&r->lock);
	return e;
}

bool packrun_has(struct packrun *r, const struct hash *id) {
	mutex_lock(&r->lock);
	const struct chunkset_item *item = chunkset_find(r->chunks, id);
	bool has = item && !item->lost;
	mutex_unlock(&r->lock);
	return has;
}

static enum err add_outpack(struct packrun *r, uint32_t *number) {
	if (r->pack_count == r->pack_room) {
		size_t room = r->pack_room ? r->pack_room * 2 : 16;
		struct outpack *packs = mem_resize(r->packs, room, sizeof *packs);
		if (!packs) return E_NOMEM;
		r->packs = packs;
		r->pack_room = room;
	}
	r->packs[r->pack_count] = (struct outpack){ .size = 0 };
	*number = (uint32_t)r->pack_count++;
	return OK;
}

static enum err open_pack(struct packrun *r, struct lane *lane, int64_t previous) {
	uint8_t *memory = r->buffer_count ? r->buffers[--r->buffer_count] : mem_alloc(LIMIT_PACK);
	if (!memory) return E_NOMEM;
	struct packbuild_params p = {
		.vault = &r->p.vault,
		.epoch = r->p.epoch,
		.epoch_public = r->p.epoch_public,
		.head = {
			.start_sequence = r->p.start_sequence,
			.start_head = r->p.start_head,
			.writer = r->p.writer,
			.continues = previous != NO_PACK,
		},
		.fresh = r->p.fresh,
		.memory = memory,
		.limit = r->p.pack_limit,
	};
	memcpy(p.head.run, r->run, sizeof r->run);
	lane->previous = previous;
	enum err e = packbuild_new(&lane->open, &p);
	if (!e) e = add_outpack(r, &lane->number);
	if (lane->open) {
		/* the buffer belongs to the pack now; see give_back */
		return e;
	}
	mem_free(memory);
	return e;
}

static void give_back(struct packrun *r, uint8_t *memory) {
	if (r->buffer_count < BUFFERS_MAX) r->buffers[r->buffer_count++] = memory;
	else mem_free(memory);
}

static struct leaving leave(struct lane *lane, bool full) {
	struct leaving l = {
		.pack = lane->open,
		.number = lane->number,
		.previous = lane->previous,
		.full = full,
	};
	lane->open = NULL;
	lane->previous = NO_PACK;
	return l;
}

/* Ends a pack and puts it into the store. Without the lock: this is where the time goes. */
static enum err put_pack(struct packrun *r, struct leaving *l, struct why *why) {
	struct hash previous = { { 0 } };
	struct span bytes;
	struct hash name;
	mutex_lock(&r->lock);
	while (l->previous != NO_PACK && !r->packs[l->previous].stored && !r->failed)
		mutex_wait(&r->named, &r->lock);
	if (l->previous != NO_PACK) previous = r->packs[l->previous].name;
	enum err e = check_failed(r, why);
	mutex_unlock(&r->lock);
	if (!e) {
		e = packbuild_finish(l->pack, &previous, l->full, &bytes);
		if (e) e = why_err(why, e, "ending a pack");
	}
	if (!e) e = store_pack_add(r->p.store, &r->p.vault, bytes, &name, r->p.named, r->p.ctx, why);
	mutex_lock(&r->lock);
	if (e) {
		e = fail(r, e, why);
	} else {
		r->packs[l->number].name = name;
		r->packs[l->number].size = (uint32_t)bytes.len;
		r->packs[l->number].stored = true;
		r->bytes += bytes.len;
		mutex_wake_all(&r->named);
	}
	give_back(r, packbuild_memory(l->pack));
	mutex_unlock(&r->lock);
	packbuild_free(l->pack);
	l->pack = NULL;
	return e;
}

static void place_chunks(struct packrun *r, const struct packrun_block *b, uint32_t pack,
	uint32_t offset, uint32_t length) {
	for (size_t i = 0; i < b->count; i++) {
		struct chunkset_item *item = chunkset_at(r->chunks, b->numbers[i]);
		item->pack = pack;
		item->offset = offset;
		item->length = length;
		item->slot = (uint32_t)i;
	}
}

/* Adds the first piece and the rest of a block to this pack and the next. */
static enum err add_cut(struct packrun *r, struct lane *lane, const struct packrun_block *b,
	size_t room, struct leaving *gone) {
	uint32_t offset, length, rest_offset, rest_length;
	struct packbuild_record first = { b->type, true, b->ids, b->count,
		span_of(b->stored.ptr, room) };
	struct packbuild_record rest = { 0, false, NULL, 0, span_skip(b->stored, room) };
	uint32_t number = lane->number;
	enum err e = packbuild_add(lane->open, &first, &offset, &length);
	if (e) return e;
	place_chunks(r, b, number, offset, length);
	*gone = leave(lane, true);
	e = open_pack(r, lane, number);
	if (!e) e = packbuild_add(lane->open, &rest, &rest_offset, &rest_length);
	if (e) return e;
	r->packs[number].has_cut = true;
	r->packs[number].cut = (struct indexhead_cut){
		.pack = number,
		.offset = offset,
		.next_pack = lane->number,
		.rest_length = rest_length,
	};
	return OK;
}

/* Adds a block to a lane. A pack that became full goes to ${gone}. With the lock held. */
static enum err add_block(
	struct packrun *r, struct lane *lane, const struct packrun_block *b, struct leaving *gone) {
	uint32_t offset, length;
	enum err e = OK;
	if (!lane->open) e = open_pack(r, lane, NO_PACK);
	if (e) return e;
	size_t room = packbuild_room(lane->open, b->count);
	if (room < b->stored.len && room >= PIECE_LEAST && b->stored.len - room < r->p.pack_limit / 2)
		return add_cut(r, lane, b, room, gone);
	if (room < b->stored.len) {
		*gone = leave(lane, true);
		e = open_pack(r, lane, NO_PACK);
		if (e) return e;
		if (packbuild_room(lane->open, b->count) < b->stored.len) return E_LIMIT;
	}
	struct packbuild_record whole = { b->type, false, b->ids, b->count, b->stored };
	e = packbuild_add(lane->open, &whole, &offset, &length);
	if (!e) place_chunks(r, b, lane->number, offset, length);
	return e;
}

static struct lane *lane_of(struct packrun *r, uint8_t type) {
	return type == CHUNKTYPE_CONTENT ? &r->data : &r->meta;
}

static enum err keep_pending(struct packrun *r, const struct packrun_block *b) {
	size_t ids = b->count * sizeof *b->ids, numbers = b->count * sizeof *b->numbers;
	struct pending *q = mem_alloc(sizeof *q + ids + numbers + b->stored.len);
	if (!q) return E_NOMEM;
	uint8_t *at = (uint8_t *)(q + 1);
	q->next = NULL;
	q->block = *b;
	if (ids) memcpy(at, b->ids, ids);
	if (numbers) memcpy(at + ids, b->numbers, numbers);
	memcpy(at + ids + numbers, b->stored.ptr, b->stored.len);
	q->block.ids = (const struct hash *)(const void *)at;
	q->block.numbers = (const uint32_t *)(const void *)(at + ids);
	q->block.stored = span_of(at + ids + numbers, b->stored.len);
	*r->pending_end = q;
	r->pending_end = &q->next;
	r->pending_bytes += b->stored.len + ids;
	return OK;
}

/* Puts what waited into the lanes; all into one if the run ends small. At most 1 MiB: no pack becomes full by it. */
static enum err route_pending(struct packrun *r, bool one_pack, struct leaving *gone) {
	enum err e = OK;
	for (struct pending *q = r->pending; q && !e; q = q->next)
		e = add_block(r, one_pack ? &r->meta : lane_of(r, q->block.type), &q->block, gone);
	pending_free(r->pending);
	r->pending = NULL;
	r->pending_end = &r->pending;
	r->pending_bytes = 0;
	return e;
}

enum err packrun_put(struct packrun *r, const struct packrun_block *b, struct why *why) {
	struct leaving gone = { 0 }, gone2 = { 0 };
	mutex_lock(&r->lock);
	enum err e = check_failed(r, why);
	if (!e && r->small && r->pending_bytes + b->stored.len < MIXED_MAX &&
		r->p.pack_limit == LIMIT_PACK) {
		e = keep_pending(r, b);
	} else if (!e) {
		if (r->small) e = route_pending(r, false, &gone);
		r->small = false;
		if (!e) e = add_block(r, lane_of(r, b->type), b, gone.pack ? &gone2 : &gone);
	}
	if (e && !r->failed) e = fail(r, why_err(why, e, "adding to a pack"), why);
	mutex_unlock(&r->lock);
	if (gone.pack) {
		enum err put = put_pack(r, &gone, why);
		if (!e) e = put;
	}
	if (gone2.pack) {
		enum err put = put_pack(r, &gone2, why);
		if (!e) e = put;
	}
	return e;
}

uint64_t packrun_bytes(struct packrun *r) {
	mutex_lock(&r->lock);
	uint64_t bytes = r->bytes;
	mutex_unlock(&r->lock);
	return bytes;
}

static enum err end_lane(struct packrun *r, struct lane *lane, struct why *why) {
	if (!lane->open) return OK;
	struct leaving l = leave(lane, false);
	return put_pack(r, &l, why);
}

/*
 * Whether a pack's chunks go into the index being written: at the end all that no index holds; at a checkpoint only
 * those that are in the store with all of their blocks. With the lock held.
 */
static bool is_wanted(const struct packrun *r, size_t i, bool checkpoint) {
	const struct outpack *p = &r->packs[i];
	if (p->indexed || p->lost) return false;
	return !checkpoint || (p->stored && (!p->has_cut || r->packs[p->cut.next_pack].stored));
}

/* Gives each pack that rows or cuts may name its number in the plan. */
static enum err plan_packs(
	struct packrun *r, struct indexplan *plan, int64_t self, bool checkpoint, uint32_t *numbers) {
	enum err e = OK;
	for (size_t i = 0; i < r->pack_count; i++) numbers[i] = UNPLANNED;
	for (size_t i = 0; i < r->pack_count && !e; i++) {
		if (!is_wanted(r, i, checkpoint)) continue;
		size_t also[2] = { i, r->packs[i].has_cut ? r->packs[i].cut.next_pack : i };
		for (size_t k = 0; k < 2 && !e; k++) {
			const struct outpack *p = &r->packs[also[k]];
			if (numbers[also[k]] != UNPLANNED) continue;
			if ((int64_t)also[k] == self) numbers[also[k]] = INDEXLEAF_SAME_PACK;
			else e = indexplan_pack(plan, &p->name, p->size, &numbers[also[k]]);
		}
	}
	return e;
}

/* Rows of all wanted packs. ${self}: the run's number of the pack in which the index lies. ${wanted}: per pack. */
static enum err plan_rows(
	struct packrun *r, struct indexplan *plan, int64_t self, bool checkpoint, bool *wanted) {
	uint32_t *numbers = mem_array(r->pack_count + 1, sizeof *numbers);
	if (!numbers) return E_NOMEM;
	enum err e = plan_packs(r, plan, self, checkpoint, numbers);
	for (size_t i = 0; i < r->pack_count && !e; i++) {
		wanted[i] = is_wanted(r, i, checkpoint);
		if (!wanted[i] || !r->packs[i].has_cut) continue;
		struct indexhead_cut cut = r->packs[i].cut;
		cut.pack = numbers[cut.pack];
		cut.next_pack = numbers[cut.next_pack];
		e = indexplan_cut(plan, &cut);
	}
	for (size_t i = 0; i < chunkset_count(r->chunks) && !e; i++) {
		const struct chunkset_item *item = chunkset_at(r->chunks, i);
		assert(checkpoint || item->lost || item->pack != CHUNKSET_UNPLACED);
		if (item->pack == CHUNKSET_UNPLACED || !wanted[item->pack]) continue;
		struct indexleaf_row row = {
			.id = item->id,
			.pack = numbers[item->pack],
			.offset = item->offset,
			.length = item->length,
			.slot = (uint16_t)item->slot,
		};
		e = indexplan_row(plan, &row);
	}
	mem_free(numbers);
	return e;
}

/* The lane that takes the records of an index. */
struct indexlane {
	struct packrun *r;
	struct lane *lane;
};

static size_t record_room(void *ctx) {
	const struct indexlane *l = ctx;
	return l->lane->open ? packbuild_room(l->lane->open, 0) : SIZE_MAX;
}

/* One index record into its lane, never cut. */
static enum err put_record(
	void *ctx, struct span stored, uint32_t *offset, uint32_t *length, struct why *why) {
	struct indexlane *l = ctx;
	struct packbuild_record record = { CHUNKTYPE_INDEX, false, NULL, 0, stored };
	enum err e = OK;
	mutex_lock(&l->r->lock);
	if (!l->lane->open) e = open_pack(l->r, l->lane, NO_PACK);
	mutex_unlock(&l->r->lock);
	if (e) return why_err(why, e, "opening a pack");
	if (packbuild_room(l->lane->open, 0) < stored.len)
		return why_err(why, E_LIMIT, "adding an index");
	e = packbuild_add(l->lane->open, &record, offset, length);
	return why_err(why, e, "adding an index");
}

static enum err end_index_pack(void *ctx, struct indexhead_pack *out, struct why *why) {
	struct indexlane *l = ctx;
	uint32_t number = l->lane->number;
	enum err e = end_lane(l->r, l->lane, why);
	if (e) return e;
	mutex_lock(&l->r->lock);
	out->name = l->r->packs[number].name;
	out->size = l->r->packs[number].size;
	mutex_unlock(&l->r->lock);
	return OK;
}

/* What the index will need at most if all rows and packs of the run were added to ${also}. */
static size_t need_estimate(struct packrun *r, const struct indexplan *also) {
	size_t rows = chunkset_count(r->chunks);
	size_t leaves = rows / LIMIT_LEAF_ROWS + 2;
	return indexplan_need(also) + rows * SIZE_LEAF_ROW + leaves * 128 + r->pack_count * 64 + 4096;
}

/* Leaves, head, end of the pack, durability; the location is appended. */
static enum err put_index(struct indexlane *l, struct indexplan *plan, bool one_pack,
	struct buf *locations, struct why *why) {
	struct indexwrite_target target = {
		.room = record_room, .put = put_record, .end = end_index_pack, .ctx = l
	};
	struct location at = { .offset = 0 };
	struct indexhead_pack pack;
	indexplan_sort(plan);
	enum err e = indexwrite_run(&target, plan, one_pack, &at.offset, &at.length, why);
	if (!e) e = end_index_pack(l, &pack, why);
	if (!e) e = store_flush(l->r->p.store, &l->r->p.vault, why);
	if (e) return e;
	at.pack = pack.name;
	return why_err(why, location_add(locations, &at), "writing an index");
}

static enum err write_index(struct packrun *r, struct indexplan *plan, bool checkpoint,
	struct buf *locations, struct why *why) {
	struct indexlane l = { .r = r, .lane = checkpoint ? &r->side : &r->meta };
	int64_t self = NO_PACK; /* the run's pack in which all of this index lies */
	enum err e = OK;
	bool fits =
		!checkpoint && r->meta.open && packbuild_room(r->meta.open, 0) >= need_estimate(r, plan);
	if (fits) self = r->meta.number;
	else e = end_lane(r, l.lane, why);
	mutex_lock(&r->lock);
	size_t packs = r->pack_count;
	bool *wanted = mem_array(packs + 1, sizeof *wanted);
	if (!e && !wanted) e = why_err(why, E_NOMEM, "writing an index");
	if (!e) e = why_err(why, plan_rows(r, plan, self, checkpoint, wanted), "writing an index");
	mutex_unlock(&r->lock);
	if (!e && indexplan_rows(plan)) e = put_index(&l, plan, fits, locations, why);
	mutex_lock(&r->lock);
	for (size_t i = 0; i < packs && !e; i++) r->packs[i].indexed |= wanted[i];
	mutex_unlock(&r->lock);
	mem_free(wanted);
	return e;
}

static enum err failed_with(struct packrun *r, enum err e, struct why *why) {
	if (!e) return OK;
	mutex_lock(&r->lock);
	e = fail(r, e, why);
	mutex_unlock(&r->lock);
	return e;
}

enum err packrun_index(
	struct packrun *r, struct indexplan *also, struct buf *locations, struct why *why) {
	struct indexplan *plan = also, *own = NULL;
	struct leaving gone = { 0 };
	enum err e = check_failed(r, why);
	if (!e && !plan) {
		e = why_err(why, indexplan_new(&own), "writing an index");
		plan = own;
	}
	if (!e && r->small) {
		e = why_err(why, route_pending(r, true, &gone), "adding to a pack");
		assert(!gone.pack);
	}
	if (!e) e = end_lane(r, &r->data, why);
	if (!e) e = write_index(r, plan, false, locations, why);
	indexplan_free(own);
	return failed_with(r, e, why);
}

enum err packrun_checkpoint(struct packrun *r, struct buf *locations, struct why *why) {
	struct indexplan *plan = NULL;
	mutex_lock(&r->lock);
	enum err e = check_failed(r, why);
	mutex_unlock(&r->lock);
	if (!e) e = why_err(why, indexplan_new(&plan), "writing an index");
	if (!e) e = write_index(r, plan, true, locations, why);
	indexplan_free(plan);
	return failed_with(r, e, why);
}

void packrun_doubt(struct packrun *r, struct span gone) {
	mutex_lock(&r->lock);
	for (size_t i = 0; i < r->pack_count; i++) {
		struct outpack *p = &r->packs[i];
		p->indexed = false;
		p->lost = p->stored && intents_has(gone, &p->name);
	}
	/* a block that goes on in a lost pack is lost too */
	for (size_t i = 0; i < chunkset_count(r->chunks); i++) {
		const struct chunkset_item *item = chunkset_at(r->chunks, i);
		if (item->pack == CHUNKSET_UNPLACED) continue;
		const struct outpack *p = &r->packs[item->pack];
		bool rest_lost =
			p->has_cut && p->cut.offset == item->offset && r->packs[p->cut.next_pack].lost;
		if (p->lost || rest_lost) chunkset_lose(r->chunks, (uint32_t)i);
	}
	for (size_t i = 0; i < r->pack_count; i++)
		if (r->packs[i].has_cut && r->packs[r->packs[i].cut.next_pack].lost)
			r->packs[i].has_cut = false;
	mutex_unlock(&r->lock);
}

size_t packrun_packs(const struct packrun *r) {
	return r->pack_count;
}

struct hash packrun_pack_name(const struct packrun *r, size_t i) {
	return r->packs[i].name;
}
