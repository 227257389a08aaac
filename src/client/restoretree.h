/*
 * The folders of the target: made or opened one name at a time below a descriptor of the folder above, never through a
 * link. A folder is in use as long as something is to be made in it; then it gets its attributes. So many are in use at once as
 * the tree is deep: those above may rest meanwhile, which costs no descriptor.
 */
#ifndef CLIENT_RESTORETREE_H
#define CLIENT_RESTORETREE_H

#include "client/restoreattrs.h"
#include "client/restorerun.h"

struct restoretree_dir {
	struct restorerun *run;
	struct restoretree_dir *above; /* its memory is held */
	_Atomic unsigned holders;      /* of the memory */
	_Atomic unsigned users;        /* of the descriptor */
	int fd;                        /* -1 while it rests */
	uint64_t device, inode;
	bool fresh;    /* this run made it: nothing is in it that was there before */
	bool inherits; /* gives what is made in it an ACL */
	bool gid_known;
	uint32_t gid;  /* if known: what is made in it belongs to this group */
	bool finishes; /* gets its attributes at the end */
	bool lent;     /* its own mode, ${lent_mode}, did not let its owner in */
	uint16_t lent_mode;
	struct stat_now {
		uint32_t uid, gid;
		uint16_t mode;
	} now;
	struct restoreattrs attrs; /* its own copy of the extended ones */
	char name[];
};

/* Opens the target, which is made if it is missing, as a folder that is used once. E_IO, E_DENIED, E_NOMEM. */
MUST_USE enum err restoretree_root(
	struct restorerun *r, struct restoretree_dir **out, struct why *why);

/*
 * Makes or opens the folder of the entry ${d} in ${above}, which is in use; it is used once then. What goes wrong with this
 * folder alone is noted: E_EXISTS.
 */
MUST_USE enum err restoretree_enter(struct restoretree_dir *above, const struct direntry *d,
	const struct restoreattrs *attrs, struct restoretree_dir **out);

/* One user more, one less. The last one gives it its attributes and closes it. */
void restoretree_use(struct restoretree_dir *dir);
void restoretree_leave(struct restoretree_dir *dir);

/*
 * The planning thread alone, which is the one that takes uses: closes the descriptor of a folder that nobody else uses, until it
 * is woken. The root never rests. False: it could not be opened again, or is another folder now; with errno.
 */
void restoretree_rest(struct restoretree_dir *dir);
MUST_USE bool restoretree_wake(struct restoretree_dir *dir);

/* One user more, if it still is in use. */
bool restoretree_try(struct restoretree_dir *dir);

/* The same for the memory alone. */
void restoretree_hold(struct restoretree_dir *dir);
void restoretree_drop(struct restoretree_dir *dir);

/* Appends the absolute path in the snapshot; "" for the target itself and for NULL. */
MUST_USE enum err restoretree_path(const struct restoretree_dir *dir, struct buf *out);

/* Goes down to a folder of this run again from the target, through no link: a descriptor of its path; -1 with errno. */
int restoretree_find(struct restoretree_dir *dir);

/* The folders that had to stay open to the end. */
void restoretree_finish_late(struct restorerun *r);

#endif
