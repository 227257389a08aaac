/*
 * altertree: the other half of treecmp's test. Makes a small tree of known entries, and alters a
 * copy of it in exactly one attribute, all others (times too) staying as they were. Each
 * alteration says which lines treecmp must print for it; test-treecmp goes through all of them.
 */
#include "altermake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* An alteration's function gets the entry's path; it runs in the top of the tree. */
struct kind {
	const char *name;
	const char *path;
	void (*alter)(const char *path, const char *with);
	const char *with;
	const char *expect; /* class:path as treecmp escapes it, sorted, one space between */
	bool root;
	bool time; /* alters the time: so it isn't put back */
};

static void must(bool done, const char *what) {
	if (!done) treelib_die("%s", what);
}

/* Numbers in ${with}: small and known. */
static long number(const char *text) {
	return text[0] == '-' ? -(long)treelib_number(text + 1, 0, 99999999, text)
						  : (long)treelib_number(text, 0, 99999999, text);
}

/* Flips one bit of the byte at ${with}. */
static void flip(const char *path, const char *with) {
	int fd = open(path, O_RDWR);
	char c = 0;

	must(fd >= 0 && pread(fd, &c, 1, number(with)) == 1, "reading a byte");
	c ^= 1;
	must(pwrite(fd, &c, 1, number(with)) == 1 && close(fd) == 0, "writing a byte");
}

/* Writes a zero byte at ${with}: into a hole, that fills its block. */
static void zero(const char *path, const char *with) {
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && pwrite(fd, "", 1, number(with)) == 1 && close(fd) == 0, "writing a zero");
}

static void resize(const char *path, const char *with) {
	must(truncate(path, number(with)) == 0, "a size");
}

/* Flips the bits of ${with}, in octal. */
static void mode(const char *path, const char *with) {
	struct stat st;
	mode_t bits = 0;

	for (; *with != '\0'; with++) bits = bits * 8 + (mode_t)(*with - '0');
	must(lstat(path, &st) == 0, "a mode");
	must(chmod(path, (st.st_mode & 07777) ^ bits) == 0, "a mode");
}

/* Moves the time by ${with} nanoseconds. */
static void mtime(const char *path, const char *with) {
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat st;

	must(lstat(path, &st) == 0, "a time");
	ts[1] = st.st_mtim;
	ts[1].tv_nsec += number(with);
	if (ts[1].tv_nsec < 0 || ts[1].tv_nsec > 999999999) {
		ts[1].tv_sec += ts[1].tv_nsec < 0 ? -1 : 1;
		ts[1].tv_nsec += ts[1].tv_nsec < 0 ? 1000000000 : -1000000000;
	}
	must(utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW) == 0, "a time");
}

/* ${with} whole seconds: the nanoseconds stay. */
static void mtime_second(const char *path, const char *with) {
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat st;

	must(lstat(path, &st) == 0, "a time");
	ts[1] = st.st_mtim;
	ts[1].tv_sec += number(with);
	must(utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW) == 0, "a time");
}

/* Changing an owner clears the bits that the mode must keep. */
static void owner(const char *path, uid_t uid, gid_t gid) {
	struct stat st;

	must(lstat(path, &st) == 0 && lchown(path, uid, gid) == 0, "an owner");
	if (!S_ISLNK(st.st_mode)) must(chmod(path, st.st_mode & 07777) == 0, "a mode");
}

static void uid(const char *path, const char *with) {
	owner(path, (uid_t)number(with), (gid_t)-1);
}

static void gid(const char *path, const char *with) {
	owner(path, (uid_t)-1, (gid_t)number(with));
}

/* ${with} is the attribute's name; its value then is longer. */
static void xattr_set(const char *path, const char *with) {
	must(lsetxattr(path, with, "value2", 6, 0) == 0, "an attribute");
}

static void xattr_flip(const char *path, const char *with) {
	uint8_t value[256];
	ssize_t len = lgetxattr(path, with, value, sizeof(value));

	must(len > 0, "an attribute");
	value[len > 10 ? 8 : len - 1] ^= 1; /* of a capability, an effective bit would be refused */
	must(lsetxattr(path, with, value, (size_t)len, 0) == 0, "an attribute");
}

