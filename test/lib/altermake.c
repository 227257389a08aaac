/* The tree that altertree alters: see altermake.h. */
#include "altermake.h"

#include "makeput.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEEP_LEVELS 140

/* u::rw-,u:1000:r--,g::r--,m::r--,o::--- as the kernel's bytes */
static const uint8_t ACL[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 232, 3, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255,
	255 };

/* cap_net_bind_service, permitted and effective */
static const uint8_t CAPABILITY[] = { 1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

const char *altermake_deep(void) {
	static char path[2 * DEEP_LEVELS + 16];

	(void)memcpy(path, "deep", 5);
	for (size_t i = 0; i < DEEP_LEVELS; i++) (void)memcpy(path + 4 + 2 * i, "/d", 3);
	(void)memcpy(path + 4 + (size_t)2 * DEEP_LEVELS, "/file", 6);
	return path;
}

static int folder(struct makeput *m, int dir, const char *name) {
	int fd = makeput_dir(m, dir, name);

	if (fd < 0) treelib_die("making a folder");
	return fd;
}

static void deep(struct makeput *m, int dir, int levels) {
	int fd;

	if (levels == 0) {
		(void)makeput_file(m, dir, "file", 0644, "far down", 8);
		return;
	}
	fd = folder(m, dir, "d");
	deep(m, fd, levels - 1);
	makeput_dir_close(m, dir, "d", fd);
}

static void contents(struct makeput *m) {
	uint8_t *buf = treelib_alloc(ALTERMAKE_LARGE);
	int fd;

	treelib_fill(&m->rng, buf, ALTERMAKE_LARGE);
	(void)makeput_file(m, m->top, "file", 0644, buf, 1000);
	(void)makeput_file(m, m->top, "other", 0644, buf + 1000, 1000);
	(void)makeput_file(m, m->top, "large", 0644, buf, ALTERMAKE_LARGE);
	(void)makeput_file(m, m->top, "empty", 0644, "", 0);
	(void)makeput_file(m, m->top, "setuid", 06755, buf, 10);
	(void)makeput_file(m, m->top, "caf\xe9", 0644, "a name", 6);
	fd = makeput_file_open(m, m->top, "sparse");
	makeput_write(fd, buf, 4096, 0);
	makeput_write(fd, buf, 4096, ALTERMAKE_SPARSE_DATA);
	makeput_file_close(m, fd);
	fd = makeput_file_open(m, m->top, "hole");
	if (ftruncate(fd, 100) != 0) treelib_die("a hole");
	makeput_file_close(m, fd);
	free(buf);
}

static void groups(struct makeput *m, int sub) {
	static const char *const FIRST[] = { "group-a", "group-b", "twin-a", "twin-b" };
	static const struct timespec SAME[2] = { { .tv_sec = 5 },
		{ .tv_sec = 1234567890, .tv_nsec = 5 } };

	for (size_t i = 0; i < 4; i++) {
		(void)makeput_file(m, m->top, FIRST[i], 0644, "equal", 5);
		if (utimensat(m->top, FIRST[i], SAME, 0) != 0) treelib_die("a time");
	}
	(void)makeput_link(m, m->top, "group-a", m->top, "group-a2");
	(void)makeput_link(m, m->top, "group-a", sub, "group-a3");
	(void)makeput_link(m, m->top, "group-b", sub, "group-b2");
	(void)makeput_node(m, m->top, "fifo-a", S_IFIFO | 0600, 0);
	(void)makeput_link(m, m->top, "fifo-a", sub, "fifo-b");
	(void)makeput_symlink(m, m->top, "link-a", "x");
	(void)makeput_link(m, m->top, "link-a", sub, "link-b");
}

static void attributes(struct makeput *m, int sub) {
	(void)makeput_file(m, m->top, "xattr", 0644, "x", 1);
	(void)makeput_xattr(m, m->top, "xattr", "user.a", "value", 5);
	(void)makeput_xattr(m, m->top, "xattr", "user.b", "", 0);
	(void)makeput_xattr(m, sub, ".", "user.a", "value", 5);
	(void)makeput_file(m, m->top, "acl", 0640, "x", 1);
	(void)makeput_xattr(m, m->top, "acl", "system.posix_acl_access", ACL, sizeof(ACL));
	makeput_dir_close(m, m->top, "acl-dir", folder(m, m->top, "acl-dir"));
	(void)makeput_xattr(m, m->top, "acl-dir", "system.posix_acl_default", ACL, sizeof(ACL));
}

static void root_only(struct makeput *m) {
	(void)makeput_node(m, m->top, "char", S_IFCHR | 0600, makedev(1, 3));
	(void)makeput_node(m, m->top, "block", S_IFBLK | 0600, makedev(7, 1));
	(void)makeput_xattr(m, m->top, "xattr", "trusted.a", "value", 5);
	(void)makeput_xattr(m, m->top, "xattr", "security.broch", "value", 5);
	(void)makeput_xattr(m, m->top, "link", "trusted.a", "value", 5);
	(void)makeput_file(m, m->top, "capable", 0755, "x", 1);
	(void)makeput_xattr(
		m, m->top, "capable", "security.capability", CAPABILITY, sizeof(CAPABILITY));
}

void altermake_tree(const char *path, bool root) {
	const struct makeput_options options = { .root = root };
	struct makeput m = { .options = &options, .rng = { .state = 7 } };
	int sub;

	if (mkdir(path, 0755) != 0) treelib_die("%s", path);
	m.top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m.top < 0) treelib_die("%s", path);
	sub = folder(&m, m.top, "sub");
	contents(&m);
	(void)makeput_file(&m, sub, "inner", 0600, "inner", 5);
	(void)makeput_symlink(&m, m.top, "link", "target");
	(void)makeput_node(&m, m.top, "fifo", S_IFIFO | 0644, 0);
	(void)makeput_node(&m, m.top, "socket", S_IFSOCK | 0644, 0);
	groups(&m, sub);
	attributes(&m, sub);
	if (root) root_only(&m);
	makeput_dir_close(&m, m.top, "sub", sub);
	sub = folder(&m, m.top, "deep");
	deep(&m, sub, DEEP_LEVELS);
	makeput_dir_close(&m, m.top, "deep", sub);
	makeput_stamp(&m, AT_FDCWD, path);
	errno = 0;
	if (m.left_out > 0) treelib_die("the file system of %s refuses what the test needs", path);
}
