/* Symbolic links, hard links, special files, empty entries, the large directory: see makesets.h. */
#include "makesets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TARGET_MAX 4095
#define LINKS_IN_ONE_DIR 1000

static int folder(struct makeput *m, int dir, const char *name) {
	int fd = makeput_dir(m, dir, name);

	if (fd < 0) treelib_die("making a folder");
	return fd;
}

void makekinds_symlinks(struct makeput *m) {
	static const char *const TARGETS[] = { "nowhere", "/etc/passwd", "/", "..", ".",
		"../../../../..", "dir", "dir/", "dir//inside", "./dir/../dir/inside", "loop-a", "loop-b",
		"/nonexistent/x", " ", "caf\xe9", "a\nb", "\x1b[31m", "\xe2\x80\xae", "-rf", "~",
		"/proc/self/fd/0", "C:\\x", "a\\b" };
	static const size_t LENGTHS[] = { 1, 58, 59, 60, 61, 255, 256, 1023, 1024, 4000, TARGET_MAX };
	int dir = folder(m, m->top, "symlinks");
	int sub = folder(m, dir, "dir");
	char name[32], target[TARGET_MAX + 1];

	(void)makeput_file(m, sub, "inside", 0644, "x", 1);
	makeput_dir_close(m, dir, "dir", sub);
	(void)makeput_symlink(m, dir, "loop-a", "loop-b");
	(void)makeput_symlink(m, dir, "loop-b", "loop-a");
	(void)makeput_symlink(m, dir, "self", "self");
	for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++) {
		(void)snprintf(name, sizeof(name), "to-%zu", i);
		(void)makeput_symlink(m, dir, name, TARGETS[i]);
	}
	for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
		for (size_t k = 0; k < LENGTHS[i]; k++) target[k] = k % 64 == 63 ? '/' : 't';
		target[LENGTHS[i]] = '\0';
		(void)snprintf(name, sizeof(name), "length-%zu", LENGTHS[i]);
		(void)makeput_symlink(m, dir, name, target);
	}
	makeput_dir_close(m, m->top, "symlinks", dir);
}

/* One file with many names, spread so that no single directory is part of the test. */
static void links_many(struct makeput *m, int dir) {
	int many = folder(m, dir, "many"), sub = -1;
	char name[32], sub_name[32] = "";

	(void)makeput_file(m, many, "first", 0644, "many names", 10);
	for (uint64_t i = 1; i < m->options->links; i++) {
		if (i % LINKS_IN_ONE_DIR == 1) {
			if (sub >= 0) makeput_dir_close(m, many, sub_name, sub);
			(void)snprintf(sub_name, sizeof(sub_name), "%03" PRIu64, i / LINKS_IN_ONE_DIR);
			sub = folder(m, many, sub_name);
		}
		(void)snprintf(name, sizeof(name), "l%05" PRIu64, i);
		if (!makeput_link(m, many, "first", sub, name)) break;
	}
	if (sub >= 0) makeput_dir_close(m, many, sub_name, sub);
	makeput_dir_close(m, dir, "many", many);
}

/* Two names in this directory and one in another for the entry ${name} of ${dir}. */
static void links_of(struct makeput *m, int dir, const char *name, int other) {
	char second[64];

	(void)snprintf(second, sizeof(second), "%s.2", name);
	(void)makeput_link(m, dir, name, dir, second);
	(void)makeput_link(m, dir, name, other, name);
}

void makekinds_hardlinks(struct makeput *m) {
	int dir = folder(m, m->top, "hardlinks");
	int other = folder(m, dir, "a-before");
	char name[32];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "file-%d", i);
		/* Pairs with the same content stay two groups. */
		(void)makeput_file(m, dir, name, 0644, "same in all groups", (size_t)(i / 2) * 2);
		links_of(m, dir, name, other);
	}
	(void)makeput_file(m, dir, "setuid", 04755, "x", 1);
	links_of(m, dir, "setuid", other);
	(void)makeput_file(m, dir, "with-xattr", 0644, "x", 1);
	(void)makeput_xattr(m, dir, "with-xattr", "user.x", "shared", 6);
	links_of(m, dir, "with-xattr", other);
	if (makeput_symlink(m, dir, "link", "file-1")) links_of(m, dir, "link", other);
	if (makeput_node(m, dir, "fifo", S_IFIFO | 0640, 0)) links_of(m, dir, "fifo", other);
	if (m->options->root) {
		if (makeput_node(m, dir, "char", S_IFCHR | 0600, makedev(1, 3)))
			links_of(m, dir, "char", other);
		if (makeput_node(m, dir, "block", S_IFBLK | 0600, makedev(7, 99)))
			links_of(m, dir, "block", other);
	}
	links_many(m, dir);
	makeput_dir_close(m, dir, "a-before", other);
	makeput_dir_close(m, m->top, "hardlinks", dir);
}

