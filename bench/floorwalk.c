/* The walk, and what becomes of each file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor.h"

static int source = -1;
static uint32_t *paths; /* for a run after the first: path hash to entry number + 1 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct job *queue;
static int busy;

static void push(char *path, uint64_t entry, uint64_t at, uint64_t size) {
	struct job *j = malloc(sizeof(*j));

	if (!j) floor_die("malloc", path);
	*j = (struct job){ .path = path, .entry = entry, .at = at, .size = size };
	pthread_mutex_lock(&lock);
	j->next = queue;
	queue = j;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
}

static struct job *pop(struct job *done) {
	struct job *j;

	pthread_mutex_lock(&lock);
	if (done) busy--;
	while (!queue && busy) pthread_cond_wait(&more, &lock);
	j = queue;
	if (j) {
		queue = j->next;
		busy++;
	} else {
		pthread_cond_broadcast(&more);
	}
	pthread_mutex_unlock(&lock);
	return j;
}

static int64_t ns(struct timespec t) {
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct entry entry_of(const struct stat *st) {
	return (struct entry){ .size = (uint64_t)st->st_size,
		.ino = st->st_ino,
		.mtime = ns(st->st_mtim),
		.ctime = ns(st->st_ctim),
		.mode = st->st_mode };
}

/* Gives the entry its number and its path; `count` numbers, all alike so far, for a file in pieces. */
static uint64_t entry_add(
	const struct entry *e, uint64_t count, const char *dir, const char *name) {
	size_t d = strlen(dir), n = strlen(name), len = d + (d && n ? 1 : 0) + n;
	uint64_t i = atomic_fetch_add(&floor_now.entries, count),
			 at = atomic_fetch_add(&floor_now.names, len + 1);
	char *p = floor_now.name + at;

	memcpy(p, dir, d);
	if (len > d + n) p[d] = '/';
	memcpy(p + len - n, name, n + 1);
	for (uint64_t k = i; k < i + count; k++) {
		floor_now.entry[k] = *e;
		floor_now.entry[k].name = at;
		floor_now.entry[k].name_len = (uint32_t)len;
		floor_now.entry[k].sum = (uint32_t)floor_hash(p, len, 0);
		floor_now.entry[k].at = (k - i) * PIECE;
	}
	return i;
}

static const struct entry *seen_before(const char *dir, const char *name, const struct entry *e) {
	char path[8192];
	size_t d = strlen(dir), n = strlen(name), len = d + (d ? 1 : 0) + n;
	uint32_t i;

	memcpy(path, dir, d);
	path[d] = '/';
	memcpy(path + len - n, name, n);
	for (i = (uint32_t)floor_hash(path, len, 0) & (TABLE - 1); paths[i];
		 i = (i + 1) & (TABLE - 1)) {
		const struct entry *o = &floor_old.entry[paths[i] - 1];

		if (o->name_len == len && !memcmp(floor_old.name + o->name, path, len))
			return o->mtime == e->mtime && o->ctime == e->ctime && o->size == e->size &&
					o->ino == e->ino
				? o
				: NULL;
	}
	return NULL;
}

static void set_refs(uint64_t entry, const uint32_t *ref, size_t n) {
	uint64_t at = atomic_fetch_add(&floor_now.refs, n);

	memcpy(floor_now.ref + at, ref, n * sizeof(*ref));
	floor_now.entry[entry].first_ref = at;
	floor_now.entry[entry].refs = (uint32_t)n;
}

static void small_file(
	struct worker *w, int dir, const char *in, const char *name, struct entry *e) {
	uint32_t ref;
	uint64_t i;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);

	if (fd < 0) floor_die("open", name);
	floor_read_more(w, fd, 0, (size_t)e->size, name);
	close(fd);
	ref = floor_chunk_add(w, (size_t)e->size);
	i = entry_add(e, 1, in, name);
	set_refs(i, &ref, 1);
}

