/* What reads a store: ls, restore, prune. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

void floor_ls(void) {
	floor_all_reserve(&floor_now);
	floor_all_get(&floor_now, "list", true, false);
	setvbuf(stdout, NULL, _IOFBF, BLOCK);
	for (uint64_t i = 0; i < floor_now.entries; i++) {
		const struct entry *e = &floor_now.entry[i];

		if (e->at) continue;
		putc_unlocked('/', stdout);
		fwrite_unlocked(floor_now.name + e->name, 1, e->name_len, stdout);
		putc_unlocked('\n', stdout);
	}
}

static _Atomic uint64_t next_entry;
static int target = -1;

/* One folder's entries share a descriptor, kept until the next folder's turn. */
static int parent_of(const char *path, const char **name) {
	static _Thread_local char last[8192];
	static _Thread_local int fd = -1;
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	if (fd >= 0 && strlen(last) == n && !memcmp(last, path, n)) return fd;
	if (fd >= 0) close(fd);
	memcpy(last, path, n);
	last[n] = 0;
	fd = openat(target, n ? last : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) floor_die("open", last);
	return fd;
}

static void restore_file(struct worker *w, const struct entry *e, int dir, const char *name) {
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = e->mtime / 1000000000, .tv_nsec = e->mtime % 1000000000 } };
	bool pieces = e->size > PIECE;
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (pieces ? 0 : O_EXCL),
		e->mode & 07777);
	uint64_t at = e->at;

	if (fd < 0) floor_die("create", name);
	for (uint32_t i = 0; i < e->refs; i++) {
		size_t n;
		unsigned char *p = floor_chunk_get(w, floor_now.ref[e->first_ref + i], &n);

		if (pwrite(fd, p, n, (off_t)at) != (ssize_t)n) floor_die("write", name);
		at += n;
	}
	if (fchmod(fd, e->mode & 07777) != 0 || futimens(fd, t) != 0 || close(fd) != 0)
		floor_die("finish", name);
}

static void restore_one(struct worker *w, const struct entry *e) {
	const char *name;
	int dir = parent_of(floor_now.name + e->name, &name);

	if (S_ISLNK(e->mode)) {
		size_t n;
		char text[4097];
		unsigned char *p = floor_chunk_get(w, floor_now.ref[e->first_ref], &n);

		memcpy(text, p, n);
		text[n] = 0;
		if (symlinkat(text, dir, name) != 0) floor_die("symlink", name);
	} else {
		restore_file(w, e, dir, name);
	}
}

static void *restore_thread(void *arg) {
	struct worker *w = arg;

	for (;;) {
		uint64_t i = atomic_fetch_add(&next_entry, 64);

		if (i >= floor_now.entries) return NULL;
		for (uint64_t k = i; k < i + 64 && k < floor_now.entries; k++) {
			if (!S_ISDIR(floor_now.entry[k].mode)) restore_one(w, &floor_now.entry[k]);
		}
	}
}

/* In the order of their chunks, so that each block is decoded about once. */
static int by_place(const void *a, const void *b) {
	const struct entry *x = a, *y = b;
	uint64_t p = x->refs ? ((uint64_t)floor_now.chunk[floor_now.ref[x->first_ref]].block << 32 |
							   floor_now.chunk[floor_now.ref[x->first_ref]].at)
						 : 0;
	uint64_t q = y->refs ? ((uint64_t)floor_now.chunk[floor_now.ref[y->first_ref]].block << 32 |
							   floor_now.chunk[floor_now.ref[y->first_ref]].at)
						 : 0;

	return (p > q) - (p < q);
}

void floor_restore(const char *dir) {
	target = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0) floor_die("open", dir);
	floor_all_reserve(&floor_now);
	floor_all_get(&floor_now, "list", true, true);
	/* A folder is always listed before what is in it. */
	for (uint64_t i = 0; i < floor_now.entries; i++) {
		const struct entry *e = &floor_now.entry[i];

		if (S_ISDIR(e->mode) && e->name_len && mkdirat(target, floor_now.name + e->name, 0700) != 0)
			floor_die("mkdir", floor_now.name + e->name);
	}
	struct entry *sorted = floor_reserve(sizeof(struct entry) * (floor_now.entries + 1));
	memcpy(sorted, floor_now.entry, sizeof(struct entry) * floor_now.entries);
	struct entry *plain = floor_now.entry;
	qsort(sorted, floor_now.entries, sizeof(struct entry), by_place);
	floor_now.entry = sorted;
	floor_run(restore_thread);
	for (uint64_t i = floor_now.entries; i--;) {
		const struct entry *e = &plain[i];
		struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
			{ .tv_sec = e->mtime / 1000000000, .tv_nsec = e->mtime % 1000000000 } };

		if (S_ISDIR(e->mode) && e->name_len &&
			(fchmodat(target, floor_now.name + e->name, e->mode & 07777, 0) != 0 ||
				utimensat(target, floor_now.name + e->name, t, 0) != 0))
			floor_die("finish", floor_now.name + e->name);
	}
}

/* Marks what the newer list uses; deletes packs nothing in them is used of. */
void floor_prune(void) {
	char *used;
	unsigned long dead = 0, gone = 0;

	floor_all_reserve(&floor_now);
	floor_all_reserve(&floor_old);
	floor_all_get(&floor_old, "list", true, true);
	floor_all_get(&floor_now, "list.new", true, true);
	used = floor_reserve(floor_now.blocks + floor_now.packs + 1);
	for (uint64_t i = 0; i < floor_now.entries; i++) {
		for (uint32_t k = 0; k < floor_now.entry[i].refs; k++)
			used[floor_now.chunk[floor_now.ref[floor_now.entry[i].first_ref + k]].block] = 1;
	}
	for (uint64_t b = 0; b < floor_now.blocks; b++) {
		dead += !used[b];
		used[floor_now.blocks + floor_now.block[b].pack] |= used[b];
	}
	for (uint32_t p = 0; p < floor_now.packs; p++) {
		char path[4096];

		if (used[floor_now.blocks + p]) continue;
		snprintf(path, sizeof(path), "%s/pack-%06u", floor_store, p);
		gone += unlink(path) == 0;
	}
	printf("%lu blocks unused, %lu packs deleted\n", dead, gone);
}
