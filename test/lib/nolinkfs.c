/*
 * nolinkfs: a file system that shows a folder of another one, and lacks or breaks what its options
 * say: hard links, renames that replace nothing, space, syncing. For the tests of stores on file
 * systems that a test machine doesn't have. Nothing is cached, so that each call arrives here.
 */
#define FUSE_USE_VERSION 31

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: nolinkfs [options] FOLDER MOUNTPOINT     (fusermount3 -u MOUNTPOINT ends it)\n"
	"  --no-link[=ERRNO]       no hard links (EPERM)\n"
	"  --no-noreplace[=ERRNO]  no renameat2 with flags (EINVAL)\n"
	"  --fail OP:N:ERRNO       the first N calls of OP work, all after them fail; several times.\n"
	"                          OP: read write create open link rename unlink mkdir truncate fsync\n"
	"                          fsyncdir; bytes counts bytes written; any counts all that change\n"
	"  --once                  --fail fails one call, and works again after it\n"
	"  --lie OP:N              like --fail, but does what was asked, and then says EIO\n"
	"  --short-writes N        each N-th write takes only half\n"
	"  --log FILE              at the end, the number of calls and of refusals by OP\n"
	"  --allow-other           other users may use it\n"
	"  --foreground            don't go into the background once it is mounted\n";

enum op {
	OP_READ,
	OP_WRITE,
	OP_CREATE,
	OP_OPEN,
	OP_LINK,
	OP_RENAME,
	OP_NOREPLACE,
	OP_UNLINK,
	OP_MKDIR,
	OP_TRUNCATE,
	OP_FSYNC,
	OP_FSYNCDIR,
	OP_BYTES,
	OP_ANY,
	OPS
};

static const char *const OP_NAMES[OPS] = { "read", "write", "create", "open", "link", "rename",
	"noreplace", "unlink", "mkdir", "truncate", "fsync", "fsyncdir", "bytes", "any" };

static const struct {
	const char *name;
	int number;
} ERRNOS[] = {
	{ "EPERM", EPERM },
	{ "EINVAL", EINVAL },
	{ "ENOTSUP", ENOTSUP },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "ENOSYS", ENOSYS },
	{ "EIO", EIO },
	{ "ENOSPC", ENOSPC },
	{ "EDQUOT", EDQUOT },
	{ "EMLINK", EMLINK },
	{ "EACCES", EACCES },
	{ "EROFS", EROFS },
	{ "ESTALE", ESTALE },
	{ "EXDEV", EXDEV },
	{ "EINTR", EINTR },
	{ "EAGAIN", EAGAIN },
};

static struct {
	int source;
	int link_errno;      /* 0: has hard links */
	int noreplace_errno; /* 0: has renames that replace nothing */
	struct {
		int fail_errno; /* 0: never fails */
		bool lies;
		uint64_t after;
	} fault[OPS];
	bool once;
	uint64_t short_every;
	FILE *log;
	atomic_uint_fast64_t calls[OPS], refused[OPS];
} fs;

/* Counts a call; returns 0, or the errno that it must fail with. ${lies}: done first. */
static int counted(enum op op, uint64_t by, bool *lies) {
	uint64_t before = atomic_fetch_add(&fs.calls[op], by);
	bool beyond = before + by > fs.fault[op].after;

	if (fs.fault[op].fail_errno == 0 || !beyond) return 0;
	if (fs.once && before > fs.fault[op].after) return 0;
	atomic_fetch_add(&fs.refused[op], 1);
	*lies = fs.fault[op].lies;
	return fs.fault[op].fail_errno;
}

/*
 * At the start of each call: what the call has to answer in the end. ${*skip} is set where it
 * must answer without doing anything.
 */
static int begin(enum op op, bool *skip) {
	bool lies = false;
	int e = counted(op, 1, &lies);

	if (e == 0 && op != OP_READ && op != OP_OPEN) e = counted(OP_ANY, 1, &lies);
	*skip = e != 0 && !lies;
	return -e;
}

/* At the end: the result of the call itself, unless it worked and a lie is due. */
static int end(int result, int answer) {
	if (result < 0) return -errno;
	return answer != 0 ? answer : result;
}

static const char *at(const char *path) {
	return path[1] == '\0' ? "." : path + 1;
}

static void proc_path(char out[64], int fd) {
	(void)snprintf(out, 64, "/proc/self/fd/%d", fd);
}