static void xattr_remove(const char *path, const char *with) {
	must(lremovexattr(path, with) == 0, "an attribute");
}

/* user.a becomes user.c, with the same value. */
static void xattr_rename(const char *path, const char *with) {
	must(lremovexattr(path, "user.a") == 0 && lsetxattr(path, with, "value", 5, 0) == 0,
		"an attribute");
}

/* The named user's permissions, inside the mask, so that the mode stays. */
static void acl_entry(const char *path, const char *with) {
	uint8_t value[256];
	ssize_t len = lgetxattr(path, with, value, sizeof(value));

	must(len > 20, "an ACL");
	value[14] ^= 4;
	must(lsetxattr(path, with, value, (size_t)len, 0) == 0, "an ACL");
}

static void acl_user(const char *path, const char *with) {
	uint8_t value[256];
	ssize_t len = lgetxattr(path, with, value, sizeof(value));

	must(len > 20, "an ACL");
	value[16] ^= 1;
	must(lsetxattr(path, with, value, (size_t)len, 0) == 0, "an ACL");
}

static void target(const char *path, const char *with) {
	char old[64];
	ssize_t len = lgetxattr(path, "trusted.a", old, sizeof(old));

	must(unlink(path) == 0 && symlink(with, path) == 0, "a link");
	if (len > 0) must(lsetxattr(path, "trusted.a", old, (size_t)len, 0) == 0, "an attribute");
}

static void file_new(const char *path, const char *content) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	size_t len = strlen(content);

	must(fd >= 0 && write(fd, content, len) == (ssize_t)len && close(fd) == 0, "a file");
}

/* The same file, on its own. */
static void unlinked(const char *path, const char *with) {
	must(unlink(path) == 0, "a name");
	if (with[0] == 'f') must(mkfifo(path, 0600) == 0, "a fifo");
	else if (with[0] == 'l') must(symlink("x", path) == 0, "a link");
	else file_new(path, "equal");
}

static void joined(const char *path, const char *with) {
	must(unlink(path) == 0 && link(with, path) == 0, "a name");
}

static void rdev(const char *path, const char *with) {
	struct stat st;
	unsigned dev = (unsigned)number(with);

	must(lstat(path, &st) == 0 && unlink(path) == 0, "a device");
	must(mknod(path, st.st_mode, makedev(dev / 1000, dev % 1000)) == 0, "a device");
}

static void retype(const char *path, const char *with) {
	must(unlink(path) == 0, "a name");
	switch (with[0]) {
	case 'd': must(mkdir(path, 0755) == 0, "a directory"); break;
	case 'l': must(symlink("file", path) == 0, "a link"); break;
	case 'p': must(mkfifo(path, 0644) == 0, "a fifo"); break;
	case 'b': must(mknod(path, S_IFBLK | 0600, makedev(1, 3)) == 0, "a device"); break;
	default: file_new(path, "x"); break;
	}
}

static void renamed(const char *path, const char *with) {
	must(rename(path, with) == 0, "a name");
}

/* Two files change places, and each place keeps its time. */
static void swapped(const char *path, const char *with) {
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat st;

	must(lstat(with, &st) == 0, "a time");
	ts[1] = st.st_mtim;
	must(renameat2(AT_FDCWD, path, AT_FDCWD, with, RENAME_EXCHANGE) == 0, "two names");
	must(utimensat(AT_FDCWD, with, ts, 0) == 0, "a time");
}

static void removed(const char *path, const char *with) {
	(void)with;
	must(unlink(path) == 0, "a name");
}

static void removed_dir(const char *path, const char *with) {
	(void)with;
	must(rmdir(path) == 0, "a directory");
}

static void added(const char *path, const char *with) {
	(void)with;
	file_new(path, "");
}

static void added_dir(const char *path, const char *with) {
	(void)with;
	must(mkdir(path, 0755) == 0, "a directory");
}

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define DEEP "*deep*" /* stands for altermake_deep() */

