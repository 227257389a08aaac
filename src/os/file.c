#include "os/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, READ_STEP = 65536 };

static int open_again(int at, const char *path, int flags, mode_t mode) {
	int fd;
	do {
		fd = openat(at, path, flags | O_CLOEXEC | O_NOCTTY, mode);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

enum err file_open_folder(int at, const char *path, int *fd, struct why *why) {
	int got = open_again(at, path, O_RDONLY | O_DIRECTORY, 0);
	if (got < 0) return why_errno(why, "%s", path);
	*fd = got;
	return OK;
}

enum err file_open_read(int at, const char *path, int *fd, struct why *why) {
	int got = open_again(at, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (got < 0) {
		if (errno == ELOOP) return why_set(why, E_IO, "%s: is a symbolic link", path);
		return why_errno(why, "%s", path);
	}
	struct stat st;
	if (fstat(got, &st) == 0 && S_ISREG(st.st_mode)) {
		*fd = got;
		return OK;
	}
	file_close(&got);
	return why_set(why, E_IO, "%s: is not a regular file", path);
}

void file_close(int *fd) {
	/*
	 * Linux closes the descriptor also when it reports EINTR: closing again would hit somebody
	 * else's.
	 */
	if (*fd >= 0) (void)close(*fd);
	*fd = -1;
}

/* The folder that ${path} is in. Without a slash that is ${at} itself, opened anew. */
static enum err open_parent(int at, const char *path, int *fd, struct why *why) {
	const char *slash = strrchr(path, '/');
	char parent[PATH_BYTES];
	size_t len = slash ? (size_t)(slash - path) : 0;
	if (len >= sizeof parent) return why_set(why, E_LIMIT, "a path is longer than 4,095 bytes");
	if (!slash) {
		memcpy(parent, ".", 2);
	} else if (len == 0) {
		memcpy(parent, "/", 2);
	} else {
		memcpy(parent, path, len);
		parent[len] = 0;
	}
	return file_open_folder(at, parent, fd, why);
}

/*
 * The mode asked for, where the umask took bits away. File systems without modes refuse, and have
 * none to lose.
 */
static void correct_mode(int fd, mode_t mode) {
	struct stat st;
	if (fstat(fd, &st) != 0 || (st.st_mode & 0777) == mode) return;
	(void)fchmod(fd, (st.st_mode & 07000) | mode);
}

static enum err made_folder(int at, const char *path, mode_t mode, struct why *why) {
	int parent = -1;
	enum err e = open_parent(at, path, &parent, why);
	if (e != OK) return e;
	e = file_sync_folder(parent, why);
	file_close(&parent);
	if (e != OK) return e;
	struct stat st;
	if (fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) != 0) return why_errno(why, "%s", path);
	/* Through the name: with an odd umask the folder cannot be opened yet. */
	if ((st.st_mode & 0777) != mode && fchmodat(at, path, (st.st_mode & 07000) | mode, 0) != 0) {
		/* A file system without modes refuses: the folder is there all the same. */
	}
	return OK;
}

enum err file_make_folder(int at, const char *path, mode_t mode, struct why *why) {
	if (mkdirat(at, path, mode) == 0) return made_folder(at, path, mode, why);
	if (errno != EEXIST) return why_errno(why, "%s", path);
	struct stat st;
	if (fstatat(at, path, &st, 0) != 0) return why_errno(why, "%s", path);
	if (!S_ISDIR(st.st_mode)) return why_set(why, E_IO, "%s: is not a folder", path);
	return OK;
}

enum err file_make_folders(int at, const char *path, mode_t mode, struct why *why) {
	char part[PATH_BYTES];
	size_t len = strlen(path);
	if (len >= sizeof part) return why_set(why, E_LIMIT, "a path is longer than 4,095 bytes");
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != 0) continue;
		if (part[i - 1] == '/') continue;
		char kept = part[i];
		part[i] = 0;
		enum err e = file_make_folder(at, part, mode, why);
		part[i] = kept;
		if (e != OK) return e;
	}
	return OK;
}

