#include "os/userfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err read_to_end(
	int fd, const char *path, const char *what, size_t max, struct buf *out, struct why *why) {
	uint8_t *at = NULL;
	size_t len = 0;
	enum err e;

	e = why_err(why, buf_reserve(out, max + 1), what);
	if (e == OK) e = why_err(why, buf_extend(out, max + 1, &at), what);
	while (e == OK && len <= max) {
		ssize_t n = read(fd, at + len, max + 1 - len);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) e = why_errno(why, "can't read %s %s", what, path);
		if (n <= 0) break;
		len += (size_t)n;
	}
	if (at) out->len -= max + 1 - len;
	if (e == OK && len > max)
		e = why_set(why, E_LIMIT, "%s %s is longer than %zu bytes", what, path, max);
	return e;
}

enum err userfile_read(
	const char *path, const char *what, size_t max, struct buf *out, struct why *why) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum err e;

	if (fd < 0) return why_errno(why, "can't open %s %s", what, path);
	e = read_to_end(fd, path, what, max, out, why);
	(void)close(fd); /* read only: nothing can be lost */
	return e;
}

enum err userfile_read_stdin(const char *what, size_t max, struct buf *out, struct why *why) {
	return read_to_end(STDIN_FILENO, "from standard input", what, max, out, why);
}

static bool write_and_sync(int fd, struct span bytes) {
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return false;
		bytes = span_skip(bytes, (size_t)n);
	}
	return fsync(fd) == 0;
}

static bool set_and_write(int fd, struct span bytes) {
	/* The umask may have taken the owner's rights away. */
	return fchmod(fd, 0600) == 0 && write_and_sync(fd, bytes);
}

static bool close_after(int fd, bool ok) {
	int saved = errno;
	bool closed = close(fd) == 0;

	if (!ok) errno = saved;
	return ok && closed;
}

/*
 * The file gets its name when it is whole: whoever is killed leaves all of it or nothing. Not every file system has
 * files without a name, nor every machine /proc: ${is_able} says so.
 */
static bool write_unnamed(int folder, const char *name, struct span bytes, bool *is_able) {
	char self[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int fd = openat(folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	bool ok;

	*is_able = fd >= 0;
	if (fd < 0) return false;
	ok = set_and_write(fd, bytes);
	if (ok) {
		(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		ok = linkat(AT_FDCWD, self, folder, name, AT_SYMLINK_FOLLOW) == 0;
		*is_able = ok || errno == EEXIST;
	}
	return close_after(fd, ok);
}

static bool write_named(int folder, const char *name, struct span bytes) {
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	int fd = openat(folder, name, flags, 0600);

	if (fd < 0) return false;
	if (close_after(fd, set_and_write(fd, bytes))) return true;
	int saved = errno;
	(void)unlinkat(folder, name, 0); /* ours; if it stays, the error stands all the same */
	errno = saved;
	return false;
}

/* For openat; ${name}: where the last part of ${path} begins. */
static int open_folder_of(const char *path, const char **name) {
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";

	*name = slash ? slash + 1 : path;
	if (slash && (size_t)(slash - path) + 2 > sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash) (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* A folder that may be written but not read can't be synced. */
static bool sync_folder(int folder) {
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) return errno == EACCES;
	return close_after(fd, fsync(fd) == 0 || errno == EINVAL);
}

enum err userfile_write_new(
	const char *path, const char *what, struct span bytes, struct why *why) {
	const char *name;
	enum err e = OK;
	bool is_able = true;
	int folder = open_folder_of(path, &name);
	bool ok = folder >= 0 && write_unnamed(folder, name, bytes, &is_able);

	if (!is_able) ok = write_named(folder, name, bytes);
	if (ok && !sync_folder(folder)) {
		ok = false;
		int saved = errno;
		(void)unlinkat(folder, name, 0);
		errno = saved;
	}
	if (!ok) e = why_errno(why, "can't write %s to %s", what, path);
	if (folder >= 0) (void)close(folder);
	return e;
}

enum err userfile_look(const char *path, bool follow, enum userfile_kind *out, struct why *why) {
	struct stat st;

	*out = USERFILE_NONE;
	if (fstatat(AT_FDCWD, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? OK : why_errno(why, "can't look at %s", path);
	*out = S_ISREG(st.st_mode) ? USERFILE_FILE
		: S_ISDIR(st.st_mode)  ? USERFILE_FOLDER
							   : USERFILE_OTHER;
	return OK;
}