static const struct kind KINDS[] = {
	{ "content-first", "file", flip, "0", "content:file", false, false },
	{ "content-middle", "file", flip, "500", "content:file", false, false },
	{ "content-last", "large", flip, "599999", "content:large", false, false },
	{ "content-piece", "large", flip, "262144", "content:large", false, false },
	{ "content-after-hole", "sparse", flip, "1048576", "content:sparse", false, false },
	{ "content-in-hole", "sparse", flip, "524288", "content:sparse holes:sparse", false, false },
	{ "content-deep", DEEP, flip, "3", "content:*deep*", false, false },
	{ "content-linked", "sub/group-a3", flip, "0", "content:group-a", false, false },
	{ "hole-filled", "sparse", zero, "524288", "holes:sparse", false, false },
	{ "hole-filled-last", "sparse", zero, "1048575", "holes:sparse", false, false },
	{ "hole-filled-whole", "hole", zero, "50", "holes:hole", false, false },
	{ "size-longer", "file", resize, "1001", "size:file", false, false },
	{ "size-shorter", "file", resize, "999", "size:file", false, false },
	{ "size-from-0", "empty", resize, "1", "size:empty", false, false },
	{ "size-to-0", "file", resize, "0", "size:file", false, false },
	{ "mode-0400", "fifo", mode, "0400", "mode:fifo", false, false },
	{ "mode-0200", "file", mode, "0200", "mode:file", false, false },
	{ "mode-0100", "file", mode, "0100", "mode:file", false, false },
	{ "mode-0040", "file", mode, "0040", "mode:file", false, false },
	{ "mode-0020", "file", mode, "0020", "mode:file", false, false },
	{ "mode-0010", "file", mode, "0010", "mode:file", false, false },
	{ "mode-0004", "file", mode, "0004", "mode:file", false, false },
	{ "mode-0002", "file", mode, "0002", "mode:file", false, false },
	{ "mode-0001", "file", mode, "0001", "mode:file", false, false },
	{ "mode-sticky", "sub", mode, "1000", "mode:sub", false, false },
	{ "mode-dir", "sub", mode, "0005", "mode:sub", false, false },
	{ "mode-top", ".", mode, "0001", "mode:.", false, false },
	{ "mode-device", "char", mode, "0040", "mode:char", true, false },
	{ "setuid-off", "setuid", mode, "4000", "setuid:setuid", false, false },
	{ "setgid-off", "setuid", mode, "2000", "setuid:setuid", false, false },
	{ "setuid-on", "file", mode, "4000", "setuid:file", false, false },
	{ "setgid-dir", "sub", mode, "2000", "setuid:sub", false, false },
	{ "mtime-file", "file", mtime, "1", "mtime:file", false, true },
	{ "mtime-file-less", "file", mtime, "-1", "mtime:file", false, true },
	{ "mtime-second", "file", mtime_second, "1", "mtime:file", false, true },
	{ "mtime-empty", "empty", mtime, "1", "mtime:empty", false, true },
	{ "mtime-dir", "sub", mtime, "1", "mtime:sub", false, true },
	{ "mtime-top", ".", mtime, "1", "mtime:.", false, true },
	{ "mtime-link", "link", mtime, "1", "mtime:link", false, true },
	{ "mtime-fifo", "fifo", mtime, "1", "mtime:fifo", false, true },
	{ "mtime-device", "char", mtime, "1", "mtime:char", true, true },
	{ "mtime-deep", DEEP, mtime, "1", "mtime:*deep*", false, true },
	{ "uid-file", "file", uid, "1", "owner:file", true, false },
	{ "gid-file", "file", gid, "1", "owner:file", true, false },
	{ "uid-setuid", "setuid", uid, "1", "owner:setuid", true, false },
	{ "uid-dir", "sub", uid, "1", "owner:sub", true, false },
	{ "gid-link", "link", gid, "1", "owner:link", true, false },
	{ "uid-fifo", "fifo", uid, "1", "owner:fifo", true, false },
	{ "xattr-value", "xattr", xattr_flip, "user.a", "xattr:xattr", false, false },
	{ "xattr-longer", "xattr", xattr_set, "user.a", "xattr:xattr", false, false },
	{ "xattr-not-empty", "xattr", xattr_set, "user.b", "xattr:xattr", false, false },
	{ "xattr-extra", "xattr", xattr_set, "user.c", "xattr:xattr", false, false },
	{ "xattr-first", "file", xattr_set, "user.c", "xattr:file", false, false },
	{ "xattr-missing", "xattr", xattr_remove, "user.a", "xattr:xattr", false, false },
	{ "xattr-empty-missing", "xattr", xattr_remove, "user.b", "xattr:xattr", false, false },
	{ "xattr-name", "xattr", xattr_rename, "user.A", "xattr:xattr xattr:xattr", false, false },
	{ "xattr-dir", "sub", xattr_flip, "user.a", "xattr:sub", false, false },
	{ "xattr-dir-missing", "sub", xattr_remove, "user.a", "xattr:sub", false, false },
	{ "trusted-value", "xattr", xattr_flip, "trusted.a", "trusted:xattr", true, false },
	{ "trusted-missing", "xattr", xattr_remove, "trusted.a", "trusted:xattr", true, false },
	{ "trusted-link", "link", xattr_flip, "trusted.a", "trusted:link", true, false },
	{ "trusted-fifo", "fifo", xattr_set, "trusted.a", "trusted:fifo", true, false },
	{ "security-value", "xattr", xattr_flip, "security.broch", "security:xattr", true, false },
	{ "capability-value", "capable", xattr_flip, "security.capability", "capability:capable", true,
		false },
	{ "capability-missing", "capable", xattr_remove, "security.capability", "capability:capable",
		true, false },
	{ "acl-entry", "acl", acl_entry, ACCESS, "acl:acl", false, false },
	{ "acl-user", "acl", acl_user, ACCESS, "acl:acl", false, false },
	{ "acl-missing", "acl", xattr_remove, ACCESS, "acl:acl", false, false },
	{ "acl-default-entry", "acl-dir", acl_entry, DEFAULT, "acl:acl-dir", false, false },
	{ "acl-default-missing", "acl-dir", xattr_remove, DEFAULT, "acl:acl-dir", false, false },
	{ "target-byte", "link", target, "targes", "target:link", false, false },
	{ "target-longer", "link", target, "target/", "target:link", false, false },
	{ "hardlink-broken", "group-a2", unlinked, "-", "hardlink:group-a2", false, false },
	{ "hardlink-broken-across", "sub/group-b2", unlinked, "-", "hardlink:sub/group-b2", false,
		false },
	{ "hardlink-broken-fifo", "sub/fifo-b", unlinked, "f", "hardlink:sub/fifo-b", false, false },
	{ "hardlink-broken-link", "sub/link-b", unlinked, "l", "hardlink:sub/link-b", false, false },
	{ "hardlink-joined", "twin-b", joined, "twin-a", "hardlink:twin-b", false, false },
	{ "hardlink-moved", "sub/group-b2", joined, "group-a", "hardlink:sub/group-b2", false, false },
	{ "rdev-minor", "char", rdev, "1005", "rdev:char", true, false },
	{ "rdev-major", "block", rdev, "8001", "rdev:block", true, false },
	{ "type-device", "char", retype, "b", "type:char", true, false },
	{ "type-file-dir", "file", retype, "d", "type:file", false, false },
	{ "type-file-link", "file", retype, "l", "type:file", false, false },
	{ "type-fifo-file", "fifo", retype, "-", "type:fifo", false, false },
	{ "type-socket-fifo", "socket", retype, "p", "type:socket", false, false },
	{ "name-byte", "caf\xe9", renamed, "caf\xe8", "extra:caf\\xe8 missing:caf\\xe9", false, false },
	{ "name-case", "file", renamed, "File", "extra:File missing:file", false, false },
	{ "name-longer", "file", renamed, "file ", "extra:file  missing:file", false, false },
	{ "name-moved", "sub/inner", renamed, "inner", "extra:inner missing:sub/inner", false, false },
	{ "missing-file", "sub/inner", removed, "", "missing:sub/inner", false, false },
	{ "missing-empty", "empty", removed, "", "missing:empty", false, false },
	{ "missing-dir", "acl-dir", removed_dir, "", "missing:acl-dir", false, false },
	{ "missing-link", "link", removed, "", "missing:link", false, false },
	{ "missing-fifo", "fifo", removed, "", "missing:fifo", false, false },
	{ "missing-linked", "group-a2", removed, "", "missing:group-a2", false, false },
	{ "missing-deep", DEEP, removed, "", "missing:*deep*", false, false },
	{ "missing-device", "block", removed, "", "device:block", true, false },
	{ "missing-socket", "socket", removed, "", "socket:socket", false, false },
	{ "extra-file", "sub/zz", added, "", "extra:sub/zz", false, false },
	{ "extra-first", "!", added, "", "extra:!", false, false },
	{ "extra-dir", "zz", added_dir, "", "extra:zz", false, false },
	{ "swapped", "file", swapped, "other", "content:file content:other", false, false },
};
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

