/*
 * Every stored object of src/format behind one interface, so that vectors, properties and fuzz targets treat all alike:
 * decode, walk through everything decoded, encode again.
 */
#ifndef TEST_FORMATCASE_H
#define TEST_FORMATCASE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/span.h"

struct formatcase {
	const char *name;
	bool has_param; /* the decoder takes a number besides the bytes: a type, an offset, a length */
	bool cuttable;  /* what is left when bytes are cut off the end can be valid too */
	/*
	 * Decodes ${in}; if that is OK, appends what the encoder makes of it to ${again} (initialized by the caller) and
	 * prints the fields to ${dump}, unless that is NULL. Gives the decoder's error, or E_NOMEM. Stops the program if the
	 * encoder refuses what the decoder took.
	 */
	enum err (*run)(struct span in, uint32_t param, struct buf *again, FILE *dump);
};

extern const struct formatcase
	formatcases_stored[]; /* blocks, packs, trees, indexes; the last has no name */
extern const struct formatcase
	formatcases_chain[]; /* entries and what belongs to chains; likewise */

/* NULL if there is none. */
const struct formatcase *formatcase_find(const char *name);

/* Of all cases together; NULL behind the last. */
const struct formatcase *formatcase_at(size_t i);

/* What a fuzz target does: the number, if the case takes one, is the first 4 bytes. Stops the program on a fault. */
void formatcase_fuzz(const char *name, const uint8_t *data, size_t size);

/* Lines "name = value" for dumps; nothing if ${f} is NULL. */
void formatcase_u(FILE *f, const char *name, uint64_t v);
void formatcase_i(FILE *f, const char *name, int64_t v);
void formatcase_b(FILE *f, const char *name, struct span v); /* hexadecimal, "-" if empty */

/* The encoder's result after a decode that was OK: passes E_NOMEM on, stops the program on any other error. */
enum err formatcase_again(enum err e);

/* Stops the program if not ${true_}: unlike assert, in every build. */
void formatcase_check(bool true_, const char *what);

#endif
