/*
 * How maketree puts single entries in place: by a directory's descriptor and a name, so that
 * paths may be as long and as deep as the file system takes. Every entry gets a modification time
 * of its own, with nanoseconds, from the seed. What this file system refuses (a long extended
 * attribute, a 4,095-byte link) is counted as left out; any other failure ends the program.
 */
#ifndef MAKEPUT_H
#define MAKEPUT_H

#include "treelib.h"

#include <sys/types.h>

struct makeput_options {
	bool root; /* also what only root can make */
	bool deep; /* paths beyond PATH_MAX */
	bool tebibyte;
	bool sockets;
	bool unreadable; /* without root: also modes that the owner can't read */
	uint64_t big;
	uint64_t links;
	uint64_t depth;
	uint64_t seed;
	const char *naughty;
};

struct makeput {
	const struct makeput_options *options;
	struct treelib_rng rng;
	int top;
	uint64_t entries;
	uint64_t left_out;
};

/* A new directory ${name} in ${dir}, opened; close it with makeput_dir_close. -1 if left out. */
int makeput_dir(struct makeput *m, int dir, const char *name);
/* Closes ${fd} and gives the directory ${name} in ${dir} its modification time. */
void makeput_dir_close(struct makeput *m, int dir, const char *name, int fd);

/* False where the file system refuses the name, or it is already there. */
bool makeput_file(
	struct makeput *m, int dir, const char *name, mode_t mode, const void *data, size_t len);
/* A new empty file ${name}, opened for writing; close it with makeput_file_close. */
int makeput_file_open(struct makeput *m, int dir, const char *name);
void makeput_file_close(struct makeput *m, int fd);
void makeput_write(int fd, const void *data, size_t len, off_t at);
bool makeput_symlink(struct makeput *m, int dir, const char *name, const char *target);
/* ${mode} with its type, as for mknod. */
bool makeput_node(struct makeput *m, int dir, const char *name, mode_t mode, dev_t rdev);
bool makeput_link(struct makeput *m, int from_dir, const char *from, int to_dir, const char *to);

/* These change an entry that exists; no link is followed. */
void makeput_stamp(struct makeput *m, int dir, const char *name);
void makeput_time(struct makeput *m, int dir, const char *name, int64_t sec, int32_t nsec);
void makeput_mode(int dir, const char *name, mode_t mode);
void makeput_owner(int dir, const char *name, uid_t uid, gid_t gid);
bool makeput_xattr(
	struct makeput *m, int dir, const char *name, const char *attr, const void *value, size_t len);

/* Counts ${what} as left out, with errno's reason, if the reason is the file system's. */
bool makeput_refused(struct makeput *m, const char *what, const char *name);

#endif
