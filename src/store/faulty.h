/*
 * A store that wraps another and fails as told, for tests: a call can fail before or after it took
 * effect (a reply that was lost), reads can come short or with a flipped bit. Without orders it
 * does what the other does. Calls are counted either way.
 */
#ifndef STORE_FAULTY_H
#define STORE_FAULTY_H

#include "store/store.h"

enum faulty_verb {
	FAULTY_PACK_PUT,
	FAULTY_PACK_GET,
	FAULTY_PACK_SIZE,
	FAULTY_PACK_LIST,
	FAULTY_PACK_DELETE,
	FAULTY_FLUSH,
	FAULTY_CHAIN_APPEND,
	FAULTY_CHAIN_READ,
	FAULTY_CHAIN_LENGTH,
	FAULTY_CHAIN_LIST,
	FAULTY_OBJECT_PUT,
	FAULTY_OBJECT_GET,
	FAULTY_OBJECT_LIST,
	FAULTY_OBJECT_DELETE,
	FAULTY_LOCATOR_PUT,
	FAULTY_LOCATOR_GET,
	FAULTY_LOCATOR_LIST,
	FAULTY_LOCATOR_DELETE,
	FAULTY_ANY, /* in an order: whichever verb; in a count: all of them */
	FAULTY_VERBS = FAULTY_ANY,
};

enum faulty_way {
	FAULTY_BEFORE,   /* ${error}, and nothing was done */
	FAULTY_AFTER,    /* done, and then ${error} all the same */
	FAULTY_FLIP,     /* reads: OK, but bit ${at} (modulo the length) of what came is flipped */
	FAULTY_TRUNCATE, /* reads: only the first ${at} bytes come; of pack_get: E_FORMAT */
	FAULTY_STALL,    /* does it ${at} milliseconds late */
};

/* The ${nth} call (from 1) of ${verb} from now on; with ${forever} that one and all after it. */
struct faulty_order {
	enum faulty_verb verb;
	uint64_t nth;
	bool forever;
	enum faulty_way way;
	enum err error;
	uint64_t at;
};

/* ${inner} stays the caller's and must outlive it. NULL when out of memory. For store_free. */
struct store *faulty_new(struct store *inner);

/* Adds an order (at most 16 at a time: more stop the program), or forgets them all. */
void faulty_order(struct store *s, struct faulty_order order);
void faulty_clear(struct store *s);

/* How many calls of that verb there were since faulty_new, whether they failed or not. */
uint64_t faulty_count(struct store *s, enum faulty_verb verb);

/* How many times an order was carried out. */
uint64_t faulty_hits(struct store *s);

#endif
