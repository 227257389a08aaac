#include "core/chunkset.h"

#include <assert.h>

#include "base/little.h"
#include "base/mem.h"

enum { FIRST_SLOTS = 1024, PER_PAGE = 4096, PAGES_MAX = 1 << 19 };

/* Items live in pages that never move, so that growing needs no copy of what is there. */
struct chunkset {
	struct chunkset_item **pages;
	size_t page_room;
	size_t count;
	uint32_t *slots;   /* item number + 1; 0 is empty */
	size_t slot_count; /* a power of two */
};

enum err chunkset_new(struct chunkset **out) {
	struct chunkset *s = mem_zalloc(sizeof *s);
	if (!s) return E_NOMEM;
	s->slot_count = FIRST_SLOTS;
	s->slots = mem_array(s->slot_count, sizeof *s->slots);
	if (!s->slots) {
		mem_free(s);
		return E_NOMEM;
	}
	*out = s;
	return OK;
}

void chunkset_free(struct chunkset *s) {
	if (!s) return;
	for (size_t i = 0; i < s->page_room; i++) mem_free(s->pages[i]);
	mem_free(s->pages);
	mem_free(s->slots);
	mem_free(s);
}

struct chunkset_item *chunkset_at(struct chunkset *s, size_t number) {
	assert(number < s->count);
	return &s->pages[number / PER_PAGE][number % PER_PAGE];
}

size_t chunkset_count(const struct chunkset *s) {
	return s->count;
}

/* The slot that holds ${id}, or the empty one where it belongs. Ids are keyed hashes: their first bytes are uniform. */
static size_t slot_of(const struct chunkset *s, const struct hash *id) {
	size_t mask = s->slot_count - 1;
	size_t i = little_get64(id->b) & mask;
	while (s->slots[i]) {
		uint32_t number = s->slots[i] - 1;
		if (memcmp(s->pages[number / PER_PAGE][number % PER_PAGE].id.b, id->b, HASH_SIZE) == 0)
			break;
		i = (i + 1) & mask;
	}
	return i;
}

static enum err grow_slots(struct chunkset *s) {
	size_t old_count = s->slot_count;
	uint32_t *old = s->slots;
	uint32_t *wider = mem_array(old_count * 2, sizeof *wider);
	if (!wider) return E_NOMEM;
	s->slots = wider;
	s->slot_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		if (!old[i]) continue;
		uint32_t number = old[i] - 1;
		wider[slot_of(s, &s->pages[number / PER_PAGE][number % PER_PAGE].id)] = old[i];
	}
	mem_free(old);
	return OK;
}

static enum err grow_items(struct chunkset *s) {
	size_t page = s->count / PER_PAGE;
	if (page >= PAGES_MAX) return E_LIMIT;
	if (page >= s->page_room) {
		size_t room = s->page_room ? s->page_room * 2 : 16;
		struct chunkset_item **p = mem_resize(s->pages, room, sizeof(struct chunkset_item *));
		if (!p) return E_NOMEM;
		for (size_t i = s->page_room; i < room; i++) p[i] = NULL;
		s->pages = p;
		s->page_room = room;
	}
	if (!s->pages[page]) s->pages[page] = mem_alloc(PER_PAGE * sizeof(struct chunkset_item));
	return s->pages[page] ? OK : E_NOMEM;
}

enum err chunkset_claim(struct chunkset *s, const struct hash *id, uint32_t *number, bool *fresh) {
	size_t slot = slot_of(s, id);
	if (s->slots[slot]) {
		*number = s->slots[slot] - 1;
		*fresh = chunkset_at(s, *number)->lost;
		chunkset_at(s, *number)->lost = false;
		return OK;
	}
	enum err e = grow_items(s);
	if (e) return e;
	if ((s->count + 1) * 4 > s->slot_count * 3) {
		e = grow_slots(s);
		if (e) return e;
		slot = slot_of(s, id);
	}
	*number = (uint32_t)s->count++;
	*chunkset_at(s, *number) = (struct chunkset_item){ .id = *id, .pack = CHUNKSET_UNPLACED };
	s->slots[slot] = *number + 1;
	*fresh = true;
	return OK;
}

void chunkset_lose(struct chunkset *s, uint32_t number) {
	struct chunkset_item *item = chunkset_at(s, number);
	item->pack = CHUNKSET_UNPLACED;
	item->lost = true;
}

const struct chunkset_item *chunkset_find(const struct chunkset *s, const struct hash *id) {
	uint32_t found = s->slots[slot_of(s, id)];
	if (!found) return NULL;
	return &s->pages[(found - 1) / PER_PAGE][(found - 1) % PER_PAGE];
}
