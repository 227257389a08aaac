#include "client/restoretree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/restoretemp.h"
#include "os/file.h"

enum {
	FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
	PROC_NAME = 64,
	PATH_PART = 3800
};

static const char acl_default[] = "system.posix_acl_default";
static const size_t path_max = (size_t)64 << 20;

static struct restoretree_dir *dir_new(
	struct restorerun *r, struct span name, const struct restoreattrs *attrs) {
	size_t xattrs = attrs->xattrs.items.len;
	struct restoretree_dir *dir = mem_zalloc(sizeof *dir + name.len + 1 + xattrs);
	if (!dir) return NULL;
	dir->run = r;
	dir->fd = -1;
	dir->attrs = *attrs;
	if (name.len) memcpy(dir->name, name.ptr, name.len);
	uint8_t *copy = (uint8_t *)dir->name + name.len + 1;
	if (xattrs) memcpy(copy, attrs->xattrs.items.ptr, xattrs);
	dir->attrs.xattrs.items = span_of(copy, xattrs);
	atomic_init(&dir->holders, 1);
	atomic_init(&dir->users, 1);
	return dir;
}

void restoretree_hold(struct restoretree_dir *dir) {
	atomic_fetch_add(&dir->holders, 1);
}

void restoretree_drop(struct restoretree_dir *dir) {
	while (dir && atomic_fetch_sub(&dir->holders, 1) == 1) {
		struct restoretree_dir *above = dir->above;
		mem_free(dir);
		dir = above;
	}
}

void restoretree_use(struct restoretree_dir *dir) {
	atomic_fetch_add(&dir->users, 1);
}

bool restoretree_try(struct restoretree_dir *dir) {
	unsigned users = atomic_load(&dir->users);
	while (users > 0)
		if (atomic_compare_exchange_weak(&dir->users, &users, users + 1)) return true;
	return false;
}

static void set_attributes(struct restoretree_dir *dir) {
	struct restorerun *r = dir->run;
	if (!dir->finishes && !dir->lent) return;
	if (!restoretree_wake(dir)) {
		restorerun_note(r, RESTORE_INCOMPLETE, dir, NULL,
			"it could not be opened again, so its attributes are not set");
		return;
	}
	if (dir->finishes) {
		struct restoreattrs_on on = {
			.run = r,
			.dir = dir,
			.fd = dir->fd,
			.type = DIRENTRY_DIRECTORY,
			.uid = dir->now.uid,
			.gid = dir->now.gid,
			.mode = dir->now.mode,
			.inherited = dir->inherits,
			.exact = !dir->fresh,
		};
		restoreattrs_set(&on, &dir->attrs);
	} else if (fchmod(dir->fd, dir->lent_mode)) {
		restorerun_note(
			r, RESTORE_INCOMPLETE, dir, NULL, "the mode that it had could not be set again");
	}
}

static void close_dir(struct restoretree_dir *dir) {
	struct restorerun *r = dir->run;
	if (dir->fd < 0) return;
	file_close(&dir->fd);
	unsigned long open = atomic_fetch_sub(&r->dirs_open, 1);
	if (open <= r->dirs_max / 2) return;
	mutex_lock(&r->lock);
	mutex_wake_all(&r->moved);
	mutex_unlock(&r->lock);
}

static void finish(struct restoretree_dir *dir) {
	set_attributes(dir);
	close_dir(dir);
	restoretree_drop(dir);
}

void restoretree_rest(struct restoretree_dir *dir) {
	if (dir->above && atomic_load(&dir->users) == 1) close_dir(dir);
}

bool restoretree_wake(struct restoretree_dir *dir) {
	struct stat st;
	if (dir->fd >= 0) return true;
	int path = restoretree_find(dir);
	if (path < 0) return false;
	int fd = openat(path, ".", FOLDER_FLAGS), error = errno;
	file_close(&path);
	errno = error;
	if (fd < 0) return false;
	if (fstat(fd, &st) || st.st_dev != dir->device || st.st_ino != dir->inode) {
		file_close(&fd);
		errno = EBUSY; /* somebody put another in its place */
		return false;
	}
	dir->fd = fd;
	atomic_fetch_add(&dir->run->dirs_open, 1);
	return true;
}

/*
 * An ordinary user cannot go through a folder without its search right; but names below it may be needed for links yet. Such
 * folders are few: they stay open to the end.
 */
