#include "client/tablejoin.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct tablejoin_pack {
	struct hash name, previous;
	bool continues;
	uint8_t cut_type;
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
		if (!b.cut) continue;
		pack.cut_offset = b.offset;
		pack.cut_type = b.type;
	}
	pack.cut_to = t->cut_count;
	return e ? e : keep_pack(t, &pack);
}

static int by_name(const void *a, const void *b) {
	const struct tablejoin_pack *x = a, *y = b;
	return hash_order(&x->name, &y->name);
}

/* Those that go on with the same one stand together, behind those that go on with none. */
static int by_previous(const void *a, const void *b) {
	const struct tablejoin_pack *x = *(const struct tablejoin_pack *const *)a;
	const struct tablejoin_pack *y = *(const struct tablejoin_pack *const *)b;
	if (x->continues != y->continues) return x->continues ? 1 : -1;
	int order = hash_order(&x->previous, &y->previous);
	return order ? order : hash_order(&x->name, &y->name);
}

static struct indexhead_cut cut_of(
	const struct tablejoin_pack *first, const struct tablejoin_pack *next) {
	return (struct indexhead_cut){
		.pack = first->number,
		.offset = first->cut_offset,
		.next_pack = next->number,
		.rest_length = next->rest_length,
	};
}

static bool is_damage(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND || e == E_DENIED;
}

static enum err reads_all(struct tablejoin *t, const struct tablejoin_pack *first,
	const struct indexhead_cut *cut, struct why *why) {
	enum err e = OK;
	for (size_t i = first->cut_from; i < first->cut_to && !e; i++)
		e = t->reads(t->reads_ctx, first->cut_type, t->plan, &t->cut_rows[i], cut, why);
	return e;
}

/* Which of ${count} packs the block goes on in; ${*chosen} is false if it is in none. */
static enum err choose(struct tablejoin *t, const struct tablejoin_pack *first,
	struct tablejoin_pack *const *next, size_t count, struct indexhead_cut *out, bool *chosen,
	struct why *why) {
	*out = cut_of(first, next[0]);
	*chosen = true;
	if (!t->reads || (count == 1 && !t->partial)) return OK;
	for (size_t i = 0; i < count; i++) {
		struct indexhead_cut cut = cut_of(first, next[i]);
		struct why reason = { OK, "" };
		enum err e = reads_all(t, first, &cut, &reason);
		if (is_damage(e)) continue;
		if (e && why) *why = reason;
		if (!e) *out = cut;
		return e;
	}
	*chosen = !t->partial;
	return OK;
}

/* The block that ${count} packs say they go on with, if the pack in which it begins is there and says so too. */
static enum err join(
	struct tablejoin *t, struct tablejoin_pack *const *next, size_t count, struct why *why) {
	struct tablejoin_pack key = { .name = next[0]->previous };
	const struct tablejoin_pack *first = bsearch(&key, t->packs, t->count, sizeof key, by_name);
	struct indexhead_cut cut;
	bool chosen;
	if (!first || first->cut_from == first->cut_to) return OK;
	enum err e = choose(t, first, next, count, &cut, &chosen, why);
	if (e || !chosen) return e;
	e = indexplan_cut(t->plan, &cut);
	for (size_t i = first->cut_from; i < first->cut_to && !e; i++)
		e = indexplan_row(t->plan, &t->cut_rows[i]);
	return why_err(why, e, "reading the tables of packs");
}

enum err tablejoin_end(struct tablejoin *t, struct why *why) {
	struct tablejoin_pack **order = mem_array(t->count + 1, sizeof *order);
	enum err e = OK;
	if (!order) return why_err(why, E_NOMEM, "reading the tables of packs");
	if (t->count) qsort(t->packs, t->count, sizeof *t->packs, by_name);
	for (size_t i = 0; i < t->count; i++) order[i] = &t->packs[i];
	if (t->count) qsort(order, t->count, sizeof(struct tablejoin_pack *), by_previous);
	for (size_t i = 0, to; i < t->count && !e; i = to) {
		for (to = i + 1; to < t->count; to++)
			if (order[to]->continues != order[i]->continues ||
				!hash_equal(&order[to]->previous, &order[i]->previous))
				break;
		if (order[i]->continues) e = join(t, order + i, to - i, why);
	}
	mem_free(order);
	return e;
}

void tablejoin_done(struct tablejoin *t) {
	mem_free(t->packs);
	mem_free(t->cut_rows);
	memset(t, 0, sizeof *t);
}