/* One piece of a large file. Cuts start anew at each piece: one more short chunk in 32 MiB. */
static void piece(struct worker *w, struct job *j) {
	static _Thread_local uint32_t ref[PIECE / 1024];
	int fd = openat(source, j->path, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	uint64_t at = j->at, end = j->at + j->size;
	size_t n = 0;

	if (fd < 0) floor_die("open", j->path);
	while (w->have > w->fill || at < end) {
		size_t left = w->have - w->fill;

		if (left < CUT_MAX && at < end) {
			size_t take;

			memmove(w->window, w->window + w->base, w->have - w->base);
			w->have -= w->base;
			w->fill -= w->base;
			w->base = 0;
			take = WINDOW - w->have;
			take = take < end - at ? take : (size_t)(end - at);
			floor_read_more(w, fd, at, take, j->path);
			at += take;
			left += take;
		}
		ref[n++] = floor_chunk_add(w, cut(w->window + w->fill, left));
	}
	close(fd);
	set_refs(j->entry, ref, n);
}

static void large_file(const char *in, const char *name, const struct entry *e) {
	uint64_t i = entry_add(e, (e->size + PIECE - 1) / PIECE, in, name);

	for (uint64_t at = 0; at < e->size; at += PIECE)
		push(strdup(floor_now.name + floor_now.entry[i].name), i + at / PIECE, at,
			e->size - at < PIECE ? e->size - at : PIECE);
}

static void one_link(struct worker *w, int dir, const char *in, const char *name, struct entry *e) {
	ssize_t n = readlinkat(dir, name, (char *)w->window + w->have, 4096);
	uint32_t ref;

	if (n <= 0) floor_die("readlink", name);
	w->have += (size_t)n;
	ref = floor_chunk_add(w, (size_t)n);
	set_refs(entry_add(e, 1, in, name), &ref, 1);
}

/* Carries over what is unchanged, with all its pieces. */
static bool carry_over(const char *in, const char *name, const struct entry *e) {
	const struct entry *o = seen_before(in, name, e);
	uint64_t count = S_ISREG(e->mode) && e->size > SMALL ? (e->size + PIECE - 1) / PIECE : 1;

	if (!o) return false;
	memcpy(floor_now.entry + atomic_fetch_add(&floor_now.entries, count), o, count * sizeof(*o));
	return true;
}

static void one_entry(struct worker *w, int dir, const char *in, const char *name) {
	struct stat st;
	struct entry e;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) floor_die("stat", name);
	e = entry_of(&st);
	if (paths && !S_ISDIR(st.st_mode) && carry_over(in, name, &e)) return;
	if (!S_ISDIR(st.st_mode)) w->changed++;
	if (S_ISDIR(st.st_mode)) {
		uint64_t i = entry_add(&e, 1, in, name);

		push(strdup(floor_now.name + floor_now.entry[i].name), 0, 0, 0);
	} else if (S_ISLNK(st.st_mode)) {
		one_link(w, dir, in, name, &e);
	} else if (S_ISREG(st.st_mode) && e.size == 0) {
		entry_add(&e, 1, in, name);
	} else if (S_ISREG(st.st_mode) && e.size <= SMALL) {
		small_file(w, dir, in, name, &e);
	} else if (S_ISREG(st.st_mode)) {
		large_file(in, name, &e);
	}
}

static void folder(struct worker *w, const char *path) {
	int fd = openat(source, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) floor_die("open", path);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) one_entry(w, fd, path, e->d_name);
	}
	closedir(d);
}

static void *backup_thread(void *arg) {
	struct worker *w = arg;
	struct job *j = NULL, *next;

	while ((next = pop(j))) {
		if (j) {
			free(j->path);
			free(j);
		}
		j = next;
		if (j->size) piece(w, j);
		else folder(w, j->path);
	}
	floor_block_flush(w);
	if (w->pack >= 0) close(w->pack);
	return NULL;
}

/* What a backup after the first knows: all of the last run, plus two tables over it. */
static void remember(bool chunks) {
	floor_all_get(&floor_now, "state", false, chunks);
	floor_old = floor_now;
	floor_now.entry = floor_reserve(sizeof(struct entry) * ENTRIES_MAX);
	floor_now.entries = 0;
	paths = floor_reserve(sizeof(*paths) * TABLE);
	for (uint32_t i = 0; i < floor_old.entries; i++) {
		uint32_t k = floor_old.entry[i].sum & (TABLE - 1);

		if (floor_old.entry[i].at) continue;
		while (paths[k]) k = (k + 1) & (TABLE - 1);
		paths[k] = i + 1;
	}
	for (uint32_t i = 0; chunks && i < floor_now.chunks; i++) {
		uint64_t prefix, k;

		memcpy(&prefix, floor_now.chunk[i].id, 8);
		prefix |= 1;
		for (k = prefix >> 8 & (TABLE - 1); floor_table[k]; k = (k + 1) & (TABLE - 1))
			;
		floor_table[k] = prefix;
		floor_table_chunk[k] = i + 1;
	}
}

void floor_backup(const char *dir, bool first, bool chunks) {
	struct stat st;
	struct entry root;
	uint64_t changed = 0;

	source = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) != 0) floor_die("open", dir);
	floor_all_reserve(&floor_now);
	floor_table = floor_reserve(sizeof(*floor_table) * TABLE);
	floor_table_chunk = floor_reserve(sizeof(*floor_table_chunk) * TABLE);
	if (!first) remember(chunks);
	root = entry_of(&st);
	entry_add(&root, 1, "", "");
	push(strdup(""), 0, 0, 0);
	floor_run(backup_thread);
	for (int i = 0; i < floor_threads; i++) changed += floor_worker[i].changed;
	printf("%lu entries, %lu changed, %lu chunks, %lu blocks, %lu packs\n",
		(unsigned long)floor_now.entries, (unsigned long)changed, (unsigned long)floor_now.chunks,
		(unsigned long)floor_now.blocks, (unsigned long)floor_now.packs);
	if (!changed) return;
	if (!first && rename("list", "list.old") != 0 && errno != ENOENT) floor_die("rename", "list");
	floor_all_put(&floor_now, first ? "list" : "list.new", true);
	floor_all_put(&floor_now, first ? "state" : "state.new", false);
}
