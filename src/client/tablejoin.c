#include "client/tablejoin.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct tablejoin_pack {
	struct hash name, previous;
	bool continues;
	uint32_t number, cut_offset, rest_length;
	size_t cut_from, cut_to; /* of cut_rows: the chunks of its last block, if that is cut */
};

static enum err keep_cut_row(struct tablejoin *t, const struct indexleaf_row *row) {
	if (t->cut_count == t->cut_room) {
		size_t room = t->cut_room ? t->cut_room * 2 : 64;
		struct indexleaf_row *more = mem_resize(t->cut_rows, room, sizeof *more);
		if (!more) return E_NOMEM;
		t->cut_rows = more;
		t->cut_room = room;
	}
	t->cut_rows[t->cut_count++] = *row;
	return OK;
}

static enum err add_block(struct tablejoin *t, uint32_t number, const struct packtable_block *b) {
	enum err e = OK;
	for (size_t i = 0; i < hashlist_count(&b->ids) && !e; i++) {
		struct indexleaf_row row = {
			.id = hashlist_at(&b->ids, i),
			.pack = number,
			.offset = b->offset,
			.length = b->length,
			.slot = (uint16_t)i,
		};
		e = b->cut ? keep_cut_row(t, &row) : indexplan_row(t->plan, &row);
	}
	return e;
}

static enum err keep_pack(struct tablejoin *t, const struct tablejoin_pack *pack) {
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		struct tablejoin_pack *more = mem_resize(t->packs, room, sizeof *more);
		if (!more) return E_NOMEM;
		t->packs = more;
		t->room = room;
	}
	t->packs[t->count++] = *pack;
	return OK;
}

enum err tablejoin_add(
	struct tablejoin *t, const struct hash *name, uint32_t size, const struct packtable *table) {
	struct tablejoin_pack pack = {
		.name = *name,
		.previous = table->previous,
		.continues = table->continues,
		.cut_from = t->cut_count,
	};
	struct span rest = table->blocks;
	struct packtable_block b;
	enum err e = indexplan_pack(t->plan, name, size, &pack.number);
	while (!e && packtable_next(&rest, &b)) {
		e = add_block(t, pack.number, &b);
		if (b.type == 0) pack.rest_length = b.length;
		if (b.cut) pack.cut_offset = b.offset;
	}
	pack.cut_to = t->cut_count;
	return e ? e : keep_pack(t, &pack);
}

static int by_name(const void *a, const void *b) {
	const struct tablejoin_pack *x = a, *y = b;
	return hash_order(&x->name, &y->name);
}

/* The block that ${next} goes on with, if the pack in which it begins is there and says so too. */
static enum err join(struct tablejoin *t, const struct tablejoin_pack *next) {
	struct tablejoin_pack key = { .name = next->previous };
	struct tablejoin_pack *first = bsearch(&key, t->packs, t->count, sizeof key, by_name);
	if (!first || first->cut_from == first->cut_to) return OK;
	struct indexhead_cut cut = {
		.pack = first->number,
		.offset = first->cut_offset,
		.next_pack = next->number,
		.rest_length = next->rest_length,
	};
	enum err e = indexplan_cut(t->plan, &cut);
	for (size_t i = first->cut_from; i < first->cut_to && !e; i++)
		e = indexplan_row(t->plan, &t->cut_rows[i]);
	first->cut_to = first->cut_from; /* once, whatever other packs say */
	return e;
}

enum err tablejoin_end(struct tablejoin *t) {
	enum err e = OK;
	if (t->count) qsort(t->packs, t->count, sizeof *t->packs, by_name);
	for (size_t i = 0; i < t->count && !e; i++)
		if (t->packs[i].continues) e = join(t, &t->packs[i]);
	return e;
}

void tablejoin_done(struct tablejoin *t) {
	mem_free(t->packs);
	mem_free(t->cut_rows);
	memset(t, 0, sizeof *t);
}