/* --- what only passes on --- */

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi) {
	if (fi != NULL) return end(fstat((int)fi->fh, st), 0);
	return end(fstatat(fs.source, at(path), st, AT_SYMLINK_NOFOLLOW), 0);
}

static int fs_readlink(const char *path, char *out, size_t size) {
	ssize_t n = readlinkat(fs.source, at(path), out, size - 1);

	if (n < 0) return -errno;
	out[n] = '\0';
	return 0;
}

static int fs_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
	struct fuse_file_info *fi, enum fuse_readdir_flags flags) {
	int fd = openat(fs.source, at(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;

	(void)offset;
	(void)fi;
	(void)flags;
	if (dir == NULL) return -errno;
	while ((d = readdir(dir)) != NULL) {
		struct stat st = { .st_ino = d->d_ino, .st_mode = DTTOIF((mode_t)d->d_type) };

		if (fill(buf, d->d_name, &st, 0, (enum fuse_fill_dir_flags)0) != 0) break;
	}
	(void)closedir(dir);
	return 0;
}

static int fs_mknod(const char *path, mode_t mode, dev_t dev) {
	return end(mknodat(fs.source, at(path), mode, dev), 0);
}

static int fs_rmdir(const char *path) {
	return end(unlinkat(fs.source, at(path), AT_REMOVEDIR), 0);
}

static int fs_symlink(const char *target, const char *path) {
	return end(symlinkat(target, fs.source, at(path)), 0);
}

static int fs_chmod(const char *path, mode_t mode, struct fuse_file_info *fi) {
	if (fi != NULL) return end(fchmod((int)fi->fh, mode), 0);
	return end(fchmodat(fs.source, at(path), mode, 0), 0);
}

static int fs_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi) {
	if (fi != NULL) return end(fchown((int)fi->fh, uid, gid), 0);
	return end(fchownat(fs.source, at(path), uid, gid, AT_SYMLINK_NOFOLLOW), 0);
}

static int fs_utimens(const char *path, const struct timespec ts[2], struct fuse_file_info *fi) {
	if (fi != NULL) return end(futimens((int)fi->fh, ts), 0);
	return end(utimensat(fs.source, at(path), ts, AT_SYMLINK_NOFOLLOW), 0);
}

static int fs_statfs(const char *path, struct statvfs *out) {
	(void)path;
	return end(fstatvfs(fs.source, out), 0);
}

static int fs_release(const char *path, struct fuse_file_info *fi) {
	(void)path;
	return end(close((int)fi->fh), 0);
}

static off_t fs_lseek(const char *path, off_t off, int whence, struct fuse_file_info *fi) {
	off_t result = lseek((int)fi->fh, off, whence);

	(void)path;
	return result < 0 ? -errno : result;
}

static int fs_fallocate(
	const char *path, int mode, off_t off, off_t len, struct fuse_file_info *fi) {
	(void)path;
	return end(fallocate((int)fi->fh, mode, off, len), 0);
}

/* Attributes go by a path through the entry's own descriptor, which follows no link. */
static int xattr_open(const char *path, char out[64]) {
	int fd = openat(fs.source, at(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0) proc_path(out, fd);
	return fd;
}

static int xattr_close(int fd, ssize_t result) {
	int e = errno;

	(void)close(fd);
	return result < 0 ? -e : (int)result;
}

static int fs_setxattr(
	const char *path, const char *name, const char *value, size_t size, int flags) {
	char proc[64];
	int fd = xattr_open(path, proc);

	return fd < 0 ? -errno : xattr_close(fd, setxattr(proc, name, value, size, flags));
}

static int fs_getxattr(const char *path, const char *name, char *value, size_t size) {
	char proc[64];
	int fd = xattr_open(path, proc);

	return fd < 0 ? -errno : xattr_close(fd, getxattr(proc, name, value, size));
}

static int fs_listxattr(const char *path, char *list, size_t size) {
	char proc[64];
	int fd = xattr_open(path, proc);

	return fd < 0 ? -errno : xattr_close(fd, listxattr(proc, list, size));
}

static int fs_removexattr(const char *path, const char *name) {
	char proc[64];
	int fd = xattr_open(path, proc);

	return fd < 0 ? -errno : xattr_close(fd, removexattr(proc, name));
}

/* --- what can be missing or made to fail --- */

static int fs_link(const char *from, const char *to) {
	bool skip;
	int answer = begin(OP_LINK, &skip);

	if (fs.link_errno != 0) {
		atomic_fetch_add(&fs.refused[OP_LINK], 1);
		return -fs.link_errno;
	}
	if (skip) return answer;
	return end(linkat(fs.source, at(from), fs.source, at(to), 0), answer);
}

static int fs_rename(const char *from, const char *to, unsigned flags) {
	enum op op = flags != 0 ? OP_NOREPLACE : OP_RENAME;
	bool skip;
	int answer = begin(op, &skip);

	if (flags != 0 && fs.noreplace_errno != 0) {
		atomic_fetch_add(&fs.refused[op], 1);
		return -fs.noreplace_errno;
	}
	if (skip) return answer;
	return end(renameat2(fs.source, at(from), fs.source, at(to), flags), answer);
}

static int fs_unlink(const char *path) {
	bool skip;
	int answer = begin(OP_UNLINK, &skip);

	return skip ? answer : end(unlinkat(fs.source, at(path), 0), answer);
}

static int fs_mkdir(const char *path, mode_t mode) {
	bool skip;
	int answer = begin(OP_MKDIR, &skip);

	return skip ? answer : end(mkdirat(fs.source, at(path), mode), answer);
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *fi) {
	bool skip;
	int answer = begin(OP_TRUNCATE, &skip), fd, result;

	if (skip) return answer;
	if (fi != NULL) return end(ftruncate((int)fi->fh, size), answer);
	fd = openat(fs.source, at(path), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) return -errno;
	result = end(ftruncate(fd, size), answer);
	(void)close(fd);
	return result;
}

static int opened(const char *path, int flags, mode_t mode, struct fuse_file_info *fi, int answer) {
	int fd = openat(fs.source, at(path), (flags & ~O_NOFOLLOW) | O_CLOEXEC, mode);

	if (fd < 0) return -errno;
	if (answer != 0) {
		(void)close(fd);
		return answer;
	}
	fi->fh = (uint64_t)fd;
	fi->direct_io = fs.short_every > 0; /* else the kernel makes an error of a short write */
	return 0;
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *fi) {
	bool skip;
	int answer = begin(OP_CREATE, &skip);

	return skip ? answer : opened(path, fi->flags | O_CREAT, mode, fi, answer);
}

static int fs_open(const char *path, struct fuse_file_info *fi) {
	bool skip;
	int answer = begin(OP_OPEN, &skip);

	return skip ? answer : opened(path, fi->flags, 0, fi, answer);
}

static int fs_read(const char *path, char *out, size_t size, off_t off, struct fuse_file_info *fi) {
	bool skip;
	int answer = begin(OP_READ, &skip);

	(void)path;
	return skip ? answer : end((int)pread((int)fi->fh, out, size, off), answer);
}

static int fs_write(
	const char *path, const char *data, size_t size, off_t off, struct fuse_file_info *fi) {
	bool skip, lies = false;
	int answer = begin(OP_WRITE, &skip);

	(void)path;
	if (skip) return answer;
	if (answer == 0) {
		answer = -counted(OP_BYTES, size, &lies);
		if (answer != 0 && !lies) return answer;
	}
	if (fs.short_every > 0 && size > 1 && atomic_load(&fs.calls[OP_WRITE]) % fs.short_every == 0)
		size /= 2;
	return end((int)pwrite((int)fi->fh, data, size, off), answer);
}

static int fs_fsync(const char *path, int data_only, struct fuse_file_info *fi) {
	bool skip;
	int answer = begin(OP_FSYNC, &skip);

	(void)path;
	(void)data_only;
	return skip ? answer : end(fsync((int)fi->fh), answer);
}

static int fs_fsyncdir(const char *path, int data_only, struct fuse_file_info *fi) {
	bool skip;
	int answer = begin(OP_FSYNCDIR, &skip), fd, result;

	(void)data_only;
	(void)fi;
	if (skip) return answer;
	fd = openat(fs.source, at(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return -errno;
	result = end(fsync(fd), answer);
	(void)close(fd);
	return result;
}

static void *fs_init(struct fuse_conn_info *conn, struct fuse_config *config) {
	(void)conn;
	config->use_ino = 1;
	config->hard_remove = 1;
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	return NULL;
}

static void fs_destroy(void *data) {
	(void)data;
	if (fs.log == NULL) return;
	for (size_t i = 0; i < OPS; i++)
		(void)fprintf(fs.log, "%s calls=%" PRIuFAST64 " refused=%" PRIuFAST64 "\n", OP_NAMES[i],
			atomic_load(&fs.calls[i]), atomic_load(&fs.refused[i]));
	(void)fclose(fs.log);
}

static const struct fuse_operations OPERATIONS = {
	.getattr = fs_getattr,
	.readlink = fs_readlink,
	.readdir = fs_readdir,
	.mknod = fs_mknod,
	.mkdir = fs_mkdir,
	.unlink = fs_unlink,
	.rmdir = fs_rmdir,
	.symlink = fs_symlink,
	.rename = fs_rename,
	.link = fs_link,
	.chmod = fs_chmod,
	.chown = fs_chown,
	.truncate = fs_truncate,
	.utimens = fs_utimens,
	.open = fs_open,
	.create = fs_create,
	.read = fs_read,
	.write = fs_write,
	.statfs = fs_statfs,
	.release = fs_release,
	.fsync = fs_fsync,
	.fsyncdir = fs_fsyncdir,
	.setxattr = fs_setxattr,
	.getxattr = fs_getxattr,
	.listxattr = fs_listxattr,
	.removexattr = fs_removexattr,
	.fallocate = fs_fallocate,
	.lseek = fs_lseek,
	.init = fs_init,
	.destroy = fs_destroy,
};

/* --- options --- */

static void usage(const char *what) {
	(void)fprintf(stderr, "nolinkfs: %s\n%s", what, USAGE);
	exit(2);
}

static int errno_named(const char *name) {
	for (size_t i = 0; i < sizeof(ERRNOS) / sizeof(ERRNOS[0]); i++)
		if (strcmp(ERRNOS[i].name, name) == 0) return ERRNOS[i].number;
	usage("unknown ERRNO");
	return 0;
}

/* "OP:N" or "OP:N:ERRNO" */
static void fault_read(const char *text, bool lies) {
	char name[16], error[16] = "EIO";
	uint64_t after;
	int got = sscanf(text, "%15[a-z]:%" SCNu64 ":%15s", name, &after, error);

	if (got != (lies ? 2 : 3)) usage(lies ? "--lie takes OP:N" : "--fail takes OP:N:ERRNO");
	for (size_t i = 0; i < OPS; i++) {
		if (strcmp(OP_NAMES[i], name) != 0) continue;
		fs.fault[i].fail_errno = errno_named(error);
		fs.fault[i].lies = lies;
		fs.fault[i].after = after;
		return;
	}
	usage("unknown OP");
}

static const struct option OPTIONS[] = {
	{ "no-link", optional_argument, NULL, 'l' },
	{ "no-noreplace", optional_argument, NULL, 'r' },
	{ "fail", required_argument, NULL, 'f' },
	{ "lie", required_argument, NULL, 'i' },
	{ "once", no_argument, NULL, 'o' },
	{ "short-writes", required_argument, NULL, 's' },
	{ "log", required_argument, NULL, 'g' },
	{ "allow-other", no_argument, NULL, 'a' },
	{ "foreground", no_argument, NULL, 'd' },
	{ 0 },
};

int main(int argc, char **argv) {
	char fuse_options[] = "fsname=nolinkfs,default_permissions,allow_other";
	bool allow_other = false, foreground = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (opt) {
		case 'l': fs.link_errno = optarg != NULL ? errno_named(optarg) : EPERM; break;
		case 'r': fs.noreplace_errno = optarg != NULL ? errno_named(optarg) : EINVAL; break;
		case 'f': fault_read(optarg, false); break;
		case 'i': fault_read(optarg, true); break;
		case 'o': fs.once = true; break;
		case 's': fs.short_every = strtoul(optarg, NULL, 10); break;
		case 'g': fs.log = fopen(optarg, "we"); break;
		case 'a': allow_other = true; break;
		case 'd': foreground = true; break;
		default: usage("unknown option");
		}
	}
	if (argc - optind != 2) usage("FOLDER and MOUNTPOINT are needed");
	fs.source = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs.source < 0) {
		perror(argv[optind]);
		return 1;
	}
	(void)umask(0); /* the kernel has applied the caller's */
	if (!allow_other) *strrchr(fuse_options, ',') = '\0';
	char *fuse_argv[] = { argv[0], argv[optind + 1], (char[]){ "-o" }, fuse_options,
		(char[]){ "-f" }, NULL };
	return fuse_main(foreground ? 5 : 4, fuse_argv, &OPERATIONS, NULL);
}
