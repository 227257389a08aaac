#include "client/backupfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"

enum { OPEN_LEAST = 4, OPEN_MOST = 256, OPEN_SHARE = 4 };

void backupfolder_begin(struct backupfolders *f) {
	size_t max = process_files_max() / OPEN_SHARE;
	if (max > OPEN_MOST) max = OPEN_MOST;
	if (max < OPEN_LEAST) max = OPEN_LEAST;
	*f = (struct backupfolders){ .max = max };
	mutex_init(&f->lock);
}

void backupfolder_end(struct backupfolders *f) {
	mutex_done(&f->lock);
}

void backupfolder_init(
	struct backupfolder *b, struct backupfolder *above, const char *name, bool follow) {
	*b = (struct backupfolder){ .above = above, .name = name, .follow = follow, .fd = -1 };
}

/* All of these with the lock held. */

static void leave_row(struct backupfolders *f, struct backupfolder *b) {
	*(b->newer ? &b->newer->older : &f->newest) = b->older;
	*(b->older ? &b->older->newer : &f->oldest) = b->newer;
	b->newer = b->older = NULL;
}

static void join_row(struct backupfolders *f, struct backupfolder *b) {
	b->older = f->newest;
	*(b->older ? &b->older->newer : &f->oldest) = b;
	f->newest = b;
}

static void take(struct backupfolders *f, struct backupfolder *b) {
	if (b->users++ == 0) leave_row(f, b);
}

static bool close_oldest(struct backupfolders *f) {
	struct backupfolder *b = f->oldest;
	if (!b) return false;
	leave_row(f, b);
	file_close(&b->fd);
	f->open--;
	return true;
}

void backupfolder_let(struct backupfolders *f, struct backupfolder *b) {
	mutex_lock(&f->lock);
	if (--b->users == 0) join_row(f, b);
	while (f->open > f->max && close_oldest(f)) continue;
	mutex_unlock(&f->lock);
}

void backupfolder_close(struct backupfolders *f, struct backupfolder *b) {
	mutex_lock(&f->lock);
	if (b->fd >= 0) {
		leave_row(f, b);
		file_close(&b->fd);
		f->open--;
	}
	mutex_unlock(&f->lock);
}

static int open_one(struct backupfolders *f, const struct backupfolder *b) {
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (b->follow ? 0 : O_NOFOLLOW);
	for (;;) {
		int fd = openat(b->above ? b->above->fd : AT_FDCWD, b->above ? b->name : "/", flags);
		if (fd >= 0 || (errno != EMFILE && errno != ENFILE)) return fd;
		int reason = errno;
		mutex_lock(&f->lock);
		bool more = close_oldest(f);
		mutex_unlock(&f->lock);
		errno = reason;
		if (!more) return -1;
	}
}

/* Opens ${b}, the folder above it being held, and holds it. */
static enum err open_held(struct backupfolders *f, struct backupfolder *b, struct why *why) {
	struct stat now;
	int fd = open_one(f, b);
	if (fd < 0 && b->known && errno == ENOENT)
		return why_set(why, E_IO, "the folder was moved or removed while it was read");
	if (fd < 0) return why_errno(why, "opening the folder");
	if (fstat(fd, &now)) {
		enum err e = why_errno(why, "looking at the folder");
		file_close(&fd);
		return e;
	}
	mutex_lock(&f->lock);
	bool same = !b->known || (b->st.st_dev == now.st_dev && b->st.st_ino == now.st_ino);
	if (same && b->fd >= 0) {
		take(f, b); /* another thread was faster */
	} else if (same) {
		if (!b->known) b->st = now;
		b->known = true;
		b->fd = fd;
		b->users = 1;
		f->open++;
		fd = -1;
	}
	mutex_unlock(&f->lock);
	file_close(&fd);
	return same ? OK : why_set(why, E_IO, "the folder was replaced while it was read");
}

enum err backupfolder_hold(struct backupfolders *f, struct backupfolder *b, struct why *why) {
	struct backupfolder *at = b;
	size_t closed = 0; /* folders from here upwards */
	enum err e = OK;
	mutex_lock(&f->lock);
	for (; at && at->fd < 0; at = at->above) closed++;
	if (at) take(f, at);
	mutex_unlock(&f->lock);
	for (; closed > 0 && !e; closed--) {
		struct backupfolder *next = b;
		for (size_t i = 1; i < closed; i++) next = next->above;
		e = open_held(f, next, why);
		if (at) backupfolder_let(f, at);
		at = next;
	}
	return e;
}
