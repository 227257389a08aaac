#include "client/packset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_ROOM = 256 };

static int by_name(const void *a, const void *b) {
	const struct packset_pack *x = a, *y = b;
	return hash_order(&x->name, &y->name);
}

static enum err add(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct packset *s = ctx;
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : FIRST_ROOM;
		struct packset_pack *more = mem_resize(s->packs, room, sizeof *more);
		if (!more) return why_err(why, E_NOMEM, "listing packs");
		s->packs = more;
		s->room = room;
	}
	struct packset_pack *p = &s->packs[s->count++];
	memset(p, 0, sizeof *p);
	p->name = *name;
	p->size = size;
	s->bytes += size;
	return OK;
}

enum err packset_read(
	struct packset *s, struct store *store, const struct hash *vault, struct why *why) {
	enum err e = store_pack_list(store, vault, add, s, why);
	if (e) return e;
	if (s->count) qsort(s->packs, s->count, sizeof *s->packs, by_name);
	return OK;
}

void packset_done(struct packset *s) {
	mem_free(s->packs);
	memset(s, 0, sizeof *s);
}

struct packset_pack *packset_find(const struct packset *s, const struct hash *name) {
	size_t low = 0, high = s->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = hash_order(&s->packs[middle].name, name);
		if (order == 0) return &s->packs[middle];
		if (order < 0) low = middle + 1;
		else high = middle;
	}
	return NULL;
}
