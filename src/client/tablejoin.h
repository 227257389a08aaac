/* What the tables of packs say of where chunks are, as rows of a plan. A block that is cut counts where both of its pieces are there. */
#ifndef CLIENT_TABLEJOIN_H
#define CLIENT_TABLEJOIN_H

#include "core/indexplan.h"
#include "format/packtable.h"
#include "os/why.h"

struct tablejoin_pack;

/*
 * Whether the chunk of ${row}, of a block of ${type} that goes on as ${cut} says, is what it should be: E_FORGED, E_FORMAT, E_NOTFOUND
 * and E_DENIED say no, other errors end it. Numbers are of ${plan}.
 */
typedef enum err tablejoin_reads(void *ctx, uint8_t type, const struct indexplan *plan,
	const struct indexleaf_row *row, const struct indexhead_cut *cut, struct why *why);

/* All zero but the plan, to begin with. */
struct tablejoin {
	struct indexplan *plan; /* borrowed */
	/*
	 * Anybody with the store can write a pack that says it goes on with another: where several do, the first of whose bytes all
	 * chunks of the block read is it. NULL, or none is: the first by name.
	 */
	tablejoin_reads *reads;
	void *reads_ctx;
	bool
		partial; /* not all packs are given: with ${reads}, what does not read is left out, though only one says it goes on */
	struct tablejoin_pack *packs;
	size_t count, room;
	struct indexleaf_row *cut_rows; /* chunks of cut blocks, which are there only if the rest is */
	size_t cut_count, cut_room;
};

/* Adds a pack, which is not there yet, and the chunks of its whole blocks. E_LIMIT, E_NOMEM. */
MUST_USE enum err tablejoin_add(
	struct tablejoin *t, const struct hash *name, uint32_t size, const struct packtable *table);

/* After the last pack: the cut blocks. E_NOMEM, and what ${reads} says. */
MUST_USE enum err tablejoin_end(struct tablejoin *t, struct why *why);

void tablejoin_done(struct tablejoin *t);

#endif
