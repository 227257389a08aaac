/* Mode, owner, extended attributes and time of a restored item: put on it last, and what could not be is counted or noted. */
#ifndef CLIENT_RESTOREATTRS_H
#define CLIENT_RESTOREATTRS_H

#include "client/restoreowner.h"
#include "client/restorerun.h"
#include "format/direntry.h"

struct restoreattrs {
	uint32_t uid, gid; /* here */
	uint16_t mode;
	bool has_acl; /* an access ACL is among the attributes */
	struct moment mtime;
	struct direntry_items xattrs; /* borrowed */
};

/* The attributes of an entry, pointing into it. */
struct restoreattrs restoreattrs_of(const struct direntry *d, struct restoreowner *owner);

enum { RESTOREATTRS_ANY_MODE = 0xffff };

/* An item as it was just made. */
struct restoreattrs_on {
	struct restorerun *run;
	const struct restoretree_dir *dir; /* for notes: */
	const char *name;                  /* NULL: the folder itself */
	int fd;                            /* opened for more than its path; or -1, and */
	int at;                            /* the folder it is in, where it now is */
	const char *called;                /* called so */
	uint8_t type;                      /* of the entry */
	uint32_t uid, gid;                 /* as they are now */
	uint16_t mode;                     /* or RESTOREATTRS_ANY_MODE: not known */
	bool inherited;                    /* may have got an ACL from the folder it is in */
	bool exact;                        /* may have other attributes, which go */
};

void restoreattrs_set(const struct restoreattrs_on *on, const struct restoreattrs *want);

/* The mode to make an item with: never more than it will have in the end; a folder is its maker's alone until then. */
mode_t restoreattrs_first_mode(const struct restoreattrs *want, uint8_t type);

#endif
