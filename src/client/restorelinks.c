#include "client/restorelinks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/restoretemp.h"
#include "os/file.h"

enum state { NOT_MADE, UNDER_WAY, MADE };

struct waiter {
	struct waiter *next;
	struct restoretree_dir *dir;
	struct buf entry;
};

struct restorelinks_group {
	uint8_t key[SIZE_LINK_GROUP];
	struct hash what; /* type and content */
	enum state state;
	struct restoretree_dir *dir; /* of the first member; its memory is held */
	char name[LIMIT_NAME + 1];
	uint64_t device, inode;
	struct waiter *waiters;
};

struct restorelinks {
	struct restorerun *run;
	struct restorelinks_group **slots; /* open addressing; only the planning thread adds */
	size_t count, room;
	struct waiter *ready;
};

enum { ROOM_FIRST = 1024, ENTRY_MAX = 2 * LIMIT_DIRENTRY };

enum err restorelinks_new(struct restorelinks **out, struct restorerun *r, struct why *why) {
	struct restorelinks *l = mem_zalloc(sizeof *l);
	if (!l) return why_err(why, E_NOMEM, "restoring");
	l->run = r;
	l->room = ROOM_FIRST;
	l->slots = mem_array(l->room, sizeof(struct restorelinks_group *));
	if (!l->slots) {
		mem_free(l);
		return why_err(why, E_NOMEM, "restoring");
	}
	*out = l;
	return OK;
}

static void free_waiters(struct waiter *w) {
	while (w) {
		struct waiter *next = w->next;
		restoretree_leave(w->dir);
		buf_free(&w->entry);
		mem_free(w);
		w = next;
	}
}

void restorelinks_free(struct restorelinks *l) {
	if (!l) return;
	for (size_t i = 0; i < l->room; i++) {
		struct restorelinks_group *g = l->slots[i];
		if (!g) continue;
		free_waiters(g->waiters);
		restoretree_drop(g->dir);
		mem_free(g);
	}
	free_waiters(l->ready);
	mem_free(l->slots);
	mem_free(l);
}

