/* Modes, owners, times, extended attributes and ACLs: see makesets.h. */
#include "makesets.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int folder(struct makeput *m, int dir, const char *name) {
	int fd = makeput_dir(m, dir, name);

	if (fd < 0) treelib_die("making a folder");
	return fd;
}

/* What an ordinary user could not read back stays out, unless asked for. */
static bool readable(const struct makeput *m, mode_t mode, mode_t needed) {
	return m->options->root || m->options->unreadable || (mode & needed) == needed;
}

static void mode_dir(struct makeput *m, int dir, mode_t mode) {
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "d%04o", mode);
	fd = folder(m, dir, name);
	(void)makeput_file(m, fd, "inside", 0640, name, strlen(name));
	makeput_dir_close(m, dir, name, fd);
	makeput_mode(dir, name, mode);
}

void makeattrs_modes(struct makeput *m) {
	int dir = folder(m, m->top, "modes");
	int files = folder(m, dir, "files"), dirs = folder(m, dir, "dirs");
	char name[16];

	for (mode_t mode = 0; mode <= 07777; mode++) {
		(void)snprintf(name, sizeof(name), "f%04o", mode);
		if (readable(m, mode, 0400)) (void)makeput_file(m, files, name, mode, name, strlen(name));
		if ((mode <= 0777 || (mode & 0777) == 0755) && readable(m, mode, 0500))
			mode_dir(m, dirs, mode);
	}
	for (mode_t mode = 0; mode <= 07777; mode += 0111) {
		(void)snprintf(name, sizeof(name), "p%04o", mode);
		(void)makeput_node(m, dir, name, S_IFIFO | mode, 0);
	}
	makeput_dir_close(m, dir, "files", files);
	makeput_dir_close(m, dir, "dirs", dirs);
	makeput_dir_close(m, m->top, "modes", dir);
}

/* One entry of each type with this owner; the set-user-id bit is set after, as chown clears it. */
static void owner_kinds(struct makeput *m, int dir, const char *name, uid_t uid, gid_t gid) {
	int fd = folder(m, dir, name);
	int sub = folder(m, fd, "dir");

	(void)makeput_file(m, sub, "inside", 0600, name, strlen(name));
	makeput_owner(sub, "inside", uid, gid);
	makeput_dir_close(m, fd, "dir", sub);
	makeput_owner(fd, "dir", uid, gid);
	(void)makeput_file(m, fd, "file", 0640, name, strlen(name));
	makeput_owner(fd, "file", uid, gid);
	(void)makeput_file(m, fd, "setuid", 0755, name, strlen(name));
	makeput_owner(fd, "setuid", uid, gid);
	makeput_mode(fd, "setuid", 06755);
	if (makeput_symlink(m, fd, "link", "file")) makeput_owner(fd, "link", uid, gid);
	if (makeput_node(m, fd, "fifo", S_IFIFO | 0600, 0)) makeput_owner(fd, "fifo", uid, gid);
	makeput_dir_close(m, dir, name, fd);
	makeput_owner(dir, name, uid, gid);
}

void makeattrs_owners(struct makeput *m) {
	static const struct {
		const char *name;
		uid_t uid;
		gid_t gid;
	} IDS[] = {
		{ "user", 1000, 1000 },
		{ "mixed", 1000, 0 },
		{ "group-only", 0, 1001 },
		{ "no-name", 54321, 54322 },
		{ "65535", 65535, 65535 },
		{ "65536", 65536, 65537 },
		{ "2e31-1", 0x7fffffff, 0x7fffffff },
		{ "2e31", 0x80000000, 0x80000000 },
		{ "largest", 0xfffffffe, 0xfffffffe },
	};
	static const char *const KNOWN[] = { "daemon", "nobody", "www-data" };
	int dir;

	if (!m->options->root) return;
	dir = folder(m, m->top, "owners");
	for (size_t i = 0; i < COUNT(IDS); i++)
		owner_kinds(m, dir, IDS[i].name, IDS[i].uid, IDS[i].gid);
	for (size_t i = 0; i < COUNT(KNOWN); i++) {
		const struct passwd *pw = getpwnam(KNOWN[i]);

		if (pw != NULL) owner_kinds(m, dir, KNOWN[i], pw->pw_uid, pw->pw_gid);
	}
	makeput_dir_close(m, m->top, "owners", dir);
}

