/*
 * Reading a stream from its reference (doc/spec/formats.md section 4): its items in order, however deep the list is,
 * in memory that does not grow with its length. Belongs to one thread.
 */
#ifndef CLIENT_STREAMREAD_H
#define CLIENT_STREAMREAD_H

#include "client/fetch.h"
#include "format/streamref.h"

/* A level of lists: the chunk being read, and an item that lies across two. */
struct streamread_level {
	struct fetch_chunk chunk;
	struct span rest;
	uint8_t carry[SIZE_STREAM_ITEM];
	size_t carried;
	bool ended;
};

struct streamread {
	struct fetch *fetch;
	uint8_t type;
	struct streamref ref;
	uint64_t given; /* bytes of the string whose items were given */
	bool ended;
	struct streamread_level levels[LIMIT_STREAM_DEPTH + 1]; /* [1] names chunks of the string */
};

/* ${type}: CHUNKTYPE_CONTENT, _DIRECTORY or _SUMMARY. E_UNSUPPORTED: chunks of another origin. */
MUST_USE enum err streamread_open(struct streamread *s, struct fetch *f, uint8_t type,
	const struct streamref *ref, struct why *why);
void streamread_close(struct streamread *s);

/*
 * The next chunk of the string: id and length, not fetched. At the end ${*more} is false. E_FORGED: a list is missing,
 * damaged, or not what the reference says; E_IO, E_NOMEM.
 */
MUST_USE enum err streamread_next(
	struct streamread *s, struct streamref_item *item, bool *more, struct why *why);

/* Appends the whole string to ${out}: E_LIMIT where it does not fit, and what streamread_open and streamread_next give. */
MUST_USE enum err streamread_whole(
	struct fetch *f, uint8_t type, const struct streamref *ref, struct buf *out, struct why *why);

#endif
