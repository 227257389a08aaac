#include "client/restoreattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"

enum { PROC_NAME = 64, SET_IDS = S_ISUID | S_ISGID, NAMES_MAX = 65536 };

static const char acl_access[] = "system.posix_acl_access";
static const char acl_default[] = "system.posix_acl_default";

static bool starts(struct span name, const char *with) {
	size_t n = strlen(with);
	return name.len >= n && span_equal(span_of(name.ptr, n), span_of(with, n));
}

struct restoreattrs restoreattrs_of(const struct direntry *d, struct restoreowner *owner) {
	struct restoreattrs a = {
		.uid = restoreowner_user(owner, d->uid),
		.gid = restoreowner_group(owner, d->gid),
		.mode = d->mode,
		.mtime = d->mtime,
		.xattrs = d->xattrs,
	};
	struct span rest = d->xattrs.items, name, value;
	while (direntry_next_xattr(&rest, &name, &value))
		if (span_equal(name, span_text(acl_access))) a.has_acl = true;
	return a;
}

mode_t restoreattrs_first_mode(const struct restoreattrs *want, uint8_t type) {
	/* nobody else goes into a folder before it has its owner, ACL and sticky bit */
	if (type == DIRENTRY_DIRECTORY) return 0700;
	mode_t mode = want->mode & 0777;
	if (want->has_acl)
		mode &= 0700; /* the bits of the group are the ACL's mask, and no right of the group */
	if (want->xattrs.count && type == DIRENTRY_FILE)
		mode |= 0200; /* without it a user may not set user.* */
	return mode;
}

static void incomplete(const struct restoreattrs_on *on, const char *what) {
	struct why why = { OK, "" };
	err_ignore(why_errno(&why, "%s", what)); /* only the sentence counts */
	restorerun_note(on->run, RESTORE_INCOMPLETE, on->dir, on->name, why.msg);
}

