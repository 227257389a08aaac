/* What the tables of packs say of where chunks are, as rows of a plan. A block that is cut counts where both of its pieces are there. */
#ifndef CLIENT_TABLEJOIN_H
#define CLIENT_TABLEJOIN_H

#include "core/indexplan.h"
#include "format/packtable.h"

struct tablejoin_pack;

/* All zero but the plan, to begin with. */
struct tablejoin {
	struct indexplan *plan; /* borrowed */
	struct tablejoin_pack *packs;
	size_t count, room;
	struct indexleaf_row *cut_rows; /* chunks of cut blocks, which are there only if the rest is */
	size_t cut_count, cut_room;
};

/* Adds a pack, which is not there yet, and the chunks of its whole blocks. E_LIMIT, E_NOMEM. */
MUST_USE enum err tablejoin_add(
	struct tablejoin *t, const struct hash *name, uint32_t size, const struct packtable *table);

/* After the last pack: the cut blocks. E_NOMEM. */
MUST_USE enum err tablejoin_end(struct tablejoin *t);

void tablejoin_done(struct tablejoin *t);

#endif
