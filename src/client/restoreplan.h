/*
 * The walk of a restore: reads the snapshot's folders, makes them in the target, and plans what is in them. Folders of a
 * folder come after everything else in it, deepest first; none is held in memory whole, only the entries of its folders.
 */
#ifndef CLIENT_RESTOREPLAN_H
#define CLIENT_RESTOREPLAN_H

#include "client/restoreowner.h"
#include "client/restorerun.h"
#include "client/restoreselect.h"
#include "client/restorewindow.h"

struct restoreplan {
	struct restorerun *run;
	struct restorewindow_line *line; /* NULL: a dry run */
	struct restoreselect *select;
	struct restoreowner *owner;
	const struct snapshot *snapshot;
};

/* Walks the whole tree. What concerns one item is noted; E_NOMEM, E_CANCELLED, E_FORGED (more than the snapshot says). */
MUST_USE enum err restoreplan_walk(const struct restoreplan *p, struct why *why);

#endif
