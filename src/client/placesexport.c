#include "client/placesexport.h"

#include "base/little.h"
#include "base/mem.h"

/* Packs of an export, so that each gets one number in the plan. */
struct export {
	struct indexplan *plan;
	placesexport_wanted *wanted;
	void *ctx;
	struct {
		struct hash name;
		uint32_t number;
	} * slots;
	size_t count, room;
};

static enum err export_grow(struct export *x) {
	size_t old_room = x->room, room = old_room ? old_room * 2 : 256;
	void *old = x->slots;
	if (old_room && (x->count + 1) * 2 <= old_room) return OK;
	x->slots = mem_array(room, sizeof *x->slots);
	if (!x->slots) {
		x->slots = old;
		return E_NOMEM;
	}
	x->room = room;
	struct export before = { .slots = old, .room = old_room };
	for (size_t i = 0; i < old_room; i++) {
		if (hash_is_zero(&before.slots[i].name)) continue;
		size_t at = little_get64(before.slots[i].name.b) & (room - 1);
		while (!hash_is_zero(&x->slots[at].name)) at = (at + 1) & (room - 1);
		x->slots[at].name = before.slots[i].name;
		x->slots[at].number = before.slots[i].number;
	}
	mem_free(old);
	return OK;
}

static enum err export_pack(
	struct export *x, const struct hash *name, uint32_t size, uint32_t *number) {
	enum err e = export_grow(x);
	if (e) return e;
	size_t at = little_get64(name->b) & (x->room - 1);
	while (!hash_is_zero(&x->slots[at].name) && hash_order(&x->slots[at].name, name) != 0)
		at = (at + 1) & (x->room - 1);
	if (hash_is_zero(&x->slots[at].name)) {
		e = indexplan_pack(x->plan, name, size, &x->slots[at].number);
		if (e) return e;
		x->slots[at].name = *name;
		x->count++;
	}
	*number = x->slots[at].number;
	return OK;
}

static enum err export_place(struct export *x, const struct hash *id, const struct place *place) {
	struct indexleaf_row row = {
		.id = *id, .offset = place->offset, .length = place->length, .slot = place->slot
	};
	enum err e = export_pack(x, &place->pack, place->pack_size, &row.pack);
	if (!e) e = indexplan_row(x->plan, &row);
	/* a cut is exported once, with the block's first chunk: each block has one */
	if (e || !place->cut || place->slot != 0) return e;
	struct indexhead_cut cut = {
		.pack = row.pack, .offset = place->offset, .rest_length = place->rest_length
	};
	e = export_pack(x, &place->next_pack, place->next_size, &cut.next_pack);
	return e ? e : indexplan_cut(x->plan, &cut);
}

static enum err export_row(
	void *ctx, const struct hash *id, const struct place *place, struct why *why) {
	struct export *x = ctx;
	if (x->wanted &&
		(!x->wanted(x->ctx, &place->pack) || (place->cut && !x->wanted(x->ctx, &place->next_pack))))
		return OK;
	return why_err(why, export_place(x, id, place), "merging indexes");
}

enum err placesexport_all(struct places *p, struct indexplan *plan, placesexport_wanted *wanted,
	void *ctx, struct why *why) {
	struct export x = { .plan = plan, .wanted = wanted, .ctx = ctx };
	enum err e = places_rows(p, export_row, &x, why);
	mem_free(x.slots);
	return e;
}

enum err placesexport_index(struct places *p, size_t i, struct indexplan *plan,
	placesexport_wanted *wanted, void *ctx, struct why *why) {
	struct export x = { .plan = plan, .wanted = wanted, .ctx = ctx };
	enum err e = places_rows_of(p, i, export_row, &x, why);
	mem_free(x.slots);
	return e;
}
