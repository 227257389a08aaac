/* An opened file that a backup reads: its data without holes as one string. From any thread. Internal to the backup. */
#ifndef CLIENT_BACKUPCONTENT_H
#define CLIENT_BACKUPCONTENT_H

#include <sys/types.h>

#include "client/backupwalk.h"
#include "client/foreknown.h"

/* A run of data in a file: where it stands in the file, and in the stream without holes. */
struct backupcontent_extent {
	uint64_t offset, length, stream;
};

struct backupcontent {
	int fd;
	struct backupcontent_extent *extents; /* NULL: the file has no holes */
	size_t count;
	uint64_t length;          /* of the stream: no more is read, also where the file grows */
	struct foreknown *old;    /* NULL: nothing is known of an earlier version */
	_Atomic uint64_t counted; /* of its bytes, in the walk's; see uncount */
};

/* Up to ${n} bytes from ${offset} of the stream on; fewer only where it ends. -1 and errno. */
ssize_t backupcontent_read(const struct backupcontent *s, uint64_t offset, uint8_t *to, size_t n);

/* The sentence for errno after a read: E_IO, or E_NOMEM. */
MUST_USE enum err backupcontent_error(struct why *why);

/* Counts bytes of contents in the walk, and in ${counted} unless it is NULL. */
void backupcontent_count(struct backupwalk *w, _Atomic uint64_t *counted, size_t n);

/* The length of the chunk at ${at} of the worker's buffer, foreseen or scanned for, and its id. 0: there is none. */
size_t backupcontent_next(struct backupwalk *w, struct backupwalk_worker *k,
	const struct foreknown *old, size_t *cursor, size_t at, size_t have, bool final,
	struct hash *id);

#endif
