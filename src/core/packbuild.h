/*
 * A pack being written in memory (doc/spec/formats.md section 3): records are encrypted into their places as they come;
 * finish adds table, padding and trailer. Belongs to one thread at a time.
 */
#ifndef CORE_PACKBUILD_H
#define CORE_PACKBUILD_H

#include "base/span.h"
#include "crypto/hash.h"
#include "format/packtable.h"
#include "secret/fresh.h"

struct packbuild;

struct packbuild_params {
	const struct hash *vault;
	uint32_t epoch;
	const uint8_t *epoch_public; /* KEM_PUBLIC bytes */
	struct packtable head; /* run, start, writer, origin, continues; previous is given at the end */
	struct fresh *fresh;
	uint8_t *
		memory; /* LIMIT_PACK bytes, lent until the pack is freed: first touches are dear, so callers reuse them */
	uint32_t limit; /* LIMIT_PACK; tests use smaller packs */
};

/* A new pack with keys of its own. ${p} is copied; what it points to must live as long. E_NOMEM, E_FORMAT, E_IO. */
MUST_USE enum err packbuild_new(struct packbuild **out, const struct packbuild_params *p);
void packbuild_free(struct packbuild *b);

/* The memory that was lent. */
uint8_t *packbuild_memory(const struct packbuild *b);

/* How many bytes a record with ${ids} chunk ids may still hold (without tag): 0 if none. */
size_t packbuild_room(const struct packbuild *b, size_t ids);

/* Whether it has no record yet. */
bool packbuild_is_empty(const struct packbuild *b);

/* What the pack would need now, unpadded. */
size_t packbuild_need(const struct packbuild *b);

/* One record: at most packbuild_room bytes of a stored block. Its place goes to ${*offset}, ${*length} (with tag). */
struct packbuild_record {
	uint8_t type; /* 0: the rest of a block whose first piece ended the pack before */
	bool cut;     /* the rest follows in the next pack */
	const struct hash *ids;
	size_t count;
	struct span bytes;
};
MUST_USE enum err packbuild_add(
	struct packbuild *b, const struct packbuild_record *r, uint32_t *offset, uint32_t *length);

/*
 * Ends the pack: of LIMIT_PACK if it is ${full} and may be so large, else padded by the Padmé rule. ${previous}: the name of
 * the pack whose last block goes on here (only looked at if the head says so). ${bytes} are valid until the pack is freed.
 */
MUST_USE enum err packbuild_finish(
	struct packbuild *b, const struct hash *previous, bool full, struct span *bytes);

#endif
