/*
 * Files and folders through descriptors. Every descriptor made here is close-on-exec; interrupted
 * and short calls are taken up again; modes are what was asked for, whatever the umask.
 *
 * What is durable when: file_sync makes the contents of a file durable, file_sync_folder the names
 * in a folder. A sync that fails has lost the data: it must be written again from the start, never
 * synced again and believed. file_place and file_replace sync the contents before the name appears;
 * so a name that can be seen has its contents.
 *
 * Paths are relative to the folder ${at}, or to the working folder with AT_FDCWD.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/why.h"

enum { FILE_PRIVATE = 0600, FILE_SHARED = 0644, FOLDER_PRIVATE = 0700, FOLDER_SHARED = 0755 };

/*
 * Opens a folder. The descriptor is the caller's, for file_close. E_NOTFOUND, E_DENIED, E_IO (also:
 * not a folder).
 */
MUST_USE enum err file_open_folder(int at, const char *path, int *fd, struct why *why);

/*
 * Opens a file for reading. Never waits (a FIFO), never follows a link in the last place: a link is
 * E_IO.
 */
MUST_USE enum err file_open_read(int at, const char *path, int *fd, struct why *why);

/*
 * Closes ${*fd} unless it is negative, and makes it -1. Nothing that matters is left to fail at
 * this point.
 */
void file_close(int *fd);

/*
 * Makes one folder with exactly ${mode} and syncs the folder it is in. One that is there is fine
 * and left as it is.
 */
MUST_USE enum err file_make_folder(int at, const char *path, mode_t mode, struct why *why);

/*
 * The same with all folders above that are missing (those get ${mode} too). At most 4,095 bytes of
 * path, else E_LIMIT.
 */
MUST_USE enum err file_make_folders(int at, const char *path, mode_t mode, struct why *why);

/* Appends the whole file to ${out}. E_LIMIT if that is more than ${max} bytes, E_NOTFOUND. */
MUST_USE enum err file_read_whole(
	int at, const char *path, size_t max, struct buf *out, struct why *why);

/* Exactly ${n} bytes from ${offset} on to ${to}. E_FORMAT if the file ends before. */
MUST_USE enum err file_read_at(int fd, uint64_t offset, void *to, size_t n, struct why *why);

/*
 * All of ${bytes}, at the descriptor's position. E_IO (with the reason: no space, quota, fault of
 * the device).
 */
MUST_USE enum err file_write_all(int fd, struct span bytes, struct why *why);

/*
 * See above. A folder on a file system that cannot sync folders is OK. Any other failure is final.
 */
MUST_USE enum err file_sync(int fd, struct why *why);
MUST_USE enum err file_sync_folder(int fd, struct why *why);

/*
 * Replaces the file ${name} in ${folder} as a whole: afterwards (also after a crash) it has the old
 * contents or ${bytes}; after OK it has ${bytes}, durably. For local state. On failure the old file
 * is as it was, or, if the very last sync failed, of unknown durability.
 */
MUST_USE enum err file_replace(
	int folder, const char *name, struct span bytes, mode_t mode, struct why *why);

/*
 * How file_place_new puts a name: by link(2), or by renameat2(2) with RENAME_NOREPLACE where links
 * are refused.
 */
enum file_way { FILE_WAY_ANY, FILE_WAY_LINK, FILE_WAY_RENAME };

/*
 * Puts a new file whole at ${path} below ${at}: written under the name ${temp} in the folder ${tmp}
 * (same file system), synced, then linked or renamed; never over another. After OK the file is
 * there and its contents are durable; its name only after file_sync_folder of the folder it is in.
 * E_EXISTS if there is a file already that this call did not make. After any other error nothing of
 * this call is at ${path}, as far as it can be seen: an error behind which the file is in its place
 * after all (a reply that was lost) is OK.
 */
struct file_place {
	int tmp;
	const char *temp;
	int at;
	const char *path;
	mode_t mode;
	enum file_way way;
};
MUST_USE enum err file_place_new(
	const struct file_place *place, struct span bytes, struct why *why);

/* Removes a name. E_NOTFOUND. */
MUST_USE enum err file_remove(int at, const char *path, struct why *why);

/*
 * Calls ${visit} for each name in a folder but . and .., in no order. What it returns other than OK
 * ends the walk and is returned. E_NOTFOUND if there is no such folder.
 */
typedef enum err file_visit(void *ctx, const struct dirent *entry, struct why *why);
MUST_USE enum err file_list(
	int at, const char *path, file_visit *visit, void *ctx, struct why *why);

#endif
