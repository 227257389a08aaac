/* The snapshots that a command is to work on: those named, or all that the filters let through. */
#ifndef CLI_CHOSEN_H
#define CLI_CHOSEN_H

#include "cli/opening.h"

struct chosen {
	struct hash *ids; /* in the order of the chain, or as named */
	size_t count;
};

/*
 * ${args_only}: without names, none. Says what is wrong and gives the exit code; one snapshot that is not there ends it.
 * chosen_done takes what it leaves.
 */
int chosen_read(
	struct chosen *c, const struct opening *o, const struct invocation *inv, bool args_only);
void chosen_done(struct chosen *c);

#endif