static int change_owner(const struct restoreattrs_on *on, uid_t uid, gid_t gid) {
	return on->fd >= 0 ? fchown(on->fd, uid, gid)
					   : fchownat(on->at, on->called, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static bool may_give(const struct restorerun *r, gid_t gid) {
	for (size_t i = 0; i < r->group_count; i++)
		if (r->groups[i] == gid) return true;
	return false;
}

/* Whether user and group are as wanted afterwards. */
static void set_owner(
	const struct restoreattrs_on *on, const struct restoreattrs *want, bool *uid_ok, bool *gid_ok) {
	*uid_ok = on->uid == want->uid;
	*gid_ok = on->gid == want->gid;
	if (*uid_ok && *gid_ok) return;
	if (change_owner(on, *uid_ok ? (uid_t)-1 : want->uid, *gid_ok ? (gid_t)-1 : want->gid) == 0) {
		*uid_ok = *gid_ok = true;
		return;
	}
	if (errno != EPERM && errno != EINVAL && errno != ENOTSUP) {
		incomplete(on, "its owner could not be set");
		return;
	}
	if (!*gid_ok && !*uid_ok && may_give(on->run, want->gid) &&
		change_owner(on, (uid_t)-1, want->gid) == 0)
		*gid_ok = true;
	restorerun_count(on->run, RESTORE_NO_OWNER);
}

/* The path of an item that is not open: through a descriptor of the item itself, so that no link is followed. */
struct handle {
	int fd;
	char path[PROC_NAME];
};

static bool handle_open(struct handle *h, const struct restoreattrs_on *on) {
	struct stat st;
	static const mode_t kinds[] = { [DIRENTRY_SYMLINK] = S_IFLNK,
		[DIRENTRY_FIFO] = S_IFIFO,
		[DIRENTRY_CHAR] = S_IFCHR,
		[DIRENTRY_BLOCK] = S_IFBLK };
	h->fd = openat(on->at, on->called, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (h->fd < 0) return false;
	if (fstat(h->fd, &st) == 0 && (st.st_mode & S_IFMT) == kinds[on->type]) {
		(void)snprintf(h->path, sizeof h->path, "/proc/self/fd/%d", h->fd);
		return true;
	}
	file_close(&h->fd);
	errno = EBUSY; /* somebody put something else in its place */
	return false;
}

static int change_mode(const struct restoreattrs_on *on, mode_t mode) {
	struct handle h;
	if (on->fd >= 0) return fchmod(on->fd, mode);
	if (!handle_open(&h, on)) return -1;
	int result = fchmodat(AT_FDCWD, h.path, mode, 0);
	int error = errno;
	file_close(&h.fd);
	errno = error;
	return result;
}

/* What is wanted and allowed. */
static mode_t allowed_mode(
	const struct restoreattrs_on *on, const struct restoreattrs *want, bool uid_ok, bool gid_ok) {
	mode_t mode = want->mode & 07777;
	bool allowed = on->run->options->allow & RESTORE_SETUID;
	if (!allowed || !uid_ok) mode &= (mode_t)~S_ISUID;
	if (!allowed || !gid_ok) mode &= (mode_t)~S_ISGID;
	if (mode != (want->mode & 07777)) restorerun_count(on->run, RESTORE_NO_SETUID);
	return mode;
}

static void set_mode(const struct restoreattrs_on *on, const struct restoreattrs *want,
	bool owner_changed, bool uid_ok, bool gid_ok) {
	if (on->type == DIRENTRY_SYMLINK) return;
	mode_t mode = allowed_mode(on, want, uid_ok, gid_ok);
	if (want->has_acl) mode &= (mode_t)~0070; /* the ACL will bring them */
	bool same = on->mode == mode && !(owner_changed && (mode & SET_IDS));
	if (!same && change_mode(on, mode)) incomplete(on, "its mode could not be set");
}

/* Whether the attribute may be set; counts it if not. */
static bool may_set(struct restorerun *r, struct span name) {
	if (span_equal(name, span_text("security.capability"))) {
		if (r->options->allow & RESTORE_CAPABILITIES) return true;
		restorerun_count(r, RESTORE_NO_CAPABILITY);
		return false;
	}
	if (starts(name, "trusted.") || starts(name, "security.")) {
		if (r->options->allow & RESTORE_TRUSTED) return true;
		restorerun_count(r, RESTORE_NO_TRUSTED);
		return false;
	}
	return true;
}

static void set_xattr(
	const struct restoreattrs_on *on, const char *path, struct span name, struct span value) {
	char text[LIMIT_XATTR_NAME + 1], what[LIMIT_XATTR_NAME + 64];
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	int result = on->fd >= 0 ? fsetxattr(on->fd, text, value.ptr, value.len, 0)
							 : setxattr(path, text, value.ptr, value.len, 0);
	if (result == 0) return;
	int error = errno;
	(void)snprintf(what, sizeof what, "its attribute %s could not be set", text);
	errno = error;
	incomplete(on, what);
}

/* The access ACL, or everything else. */
static void set_xattrs(
	const struct restoreattrs_on *on, const struct restoreattrs *want, bool acl) {
	struct span rest = want->xattrs.items, name, value;
	struct handle h = { .fd = -1 };
	if (acl ? !want->has_acl : want->xattrs.count == (want->has_acl ? 1 : 0)) return;
	if (on->fd < 0 && !handle_open(&h, on)) {
		incomplete(on, "its attributes could not be set");
		return;
	}
	while (direntry_next_xattr(&rest, &name, &value))
		if (span_equal(name, span_text(acl_access)) == acl && may_set(on->run, name))
			set_xattr(on, h.path, name, value);
	file_close(&h.fd);
}

static bool is_wanted(const struct restoreattrs *want, struct span name) {
	struct span rest = want->xattrs.items, each, value;
	while (direntry_next_xattr(&rest, &each, &value))
		if (span_equal(each, name)) return true;
	return false;
}

/* Takes off the attributes of a folder that was there before, as far as users set them. */
static void drop_others(const struct restoreattrs_on *on, const struct restoreattrs *want) {
	char *names = mem_alloc(NAMES_MAX);
	ssize_t n = names ? flistxattr(on->fd, names, NAMES_MAX) : 0;
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		struct span name = span_text(names + i);
		bool users = starts(name, "user.") || span_equal(name, span_text(acl_access)) ||
			span_equal(name, span_text(acl_default));
		if (users && !is_wanted(want, name) && fremovexattr(on->fd, names + i) && errno != ENODATA)
			incomplete(on, "an attribute that it had could not be removed");
	}
	mem_free(names);
}

static void drop_acl(const struct restoreattrs_on *on) {
	if (on->type == DIRENTRY_SYMLINK) return;
	struct handle h = { .fd = -1 };
	if (on->fd < 0 && !handle_open(&h, on)) return;
	int result = on->fd >= 0 ? fremovexattr(on->fd, acl_access) : removexattr(h.path, acl_access);
	int error = errno;
	file_close(&h.fd);
	errno = error;
	if (result && errno != ENODATA && errno != ENOTSUP)
		incomplete(on, "the ACL that it inherited could not be removed");
}

static void set_time(const struct restoreattrs_on *on, const struct restoreattrs *want) {
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = want->mtime.seconds, .tv_nsec = (long)want->mtime.nanos },
	};
	int result = on->fd >= 0 ? futimens(on->fd, times)
							 : utimensat(on->at, on->called, times, AT_SYMLINK_NOFOLLOW);
	if (result) incomplete(on, "its time could not be set");
}

void restoreattrs_set(const struct restoreattrs_on *on, const struct restoreattrs *want) {
	bool uid_ok, gid_ok;
	/* the owner first: setting it takes set-user-id bits and capabilities away */
	set_owner(on, want, &uid_ok, &gid_ok);
	if (on->inherited && !want->has_acl) drop_acl(on);
	if (on->exact) drop_others(on, want);
	set_xattrs(on, want, false);
	set_mode(on, want, on->uid != want->uid || on->gid != want->gid, uid_ok, gid_ok);
	set_xattrs(on, want, true); /* which changes the mode's bits of the group */
	set_time(on, want);
}
