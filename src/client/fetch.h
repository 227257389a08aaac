/*
 * Chunks, fetched and verified: found through places, read from packs a block at a time, believed only for their id
 * (doc/spec/crypto.md section 9). Blocks just used stay in a small cache; one that finds every place of it held is read
 * beside it, and nobody waits for another to let go. Used by several threads at once.
 */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include "client/places.h"
#include "client/vault.h"

struct fetch;
struct fetch_block;

struct fetch_params {
	struct vault *vault;
	unsigned threads;  /* that fetch at once: the cache has room for all of them */
	places_warn *warn; /* damaged indexes and packs that were worked around */
	void *ctx;
};
/* Opens the vault's indexes in force. E_IO, E_NOMEM. */
MUST_USE enum err fetch_new(struct fetch **out, const struct fetch_params *p, struct why *why);
void fetch_free(struct fetch *f);

struct places *fetch_places(struct fetch *f);
struct packread *fetch_packs(struct fetch *f);

/* A chunk in a block that stays as long as it is held. */
struct fetch_chunk {
	struct span bytes;
	struct fetch_block *block;
};

/*
 * The chunk ${id} of ${type}, from any of its places. E_FORGED: every place is damaged or gone (the sentence names the pack
 * of one), or there is none (it names the chunk); E_DENIED: its epoch is not open; E_IO, E_NOMEM. Release it.
 */
MUST_USE enum err fetch_chunk(
	struct fetch *f, uint8_t type, const struct hash *id, struct fetch_chunk *out, struct why *why);
void fetch_release(struct fetch *f, struct fetch_chunk *chunk);

/*
 * The same from one known place. E_FORGED: it is not there, or damaged; E_NOTFOUND: the pack is gone; E_DENIED, E_IO, E_NOMEM.
 */
MUST_USE enum err fetch_from(struct fetch *f, uint8_t type, const struct hash *id,
	const struct place *place, struct fetch_chunk *out, struct why *why);

#endif