static bool keep_late(struct restoretree_dir *dir) {
	struct restorerun *r = dir->run;
	if (r->uid == 0 || !dir->finishes || (dir->attrs.mode & S_IXUSR)) return false;
	if (!restoretree_wake(dir)) return false; /* later there may be no way to it */
	bool kept = false;
	mutex_lock(&r->lock);
	if (r->late_count == r->late_room && r->late_room < r->late_max) {
		size_t room = r->late_room ? r->late_room * 2 : 64;
		struct restoretree_dir **more = mem_resize(r->late, room, sizeof(struct restoretree_dir *));
		if (more) {
			r->late = more;
			r->late_room = room;
		}
	}
	if (r->late_count < r->late_room && r->late_count < r->late_max) {
		r->late[r->late_count++] = dir;
		kept = true;
	}
	mutex_unlock(&r->lock);
	return kept;
}

void restoretree_leave(struct restoretree_dir *dir) {
	if (atomic_fetch_sub(&dir->users, 1) == 1 && !keep_late(dir)) finish(dir);
}

void restoretree_finish_late(struct restorerun *r) {
	for (size_t i = r->late_count; i > 0; i--) finish(r->late[i - 1]);
	mem_free(r->late);
	r->late = NULL;
	r->late_count = r->late_room = 0;
}

enum err restoretree_path(const struct restoretree_dir *dir, struct buf *out) {
	size_t len = 0;
	uint8_t *at;
	for (const struct restoretree_dir *d = dir; d && d->above; d = d->above)
		len += 1 + strlen(d->name);
	enum err e = buf_extend(out, len, &at);
	if (e) return e;
	for (const struct restoretree_dir *d = dir; d && d->above; d = d->above) {
		size_t n = strlen(d->name);
		len -= n + 1;
		at[len] = '/';
		memcpy(at + len + 1, d->name, n);
	}
	return OK;
}

/* What holds for what is made in an opened folder. */
static int look(struct restoretree_dir *dir) {
	struct stat st;
	if (fstat(dir->fd, &st)) return -1;
	dir->now = (struct stat_now){
		.uid = st.st_uid, .gid = st.st_gid, .mode = (uint16_t)(st.st_mode & 07777)
	};
	dir->device = st.st_dev;
	dir->inode = st.st_ino;
	/* in a new folder the group is the rule's own result; in an old one only the bit says it */
	dir->gid_known = dir->fresh || (st.st_mode & S_ISGID);
	dir->gid = st.st_gid;
	if (dir->fresh && st.st_uid != dir->run->uid) {
		errno = EBUSY; /* it was put there between making and opening */
		return -1;
	}
	if (!dir->above || !dir->fresh || dir->above->inherits) {
		dir->inherits = fgetxattr(dir->fd, acl_default, NULL, 0) > 0;
		if (dir->inherits && dir->fresh && fremovexattr(dir->fd, acl_default) == 0) {
			dir->inherits = false;
			if (fremovexattr(dir->fd, "system.posix_acl_access")) (void)errno; /* it has none */
			dir->now.mode = RESTOREATTRS_ANY_MODE;
		}
	}
	return 0;
}

enum err restoretree_root(struct restorerun *r, struct restoretree_dir **out, struct why *why) {
	const char *target = r->options->target;
	enum err e = file_make_folders(AT_FDCWD, target, FOLDER_PRIVATE, why);
	if (e) return e;
	struct restoretree_dir *dir =
		dir_new(r, span_of(NULL, 0), &(struct restoreattrs){ .mode = 0700 });
	if (!dir) return why_err(why, E_NOMEM, "restoring");
	/* the target is the user's word: a link there is followed */
	dir->fd = openat(AT_FDCWD, target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0 || look(dir)) {
		e = why_errno(why, "opening %s", target);
		file_close(&dir->fd);
		mem_free(dir);
		return e == E_NOTFOUND ? E_IO : e;
	}
	restoretemp_sweep(dir->fd);
	atomic_fetch_add(&r->dirs_open, 1);
	*out = dir;
	return OK;
}

