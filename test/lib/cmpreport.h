/*
 * What treecmp says: one line a difference, each of one class, and counts by class at the end.
 * A class that is ignored is counted, and neither printed nor a difference.
 */
#ifndef CMPREPORT_H
#define CMPREPORT_H

#include "treelib.h"

enum cmpreport_class {
	CMP_MISSING,    /* in A only */
	CMP_EXTRA,      /* in B only */
	CMP_TYPE,       /* another type of entry */
	CMP_CONTENT,    /* other bytes */
	CMP_SIZE,       /* another length (of a regular file) */
	CMP_HOLES,      /* a whole 4 KiB block that is a hole in A and data in B */
	CMP_NEW_HOLES,  /* the other way round; ignored unless --exact-holes */
	CMP_MODE,       /* permission or sticky bits */
	CMP_SETUID,     /* the set-user-id or set-group-id bit */
	CMP_OWNER,      /* user or group id */
	CMP_MTIME,      /* modification time, to the nanosecond */
	CMP_XATTR,      /* an extended attribute of no class of its own */
	CMP_ACL,        /* system.posix_acl_* */
	CMP_CAPABILITY, /* security.capability */
	CMP_SECURITY,   /* the rest of security.* */
	CMP_TRUSTED,    /* trusted.* */
	CMP_TARGET,     /* a symbolic link's target */
	CMP_RDEV,       /* a device's numbers */
	CMP_HARDLINK,   /* names of one file in one tree, and of several in the other */
	CMP_DEVICE,     /* a device in A only */
	CMP_SOCKET,     /* a socket in A only */
	CMP_UNREADABLE, /* what could not be compared: exit 2 unless ignored */
	CMP_CLASSES
};

struct cmpreport {
	bool json;
	bool quiet;
	bool ignored[CMP_CLASSES];
	uint64_t count[CMP_CLASSES];
	uint64_t entries;
	uint64_t data_bytes;
	char *path; /* of the entry being compared; not ended by a zero byte */
	size_t path_len;
	size_t path_room;
};

/* Marks the classes of the list ${names} ("owner,device") as ignored; dies on an unknown one. */
void cmpreport_ignore(struct cmpreport *r, const char *names);

/* Adds "/name" to the path (or just the name, to an empty one); cut back to an earlier length. */
void cmpreport_path_add(struct cmpreport *r, const char *name);
void cmpreport_path_cut(struct cmpreport *r, size_t len);

/* Counts a difference of the entry at the path, and prints it. The text is escaped here. */
void cmpreport_add(struct cmpreport *r, enum cmpreport_class class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints the counts. Returns treecmp's exit code: 0, 1 differences, 2 something not compared. */
int cmpreport_finish(struct cmpreport *r);

#endif
