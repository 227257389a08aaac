#include "client/backuplinks.h"

#include <string.h>

#include "base/mem.h"

enum { FIRST = 1024 };

void backuplinks_init(struct backuplinks *l) {
	*l = (struct backuplinks){ .count = 0 };
	mutex_init(&l->lock);
}

void backuplinks_done(struct backuplinks *l) {
	for (size_t i = 0; i < l->room; i++) mem_free((uint8_t *)(uintptr_t)l->files[i].body.ptr);
	mem_free(l->files);
	mutex_done(&l->lock);
}

static uint64_t hash_of_file(uint64_t device, uint64_t inode) {
	return (inode * UINT64_C(0x9e3779b97f4a7c15)) ^ device;
}

static struct backuplinks_file *slot_of(struct backuplinks *l, uint64_t device, uint64_t inode) {
	size_t mask = l->room - 1, i = (size_t)hash_of_file(device, inode) & mask;
	while (l->files[i].inode && (l->files[i].inode != inode || l->files[i].device != device))
		i = (i + 1) & mask;
	return &l->files[i];
}

/* The content of another name of the same file, if it was read in this run. */
bool backuplinks_find(struct backuplinks *l, const struct stat *st, struct direntry *d) {
	struct direntry other;
	bool found = false;
	mutex_lock(&l->lock);
	if (l->room) {
		const struct backuplinks_file *f = slot_of(l, st->st_dev, st->st_ino);
		found = f->inode && f->body.ptr && direntry_decode(&other, f->body) == OK;
	}
	mutex_unlock(&l->lock);
	if (!found) return false;
	/* its spans point into memory that lasts as long as the walk */
	other.name = d->name;
	*d = other;
	return true;
}

/* The place of a file with several names, made if it is not there; NULL if memory is short. With the lock held. */
static struct backuplinks_file *file_of(struct backuplinks *l, const struct stat *st) {
	if ((l->count + 1) * 2 > l->room) {
		size_t old_room = l->room, room = old_room ? old_room * 2 : FIRST;
		struct backuplinks_file *old = l->files, *wider = mem_array(room, sizeof *wider);
		if (wider) {
			l->files = wider;
			l->room = room;
			for (size_t i = 0; i < old_room; i++)
				if (old[i].inode) *slot_of(l, old[i].device, old[i].inode) = old[i];
			mem_free(old);
		}
	}
	if (l->room <= l->count + 1) return NULL;
	struct backuplinks_file *f = slot_of(l, st->st_dev, st->st_ino);
	if (!f->inode) l->count++;
	f->device = st->st_dev;
	f->inode = st->st_ino;
	return f;
}

bool backuplinks_keep(struct backuplinks *l, const struct stat *st, struct span body) {
	mutex_lock(&l->lock);
	struct backuplinks_file *f = file_of(l, st);
	bool counted = f && f->counted;
	uint8_t *copy = f && !f->body.ptr ? mem_alloc(body.len) : NULL;
	if (copy) {
		memcpy(copy, body.ptr, body.len);
		f->body = span_of(copy, body.len);
	}
	if (f) f->counted = true;
	mutex_unlock(&l->lock);
	return counted;
}

/* Whether the content was counted under another name. It is from now on. */
bool backuplinks_count(struct backuplinks *l, const struct stat *st) {
	bool counted = false;
	if (st->st_nlink < 2) return false;
	mutex_lock(&l->lock);
	struct backuplinks_file *f = file_of(l, st);
	if (f) {
		counted = f->counted;
		f->counted = true;
	}
	mutex_unlock(&l->lock);
	return counted;
}
