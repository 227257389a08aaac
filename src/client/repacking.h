/* Which packs a prune stores again: those of which little is needed, and the ends of runs where that makes them fewer. */
#ifndef CLIENT_REPACKING_H
#define CLIENT_REPACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a pack weighs, in bytes. */
struct repacking_pack {
	uint64_t size;
	uint64_t used;  /* of blocks that snapshots need, with their rows, by share of chunks */
	uint64_t data;  /* of those, of content */
	bool has_waste; /* a chunk is in it that no snapshot needs here: not only padding */
	bool chosen;    /* the answer */
};

struct repacking {
	struct repacking_pack *
		*packs; /* of which something is needed; they are put into another order */
	size_t count;
	uint64_t may_stay; /* bytes of all packs that may be unused */
	uint64_t limit;    /* of a pack */
};

/*
 * Chooses packs, those with the largest unused share first, until no more than ${may_stay} is unused or nothing is left that
 * gains by it. The ends of runs that come of that it would not choose again.
 */
void repacking_choose(struct repacking *r);

#endif
