/* What part of a snapshot is restored: paths, and patterns to include and to exclude. */
#ifndef CLIENT_RESTORESELECT_H
#define CLIENT_RESTORESELECT_H

#include "base/buf.h"
#include "client/restore.h"

struct restoreselect_path {
	struct buf text; /* absolute, no slash at its end; "" is everything */
	bool found;
};

struct restoreselect {
	const struct restore_options *options;
	struct restoreselect_path *paths;
	size_t count;
	bool all; /* nothing is left out: paths need not be known */
};

/* E_USAGE: a path with "." or ".." in it; E_NOMEM. */
MUST_USE enum err restoreselect_init(
	struct restoreselect *s, const struct restore_options *o, struct why *why);
void restoreselect_done(struct restoreselect *s);

struct restoreselect_verdict {
	bool take; /* it is restored */
	bool go;   /* a folder: something below it may be */
};
struct restoreselect_verdict restoreselect_look(struct restoreselect *s, struct span path);

/* How many of the paths were met in no call of look. */
size_t restoreselect_missing(const struct restoreselect *s); /* marks them for the options too */

#endif
