/*
 * One item being restored: a file, link, FIFO or device. Made by the thread that plans, worked on by those that write; the one
 * that finishes its last piece puts it in its place. doc/decisions/restore-new-files.md says why how.
 */
#ifndef CLIENT_RESTOREFILE_H
#define CLIENT_RESTOREFILE_H

#include "client/restorelinks.h"
#include "client/restoretemp.h"
#include "client/restorewrite.h"

struct restorewindow;

/* Filled in when planned. What it points to lies in the memory of its window. */
struct restorefile {
	struct restorewindow *window; /* held */
	struct restoretree_dir *dir;  /* in use */
	const char *name;
	struct restoreattrs attrs;
	uint8_t type;
	uint64_t size; /* of a file, with holes */
	struct restorewrite_map map;
	const struct streamref *stream;   /* of a file */
	const char *target;               /* of a symbolic link */
	uint32_t major, minor;            /* of a device */
	struct restorelinks_group *group; /* whose first member it is, or NULL */
	_Atomic uint32_t left;            /* pieces, and the planning thread */
	_Atomic bool failed;
	/* of a file in several pieces; with the files' lock held: */
	int fd;
	unsigned writers;
	uint64_t device, inode;
	char temp[RESTORETEMP_NAME];
	bool begun; /* ${temp} is there */
};

/* A file whose whole content is ${bytes}: makes it. */
void restorefile_whole(struct restorefile *f, struct span bytes);

/* A link, FIFO or device: makes it. */
void restorefile_make(struct restorefile *f);

/* Writes a part of a file of several pieces, from byte ${data} of its stream on. */
void restorefile_piece(struct restorefile *f, uint64_t data, struct span bytes);

/* It will not be restored; the reason was noted. */
void restorefile_fail(struct restorefile *f);

/* One piece less. After the last one it is in its place, or nothing is left of it; ${f} is then gone. */
void restorefile_leave(struct restorefile *f);

#endif
