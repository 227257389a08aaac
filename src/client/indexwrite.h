/*
 * Writes an index into packs (doc/spec/formats.md section 6): its leaves, then the parts of its head. Which packs those are is
 * the caller's business.
 */
#ifndef CLIENT_INDEXWRITE_H
#define CLIENT_INDEXWRITE_H

#include "core/indexplan.h"
#include "os/why.h"

/* Where records go: one pack after another, of which one may be open. */
struct indexwrite_target {
	/* Bytes that a record may have in the open pack; SIZE_MAX if none is open. */
	size_t (*room)(void *ctx);
	/* Adds a record, whole, to the open pack or to a new one. Where it lies goes to ${offset} and ${length}. */
	enum err (*put)(
		void *ctx, struct span record, uint32_t *offset, uint32_t *length, struct why *why);
	/* Ends the open pack and says which it is. */
	enum err (*end)(void *ctx, struct indexhead_pack *pack, struct why *why);
	void *ctx;
};

/*
 * Puts all of ${plan}, sorted, and leaves the pack open in which part 0 of the head lies: ${*offset} and ${*length} are its place.
 * ${one_pack}: rows of the plan name the pack that is open as the same pack; the caller knows that all fits into it
 * (indexplan_need). E_LIMIT: the head is larger than a pack; E_NOMEM; what the target returns.
 */
MUST_USE enum err indexwrite_run(const struct indexwrite_target *target, struct indexplan *plan,
	bool one_pack, uint32_t *offset, uint32_t *length, struct why *why);

#endif
