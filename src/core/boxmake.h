/* The boxes object of a new epoch: a box for each recipient, at a random place among boxes nobody can open. */
#ifndef CORE_BOXMAKE_H
#define CORE_BOXMAKE_H

#include "base/buf.h"
#include "secret/box.h"

struct boxmake_recipient {
	struct hash id;
	const uint8_t *kem_key; /* KEM_PUBLIC bytes */
};

/*
 * Appends the object for ${content} (its secrets' epoch) to ${out}. ${previous}: the epoch before, NULL for the first.
 * E_LIMIT (too many recipients), E_FORMAT (a key that is none), E_USAGE (${content} is none, or ${previous} does not fit its
 * epoch), E_NOMEM, E_IO.
 */
MUST_USE enum err boxmake_object(const struct box_content *content,
	const struct boxmake_recipient *recipients, size_t count, const struct epoch_secret *previous,
	struct fresh *fresh, struct buf *out);

#endif
