#include "client/foreknown.h"

#include "base/little.h"
#include "base/mem.h"
#include "client/streamread.h"
#include "format/chunktype.h"

enum { ITEMS_LEAST = 8, ITEMS_MAX = 1 << 21 };

struct foreknown {
	struct streamref_item *items;
	size_t count, room;
	uint32_t *slots; /* by id: number + 1 */
	size_t slot_count;
};

void foreknown_free(struct foreknown *k) {
	if (!k) return;
	mem_free(k->items);
	mem_free(k->slots);
	mem_free(k);
}

static enum err add(struct foreknown *k, const struct streamref_item *item) {
	if (k->count == k->room) {
		size_t room = k->room ? k->room * 2 : 256;
		struct streamref_item *more = mem_resize(k->items, room, sizeof *more);
		if (!more) return E_NOMEM;
		k->items = more;
		k->room = room;
	}
	k->items[k->count++] = *item;
	return OK;
}

static enum err read_items(struct foreknown *k, struct fetch *f, const struct streamref *ref) {
	struct streamread s;
	struct streamref_item item;
	bool more = true;
	enum err e = streamread_open(&s, f, CHUNKTYPE_CONTENT, ref, NULL);
	while (!e && more) {
		e = streamread_next(&s, &item, &more, NULL);
		if (!e && more) e = k->count < ITEMS_MAX ? add(k, &item) : E_LIMIT;
	}
	streamread_close(&s);
	return e;
}

static enum err make_slots(struct foreknown *k) {
	k->slot_count = 16;
	while (k->slot_count < k->count * 2) k->slot_count *= 2;
	k->slots = mem_array(k->slot_count, sizeof *k->slots);
	if (!k->slots) return E_NOMEM;
	for (size_t i = k->count; i > 0; i--) {
		size_t at = little_get64(k->items[i - 1].id.b) & (k->slot_count - 1);
		while (k->slots[at] && hash_order(&k->items[k->slots[at] - 1].id, &k->items[i - 1].id) != 0)
			at = (at + 1) & (k->slot_count - 1);
		k->slots[at] = (uint32_t)i; /* of equal chunks the first stands */
	}
	return OK;
}

enum err foreknown_new(struct foreknown **out, struct fetch *f, const struct streamref *ref) {
	*out = NULL;
	if (!f || ref->depth == 0) return OK;
	struct foreknown *k = mem_zalloc(sizeof *k);
	if (!k) return E_NOMEM;
	enum err e = read_items(k, f, ref);
	if (!e && k->count >= ITEMS_LEAST) {
		e = make_slots(k);
		if (!e) {
			*out = k;
			return OK;
		}
	}
	foreknown_free(k);
	return e == E_NOMEM ? e : OK;
}

size_t foreknown_next(const struct foreknown *k, const struct storing *s, size_t *cursor,
	const uint8_t *data, size_t len, struct hash *id) {
	/* the last chunk ended with the file, not by its content: it says nothing */
	if (*cursor >= k->count || *cursor + 1 == k->count) return 0;
	const struct streamref_item *item = &k->items[*cursor];
	if (item->length > len) return 0;
	storing_id(s, CHUNKTYPE_CONTENT, span_of(data, item->length), id);
	if (hash_order(id, &item->id) != 0) return 0;
	++*cursor;
	return item->length;
}

size_t foreknown_find(const struct foreknown *k, const struct hash *id) {
	size_t at = little_get64(id->b) & (k->slot_count - 1);
	while (k->slots[at]) {
		if (hash_order(&k->items[k->slots[at] - 1].id, id) == 0) return k->slots[at];
		at = (at + 1) & (k->slot_count - 1);
	}
	return FOREKNOWN_LOST;
}
