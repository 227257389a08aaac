/* Reading one file for a backup: its data without holes, its attributes; noticed when it changes meanwhile. */
#ifndef CLIENT_BACKUPFILE_H
#define CLIENT_BACKUPFILE_H

#include "client/backupnode.h"

/*
 * Stores the content of the regular file ${name} in the folder ${at}, which was ${st} when the walk saw it, and fills in
 * ${d} (${old}: the stream of its last version, or NULL): stream, holes (in the worker's memory), flags, attributes, and
 * mode, owner and time as they are now. ${n} is the folder, for messages. E_NOTFOUND: it is gone; E_IO, E_DENIED: unreadable;
 * other errors end the backup.
 */
MUST_USE enum err backupfile_read(struct backupwalk *w, unsigned worker, int at, const char *name,
	const struct backupnode *n, struct stat *st, const struct streamref *old, struct direntry *d,
	struct why *why);

/*
 * The extended attributes of the open file ${fd}, or of ${name} in ${at} if ${fd} is -1, into ${d} (worker's memory). For
 * messages it is ${name} in the folder ${n}, or that itself if ${name} is NULL.
 */
MUST_USE enum err backupfile_xattrs(struct backupwalk *w, struct backupwalk_worker *k, int fd,
	int at, const char *name, const struct backupnode *n, struct direntry *d, struct why *why);

/* Stores all that can be read from ${fd} (a pipe, say) as one stream. */
MUST_USE enum err backupfile_pipe(struct backupwalk *w, struct backupwalk_worker *k, int fd,
	struct streamref *ref, struct why *why);

#endif
