/*
 * Files of test cases: paragraphs of "case KIND" and lines "field = value", with lines "bad =
 * RESULT FIELD CHANGE" that make further cases out of one (test/vector/crypto/reference.mjs says
 * which changes there are). A test of any kind may use it. Whatever is wrong with a file ends the
 * program: a case that is not understood must not pass.
 */
#ifndef CASEFILE_H
#define CASEFILE_H

#include "base/err.h"
#include "base/span.h"

struct casefile_case;

struct casefile_kind {
	const char *name;
	/*
	 * What the program gives for the case: OK, or an error; E_COUNT if it differs from what the
	 * case says.
	 */
	enum err (*run)(const struct casefile_case *c);
	bool once; /* not for the bad variants, as the program only makes what is in it */
};

/*
 * Runs every case of the file at ${path} (below the source root) and all their bad variants. A
 * kind may stand in the table more than once: each run must give the case's result. Prints what
 * failed; returns how many, and adds to ${*passed}.
 */
unsigned casefile_run(const char *path, const struct casefile_kind *kinds, unsigned *passed);

/*
 * A field as bytes, text or number. Bytes come in memory of exactly their size: reading over
 * their end is a fault.
 */
struct span casefile_bytes(const struct casefile_case *c, const char *field);
struct span casefile_fixed(
	const struct casefile_case *c, const char *field, size_t n); /* must have ${n} bytes */
const char *casefile_text(const struct casefile_case *c, const char *field);
uint64_t casefile_number(const struct casefile_case *c, const char *field);

/* The ${i}th of several fields with one name; false if there are not so many. */
bool casefile_nth(const struct casefile_case *c, const char *field, unsigned i, struct span *out);

/* Copies a field of exactly ${n} bytes. */
void casefile_copy(void *out, const struct casefile_case *c, const char *field, size_t n);

/* Whether a field is these bytes. */
bool casefile_is(const struct casefile_case *c, const char *field, const void *bytes, size_t n);

#endif
