/*
 * What differs between two trees. Folders with the same reference are the same and are not read.
 */
#ifndef CLIENT_TREEDIFF_H
#define CLIENT_TREEDIFF_H

#include "client/treelist.h"

enum treediff_kind {
	TREEDIFF_ADDED,
	TREEDIFF_REMOVED,
	TREEDIFF_CONTENT,  /* contents, target or device number */
	TREEDIFF_METADATA, /* only mode, owner, times, attributes */
	TREEDIFF_TYPE,
};

struct treediff_change {
	enum treediff_kind kind;
	const struct direntry *before, *after; /* NULL: there is none on that side */
	struct span path;
};

struct treediff {
	struct fetch *fetch;
	/* Called for each change in order of paths; what it returns other than OK ends the run. */
	enum err (*change)(void *ctx, const struct treediff_change *c, struct why *why);
	/* A folder could not be read; what the other tree has in it is left out too. Returns OK to go on. */
	enum err (*broken)(void *ctx, enum err e, const struct why *why);
	void *ctx;
};

MUST_USE enum err treediff_run(const struct treediff *d, const struct streamref *before,
	const struct streamref *after, struct why *why);

#endif