/* A folder of the user's own that does not let him in: from an earlier restore, for example. */
static int open_closed(int at, struct restoretree_dir *dir) {
	char proc[PROC_NAME];
	struct stat st;
	int path = openat(at, dir->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	if (path < 0) return -1;
	(void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", path);
	if (fstat(path, &st) == 0 && fchmodat(AT_FDCWD, proc, (st.st_mode & 07777) | 0700, 0) == 0) {
		dir->lent = true;
		dir->lent_mode = (uint16_t)(st.st_mode & 07777);
		fd = openat(at, dir->name, FOLDER_FLAGS);
	}
	int error = errno;
	file_close(&path);
	errno = error;
	return fd;
}

static int make_or_open(struct restoretree_dir *above, struct restoretree_dir *dir) {
	struct stat st;
	mode_t mode = restoreattrs_first_mode(&dir->attrs, DIRENTRY_DIRECTORY);
	if (!restoretree_wake(above)) return -1;
	dir->fresh = mkdirat(above->fd, dir->name, mode) == 0;
	if (!dir->fresh && errno != EEXIST) return -1;
	dir->fd = openat(above->fd, dir->name, FOLDER_FLAGS);
	if (dir->fd < 0 && errno == EACCES) dir->fd = open_closed(above->fd, dir);
	if (dir->fd < 0) return -1;
	/* one that this user owns and may not write to: until the end */
	if (!dir->fresh && dir->run->uid != 0 && fstat(dir->fd, &st) == 0 &&
		st.st_uid == dir->run->uid && (~st.st_mode & 0700)) {
		if (fchmod(dir->fd, (st.st_mode & 07777) | 0700)) return -1;
		dir->lent = true;
		dir->lent_mode = (uint16_t)(st.st_mode & 07777);
	}
	return look(dir);
}

static void note_failure(struct restoretree_dir *dir) {
	struct why why = { OK, "" };
	if (errno == ENOTDIR || errno == ELOOP)
		err_ignore(why_set(&why, E_EXISTS,
			"something that is not a folder is in its place; it and all below it is left out"));
	else
		err_ignore(why_errno(&why,
			"the folder could not be made, and all below it is left out")); /* only the sentence counts */
	restorerun_note(dir->run, RESTORE_FAILED, dir, NULL, why.msg);
}

enum err restoretree_enter(struct restoretree_dir *above, const struct direntry *d,
	const struct restoreattrs *attrs, struct restoretree_dir **out) {
	struct restorerun *r = above->run;
	if (!direntry_name_ok(d->name)) {
		restorerun_note(r, RESTORE_DAMAGED, above, NULL, "a name in it is not one");
		return E_EXISTS;
	}
	struct restoretree_dir *dir = dir_new(r, d->name, attrs);
	if (!dir) return E_NOMEM;
	restoretree_hold(above);
	dir->above = above;
	if (make_or_open(above, dir)) {
		if (errno == ENOSPC || errno == EDQUOT)
			err_ignore(restorerun_failed(r, dir, NULL, "")); /* ends the restore */
		else note_failure(dir);
		file_close(&dir->fd);
		restoretree_drop(dir);
		return E_EXISTS;
	}
	dir->finishes = dir->fresh || r->options->overwrite != RESTORE_NEVER;
	if (!dir->fresh) restoretemp_sweep(dir->fd);
	atomic_fetch_add(&r->dirs_open, 1);
	*out = dir;
	return OK;
}

static int open_beneath(int at, const char *path) {
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, at, path, &how, sizeof how);
	return (int)fd;
}

/* Opens ${path}, relative, in parts that are short enough for one call (or one name each, where there is no openat2). */
static int walk(int root, char *path) {
	int fd = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool single = false;
	while (fd >= 0 && *path) {
		size_t len = strlen(path), n = len;
		if (single) n = strcspn(path, "/");
		else if (len > PATH_PART) {
			n = PATH_PART;
			while (path[n] != '/') n--; /* a name has at most 255 bytes */
		}
		char after = path[n];
		path[n] = '\0';
		int next = single ? openat(fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
						  : open_beneath(fd, path);
		int error = errno;
		path[n] = after;
		if (next < 0 && (error == ENOSYS || error == EPERM) && !single) {
			single = true;
			continue;
		}
		file_close(&fd);
		errno = error;
		fd = next;
		path += n;
		if (*path == '/') path++;
	}
	return fd;
}

int restoretree_find(struct restoretree_dir *dir) {
	struct buf path;
	buf_init(&path, path_max);
	if (restoretree_path(dir, &path) || buf_add_zero(&path, 1)) {
		buf_free(&path);
		errno = ENOMEM;
		return -1;
	}
	char *text = (char *)path.ptr;
	int fd = walk(dir->run->root->fd, *text == '/' ? text + 1 : text);
	int error = errno;
	buf_free(&path);
	errno = error;
	return fd;
}