static void time_kinds(struct makeput *m, int dir, const char *name, int64_t sec, int32_t nsec) {
	int fd = folder(m, dir, name);
	int sub = folder(m, fd, "dir");

	(void)makeput_file(m, sub, "inside", 0644, "x", 1);
	makeput_dir_close(m, fd, "dir", sub);
	makeput_time(m, fd, "dir", sec, nsec);
	(void)makeput_file(m, fd, "file", 0644, name, strlen(name));
	makeput_time(m, fd, "file", sec, nsec);
	if (makeput_symlink(m, fd, "link", "nowhere")) makeput_time(m, fd, "link", sec, nsec);
	if (makeput_node(m, fd, "fifo", S_IFIFO | 0644, 0)) makeput_time(m, fd, "fifo", sec, nsec);
	makeput_dir_close(m, dir, name, fd);
}

void makeattrs_times(struct makeput *m) {
	static const struct {
		const char *name;
		int64_t sec;
		int32_t nsec;
	} TIMES[] = {
		{ "0", 0, 0 },
		{ "0+1ns", 0, 1 },
		{ "1-1ns", 0, 999999999 },
		{ "-1", -1, 0 },
		{ "-1ns", -1, 999999999 },
		{ "1969", -86400, 123456789 },
		{ "1901", -2147483648, 0 },
		{ "before-1901", -2147483649, 5 },
		{ "1900", -2208988800, 1 },
		{ "1601", -11644473600, 0 },
		{ "year-1000", -30610224000, 7 },
		{ "year-1", -62135596800, 0 },
		{ "year-0", -62167219200, 999999999 },
		{ "2038-1", 2147483647, 999999999 },
		{ "2038", 2147483648, 0 },
		{ "2106-1", 4294967295, 999999999 },
		{ "2106", 4294967296, 1 },
		{ "2262-1ns", 9223372036, 854775806 },
		{ "2262", 9223372036, 854775807 },
		{ "2262+1ns", 9223372036, 854775808 },
		{ "2446", 15032385535, 0 },
		{ "year-9999", 253402300799, 999999999 },
		{ "micro", 1600000000, 123456000 },
		{ "milli", 1600000000, 123000000 },
		{ "second", 1600000000, 0 },
	};
	int dir = folder(m, m->top, "times");

	for (size_t i = 0; i < COUNT(TIMES); i++)
		time_kinds(m, dir, TIMES[i].name, TIMES[i].sec, TIMES[i].nsec);
	makeput_dir_close(m, m->top, "times", dir);
}

/* The largest value this file system takes: what is refused is halved until it fits. */
static void xattr_largest(struct makeput *m, int dir) {
	uint8_t *value = treelib_alloc(65536);

	treelib_fill(&m->rng, value, 65536);
	(void)makeput_file(m, dir, "largest", 0644, "x", 1);
	for (size_t len = 65536; len > 0; len /= 2)
		if (makeput_xattr(m, dir, "largest", "user.largest", value, len)) break;
	(void)makeput_file(m, dir, "3000", 0644, "x", 1);
	(void)makeput_xattr(m, dir, "3000", "user.x", value, 3000);
	free(value);
}

static void xattr_many(struct makeput *m, int dir) {
	char name[300], value[32];

	(void)makeput_file(m, dir, "many", 0644, "x", 1);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "user.name-%d", i * 7919 % 60);
		(void)snprintf(value, sizeof(value), "value-%d", i);
		(void)makeput_xattr(m, dir, "many", name, value, strlen(value));
	}
	(void)makeput_file(m, dir, "long-name", 0644, "x", 1);
	memset(name, 'n', 255);
	memcpy(name, "user.", 5);
	name[255] = '\0';
	(void)makeput_xattr(m, dir, "long-name", name, "1", 1);
}

static void xattr_odd(struct makeput *m, int dir, const char *on) {
	(void)makeput_xattr(m, dir, on, "user.empty", "", 0);
	(void)makeput_xattr(m, dir, on, "user.binary", "\0\x01\xff\0", 4);
	(void)makeput_xattr(m, dir, on, "user.text", "a\nb \x1b[31m", 9);
	(void)makeput_xattr(m, dir, on, "user.caf\xe9\n", "not UTF-8", 9);
	(void)makeput_xattr(m, dir, on, "user.a.b.c", "dots", 4);
}

/* VFS_CAP_REVISION_2 as in linux/capability.h, with cap_net_bind_service permitted. */
static void xattr_capability(struct makeput *m, int dir, const char *on, uint32_t effective) {
	uint32_t cap[5] = { htole32(0x02000000U | effective), htole32(1U << 10), 0, htole32(1), 0 };

	(void)makeput_xattr(m, dir, on, "security.capability", cap, sizeof(cap));
}

