/*
 * Hard-link groups of a restore (doc/spec/formats.md section 5): the first member is restored, the others become further
 * names of it, and of nothing else. The thread that plans asks; those that write tell when a first member is there.
 */
#ifndef CLIENT_RESTORELINKS_H
#define CLIENT_RESTORELINKS_H

#include "client/restoretree.h"
#include "format/direntry.h"

struct restorelinks;
struct restorelinks_group;

MUST_USE enum err restorelinks_new(
	struct restorelinks **out, struct restorerun *r, struct why *why);

/* Lets go of everything, also of members that still wait. */
void restorelinks_free(struct restorelinks *l);

enum restorelinks_answer {
	RESTORELINKS_FIRST, /* restore it, and then say made or failed */
	RESTORELINKS_WAIT, /* the first one is being restored: it was put aside, and ready will give it */
	RESTORELINKS_MADE, /* the first one is there: link */
	RESTORELINKS_ALONE, /* it claims to be of the group and has other content: restore it by itself */
};

/* What is to be done with the entry ${d} for ${dir}, which is in use. E_NOMEM. */
MUST_USE enum err restorelinks_ask(struct restorelinks *l, const struct direntry *d,
	struct restoretree_dir *dir, enum restorelinks_answer *answer,
	struct restorelinks_group **group);

/* From any thread: the first member is ${name} in ${dir} with these numbers / could not be restored. */
void restorelinks_made(struct restorelinks *l, struct restorelinks_group *g,
	struct restoretree_dir *dir, const char *name, uint64_t device, uint64_t inode);
void restorelinks_failed(struct restorelinks *l, struct restorelinks_group *g);

/*
 * Makes ${name} in ${dir} another name of the group's first member. OK; E_LIMIT: it has as many names as it can have, so this
 * one is the first from now on; E_UNSUPPORTED: restore it by itself; E_IO: noted.
 */
MUST_USE enum err restorelinks_link(struct restorelinks *l, struct restorelinks_group *g,
	struct restoretree_dir *dir, const char *name);

/* Whether there is a member that waits no more. */
bool restorelinks_any(struct restorelinks *l);

/* A member that waits no more: its folder, whose use goes to the caller, and its entry with its length; or false. */
bool restorelinks_ready(struct restorelinks *l, struct restoretree_dir **dir, struct buf *entry);

#endif
