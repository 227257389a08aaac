/*
 * Reading packs of one vault: opens each pack's keys once, its records and its table (doc/spec/formats.md section 3).
 * Used by several threads at once.
 */
#ifndef CLIENT_PACKREAD_H
#define CLIENT_PACKREAD_H

#include "core/epochring.h"
#include "format/packtable.h"
#include "os/why.h"
#include "store/store.h"

struct packread;

/* ${ring} must outlive it; epochs added to the ring later are seen. */
MUST_USE enum err packread_new(struct packread **out, struct store *store, const struct hash *vault,
	const struct epochring *ring, struct why *why);
void packread_free(struct packread *p);

/*
 * The plaintext of the record of ${length} bytes at ${offset}, appended to ${out}. E_FORGED: damaged, with the pack's name
 * in the sentence; E_NOTFOUND: there is no such pack; E_DENIED: its epoch is not open; E_IO.
 */
MUST_USE enum err packread_record(struct packread *p, const struct hash *pack, uint32_t offset,
	uint32_t length, struct buf *out, struct why *why);

/* A pack's table: ${out} points into ${bytes}, which is filled. ${size} is what the store lists. */
MUST_USE enum err packread_table(struct packread *p, const struct hash *pack, uint64_t size,
	struct packtable *out, struct buf *bytes, struct why *why);

/* The plaintext table and records of a whole pack in memory: for checks. ${bytes}: all of it. */
struct packread_whole {
	struct packtable table;
	struct buf table_bytes;
	void *keys;
};
MUST_USE enum err packread_whole_open(struct packread *p, const struct hash *pack,
	struct span bytes, struct packread_whole *out, struct why *why);
MUST_USE enum err packread_whole_record(const struct packread_whole *w, struct span bytes,
	uint32_t offset, uint32_t length, struct buf *out);
void packread_whole_close(struct packread_whole *w);

#endif
