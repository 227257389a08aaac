#include "os/userfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

enum err userfile_write_new(
	const char *path, const char *what, struct span bytes, struct why *why) {
	enum err e = OK;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	if (fd < 0) return why_errno(why, "can't write %s to %s", what, path);
	/* The umask may have taken the owner's rights away. */
	if (fchmod(fd, 0600) != 0 || !write_and_sync(fd, bytes))
		e = why_errno(why, "can't write %s to %s", what, path);
	if (close(fd) != 0 && e == OK) e = why_errno(why, "can't write %s to %s", what, path);
	if (e != OK)
		(void)unlink(path); /* made above, so ours; if it stays, the error stands all the same */
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