/* Some bytes at the descriptor's position: 0 at the end, -1 with errno. */
static ssize_t read_some(int fd, void *to, size_t n) {
	ssize_t got;
	do {
		got = read(fd, to, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

static enum err read_rest(int fd, const char *path, size_t max, struct buf *out, struct why *why) {
	size_t start = out->len;
	for (;;) {
		size_t had = out->len - start;
		uint8_t *at;
		/* One byte beyond the maximum tells a file that is too long from one that just fits. */
		size_t step = max - had < READ_STEP ? max - had : READ_STEP;
		uint8_t beyond;
		if (step == 0) {
			ssize_t more = read_some(fd, &beyond, 1);
			if (more < 0) return why_errno(why, "%s", path);
			if (more == 0) return OK;
			return why_set(why, E_LIMIT, "%s: is larger than %zu bytes", path, max);
		}
		enum err e = buf_extend(out, step, &at);
		if (e != OK) return why_err(why, e, path);
		ssize_t got = read_some(fd, at, step);
		out->len -= step - (got > 0 ? (size_t)got : 0);
		if (got < 0) return why_errno(why, "%s", path);
		if (got == 0) return OK;
	}
}

enum err file_read_whole(int at, const char *path, size_t max, struct buf *out, struct why *why) {
	int fd = -1;
	enum err e = file_open_read(at, path, &fd, why);
	if (e != OK) return e;
	size_t start = out->len;
	struct stat st;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		if ((uint64_t)st.st_size > max) {
			e = why_set(why, E_LIMIT, "%s: is larger than %zu bytes", path, max);
			goto out;
		}
		e = buf_reserve(out, (size_t)st.st_size);
		if (e != OK) {
			e = why_err(why, e, path);
			goto out;
		}
	}
	e = read_rest(fd, path, max, out, why);
out:
	if (e != OK) out->len = start;
	file_close(&fd);
	return e;
}

enum err file_read_at(int fd, uint64_t offset, void *to, size_t n, struct why *why) {
	uint8_t *at = to;
	if (offset > INT64_MAX || n > INT64_MAX - offset)
		return why_set(why, E_FORMAT, "the file ends before byte %" PRIu64, offset);
	while (n > 0) {
		ssize_t got = pread(fd, at, n, (off_t)offset);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return why_errno(why, "cannot read at byte %" PRIu64, offset);
		if (got == 0) return why_set(why, E_FORMAT, "the file ends at byte %" PRIu64, offset);
		at += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return OK;
}

enum err file_write_all(int fd, struct span bytes, struct why *why) {
	while (bytes.len > 0) {
		ssize_t put = write(fd, bytes.ptr, bytes.len);
		if (put < 0 && errno == EINTR) continue;
		if (put < 0) return why_errno(why, "cannot write");
		if (put == 0) return why_set(why, E_IO, "cannot write: the system takes no bytes");
		bytes = span_skip(bytes, (size_t)put);
	}
	return OK;
}

static int sync_again(int fd) {
	int r;
	do {
		r = fsync(fd);
	} while (r != 0 && errno == EINTR);
	return r;
}

enum err file_sync(int fd, struct why *why) {
	if (sync_again(fd) == 0) return OK;
	return why_errno(why, "the disk did not take what was written");
}

enum err file_sync_folder(int fd, struct why *why) {
	if (sync_again(fd) == 0) return OK;
	/* These say that there is no such thing as syncing a folder here, not that it failed. */
	if (errno == EINVAL || errno == ENOTSUP || errno == ENOSYS) return OK;
	return why_errno(why, "the disk did not take the names that were written");
}

/*
 * Makes the file ${name}, which must not be there, with ${bytes}, synced. Leaves it open. Removes
 * it on failure.
 */
static enum err write_new(
	int folder, const char *name, struct span bytes, mode_t mode, int *out, struct why *why) {
	int fd = open_again(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	if (fd < 0) return why_errno(why, "%s", name);
	correct_mode(fd, mode);
	enum err e = file_write_all(fd, bytes, why);
	if (e == OK) e = file_sync(fd, why);
	if (e == OK) {
		*out = fd;
		return OK;
	}
	file_close(&fd);
	(void)unlinkat(folder, name, 0);
	return e;
}

enum err file_replace(
	int folder, const char *name, struct span bytes, mode_t mode, struct why *why) {
	static _Atomic unsigned counter;
	char temp[80];
	int fd = -1;
	/* Two processes, or two threads, that replace the same file do not meet; the last one wins. */
	(void)snprintf(temp, sizeof temp, ".new-%ld-%u", (long)getpid(), atomic_fetch_add(&counter, 1));
	(void)unlinkat(folder, temp, 0); /* of a process that had the same number and was killed */
	enum err e = write_new(folder, temp, bytes, mode, &fd, why);
	if (e != OK) return e;
	file_close(&fd);
	if (renameat(folder, temp, folder, name) != 0) {
		e = why_errno(why, "%s", name);
		(void)unlinkat(folder, temp, 0);
		return e;
	}
	return file_sync_folder(folder, why);
}

/*
 * Whether ${path} is the very file that ${fd} is: how a lost reply, and a repeated request, are
 * told from a rival.
 */
static bool is_ours(int fd, int at, const char *path) {
	struct stat ours, there;
	if (fstat(fd, &ours) != 0) return false;
	if (fstatat(at, path, &there, AT_SYMLINK_NOFOLLOW) != 0) return false;
	return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static bool links_refused(int number) {
	return number == EPERM || number == EACCES || number == ENOTSUP || number == ENOSYS ||
		number == EMLINK || number == EINVAL;
}

static enum err put_in_place(const struct file_place *p, int fd, struct why *why) {
	int r = -1;
	errno = ENOSYS;
	if (p->way != FILE_WAY_RENAME) r = linkat(p->tmp, p->temp, p->at, p->path, 0);
	if (r != 0 && p->way != FILE_WAY_LINK && links_refused(errno))
		r = renameat2(p->tmp, p->temp, p->at, p->path, RENAME_NOREPLACE);
	if (r == 0) return OK;
	int number = errno;
	if (is_ours(fd, p->at, p->path)) return OK;
	errno = number;
	if (number == EEXIST) return why_set(why, E_EXISTS, "%s: is there already", p->path);
	if (number == EINVAL || number == ENOSYS || number == ENOTSUP)
		return why_set(why, E_UNSUPPORTED, "the file system cannot put a file in place only once");
	return why_errno(why, "%s", p->path);
}

enum err file_place_new(const struct file_place *p, struct span bytes, struct why *why) {
	int fd = -1;
	enum err e = write_new(p->tmp, p->temp, bytes, p->mode, &fd, why);
	if (e != OK) return e;
	e = put_in_place(p, fd, why);
	/*
	 * Gone already where it was renamed. What is left here is an old name in a folder that gets
	 * cleaned.
	 */
	(void)unlinkat(p->tmp, p->temp, 0);
	file_close(&fd);
	return e;
}

enum err file_remove(int at, const char *path, struct why *why) {
	if (unlinkat(at, path, 0) != 0) return why_errno(why, "%s", path);
	return OK;
}

enum err file_list(int at, const char *path, file_visit *visit, void *ctx, struct why *why) {
	int fd = -1;
	enum err e = file_open_folder(at, path, &fd, why);
	if (e != OK) return e;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		e = why_errno(why, "%s", path);
		file_close(&fd);
		return e;
	}
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry) {
			if (errno != 0) e = why_errno(why, "%s", path);
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		e = visit(ctx, entry, why);
		if (e != OK) break;
	}
	(void)closedir(dir);
	return e;
}
