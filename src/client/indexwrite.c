#include "client/indexwrite.h"

#include <assert.h>

#include "base/mem.h"
#include "format/limits.h"
#include "format/location.h"

struct writing {
	const struct indexwrite_target *to;
	struct indexplan *plan;
	bool one_pack;
	uint32_t offset, length; /* of the newest record */
};

static enum err put(struct writing *w, struct span record, struct why *why) {
	return w->to->put(w->to->ctx, record, &w->offset, &w->length, why);
}

static bool fits(const struct writing *w, size_t len) {
	return w->to->room(w->to->ctx) >= len;
}

/* Ends the pack that holds leaves ${from} to ${to} and says where they are. */
static enum err end_leaf_pack(
	struct writing *w, const struct location *at, uint32_t from, uint32_t to, struct why *why) {
	struct indexhead_pack pack;
	uint32_t number;
	assert(!w->one_pack);
	enum err e = w->to->end(w->to->ctx, &pack, why);
	if (e) return e;
	e = indexplan_pack(w->plan, &pack.name, pack.size, &number);
	for (uint32_t i = from; i < to && !e; i++)
		e = indexplan_leaf_at(w->plan, i, number, at[i].offset, at[i].length);
	return why_err(why, e, "writing an index");
}

/* All leaves, then their places in the plan; packs are ended as they fill, and before the head if it would not fit. */
static enum err put_leaves(struct writing *w, struct why *why) {
	struct buf stored;
	uint32_t count = indexplan_leaves(w->plan), open_from = 0;
	struct location *at = mem_array(count + 1, sizeof *at);
	if (!at) return why_err(why, E_NOMEM, "writing an index");
	buf_init(&stored, LIMIT_BLOCK_STORED);
	enum err e = OK;
	for (uint32_t i = 0; i < count && !e; i++) {
		buf_clear(&stored);
		e = why_err(why, indexplan_leaf(w->plan, i, &stored), "writing an index");
		if (!e && !fits(w, stored.len)) {
			e = end_leaf_pack(w, at, open_from, i, why);
			open_from = i;
		}
		if (!e) e = put(w, buf_span(&stored), why);
		at[i].offset = w->offset;
		at[i].length = w->length;
	}
	size_t head = indexplan_need(w->plan) - indexplan_rows(w->plan) * SIZE_LEAF_ROW;
	if (!e && !fits(w, head)) {
		e = end_leaf_pack(w, at, open_from, count, why);
		open_from = count;
	}
	for (uint32_t i = open_from; i < count && !e; i++)
		e = why_err(why,
			indexplan_leaf_at(w->plan, i, INDEXLEAF_SAME_PACK, at[i].offset, at[i].length),
			"writing an index");
	buf_free(&stored);
	mem_free(at);
	return e;
}

/* The parts of the head but the first, whose places are added to ${places}. */
static enum err put_parts(
	struct writing *w, struct span head, uint32_t count, struct buf *places, struct why *why) {
	struct buf stored;
	enum err e = OK;
	buf_init(&stored, LIMIT_BLOCK_STORED);
	for (uint32_t i = 0; i < count && !e; i++) {
		struct span part = span_skip(head, (size_t)i * LIMIT_HEAD_PART);
		if (part.len > LIMIT_HEAD_PART) part.len = LIMIT_HEAD_PART;
		buf_clear(&stored);
		e = why_err(why, indexplan_wrap(part, &stored), "writing an index");
		if (!e) e = put(w, buf_span(&stored), why);
		struct location l = { .offset = w->offset, .length = w->length };
		if (!e) e = why_err(why, location_add(places, &l), "writing an index");
	}
	buf_free(&stored);
	return e;
}

/* The further parts of the head, then part 0, whose place is the index's location. */
static enum err put_head(struct writing *w, struct why *why) {
	struct buf head, stored, parts, part0;
	uint32_t count = 0;
	size_t first = 0;
	buf_init(&head, (size_t)1 << 32);
	buf_init(&stored, LIMIT_BLOCK_STORED);
	buf_init(&parts, (size_t)LIMIT_HEAD_PARTS * SIZE_LOCATION);
	buf_init(&part0, LIMIT_HEAD_PART);
	enum err e = indexplan_head(w->plan, &head);
	if (!e) e = indexhead_plan(head.len, &count, &first);
	if (e) e = why_err(why, e, "writing an index");
	if (!e) e = put_parts(w, span_skip(buf_span(&head), first), count, &parts, why);
	struct indexhead_part0 zero = {
		.parts = { .rows = buf_span(&parts) },
		.first = span_of(head.ptr, first),
	};
	if (!e) e = why_err(why, indexhead_part0_encode(&zero, &part0), "writing an index");
	if (!e) e = why_err(why, indexplan_wrap(buf_span(&part0), &stored), "writing an index");
	if (!e) e = put(w, buf_span(&stored), why);
	buf_free(&head);
	buf_free(&stored);
	buf_free(&parts);
	buf_free(&part0);
	return e;
}

enum err indexwrite_run(const struct indexwrite_target *target, struct indexplan *plan,
	bool one_pack, uint32_t *offset, uint32_t *length, struct why *why) {
	struct writing w = { .to = target, .plan = plan, .one_pack = one_pack };
	enum err e = put_leaves(&w, why);
	if (!e) e = put_head(&w, why);
	*offset = w.offset;
	*length = w.length;
	return e;
}
