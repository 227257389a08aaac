#include "client/restorefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/restorewindow.h"
#include "client/streamread.h"
#include "format/chunktype.h"
#include "os/file.h"
#include "secret/vaultkeys.h"

static struct restorerun *run_of(const struct restorefile *f) {
	return f->dir->run;
}

void restorefile_fail(struct restorefile *f) {
	atomic_store(&f->failed, true);
}

/* A system call failed: the item is noted and given up. */
static void give_up(struct restorefile *f, const char *what) {
	restorefile_fail(f);
	if (errno == EISDIR || errno == ENOTEMPTY) {
		restorerun_note(run_of(f), RESTORE_FAILED, f->dir, f->name, "a folder is in its place");
		return;
	}
	err_ignore(restorerun_failed(run_of(f), f->dir, f->name, what)); /* noted */
}

static void count_done(struct restorefile *f) {
	struct restorerun *r = run_of(f);
	static const enum restore_count kinds[] = {
		[DIRENTRY_FILE] = RESTORE_FILES,
		[DIRENTRY_SYMLINK] = RESTORE_SYMLINKS,
		[DIRENTRY_FIFO] = RESTORE_SPECIALS,
		[DIRENTRY_CHAR] = RESTORE_SPECIALS,
		[DIRENTRY_BLOCK] = RESTORE_SPECIALS,
	};
	restorerun_count(r, kinds[f->type]);
	restorerun_item(r, RESTORE_ITEM, f->dir, f->name);
}

static void count_moved(struct restorefile *f, uint64_t files, uint64_t bytes) {
	struct restorerun *r = run_of(f);
	atomic_fetch_add_explicit(&r->counts[RESTORE_BYTES], bytes, memory_order_relaxed);
	if (r->options->moved) r->options->moved(r->options->ctx, files, bytes);
}

