/*
 * One thread's way of storing chunks: an id for each, nothing twice, neighbours together in blocks, blocks compressed
 * and handed to the run (doc/spec/formats.md sections 2 and 4). Streams with their lists on top.
 */
#ifndef CLIENT_STORING_H
#define CLIENT_STORING_H

#include "client/fetch.h"
#include "client/packrun.h"
#include "core/squeeze.h"
#include "format/chunktype.h"
#include "format/streamref.h"

/* What all threads of a run share. Counters are only added to. */
struct storing_shared {
	struct vault *vault;
	struct packrun *run;
	struct fetch *fetch; /* NULL: nothing is reused */
	const struct hash
		*avoid; /* packs not to refer to, ascending: missing ones, and those that an intent names */
	size_t avoid_count;
	bool dry;           /* nothing is stored, only counted */
	unsigned read_back; /* of 100,000 reused chunks this many are read and checked */
	uint32_t salt;      /* of the run: which chunks are read back differs from run to run */
	enum squeeze_mode squeeze;
	uint32_t pack_limit; /* tests: smaller packs, and blocks that go with them; 0: full size */
	_Atomic uint64_t new_bytes, reused_bytes;
	_Atomic uint64_t new_chunks, reused_chunks;
	_Atomic uint64_t reads_back;
	_Atomic bool failed; /* the store, or memory: an error that storing gave is of no single file */
};

struct storing;

MUST_USE enum err storing_new(struct storing **out, struct storing_shared *shared, struct why *why);
void storing_free(struct storing *s);

/* Stores a chunk (1 byte to LIMIT_CHUNK), or finds that it is stored; its id goes to ${id}. */
MUST_USE enum err storing_chunk(
	struct storing *s, uint8_t type, struct span chunk, struct hash *id, struct why *why);

/* The same in two steps, where the id is needed before. */
void storing_id(const struct storing *s, uint8_t type, struct span chunk, struct hash *id);
MUST_USE enum err storing_named(
	struct storing *s, uint8_t type, struct span chunk, const struct hash *id, struct why *why);

/* How many chunks this thread found to be new. */
uint64_t storing_new_chunks(const struct storing *s);

/* Hands over what is still in this thread's blocks. */
MUST_USE enum err storing_flush(struct storing *s, struct why *why);

/*
 * A stream being stored: its chunks' ids are given in order; the lists above them are cut and stored as they fill, so that
 * memory does not grow with the stream.
 */
struct storing_stream {
	struct buf levels[LIMIT_STREAM_DEPTH +
		1]; /* [0]: items of the string's chunks that are not in a list yet */
	uint64_t counts[LIMIT_STREAM_DEPTH + 1]; /* items that each level ever had */
	uint64_t length;
};
void storing_stream_init(struct storing_stream *t);
void storing_stream_done(struct storing_stream *t);
MUST_USE enum err storing_stream_add(struct storing *s, struct storing_stream *t,
	const struct hash *id, uint32_t length, struct why *why);

/* Stores what is left of the lists and gives the reference. */
MUST_USE enum err storing_stream_end(
	struct storing *s, struct storing_stream *t, struct streamref *ref, struct why *why);

/* Stores a byte string that is in memory as a stream of ${type}. */
MUST_USE enum err storing_bytes(
	struct storing *s, uint8_t type, struct span bytes, struct streamref *ref, struct why *why);

/* Whether a pack is among those to avoid. */
bool storing_avoids(const struct storing_shared *s, const struct hash *pack);

#endif
