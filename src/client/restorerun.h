/* What the parts of a restore share. Internal to it: restore.c makes one. */
#ifndef CLIENT_RESTORERUN_H
#define CLIENT_RESTORERUN_H

#include <stdatomic.h>
#include <sys/types.h>

#include "client/fetch.h"
#include "client/restore.h"
#include "os/mutex.h"

struct restorelinks;
struct restoretree_dir;

struct restorerun {
	const struct restore_options *options;
	struct vault *vault;
	struct fetch *fetch;
	struct restorelinks *links;
	struct restoretree_dir *root;
	uid_t uid; /* of this process: what new files get */
	gid_t gid;
	gid_t *groups; /* that an ordinary user may give away to */
	size_t group_count;
	unsigned long dirs_max, files_max, late_max; /* descriptors that each use may take */
	_Atomic unsigned long dirs_open, files_open;
	struct mutex files; /* descriptors of files in several pieces */
	struct mutex lock;  /* of what follows, of the links, and while noting */
	struct mutex_cond
		moved;       /* a window was worked off, a folder closed, or somebody waits no more */
	enum err failed; /* the restore as a whole */
	struct why why;
	struct restoretree_dir **late;
	size_t late_count, late_room;
	_Atomic bool stop;
	_Atomic uint64_t counts[RESTORE_COUNTS];
};

/* One more. */
void restorerun_count(struct restorerun *r, enum restore_count what);

/* Notes ${name} in ${dir} (NULL: nothing in it, the folder itself), and counts what is an error. */
void restorerun_note(struct restorerun *r, enum restore_note note,
	const struct restoretree_dir *dir, const char *name, const char *text);

/* The same with a path. */
void restorerun_note_path(
	struct restorerun *r, enum restore_note note, struct span path, const char *text);

/* Note of an item that is done, when each is wanted. */
void restorerun_item(struct restorerun *r, enum restore_note note,
	const struct restoretree_dir *dir, const char *name);

/* An error of reading the store, or of the item itself. Those that concern the restore as a whole end it. */
void restorerun_broken(struct restorerun *r, enum err e, const struct why *why,
	const struct restoretree_dir *dir, const char *name);

/*
 * A system call for an item failed with errno: notes it, with ${what} in front. A full disk ends the restore. Gives E_IO.
 */
enum err restorerun_failed(
	struct restorerun *r, const struct restoretree_dir *dir, const char *name, const char *what);

/* The restore is over: all threads stop soon. The first reason stands. */
void restorerun_end(struct restorerun *r, enum err e, const struct why *why);

/* Whether it is; looks at signals too. */
bool restorerun_stopped(struct restorerun *r);

#endif