void makekinds_special(struct makeput *m) {
	static const struct {
		const char *name;
		mode_t type;
		unsigned major, minor;
	} DEVICES[] = {
		{ "null", S_IFCHR, 1, 3 },
		{ "c-1-0", S_IFCHR, 1, 0 },
		{ "c-0-1", S_IFCHR, 0, 1 },
		{ "c-255-255", S_IFCHR, 255, 255 },
		{ "c-256-256", S_IFCHR, 256, 256 },
		{ "c-large", S_IFCHR, 4095, 1048575 },
		{ "loop0", S_IFBLK, 7, 0 },
		{ "b-large", S_IFBLK, 4095, 1048575 },
		{ "b-8-17", S_IFBLK, 8, 17 },
	};
	int dir = folder(m, m->top, "special");

	(void)makeput_node(m, dir, "fifo", S_IFIFO | 0644, 0);
	(void)makeput_node(m, dir, "fifo-0", S_IFIFO, 0);
	(void)makeput_node(m, dir, "fifo-setuid", S_IFIFO | 06755, 0);
	for (size_t i = 0; m->options->root && i < sizeof(DEVICES) / sizeof(DEVICES[0]); i++)
		(void)makeput_node(m, dir, DEVICES[i].name, DEVICES[i].type | (i % 2 != 0 ? 0660 : 0600),
			makedev(DEVICES[i].major, DEVICES[i].minor));
	if (m->options->sockets) {
		(void)makeput_node(m, dir, "socket", S_IFSOCK | 0755, 0);
		(void)makeput_node(m, dir, "socket-0", S_IFSOCK, 0);
	}
	makeput_dir_close(m, m->top, "special", dir);
}

void makekinds_empty(struct makeput *m) {
	int dir = folder(m, m->top, "empty");
	char name[32];

	for (int i = 0; i < 100; i++) {
		int sub;

		(void)snprintf(name, sizeof(name), "file-%d", i);
		(void)makeput_file(m, dir, name, 0644, "", 0);
		(void)snprintf(name, sizeof(name), "dir-%d", i);
		sub = folder(m, dir, name);
		if (i % 10 == 0) {
			(void)close(folder(m, sub, "nested"));
			makeput_stamp(m, sub, "nested");
		}
		makeput_dir_close(m, dir, name, sub);
	}
	makeput_dir_close(m, m->top, "empty", dir);
}

/* Mostly small files; every kind an ordinary user can make now and then. */
static void big_entry(struct makeput *m, int dir, uint64_t i) {
	char name[48], data[64];
	int sub;

	(void)snprintf(name, sizeof(name), "%" PRIx64 "-entry-%" PRIu64, i * 2654435761U % 65521, i);
	(void)snprintf(data, sizeof(data), "content of %" PRIu64 " %016" PRIx64 "\n", i / 2 * 2,
		treelib_random(&m->rng));
	switch (i % 100) {
	case 0:
		sub = folder(m, dir, name);
		makeput_dir_close(m, dir, name, sub);
		break;
	case 1: (void)makeput_symlink(m, dir, name, data); break;
	case 2: (void)makeput_node(m, dir, name, S_IFIFO | 0600, 0); break;
	case 3:
		(void)makeput_file(m, dir, name, 0600, data, strlen(data));
		(void)makeput_xattr(m, dir, name, "user.n", name, strlen(name));
		break;
	default: (void)makeput_file(m, dir, name, 0644, data, i % 4 == 0 ? 0 : strlen(data)); break;
	}
}

void makekinds_big(struct makeput *m) {
	int dir;

	if (m->options->big == 0) return;
	dir = folder(m, m->top, "big");
	for (uint64_t i = 0; i < m->options->big; i++) big_entry(m, dir, i);
	makeput_dir_close(m, m->top, "big", dir);
}