/* Directories whose times an alteration below them changes, and puts back. */
static const char *const PARENTS[] = { "sub", "deep", "." };
#define PARENT_COUNT (sizeof(PARENTS) / sizeof(PARENTS[0]))

static void time_save(const char *path, struct timespec ts[2], bool *there) {
	struct stat st;

	*there = lstat(path, &st) == 0;
	ts[0] = (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (*there) ts[1] = st.st_mtim;
}

static void time_restore(const char *path, const struct timespec ts[2], bool there) {
	if (there && utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
		treelib_die("putting a time back");
}

static const char *real_path(const char *path) {
	return strcmp(path, DEEP) == 0 ? altermake_deep() : path;
}

/* The directory of a deep path, whose time changes too. */
static const char *deep_parent(void) {
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s", altermake_deep());
	*strrchr(path, '/') = '\0';
	return path;
}

static void alter(const struct kind *k) {
	const char *paths[PARENT_COUNT + 2];
	struct timespec saved[PARENT_COUNT + 2][2];
	bool there[PARENT_COUNT + 2];
	size_t n = 0;

	paths[n++] = real_path(k->path);
	paths[n++] = deep_parent();
	for (size_t i = 0; i < PARENT_COUNT; i++) paths[n++] = PARENTS[i];
	for (size_t i = 0; i < n; i++) time_save(paths[i], saved[i], &there[i]);
	k->alter(paths[0], k->with);
	for (size_t i = 0; i < n && !k->time; i++) time_restore(paths[i], saved[i], there[i]);
}

static void print_expect(const struct kind *k) {
	const char *deep = strstr(k->expect, DEEP);

	if (deep == NULL) (void)printf("%s", k->expect);
	else (void)printf("%.*s%s", (int)(deep - k->expect), k->expect, altermake_deep());
}

static int list(bool root) {
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (KINDS[i].root && !root) continue;
		(void)printf("%s\t", KINDS[i].name);
		print_expect(&KINDS[i]);
		(void)putchar('\n');
	}
	return fflush(stdout) == 0 ? 0 : 2;
}

int main(int argc, char **argv) {
	bool root = geteuid() == 0;

	(void)umask(022);
	if (argc == 2 && strcmp(argv[1], "--list") == 0) return list(root);
	if (argc == 2 && strcmp(argv[1], "--list-all") == 0) return list(true);
	if (argc == 3 && strcmp(argv[1], "--make") == 0) {
		altermake_tree(argv[2], root);
		return 0;
	}
	for (size_t i = 0; argc == 3 && i < KIND_COUNT; i++) {
		if (strcmp(argv[1], KINDS[i].name) != 0) continue;
		must(chdir(argv[2]) == 0, argv[2]);
		alter(&KINDS[i]);
		return 0;
	}
	(void)fputs("usage: altertree --make DIR | --list | --list-all | KIND DIR\n", stderr);
	return 2;
}
