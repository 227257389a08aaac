#include "client/backupavoid.h"

#include <stdlib.h>
#include <string.h>

#include "client/intents.h"

/* The packs in the store, to be held against what the indexes say. */
struct present {
	struct buf rows; /* name, size u32: sorted by name */
	struct buf *avoid;
	bool missing;
};

enum { PRESENT_ROW = HASH_SIZE + 4 };

static enum err add_present(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct present *p = ctx;
	uint8_t row[PRESENT_ROW];
	uint32_t small = size > LIMIT_PACK ? 0 : (uint32_t)size;
	memcpy(row, name->b, HASH_SIZE);
	memcpy(row + HASH_SIZE, &small, 4);
	return why_err(why, buf_add(&p->rows, span_of(row, sizeof row)), "listing packs");
}

static int by_name(const void *a, const void *b) {
	return memcmp(a, b, HASH_SIZE);
}

static enum err check_present(void *ctx, const struct hash *name, uint32_t size, struct why *why) {
	struct present *p = ctx;
	uint32_t there = 0;
	const uint8_t *row = p->rows.len
		? bsearch(name->b, p->rows.ptr, p->rows.len / PRESENT_ROW, PRESENT_ROW, by_name)
		: NULL;
	if (row) memcpy(&there, row + HASH_SIZE, 4);
	if (row && there == size) return OK;
	p->missing = true;
	return why_err(why, buf_add(p->avoid, hash_span(name)), "listing packs");
}

enum err backupavoid_find(
	struct vault *v, struct places *places, struct buf *avoid, bool *missing, struct why *why) {
	struct present p = { .avoid = avoid };
	buf_init(&p.rows, (size_t)1 << 34);
	enum err e = store_pack_list(v->session->store, &v->id, add_present, &p, why);
	if (!e && p.rows.len) qsort(p.rows.ptr, p.rows.len / PRESENT_ROW, PRESENT_ROW, by_name);
	if (!e) e = places_packs(places, check_present, &p, why);
	if (!e) e = intents_doomed(v, avoid, why);
	if (!e) e = intents_gone(v, avoid, why);
	intents_sort(avoid);
	*missing = p.missing;
	buf_free(&p.rows);
	return e;
}