static struct restorelinks_group **slot_of(
	struct restorelinks_group **slots, size_t room, const uint8_t *key) {
	size_t i = little_get64(key) & (room - 1);
	struct span wanted = span_of(key, SIZE_LINK_GROUP);
	while (slots[i] && !span_equal(span_of(slots[i]->key, SIZE_LINK_GROUP), wanted))
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static enum err grow(struct restorelinks *l) {
	if ((l->count + 1) * 2 <= l->room) return OK;
	struct restorelinks_group **wider = mem_array(l->room * 2, sizeof(struct restorelinks_group *));
	if (!wider) return E_NOMEM;
	for (size_t i = 0; i < l->room; i++)
		if (l->slots[i]) *slot_of(wider, l->room * 2, l->slots[i]->key) = l->slots[i];
	mem_free(l->slots);
	l->slots = wider;
	l->room *= 2;
	return OK;
}

/* What members of a group have in common. */
static enum err sum_of(const struct direntry *d, struct hash *out) {
	struct buf b;
	buf_init(&b, ENTRY_MAX);
	struct writer w = writer_to(&b);
	writer_u8(&w, d->type);
	if (d->type == DIRENTRY_FILE) streamref_write(&w, &d->stream);
	writer_bytes(&w, d->holes.items);
	writer_bytes(&w, d->target);
	writer_u32(&w, d->major);
	writer_u32(&w, d->minor);
	enum err e = writer_finish(&w);
	if (!e) hash_of(out, buf_span(&b));
	buf_free(&b);
	return e;
}

static enum err put_aside(
	struct restorelinks_group *g, const struct direntry *d, struct restoretree_dir *dir) {
	struct waiter *w = mem_zalloc(sizeof *w);
	if (!w) return E_NOMEM;
	buf_init(&w->entry, ENTRY_MAX);
	enum err e = direntry_encode(d, &w->entry);
	if (e) {
		buf_free(&w->entry);
		mem_free(w);
		return e;
	}
	restoretree_use(dir);
	w->dir = dir;
	w->next = g->waiters;
	g->waiters = w;
	return OK;
}

static enum err add_group(struct restorelinks *l, const struct direntry *d, const struct hash *what,
	struct restorelinks_group **out) {
	enum err e = grow(l);
	if (e) return e;
	struct restorelinks_group *g = mem_zalloc(sizeof *g);
	if (!g) return E_NOMEM;
	memcpy(g->key, d->link_group, sizeof g->key);
	g->what = *what;
	g->state = UNDER_WAY;
	*slot_of(l->slots, l->room, g->key) = g;
	l->count++;
	*out = g;
	return OK;
}

enum err restorelinks_ask(struct restorelinks *l, const struct direntry *d,
	struct restoretree_dir *dir, enum restorelinks_answer *answer,
	struct restorelinks_group **group) {
	struct hash what;
	enum err e = sum_of(d, &what);
	if (e) return e;
	*answer = RESTORELINKS_FIRST;
	struct restorelinks_group *g = *slot_of(l->slots, l->room, d->link_group);
	if (!g) return add_group(l, d, &what, group);
	*group = g;
	if (!hash_equal(&g->what, &what)) {
		*answer = RESTORELINKS_ALONE;
		return OK;
	}
	mutex_lock(&l->run->lock);
	if (g->state == MADE) *answer = RESTORELINKS_MADE;
	if (g->state == NOT_MADE) g->state = UNDER_WAY;
	else if (g->state == UNDER_WAY) {
		*answer = RESTORELINKS_WAIT;
		e = put_aside(g, d, dir);
	}
	mutex_unlock(&l->run->lock);
	return e;
}

/* With the lock held. */
static void settle(struct restorelinks *l, struct restorelinks_group *g, enum state state) {
	struct waiter *w = g->waiters, *last = w;
	g->state = state;
	g->waiters = NULL;
	if (!w) return;
	while (last->next) last = last->next;
	last->next = l->ready;
	l->ready = w;
	mutex_wake_all(&l->run->moved);
}

void restorelinks_made(struct restorelinks *l, struct restorelinks_group *g,
	struct restoretree_dir *dir, const char *name, uint64_t device, uint64_t inode) {
	restoretree_hold(dir);
	mutex_lock(&l->run->lock);
	struct restoretree_dir *before = g->dir;
	size_t len = strlen(name);
	memcpy(g->name, name, len < sizeof g->name ? len + 1 : 0);
	g->dir = dir;
	g->device = device;
	g->inode = inode;
	settle(l, g, MADE);
	mutex_unlock(&l->run->lock);
	restoretree_drop(before);
}

void restorelinks_failed(struct restorelinks *l, struct restorelinks_group *g) {
	mutex_lock(&l->run->lock);
	settle(l, g, NOT_MADE);
	mutex_unlock(&l->run->lock);
}

/* Only the thing that was restored, whatever is at its name now. */
static bool is_member(const struct restorelinks_group *g, int at, const char *name) {
	struct stat st;
	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == g->device &&
		st.st_ino == g->inode;
}

static int link_checked(const struct restorelinks_group *g, int from, int to, const char *name) {
	if (linkat(from, g->name, to, name, 0)) return -1;
	if (is_member(g, to, name)) return 0;
	(void)unlinkat(to, name, 0);
	errno = EBUSY;
	return -1;
}

static int link_over(const struct restorelinks_group *g, int from, int to, const char *name) {
	char temp[RESTORETEMP_NAME];
	if (restoretemp_name(temp)) {
		errno = EIO;
		return -1;
	}
	if (link_checked(g, from, to, temp)) return -1;
	int result = renameat(to, temp, to, name);
	int error = errno;
	(void)unlinkat(to, temp, 0); /* a rename onto another name of the same file does nothing */
	errno = error;
	return result;
}

enum err restorelinks_link(struct restorelinks *l, struct restorelinks_group *g,
	struct restoretree_dir *dir, const char *name) {
	bool open = g->dir == dir || restoretree_try(g->dir);
	int from = !open ? restoretree_find(g->dir) : restoretree_wake(g->dir) ? g->dir->fd : -1;
	int result = from < 0 ? -1 : link_checked(g, from, dir->fd, name);
	if (result && errno == EEXIST) result = link_over(g, from, dir->fd, name);
	int error = errno;
	if (!open) file_close(&from);
	else if (g->dir != dir) restoretree_leave(g->dir);
	if (result == 0) return OK;
	errno = error;
	if (error == EMLINK) {
		g->state = UNDER_WAY; /* made, so nobody waits and no other thread looks at it */
		return E_LIMIT;
	}
	if (error != EISDIR && error != ENOTEMPTY && error != ENOSPC && error != EDQUOT) {
		restorerun_note(l->run, RESTORE_INCOMPLETE, dir, name,
			"it could not be linked to the other names that it had, and is a file of its own");
		return E_UNSUPPORTED;
	}
	return restorerun_failed(l->run, dir, name, "it could not be put in its place");
}

bool restorelinks_any(struct restorelinks *l) {
	mutex_lock(&l->run->lock);
	bool any = l->ready != NULL;
	mutex_unlock(&l->run->lock);
	return any;
}

bool restorelinks_ready(struct restorelinks *l, struct restoretree_dir **dir, struct buf *entry) {
	mutex_lock(&l->run->lock);
	struct waiter *w = l->ready;
	if (w) l->ready = w->next;
	mutex_unlock(&l->run->lock);
	if (!w) return false;
	*dir = w->dir;
	*entry = w->entry;
	mem_free(w);
	return true;
}
