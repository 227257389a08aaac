/* What indexes say of where chunks are, written into the plan of a new index: for merges, prunes and repairs. */
#ifndef CLIENT_PLACESEXPORT_H
#define CLIENT_PLACESEXPORT_H

#include "client/places.h"
#include "core/indexplan.h"

/* Whether rows of the pack are wanted. Of a cut block both packs must be. */
typedef bool placesexport_wanted(void *ctx, const struct hash *pack);

/*
 * All rows, with their packs and cuts, to the plan: of all indexes, and what was scanned; or of the ${i}th index that was
 * loaded alone. ${wanted} NULL: of every pack. E_NOMEM, E_LIMIT, E_IO. The caller sorts the plan.
 */
MUST_USE enum err placesexport_all(struct places *p, struct indexplan *plan,
	placesexport_wanted *wanted, void *ctx, struct why *why);
MUST_USE enum err placesexport_index(struct places *p, size_t i, struct indexplan *plan,
	placesexport_wanted *wanted, void *ctx, struct why *why);

#endif
