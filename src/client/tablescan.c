#include "client/tablescan.h"

#include <stdlib.h>

#include "base/mem.h"
#include "format/limits.h"

/* A pack whose table is being read; cuts are joined when all are known. */
struct scanned {
	struct hash name, previous;
	bool continues;
	uint32_t number, rest_length;
	size_t cut_from, cut_to; /* of scan.cut_rows: the chunks of its last block, if that is cut */
	uint32_t cut_offset;
};

struct scan {
	const struct tablescan_params *p;
	struct indexplan *plan;
	struct scanned *packs;
	size_t count, room;
	struct indexleaf_row *cut_rows;
	size_t cut_count, cut_room;
};

static enum err keep_cut_row(struct scan *s, const struct indexleaf_row *row) {
	if (s->cut_count == s->cut_room) {
		size_t room = s->cut_room ? s->cut_room * 2 : 64;
		struct indexleaf_row *more = mem_resize(s->cut_rows, room, sizeof *more);
		if (!more) return E_NOMEM;
		s->cut_rows = more;
		s->cut_room = room;
	}
	s->cut_rows[s->cut_count++] = *row;
	return OK;
}

/* The chunks of a block; those of a cut one wait until its rest is found. */
static enum err scan_block(struct scan *s, struct scanned *n, const struct packtable_block *b) {
	enum err e = OK;
	if (b->type == 0) n->rest_length = b->length;
	n->cut_from = s->cut_count;
	for (size_t i = 0; i < hashlist_count(&b->ids) && !e; i++) {
		struct indexleaf_row row = {
			.id = hashlist_at(&b->ids, i),
			.pack = n->number,
			.offset = b->offset,
			.length = b->length,
			.slot = (uint16_t)i,
		};
		e = b->cut ? keep_cut_row(s, &row) : indexplan_row(s->plan, &row);
	}
	n->cut_to = s->cut_count;
	n->cut_offset = b->offset;
	return e;
}

static enum err scan_table(
	struct scan *s, const struct hash *name, uint64_t size, const struct packtable *t) {
	struct scanned n = { .name = *name, .continues = t->continues, .previous = t->previous };
	struct span rest = t->blocks;
	struct packtable_block b;
	enum err e = indexplan_pack(s->plan, name, (uint32_t)size, &n.number);
	while (!e && packtable_next(&rest, &b)) e = scan_block(s, &n, &b);
	if (!e && s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct scanned *more = mem_resize(s->packs, room, sizeof *more);
		if (!more) return E_NOMEM;
		s->packs = more;
		s->room = room;
	}
	if (!e) s->packs[s->count++] = n;
	return e;
}

static bool is_damage(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND;
}

static enum err scan_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct scan *s = ctx;
	struct packtable table;
	struct buf bytes;
	struct why reason = { OK, "" };
	if (s->p->skip && s->p->skip(s->p->skip_ctx, name)) return OK;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(s->p->packs, name, size, &table, &bytes, &reason);
	if (!e) e = why_err(why, scan_table(s, name, size, &table), "reading the tables of packs");
	else if (is_damage(e) || e == E_DENIED) {
		if (s->p->warn) s->p->warn(s->p->warn_ctx, &reason);
		e = OK;
	} else if (why) {
		*why = reason;
	}
	buf_free(&bytes);
	return e;
}

static int by_name(const void *a, const void *b) {
	const struct scanned *x = a, *y = b;
	return hash_order(&x->name, &y->name);
}

/* Where both pieces of a cut block are there, its chunks are. */
static enum err join_cut(struct scan *s, const struct scanned *next) {
	struct scanned key = { .name = next->previous };
	const struct scanned *first = bsearch(&key, s->packs, s->count, sizeof key, by_name);
	if (!first || first->cut_from == first->cut_to) return OK;
	struct indexhead_cut cut = {
		.pack = first->number,
		.offset = first->cut_offset,
		.next_pack = next->number,
		.rest_length = next->rest_length,
	};
	enum err e = indexplan_cut(s->plan, &cut);
	for (size_t i = first->cut_from; i < first->cut_to && !e; i++)
		e = indexplan_row(s->plan, &s->cut_rows[i]);
	return e;
}

static enum err join_cuts(struct scan *s) {
	enum err e = OK;
	if (s->count) qsort(s->packs, s->count, sizeof *s->packs, by_name);
	for (size_t i = 0; i < s->count && !e; i++)
		if (s->packs[i].continues) e = join_cut(s, &s->packs[i]);
	return e;
}

enum err tablescan_run(const struct tablescan_params *p, struct indexplan **out, struct why *why) {
	struct scan s = { .p = p };
	enum err e = why_err(why, indexplan_new(&s.plan), "reading the tables of packs");
	if (!e) e = store_pack_list(p->store, &p->vault, scan_pack, &s, why);
	if (!e) e = why_err(why, join_cuts(&s), "reading the tables of packs");
	if (!e) {
		indexplan_sort(s.plan);
		*out = s.plan;
		s.plan = NULL;
	}
	indexplan_free(s.plan);
	mem_free(s.packs);
	mem_free(s.cut_rows);
	return e;
}
