/* Putting single entries in place: see makeput.h. */
#include "makeput.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* 1990 to 2030: where nothing special is meant by a time. */
#define STAMP_FROM 631152000
#define STAMP_SPAN 1262304000U

bool makeput_refused(struct makeput *m, const char *what, const char *name) {
	switch (errno) {
	case ENOTSUP:
	case ENOSPC: /* what ext4 says of an attribute too large for it */
	case EDQUOT:
	case E2BIG:
	case EINVAL:
	case ERANGE:
	case EMLINK:
	case ENAMETOOLONG:
	case EFBIG:
	case EILSEQ:
	case EEXIST: break;
	default: treelib_die("%s", what);
	}
	(void)fprintf(stderr, "maketree: left out: %s ", what);
	treelib_escape(stderr, name, strnlen(name, 40), false);
	(void)fprintf(stderr, ": %s\n", strerror(errno));
	m->left_out++;
	return false;
}

int makeput_dir(struct makeput *m, int dir, const char *name) {
	int fd;

	if (mkdirat(dir, name, 0755) != 0) {
		(void)makeput_refused(m, "directory", name);
		return -1;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) treelib_die("opening a new directory");
	m->entries++;
	return fd;
}

void makeput_dir_close(struct makeput *m, int dir, const char *name, int fd) {
	if (close(fd) != 0) treelib_die("closing a directory");
	makeput_stamp(m, dir, name);
}

static int file_create(struct makeput *m, int dir, const char *name, mode_t mode) {
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0) (void)makeput_refused(m, "file", name);
	else m->entries++;
	return fd;
}

static void stamp_next(struct makeput *m, struct timespec ts[2]) {
	ts[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
	ts[1].tv_sec = (time_t)(STAMP_FROM + treelib_below(&m->rng, STAMP_SPAN));
	ts[1].tv_nsec = (long)treelib_below(&m->rng, 1000000000);
}

bool makeput_file(
	struct makeput *m, int dir, const char *name, mode_t mode, const void *data, size_t len) {
	int fd = file_create(m, dir, name, mode & 0777);

	if (fd < 0) return false;
	makeput_write(fd, data, len, 0);
	if ((mode & 07000) != 0 && fchmod(fd, mode) != 0) treelib_die("mode %o of a file", mode);
	makeput_file_close(m, fd);
	return true;
}

int makeput_file_open(struct makeput *m, int dir, const char *name) {
	int fd = file_create(m, dir, name, 0644);

	if (fd < 0) treelib_die("making a file");
	return fd;
}

void makeput_file_close(struct makeput *m, int fd) {
	struct timespec ts[2];

	stamp_next(m, ts);
	if (futimens(fd, ts) != 0) treelib_die("time of a file");
	if (close(fd) != 0) treelib_die("closing a file");
}

void makeput_write(int fd, const void *data, size_t len, off_t at) {
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n <= 0) treelib_die("writing a file");
		p += n;
		at += n;
		len -= (size_t)n;
	}
}

bool makeput_symlink(struct makeput *m, int dir, const char *name, const char *target) {
	if (symlinkat(target, dir, name) != 0) return makeput_refused(m, "symbolic link", name);
	m->entries++;
	makeput_stamp(m, dir, name);
	return true;
}

bool makeput_node(struct makeput *m, int dir, const char *name, mode_t mode, dev_t rdev) {
	if (mknodat(dir, name, mode, rdev) != 0) return makeput_refused(m, "special file", name);
	m->entries++;
	if ((mode & 07000) != 0) makeput_mode(dir, name, mode & 07777);
	makeput_stamp(m, dir, name);
	return true;
}

bool makeput_link(struct makeput *m, int from_dir, const char *from, int to_dir, const char *to) {
	if (linkat(from_dir, from, to_dir, to, 0) != 0) return makeput_refused(m, "hard link", to);
	m->entries++;
	return true;
}

void makeput_stamp(struct makeput *m, int dir, const char *name) {
	struct timespec ts[2];

	stamp_next(m, ts);
	if (utimensat(dir, name, ts, AT_SYMLINK_NOFOLLOW) != 0) treelib_die("time of an entry");
}

void makeput_time(struct makeput *m, int dir, const char *name, int64_t sec, int32_t nsec) {
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = sec, .tv_nsec = nsec } };
	struct stat st;

	if (utimensat(dir, name, ts, AT_SYMLINK_NOFOLLOW) != 0) {
		(void)makeput_refused(m, "time", name);
		return;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) treelib_die("reading a time back");
	if (st.st_mtim.tv_sec != sec || st.st_mtim.tv_nsec != nsec) {
		(void)fprintf(stderr,
			"maketree: left out: time %" PRId64 ".%09" PRId32
			": the file system keeps %lld.%09ld instead\n",
			sec, nsec, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		m->left_out++;
	}
}

void makeput_mode(int dir, const char *name, mode_t mode) {
	if (fchmodat(dir, name, mode, 0) != 0) treelib_die("mode %o", mode);
}

void makeput_owner(int dir, const char *name, uid_t uid, gid_t gid) {
	if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
		treelib_die("owner %u:%u", uid, gid);
}

bool makeput_xattr(
	struct makeput *m, int dir, const char *name, const char *attr, const void *value, size_t len) {
	char path[TREELIB_PATH_MAX];

	treelib_proc_path(path, dir, name);
	if (lsetxattr(path, attr, value, len, 0) != 0)
		return makeput_refused(m, "extended attribute", attr);
	return true;
}
