/* A row of 32-byte hashes, one behind another, inside a decoded object; the object's header says how long it is valid. */
#ifndef FORMAT_HASHLIST_H
#define FORMAT_HASHLIST_H

#include "base/reader.h"
#include "crypto/hash.h"

struct hashlist {
	struct span rows; /* a multiple of 32 bytes */
};

/* ${count} hashes from the reader; if ${ascending}, strictly so, or the reader turns bad. */
struct hashlist hashlist_read(struct reader *r, size_t count, bool ascending);

size_t hashlist_count(const struct hashlist *l);
struct hash hashlist_at(const struct hashlist *l, size_t i); /* i < count */
bool hashlist_is_ascending(const struct hashlist *l);        /* strictly */

/* Binary search in an ascending list. */
bool hashlist_has(const struct hashlist *l, const struct hash *h);

#endif
