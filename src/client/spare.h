/*
 * Packs that are to go, less those that somebody needs after all: snapshots that came, or were kept, since the packs were
 * chosen are looked at, and what only they still need is spared and named by an index again (doc/spec/chains.md section 6).
 */
#ifndef CLIENT_SPARE_H
#define CLIENT_SPARE_H

#include "client/fetch.h"
#include "client/packset.h"

struct spare {
	struct vault *v;
	places_warn *warn;
	void *ctx;
	struct buf names;    /* packs to go, ascending; shrinks */
	struct buf spared;   /* those left out so far, ascending */
	struct buf unnamed;  /* packs of chunks that a look found and no index names, ascending */
	uint64_t looked;     /* entries of the chain that the last look has seen */
	uint32_t pack_limit; /* tests; 0: full packs */
	struct fetch *fetch;
	struct packset packs; /* in the store, as of the last look */
};

void spare_init(struct spare *s, struct vault *v);
void spare_done(struct spare *s);

/*
 * Looks at every snapshot in force whose entry, or whose newest keep, comes after ${since}. Afterwards ${names} lacks what
 * they need, an index in force names that, and ${looked} is how far the look reaches: who appends checks that nothing came
 * after it. E_FORGED: something they need is nowhere.
 */
MUST_USE enum err spare_look(struct spare *s, uint64_t since, struct why *why);

#endif
