/*
 * What must be true of a store somebody has been at: check names the damaged object, what is read is exact or an error
 * that names an object, and nothing is lost that was not touched.
 */
#ifndef ATTACK_VERDICT_H
#define ATTACK_VERDICT_H

#include "fullstore.h"

/* What is expected besides that. */
enum verdict_expect {
	VERDICT_ANY,       /* whatever is honest */
	VERDICT_READABLE,  /* every snapshot is read whole: nothing that a reader needs was touched */
	VERDICT_UNTOUCHED, /* nothing was changed at all */
};

struct verdict {
	struct fullstore *full;
	struct testvault_seen whole[FULLSTORE_SNAPSHOTS];
	struct testvault open; /* stays open for cases that do not touch what was read at opening */
	bool is_open;
	/* counts */
	uint64_t cases, refused, part, exact, named, unneeded;
	uint64_t failures;
	char label[256]; /* of the case under way */
};

/* The store as it is now is the good one. Stops the program if it isn't. */
void verdict_begin(struct verdict *v, struct fullstore *full);
void verdict_end(struct verdict *v);

/*
 * Judges the store as it is now. ${item}: what was touched, as it was before (NULL: the whole). Only packs were touched
 * if its kind says so: then the vault that is open already is used.
 */
void verdict_judge(struct verdict *v, const struct rawstore_item *item, enum verdict_expect expect);

/* Prints a failure of the case under way. */
void verdict_fail(struct verdict *v, const char *what, const char *detail);

#endif
