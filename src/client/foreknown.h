/*
 * The chunks of a file's last version, to foresee those of this one: where a chunk's bytes are the same as the old chunk
 * that comes next, its end is the same too (doc/spec/chunker.md), and nothing has to be scanned. Read-only once made.
 */
#ifndef CLIENT_FOREKNOWN_H
#define CLIENT_FOREKNOWN_H

#include "client/fetch.h"
#include "client/storing.h"

struct foreknown;

/* Reads the items of ${ref}, a stream of content. NULL in ${*out} (and OK) where it is not worth it or cannot be read. */
MUST_USE enum err foreknown_new(
	struct foreknown **out, struct fetch *f, const struct streamref *ref);
void foreknown_free(struct foreknown *k);

/* Where in the old version a cursor stands: 0 at the start, SIZE_MAX: nowhere. */
#define FOREKNOWN_LOST SIZE_MAX

/*
 * The length of the chunk that begins at ${data}, if it is the one that the old version has at ${*cursor}; its id goes to
 * ${id} and the cursor moves on. 0: it is not; the caller scans, and tells the id it found to foreknown_find.
 */
size_t foreknown_next(const struct foreknown *k, const struct storing *s, size_t *cursor,
	const uint8_t *data, size_t len, struct hash *id);

/* The cursor behind the chunk ${id}, FOREKNOWN_LOST if the old version has none such. */
size_t foreknown_find(const struct foreknown *k, const struct hash *id);

#endif