static void xattr_root(struct makeput *m, int dir, int sub) {
	(void)makeput_file(m, dir, "capable", 0755, "#!/bin/true\n", 12);
	xattr_capability(m, dir, "capable", 1);
	(void)makeput_file(m, dir, "capable-setuid", 04755, "#!/bin/true\n", 12);
	xattr_capability(m, dir, "capable-setuid", 0);
	(void)makeput_xattr(m, dir, "odd", "security.broch-test", "s\0s", 3);
	(void)makeput_xattr(m, dir, "odd", "trusted.broch-test", "t\0t", 3);
	(void)makeput_xattr(m, sub, ".", "trusted.on-dir", "1", 1);
	if (makeput_symlink(m, dir, "link", "odd"))
		(void)makeput_xattr(m, dir, "link", "trusted.on-link", "of a link", 9);
	if (makeput_node(m, dir, "fifo", S_IFIFO | 0600, 0))
		(void)makeput_xattr(m, dir, "fifo", "trusted.on-fifo", "of a fifo", 9);
	(void)makeput_file(m, dir, "no-content", 0, "", 0);
	(void)makeput_xattr(m, dir, "no-content", "user.of-mode-0", "1", 1);
}

void makeattrs_xattrs(struct makeput *m) {
	int dir = folder(m, m->top, "xattrs");
	int sub = folder(m, dir, "dir");

	xattr_largest(m, dir);
	xattr_many(m, dir);
	(void)makeput_file(m, dir, "odd", 0644, "x", 1);
	xattr_odd(m, dir, "odd");
	xattr_odd(m, sub, ".");
	(void)makeput_file(m, sub, "inside", 0644, "x", 1);
	if (m->options->root) xattr_root(m, dir, sub);
	makeput_dir_close(m, dir, "dir", sub);
	makeput_dir_close(m, m->top, "xattrs", dir);
}

/* The form of system.posix_acl_*: a version, then entries of tag, permissions and id. */
struct acl {
	uint8_t bytes[4 + 8 * 120];
	size_t len;
};

static void acl_add(struct acl *a, uint16_t tag, uint16_t perm, uint32_t id) {
	uint16_t halves[2] = { htole16(tag), htole16(perm) };
	uint32_t version = htole32(2), le_id = htole32(id);

	if (a->len == 0) {
		memcpy(a->bytes, &version, 4);
		a->len = 4;
	}
	memcpy(a->bytes + a->len, halves, 4);
	memcpy(a->bytes + a->len + 4, &le_id, 4);
	a->len += 8;
}

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static struct acl acl_of(uint16_t user, uint32_t users, uint16_t mask) {
	struct acl a = { .len = 0 };

	acl_add(&a, USER_OBJ, 6, UINT32_MAX);
	for (uint32_t i = 0; i < users; i++) acl_add(&a, USER, (uint16_t)(user ^ (i & 1)), 1000 + i);
	acl_add(&a, GROUP_OBJ, 4, UINT32_MAX);
	acl_add(&a, GROUP, 6, 2000);
	acl_add(&a, MASK, mask, UINT32_MAX);
	acl_add(&a, OTHER, 0, UINT32_MAX);
	return a;
}

static void acl_set(struct makeput *m, int dir, const char *name, bool dflt, const struct acl *a) {
	(void)makeput_xattr(m, dir, name, dflt ? "system.posix_acl_default" : "system.posix_acl_access",
		a->bytes, a->len);
}

void makeattrs_acls(struct makeput *m) {
	int dir = folder(m, m->top, "acls");
	int sub = folder(m, dir, "inheriting");
	struct acl few = acl_of(4, 1, 6), many = acl_of(4, 50, 7), masked = acl_of(6, 2, 0);

	(void)makeput_file(m, dir, "few", 0644, "x", 1);
	acl_set(m, dir, "few", false, &few);
	(void)makeput_file(m, dir, "many", 0644, "x", 1);
	acl_set(m, dir, "many", false, &many);
	(void)makeput_file(m, dir, "masked", 0644, "x", 1);
	acl_set(m, dir, "masked", false, &masked);
	(void)makeput_file(m, sub, "before", 0644, "made before the default ACL", 27);
	few.bytes[4 + 2] = 7; /* the owner must be able to enter */
	acl_set(m, sub, ".", true, &few);
	acl_set(m, sub, ".", false, &few);
	(void)makeput_file(m, sub, "after", 0664, "inherits", 8);
	(void)close(folder(m, sub, "dir")); /* inherits both, and keeps this time until stamped */
	makeput_stamp(m, sub, "dir");
	if (makeput_node(m, dir, "fifo", S_IFIFO | 0600, 0)) acl_set(m, dir, "fifo", false, &masked);
	makeput_dir_close(m, dir, "inheriting", sub);
	sub = folder(m, dir, "default-only");
	acl_set(m, sub, ".", true, &many);
	makeput_dir_close(m, dir, "default-only", sub);
	makeput_dir_close(m, m->top, "acls", dir);
}