/* Owner and mode of what this run just made; only asks the system where it cannot know. False with errno. */
static bool look(const struct restorefile *f, struct restoreattrs_on *on, bool must) {
	struct stat st;
	on->run = run_of(f);
	on->dir = f->dir;
	on->type = f->type;
	on->inherited = f->dir->inherits;
	on->uid = on->run->uid;
	on->gid = f->dir->gid;
	if (on->inherited) on->mode = RESTOREATTRS_ANY_MODE;
	if (f->dir->gid_known && !must) return true;
	if (on->fd >= 0 ? fstat(on->fd, &st) : fstatat(on->at, on->called, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	on->uid = st.st_uid;
	on->gid = st.st_gid;
	return true;
}

/* Tells the group, if there is one, where its first member is. */
static void tell_group(struct restorefile *f, int fd, const char *name) {
	struct restorerun *r = run_of(f);
	struct stat st;
	if (!f->group) return;
	struct restorelinks_group *g = f->group;
	f->group = NULL;
	if (fd >= 0 ? fstat(fd, &st) : fstatat(f->dir->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		restorelinks_failed(r->links, g);
	else restorelinks_made(r->links, g, f->dir, f->name, st.st_dev, st.st_ino);
}

/* Whether the file holds ${bytes}; notes it if not. */
static bool reads_back(struct restorefile *f, int fd, struct span bytes) {
	if (!run_of(f)->options->verify || bytes.len == 0) return true;
	uint8_t *back = mem_alloc(bytes.len);
	bool same = back && restorewrite_read(fd, &f->map, 0, back, bytes.len) &&
		memcmp(back, bytes.ptr, bytes.len) == 0;
	mem_free(back);
	if (!same) {
		restorerun_note(run_of(f), RESTORE_DAMAGED, f->dir, f->name,
			"what was read back is not what was written");
		restorefile_fail(f);
	}
	return same;
}

/* Content of a new, empty, open file. */
static bool fill(struct restorefile *f, int fd, struct span bytes) {
	bool gaps = f->map.count > 0 || f->map.sparse;
	if ((gaps && ftruncate(fd, (off_t)f->size)) || !restorewrite_at(fd, &f->map, 0, bytes)) {
		give_up(f, "it could not be written");
		return false;
	}
	return reads_back(f, fd, bytes);
}

void restorefile_whole(struct restorefile *f, struct span bytes) {
	struct restorerun *r = run_of(f);
	int flags =
		O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | (r->options->verify ? O_RDWR : O_WRONLY);
	mode_t mode = restoreattrs_first_mode(&f->attrs, f->type);
	const char *name = f->name;
	int fd = openat(f->dir->fd, name, flags, mode);
	if (fd < 0 && errno == EEXIST) {
		mode = 0600;
		fd = restoretemp_open(f->dir->fd, f->temp);
		name = f->temp;
	}
	if (fd < 0) {
		give_up(f, "it could not be made");
		return;
	}
	struct restoreattrs_on on = { .fd = fd, .name = f->name, .mode = (uint16_t)mode };
	bool ok = fill(f, fd, bytes);
	if (ok && !look(f, &on, false)) {
		give_up(f, "it could not be looked at");
		ok = false;
	}
	if (ok) restoreattrs_set(&on, &f->attrs);
	if (ok && name != f->name && renameat(f->dir->fd, name, f->dir->fd, f->name)) {
		give_up(f, "it could not be put in its place");
		ok = false;
	}
	if (ok) {
		count_done(f);
		tell_group(f, fd, f->name);
		count_moved(f, 1, bytes.len);
	} else {
		(void)unlinkat(f->dir->fd, name, 0);
	}
	file_close(&fd);
}

static int make_at(const struct restorefile *f, const char *name) {
	mode_t mode = restoreattrs_first_mode(&f->attrs, f->type);
	switch (f->type) {
	case DIRENTRY_SYMLINK: return symlinkat(f->target, f->dir->fd, name);
	case DIRENTRY_FIFO: return mknodat(f->dir->fd, name, S_IFIFO | mode, 0);
	case DIRENTRY_CHAR:
		return mknodat(f->dir->fd, name, S_IFCHR | mode, makedev(f->major, f->minor));
	case DIRENTRY_BLOCK:
		return mknodat(f->dir->fd, name, S_IFBLK | mode, makedev(f->major, f->minor));
	default: errno = EINVAL; return -1;
	}
}

void restorefile_make(struct restorefile *f) {
	struct restoreattrs_on on = { .fd = -1, .at = f->dir->fd, .name = f->name };
	bool device = f->type == DIRENTRY_CHAR || f->type == DIRENTRY_BLOCK;
	const char *name = f->name;
	int result = make_at(f, name);
	if (result && errno == EEXIST) {
		errno = EIO;
		name = f->temp;
		result = restoretemp_name(f->temp) ? -1 : make_at(f, name);
	}
	if (result && device && errno == EPERM) {
		restorerun_count(run_of(f), RESTORE_NO_DEVICE);
		restorefile_fail(f);
		return;
	}
	if (result) {
		give_up(f, "it could not be made");
		return;
	}
	on.called = name;
	on.mode = (uint16_t)restoreattrs_first_mode(&f->attrs, f->type);
	if (!look(f, &on, false)) {
		give_up(f, "it could not be looked at");
		(void)unlinkat(f->dir->fd, name, 0);
		return;
	}
	restoreattrs_set(&on, &f->attrs);
	if (name != f->name && renameat(f->dir->fd, name, f->dir->fd, f->name)) {
		give_up(f, "it could not be put in its place");
		(void)unlinkat(f->dir->fd, name, 0);
		return;
	}
	count_done(f);
	tell_group(f, -1, f->name);
	count_moved(f, 1, 0);
}

/* Opens the temporary file again, after its descriptor was given up for others. */
static int open_again(struct restorefile *f) {
	struct stat st;
	int fd = openat(f->dir->fd, f->temp, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) return -1;
	if (fstat(fd, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode) return fd;
	file_close(&fd);
	errno = EBUSY;
	return -1;
}

static int begin(struct restorefile *f) {
	struct stat st;
	int fd = restoretemp_open(f->dir->fd, f->temp);
	if (fd < 0) return -1;
	f->begun = true;
	bool gaps = f->map.count > 0 || f->map.sparse;
	if (fstat(fd, &st) || (gaps && ftruncate(fd, (off_t)f->size))) {
		int error = errno;
		file_close(&fd);
		errno = error;
		return -1;
	}
	f->device = st.st_dev;
	f->inode = st.st_ino;
	return fd;
}

static int take_fd(struct restorefile *f) {
	struct restorerun *r = run_of(f);
	mutex_lock(&r->files);
	if (f->fd < 0) {
		f->fd = f->begun ? open_again(f) : begin(f);
		if (f->fd >= 0) atomic_fetch_add(&r->files_open, 1);
	}
	int fd = f->fd;
	if (fd >= 0) f->writers++;
	int error = errno;
	mutex_unlock(&r->files);
	errno = error;
	return fd;
}

static void give_fd(struct restorefile *f, bool close) {
	struct restorerun *r = run_of(f);
	mutex_lock(&r->files);
	f->writers--;
	if (f->writers == 0 && f->fd >= 0 && (close || atomic_load(&r->files_open) > r->files_max)) {
		file_close(&f->fd);
		atomic_fetch_sub(&r->files_open, 1);
	}
	mutex_unlock(&r->files);
}

void restorefile_piece(struct restorefile *f, uint64_t data, struct span bytes) {
	int fd = take_fd(f);
	if (fd < 0) {
		give_up(f, "it could not be made");
		return;
	}
	if (restorewrite_at(fd, &f->map, data, bytes)) count_moved(f, 0, bytes.len);
	else give_up(f, "it could not be written");
	give_fd(f, false);
}

/* Compares a file of several pieces with the ids of its chunks. */
static void check_back(struct restorefile *f, int fd) {
	struct restorerun *r = run_of(f);
	struct streamread s;
	struct streamref_item item;
	struct why why = { OK, "" };
	uint64_t data = 0;
	uint8_t *back = mem_alloc(LIMIT_CHUNK);
	enum err e = back ? streamread_open(&s, r->fetch, CHUNKTYPE_CONTENT, f->stream, &why)
					  : why_err(&why, E_NOMEM, "verifying");
	bool opened = back != NULL, more = true;
	while (!e && !restorerun_stopped(r)) {
		struct hash id;
		e = streamread_next(&s, &item, &more, &why);
		if (e || !more) break;
		if (!restorewrite_read(fd, &f->map, data, back, item.length)) {
			e = why_errno(&why, "it could not be read back");
			break;
		}
		vaultkeys_chunk_id(
			&id, &r->vault->secrets->keys, CHUNKTYPE_CONTENT, span_of(back, item.length));
		if (!hash_equal(&id, &item.id))
			e = why_set(&why, E_FORGED, "what was read back is not what was written");
		data += item.length;
	}
	if (opened) streamread_close(&s);
	mem_free(back);
	if (e) {
		restorerun_broken(r, e, &why, f->dir, f->name);
		restorefile_fail(f);
	}
}

/* All pieces of a file are written. */
static void finish(struct restorefile *f) {
	struct restorerun *r = run_of(f);
	int fd = take_fd(f);
	if (fd < 0) {
		give_up(f, "it could not be opened again");
		return;
	}
	struct restoreattrs_on on = { .fd = fd, .name = f->name, .mode = 0600 };
	if (r->options->verify) check_back(f, fd);
	if (!atomic_load(&f->failed) && !look(f, &on, false)) give_up(f, "it could not be looked at");
	if (!atomic_load(&f->failed)) restoreattrs_set(&on, &f->attrs);
	if (!atomic_load(&f->failed) && renameat(f->dir->fd, f->temp, f->dir->fd, f->name))
		give_up(f, "it could not be put in its place");
	if (!atomic_load(&f->failed)) {
		f->begun = false; /* it has its name */
		count_done(f);
		tell_group(f, fd, f->name);
		count_moved(f, 1, 0);
	}
	give_fd(f, true);
}

/* Nothing stays of what did not succeed. */
static void clear(struct restorefile *f) {
	struct restorerun *r = run_of(f);
	if (f->fd >= 0) {
		file_close(&f->fd);
		atomic_fetch_sub(&r->files_open, 1);
	}
	if (f->begun) (void)unlinkat(f->dir->fd, f->temp, 0);
	if (f->group) restorelinks_failed(r->links, f->group);
}

void restorefile_leave(struct restorefile *f) {
	if (atomic_fetch_sub(&f->left, 1) != 1) return;
	if (restorerun_stopped(run_of(f))) restorefile_fail(f);
	if (f->begun && !atomic_load(&f->failed)) finish(f);
	clear(f);
	restoretree_leave(f->dir);
	restorewindow_drop(f->window);
}
