/*
 * Files that the user names on the command line: links are followed, and a pipe or a terminal will do for reading.
 * (What a store or the local state holds goes through os/file.h.)
 */
#ifndef OS_USERFILE_H
#define OS_USERFILE_H

#include "base/buf.h"
#include "os/why.h"

/*
 * Appends the whole of ${path} to ${out}, whose memory is reserved once for ${max} bytes, so that no copy is left
 * behind by growing. E_LIMIT if it is longer than ${max}; what opening and reading says. ${what} is how sentences call
 * it ("the passphrase file"). ${out} may hold a part on failure: the caller wipes it.
 */
MUST_USE enum err userfile_read(
	const char *path, const char *what, size_t max, struct buf *out, struct why *why);

/* The same from standard input, as it is open: /dev/stdin may not be, where it is another user's. */
MUST_USE enum err userfile_read_stdin(
	const char *what, size_t max, struct buf *out, struct why *why);

/*
 * Writes ${bytes} to the new file ${path} with mode 0600 and syncs it and its folder. E_EXISTS where anything is there,
 * also a link. On failure nothing of it is left; nor where the process is killed, if the file system has files without a
 * name (O_TMPFILE): else a part of it may be.
 */
MUST_USE enum err userfile_write_new(
	const char *path, const char *what, struct span bytes, struct why *why);

/* What is at a path; with ${follow} at the end of a link there. A link into nothing is USERFILE_NONE then. */
enum userfile_kind { USERFILE_NONE, USERFILE_FILE, USERFILE_FOLDER, USERFILE_OTHER };
MUST_USE enum err userfile_look(
	const char *path, bool follow, enum userfile_kind *out, struct why *why);

#endif
