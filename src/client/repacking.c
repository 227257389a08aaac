#include "client/repacking.h"

#include <stdlib.h>

/*
 * A pack is full where less than one part in so many is unused. One without waste counts as full sooner: pieces of two cut
 * blocks that were stored again with the packs beside it are no reason to store it again too, and then those beside it.
 */
enum { FULL = 20, FULL_WITHOUT_WASTE = 6 };

static uint64_t unused(const struct repacking_pack *p) {
	return p->size > p->used ? p->size - p->used : 0;
}

/* Storing it again gains nothing. */
static bool is_full(const struct repacking_pack *p) {
	return unused(p) * (p->has_waste ? FULL : FULL_WITHOUT_WASTE) < p->size;
}

/* A run ends with packs that are not full; what is not needed of them is padding. */
static bool is_end(const struct repacking_pack *p) {
	return !p->has_waste && !is_full(p);
}

static int by_waste(const void *a, const void *b) {
	const struct repacking_pack *const *x = a, *const *y = b;
	/* the share that is waste, largest first: compare used/size by cross product */
	uint64_t u = (*x)->used * (*y)->size, w = (*y)->used * (*x)->size;
	return u < w ? -1 : u > w;
}

/*
 * Whether the ends of runs, stored again, would be fewer. Data and metadata get packs of their own; that they share one where
 * both are small is not counted on: so what was stored again stays as it is.
 */
static bool ends_shrink(const struct repacking *r) {
	uint64_t data = 0, meta = 0;
	size_t ends = 0;
	for (size_t i = 0; i < r->count; i++) {
		if (!is_end(r->packs[i])) continue;
		ends++;
		data += r->packs[i]->data;
		meta += r->packs[i]->used - r->packs[i]->data;
	}
	return ends > (data + r->limit - 1) / r->limit + (meta + r->limit - 1) / r->limit;
}

/* Of those with waste, and if ${ends} of the others too. Whether there was any. */
static bool choose(struct repacking *r, bool ends, uint64_t *left) {
	bool any = false;
	for (size_t i = 0; i<r->count && * left> r->may_stay; i++) {
		struct repacking_pack *p = r->packs[i];
		if (p->chosen || is_full(p) || (!ends && is_end(p))) continue;
		p->chosen = any = true;
		*left -= unused(p);
	}
	return any;
}

void repacking_choose(struct repacking *r) {
	uint64_t left = 0;
	for (size_t i = 0; i < r->count; i++) left += unused(r->packs[i]);
	if (r->count) qsort(r->packs, r->count, sizeof(struct repacking_pack *), by_waste);
	/* what is stored again ends with such a pack itself: the others then fit into it */
	if (choose(r, ends_shrink(r), &left)) (void)choose(r, true, &left);
}
