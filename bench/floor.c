/* The least that each task of bench/compare could take on this machine: straight-line programs that
 * do what no encrypted, deduplicating, compressing backup can leave out, with as many threads as
 * there are processors, and nothing else. No chain, no signatures, no pack table, no attributes
 * beyond mode and mtime, no fsync, no error recovery. Not a backup program: its key is a constant.
 *
 *   floor init STORE
 *   floor first STORE DIR       walk, read, chunk, BLAKE3, dedup, 1 MiB blocks, zstd, AEGIS-256, write
 *   floor unchanged STORE DIR   walk, stat, compare with what was seen last
 *   floor edits STORE DIR       the same, and `first` for what changed
 *   floor ls STORE              decrypt and decompress the list of entries, print the paths
 *   floor restore STORE DIR     read, decrypt, decompress, BLAKE3 compared, write, mode, mtime
 *   floor prune STORE           read both lists, find the blocks only the older one names (estimate)
 *   floor version
 *
 * FLOOR_LEVEL is the zstd level (default 3), FLOOR_THREADS the number of threads.
 *
 * Two threads take folders and pieces of large files from one queue. Each fills its own block and
 * appends to its own pack; a shared table of 64-bit id prefixes, changed by compare-and-swap, finds
 * duplicates. What is known at the end goes into STORE/list (encrypted) and STORE/state (a plain
 * copy that the next run maps, as a local cache would be).
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <blake3.h>
#include <sodium.h>
#include <zstd.h>

#include "cut.h"

enum {
	BLOCK = 1 << 20,              /* what is compressed and encrypted together */
	WINDOW = BLOCK + 3 * CUT_MAX, /* a block being filled, and what was read behind it */
	PACK = 16 << 20,
	SMALL = 128 << 10, /* a file up to this is one chunk, unscanned */
	PIECE = 32 << 20,  /* of a large file, for one thread */
	THREADS_MAX = 16,
	CHUNKS_MAX = 1 << 23,
	ENTRIES_MAX = 1 << 22,
	REFS_MAX = 1 << 24,
	NAMES_MAX = 1 << 28,
	TABLE = 1 << 24,
};

struct chunk {
	uint8_t id[32];
	uint32_t block, at, len, pad;
};

struct block {
	uint32_t pack, at, stored, raw;
};

/* A folder, a file, a link, or a later piece of a large file (its `at` is not 0). */
struct entry {
	uint64_t size, at, ino;
	int64_t mtime, ctime;
	uint64_t name, first_ref; /* where its path and its chunk numbers begin */
	uint32_t mode, refs, name_len, sum;
};

/* Everything a run knows. The arrays are reserved whole; pages that nothing touches cost nothing. */
struct all {
	struct chunk *chunk;
	struct block *block;
	struct entry *entry;
	uint32_t *ref;
	char *name;
	_Atomic uint64_t chunks, blocks, entries, refs, names, packs;
};

struct head {
	uint64_t chunks, blocks, entries, refs, names, packs;
};

struct job {
	char *path;               /* relative to the source; "" is the source itself */
	uint64_t size, at, entry; /* a piece of a file when size is not 0 */
	struct job *next;
};

struct worker {
	pthread_t thread;
	unsigned char *window, *squeezed, *sealed;
	size_t fill, have; /* of the window: bytes in the block, bytes read */
	uint64_t first_chunk_of_block;
	uint32_t pending[1 << 16];
	size_t pendings;
	int pack;
	uint32_t pack_number;
	size_t pack_used;
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
	uint64_t changed;
};

static struct all now, old;
static _Atomic uint64_t *table; /* id prefix, or 0 */
static _Atomic uint32_t *table_chunk;
static uint32_t *paths; /* for a run after the first: path hash to entry number + 1 */
static struct worker worker[THREADS_MAX];
static int threads = 2, level = 3;
static const char *store;
static int source = -1;
static const unsigned char key[crypto_aead_aegis256_KEYBYTES] = "not a secret";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct job *queue;
static int busy;

_Noreturn static void die(const char *what, const char *name) {
	fprintf(stderr, "floor: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static void *reserve(size_t bytes) {
	void *p = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) die("mmap", "memory");
	return p;
}

static void all_reserve(struct all *a) {
	a->chunk = reserve(sizeof(struct chunk) * CHUNKS_MAX);
	a->block = reserve(sizeof(struct block) * CHUNKS_MAX);
	a->entry = reserve(sizeof(struct entry) * ENTRIES_MAX);
	a->ref = reserve(sizeof(uint32_t) * REFS_MAX);
	a->name = reserve(NAMES_MAX);
}

static void write_all(int fd, const void *from, size_t n, const char *name) {
	for (const char *p = from; n;) {
		ssize_t w = write(fd, p, n);

		if (w < 0) die("write", name);
		p += w;
		n -= (size_t)w;
	}
}

static uint64_t hash64(const void *p, size_t n, uint64_t seed) {
	const unsigned char *b = p;
	uint64_t h = seed ^ 0x9e3779b97f4a7c15u;

	for (; n >= 8; b += 8, n -= 8) {
		uint64_t v;

		memcpy(&v, b, 8);
		h = (h ^ v) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	while (n--) h = (h ^ *b++) * 0xff51afd7ed558ccdu;
	return h ^ h >> 29;
}

/* --- blocks and packs ----------------------------------------------------------------------- */

static int pack_open(uint32_t number, int flags) {
	char name[64];
	int fd, dir = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);

	snprintf(name, sizeof(name), "pack-%06u", number);
	fd = openat(dir, name, flags | O_CLOEXEC, 0600);
	if (fd < 0) die("open", name);
	close(dir);
	return fd;
}

/* A few samples tell whether compressing can help: trying costs as much as all the rest. */
static bool worth_compressing(struct worker *w, const unsigned char *p, size_t n) {
	size_t gained = 0, tried = 0;

	if (n < 32768) return true;
	for (size_t i = 0; i < 4; i++) {
		size_t c = ZSTD_compressCCtx(w->zc, w->squeezed, BLOCK, p + n / 4 * i, 4096, 1);

		tried += 4096;
		gained += ZSTD_isError(c) || c > 4096 ? 0 : 4096 - c;
	}
	return gained > tried / 32;
}

static void block_flush(struct worker *w) {
	uint64_t b;
	size_t n = w->fill, c;
	const unsigned char *from = w->window;
	unsigned long long sealed;
	unsigned char nonce[crypto_aead_aegis256_NPUBBYTES] = { 0 };

	if (!n) return;
	b = atomic_fetch_add(&now.blocks, 1);
	c = n;
	if (worth_compressing(w, from, n)) {
		c = ZSTD_compressCCtx(w->zc, w->squeezed, ZSTD_compressBound(WINDOW), from, n, level);
		if (!ZSTD_isError(c) && c < n) from = w->squeezed;
		else c = n;
	}
	memcpy(nonce, &b, sizeof(b));
	crypto_aead_aegis256_encrypt(w->sealed, &sealed, from, c, NULL, 0, NULL, nonce, key);
	if (w->pack < 0 || w->pack_used + sealed > PACK) {
		if (w->pack >= 0) close(w->pack);
		w->pack_number = (uint32_t)atomic_fetch_add(&now.packs, 1);
		w->pack = pack_open(w->pack_number, O_CREAT | O_EXCL | O_WRONLY);
		w->pack_used = 0;
	}
	write_all(w->pack, w->sealed, sealed, "pack");
	now.block[b] =
		(struct block){ w->pack_number, (uint32_t)w->pack_used, (uint32_t)sealed, (uint32_t)n };
	w->pack_used += sealed;
	for (size_t i = 0; i < w->pendings; i++) now.chunk[w->pending[i]].block = (uint32_t)b;
	w->pendings = 0;
	memmove(w->window, w->window + n, w->have - n);
	w->have -= n;
	w->fill = 0;
}

/* The n bytes behind the block's are a chunk: they join the block, or fall away as known. */
static uint32_t chunk_add(struct worker *w, size_t n) {
	uint8_t id[32];
	uint64_t prefix;
	blake3_hasher h;
	size_t i;
	uint32_t number;

	blake3_hasher_init_keyed(&h, key);
	blake3_hasher_update(&h, w->window + w->fill, n);
	blake3_hasher_finalize(&h, id, sizeof(id));
	memcpy(&prefix, id, 8);
	prefix |= 1;
	for (i = prefix >> 8 & (TABLE - 1);; i = (i + 1) & (TABLE - 1)) {
		uint64_t seen = atomic_load(&table[i]);

		if (seen == 0 && atomic_compare_exchange_strong(&table[i], &seen, prefix)) break;
		if (seen == prefix) {
			while ((number = atomic_load(&table_chunk[i])) == 0)
				; /* the other thread is between its two stores */
			w->have -= n;
			memmove(w->window + w->fill, w->window + w->fill + n, w->have - w->fill);
			return number - 1;
		}
	}
	number = (uint32_t)atomic_fetch_add(&now.chunks, 1);
	memcpy(now.chunk[number].id, id, 32);
	now.chunk[number].at = (uint32_t)w->fill;
	now.chunk[number].len = (uint32_t)n;
	w->pending[w->pendings++] = number;
	w->fill += n;
	atomic_store(&table_chunk[i], number + 1);
	if (w->fill >= BLOCK || w->pendings == sizeof(w->pending) / sizeof(w->pending[0]))
		block_flush(w);
	return number;
}

static void read_more(struct worker *w, int fd, uint64_t at, size_t n, const char *name) {
	while (n) {
		ssize_t r = pread(fd, w->window + w->have, n, (off_t)at);

		if (r <= 0) die("read", name);
		w->have += (size_t)r;
		at += (size_t)r;
		n -= (size_t)r;
	}
}

/* --- the walk ------------------------------------------------------------------------------- */

static void push(char *path, uint64_t entry, uint64_t at, uint64_t size) {
	struct job *j = malloc(sizeof(*j));

	if (!j) die("malloc", path);
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

/* Gives the entry its place and its path. */
static uint64_t entry_add(const struct entry *e, const char *dir, const char *name) {
	size_t d = strlen(dir), n = strlen(name), len = d + (d && n ? 1 : 0) + n;
	uint64_t i = atomic_fetch_add(&now.entries, 1), at = atomic_fetch_add(&now.names, len + 1);
	char *p = now.name + at;

	memcpy(p, dir, d);
	if (len > d + n) p[d] = '/';
	memcpy(p + len - n, name, n + 1);
	now.entry[i] = *e;
	now.entry[i].name = at;
	now.entry[i].name_len = (uint32_t)len;
	now.entry[i].sum = (uint32_t)hash64(p, len, 0);
	return i;
}

static const struct entry *seen_before(const char *dir, const char *name, const struct entry *e) {
	char path[8192];
	size_t d = strlen(dir), n = strlen(name), len = d + (d ? 1 : 0) + n;
	uint32_t i;

	memcpy(path, dir, d);
	path[d] = '/';
	memcpy(path + len - n, name, n);
	for (i = (uint32_t)hash64(path, len, 0) & (TABLE - 1); paths[i]; i = (i + 1) & (TABLE - 1)) {
		const struct entry *o = &old.entry[paths[i] - 1];

		if (o->name_len == len && !memcmp(old.name + o->name, path, len))
			return o->mtime == e->mtime && o->ctime == e->ctime && o->size == e->size &&
					o->ino == e->ino
				? o
				: NULL;
	}
	return NULL;
}

static void set_refs(uint64_t entry, const uint32_t *ref, size_t n) {
	uint64_t at = atomic_fetch_add(&now.refs, n);

	memcpy(now.ref + at, ref, n * sizeof(*ref));
	now.entry[entry].first_ref = at;
	now.entry[entry].refs = (uint32_t)n;
}

static void small_file(
	struct worker *w, int dir, const char *in, const char *name, struct entry *e) {
	uint32_t ref;
	uint64_t i;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);

	if (fd < 0) die("open", name);
	read_more(w, fd, 0, (size_t)e->size, name);
	close(fd);
	ref = chunk_add(w, (size_t)e->size);
	i = entry_add(e, in, name);
	set_refs(i, &ref, 1);
}

/* One piece of a large file. Cuts start anew at each piece: one more short chunk in 32 MiB. */
static void piece(struct worker *w, struct job *j) {
	static _Thread_local uint32_t ref[PIECE / 1024];
	int fd = openat(source, j->path, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	uint64_t at = j->at, end = j->at + j->size;
	size_t n = 0;

	if (fd < 0) die("open", j->path);
	while (w->have > w->fill || at < end) {
		size_t left = w->have - w->fill;

		if (left < CUT_MAX && at < end) {
			size_t take = WINDOW - w->have;

			take = take < end - at ? take : (size_t)(end - at);
			read_more(w, fd, at, take, j->path);
			at += take;
			left += take;
		}
		ref[n++] = chunk_add(w, cut(w->window + w->fill, left));
	}
	close(fd);
	set_refs(j->entry, ref, n);
}

static void large_file(struct worker *w, const char *in, const char *name, struct entry *e) {
	uint64_t size = e->size;

	(void)w;
	for (uint64_t at = 0; at < size; at += PIECE) {
		uint64_t i, n = size - at < PIECE ? size - at : PIECE;

		e->at = at;
		i = entry_add(e, in, name);
		push(strdup(now.name + now.entry[i].name), i, at, n);
	}
}

static void one_link(struct worker *w, int dir, const char *in, const char *name, struct entry *e) {
	ssize_t n = readlinkat(dir, name, (char *)w->window + w->have, 4096);
	uint32_t ref;

	if (n <= 0) die("readlink", name);
	w->have += (size_t)n;
	ref = chunk_add(w, (size_t)n);
	set_refs(entry_add(e, in, name), &ref, 1);
}

/* Carries over what is unchanged, all its pieces; pieces follow each other in the old list. */
static bool carry_over(const char *in, const char *name, const struct entry *e) {
	const struct entry *o = seen_before(in, name, e);

	if (!o) return false;
	for (uint64_t at = 0;;) {
		uint64_t i = atomic_fetch_add(&now.entries, 1);

		now.entry[i] = *o;
		at += PIECE;
		if (at >= e->size || !S_ISREG(e->mode) || e->size <= SMALL) return true;
		o++;
	}
}

static void one_entry(struct worker *w, int dir, const char *in, const char *name) {
	struct stat st;
	struct entry e;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) die("stat", name);
	e = entry_of(&st);
	if (paths && !S_ISDIR(st.st_mode) && carry_over(in, name, &e)) return;
	if (!S_ISDIR(st.st_mode)) w->changed++;
	if (S_ISDIR(st.st_mode)) {
		uint64_t i = entry_add(&e, in, name);

		push(strdup(now.name + now.entry[i].name), 0, 0, 0);
	} else if (S_ISLNK(st.st_mode)) {
		one_link(w, dir, in, name, &e);
	} else if (S_ISREG(st.st_mode) && e.size == 0) {
		entry_add(&e, in, name);
	} else if (S_ISREG(st.st_mode) && e.size <= SMALL) {
		small_file(w, dir, in, name, &e);
	} else if (S_ISREG(st.st_mode)) {
		large_file(w, in, name, &e);
	}
}

static void folder(struct worker *w, const char *path) {
	int fd = openat(source, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) die("open", path);
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
	block_flush(w);
	if (w->pack >= 0) close(w->pack);
	return NULL;
}

static void run_threads(void *(*body)(void *)) {
	for (int i = 0; i < threads; i++) {
		struct worker *w = &worker[i];

		w->window = reserve(WINDOW);
		w->squeezed = reserve(ZSTD_compressBound(WINDOW));
		w->sealed = reserve(ZSTD_compressBound(WINDOW) + crypto_aead_aegis256_ABYTES);
		w->zc = ZSTD_createCCtx();
		w->zd = ZSTD_createDCtx();
		w->pack = -1;
		if (pthread_create(&w->thread, NULL, body, w) != 0) die("thread", "");
	}
	for (int i = 0; i < threads; i++) pthread_join(worker[i].thread, NULL);
}

/* --- the list and the state ----------------------------------------------------------------- */

static struct head head_of(struct all *a) {
	return (struct head){ a->chunks, a->blocks, a->entries, a->refs, a->names, a->packs };
}

static void head_set(struct all *a, const struct head *h) {
	a->chunks = h->chunks;
	a->blocks = h->blocks;
	a->entries = h->entries;
	a->refs = h->refs;
	a->names = h->names;
	a->packs = h->packs;
}

static FILE *store_file(const char *name, const char *mode) {
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", store, name);
	f = fopen(path, mode);
	if (!f) die("open", path);
	setvbuf(f, NULL, _IONBF, 0);
	return f;
}

/* The five arrays in order, each as blocks of 1 MiB, compressed and encrypted when `sealed`. */
static void array_put(FILE *f, const void *from, size_t n, bool sealed) {
	struct worker *w = &worker[0];

	for (const char *p = from; n && sealed;) {
		static const unsigned char nonce[crypto_aead_aegis256_NPUBBYTES];
		size_t take = n < BLOCK ? n : BLOCK;
		uint32_t len;
		unsigned long long c = ZSTD_compressCCtx(w->zc, w->squeezed, 2 * BLOCK, p, take, 1);

		crypto_aead_aegis256_encrypt(w->sealed + 4, &c, w->squeezed, c, NULL, 0, NULL, nonce, key);
		len = (uint32_t)c;
		memcpy(w->sealed, &len, 4);
		if (fwrite(w->sealed, 1, c + 4, f) != c + 4) die("write", "list");
		p += take;
		n -= take;
	}
	if (n && fwrite(from, 1, n, f) != n) die("write", "state");
}

static void array_get(FILE *f, void *to, size_t n, bool sealed) {
	struct worker *w = &worker[0];

	for (char *p = to; n && sealed;) {
		static const unsigned char nonce[crypto_aead_aegis256_NPUBBYTES];
		uint32_t len;
		unsigned long long c;
		size_t got;

		if (fread(&len, 1, 4, f) != 4 || fread(w->sealed, 1, len, f) != len ||
			crypto_aead_aegis256_decrypt(
				w->squeezed, &c, NULL, w->sealed, len, NULL, 0, nonce, key) != 0)
			die("read", "list");
		got = ZSTD_decompressDCtx(w->zd, p, n, w->squeezed, c);
		if (ZSTD_isError(got)) die("decompress", "list");
		p += got;
		n -= got;
	}
	if (n && fread(to, 1, n, f) != n) die("read", "state");
}

static void all_put(struct all *a, const char *name, bool sealed) {
	FILE *f = store_file(name, "w");
	struct head h = head_of(a);

	array_put(f, &h, sizeof(h), false);
	array_put(f, a->entry, sizeof(struct entry) * h.entries, sealed);
	array_put(f, a->name, h.names, sealed);
	array_put(f, a->ref, sizeof(uint32_t) * h.refs, sealed);
	array_put(f, a->chunk, sizeof(struct chunk) * h.chunks, sealed);
	array_put(f, a->block, sizeof(struct block) * h.blocks, sealed);
	if (fclose(f) != 0) die("close", name);
}

/* `whole`: with the chunks; else entries and names only, which lie first. */
static void all_get(struct all *a, const char *name, bool sealed, bool whole) {
	FILE *f = store_file(name, "r");
	struct head h;

	if (!worker[0].zd) {
		worker[0].zd = ZSTD_createDCtx();
		worker[0].squeezed = reserve(2 * BLOCK);
		worker[0].sealed = reserve(2 * BLOCK);
	}
	array_get(f, &h, sizeof(h), false);
	head_set(a, &h);
	array_get(f, a->entry, sizeof(struct entry) * h.entries, sealed);
	array_get(f, a->name, h.names, sealed);
	if (whole) {
		array_get(f, a->ref, sizeof(uint32_t) * h.refs, sealed);
		array_get(f, a->chunk, sizeof(struct chunk) * h.chunks, sealed);
		array_get(f, a->block, sizeof(struct block) * h.blocks, sealed);
	}
	fclose(f);
}

/* What a backup after the first knows: all of the last run, plus two tables over it. */
static void remember(bool chunks) {
	all_get(&now, "state", false, chunks);
	old = now;
	now.entry = reserve(sizeof(struct entry) * ENTRIES_MAX);
	now.entries = 0;
	paths = reserve(sizeof(*paths) * TABLE);
	for (uint32_t i = 0; i < old.entries; i++) {
		uint32_t k = old.entry[i].sum & (TABLE - 1);

		if (old.entry[i].at) continue;
		while (paths[k]) k = (k + 1) & (TABLE - 1);
		paths[k] = i + 1;
	}
	for (uint32_t i = 0; chunks && i < now.chunks; i++) {
		uint64_t prefix, k;

		memcpy(&prefix, now.chunk[i].id, 8);
		prefix |= 1;
		for (k = prefix >> 8 & (TABLE - 1); table[k]; k = (k + 1) & (TABLE - 1))
			;
		table[k] = prefix;
		table_chunk[k] = i + 1;
	}
}

static void backup(const char *dir, bool first, bool chunks) {
	struct stat st;
	struct entry root;
	uint64_t changed = 0;

	source = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (source < 0 || fstat(source, &st) != 0) die("open", dir);
	all_reserve(&now);
	table = reserve(sizeof(*table) * TABLE);
	table_chunk = reserve(sizeof(*table_chunk) * TABLE);
	if (!first) remember(chunks);
	root = entry_of(&st);
	entry_add(&root, "", "");
	push(strdup(""), 0, 0, 0);
	run_threads(backup_thread);
	for (int i = 0; i < threads; i++) changed += worker[i].changed;
	printf("%lu entries, %lu changed, %lu chunks, %lu blocks, %lu packs\n",
		(unsigned long)now.entries, (unsigned long)changed, (unsigned long)now.chunks,
		(unsigned long)now.blocks, (unsigned long)now.packs);
	if (!changed) return;
	if (!first && rename("list", "list.old") != 0 && errno != ENOENT) die("rename", "list");
	all_put(&now, first ? "list" : "list.new", true);
	all_put(&now, first ? "state" : "state.new", false);
}

/* --- ls, restore, prune --------------------------------------------------------------------- */

static void list(void) {
	all_reserve(&now);
	all_get(&now, "list", true, false);
	setvbuf(stdout, NULL, _IOFBF, BLOCK);
	for (uint64_t i = 0; i < now.entries; i++) {
		const struct entry *e = &now.entry[i];

		if (e->at) continue;
		putc_unlocked('/', stdout);
		fwrite_unlocked(now.name + e->name, 1, e->name_len, stdout);
		putc_unlocked('\n', stdout);
	}
}

static _Atomic uint64_t next_entry;
static int target = -1;

/* The block, decoded, from the thread's few newest ones. */
static unsigned char *block_get(struct worker *w, uint32_t number) {
	enum { KEPT = 4 };
	static _Thread_local unsigned char *kept[KEPT];
	static _Thread_local uint32_t which[KEPT], turn;
	static _Thread_local int pack = -1;
	static _Thread_local uint32_t pack_number;
	const struct block *b = &now.block[number];
	unsigned char nonce[crypto_aead_aegis256_NPUBBYTES] = { 0 };
	unsigned long long n;
	uint64_t wide = number;
	unsigned char *to;

	for (int i = 0; i < KEPT; i++) {
		if (kept[i] && which[i] == number) return kept[i];
	}
	turn = (turn + 1) % KEPT;
	if (!kept[turn]) kept[turn] = reserve(WINDOW);
	to = kept[turn];
	which[turn] = number;
	if (pack < 0 || pack_number != b->pack) {
		if (pack >= 0) close(pack);
		pack = pack_open(b->pack, O_RDONLY);
		pack_number = b->pack;
	}
	if (pread(pack, w->sealed, b->stored, b->at) != (ssize_t)b->stored) die("read", "pack");
	memcpy(nonce, &wide, sizeof(wide));
	if (b->stored - crypto_aead_aegis256_ABYTES == b->raw) {
		if (crypto_aead_aegis256_decrypt(to, &n, NULL, w->sealed, b->stored, NULL, 0, nonce, key) !=
			0)
			die("decrypt", "block");
		return to;
	}
	if (crypto_aead_aegis256_decrypt(
			w->squeezed, &n, NULL, w->sealed, b->stored, NULL, 0, nonce, key) != 0 ||
		ZSTD_decompressDCtx(w->zd, to, WINDOW, w->squeezed, n) != b->raw)
		die("decrypt", "block");
	return to;
}

static unsigned char *chunk_get(struct worker *w, uint32_t number, size_t *len) {
	const struct chunk *c = &now.chunk[number];
	unsigned char *p = block_get(w, c->block) + c->at;
	uint8_t id[32];
	blake3_hasher h;

	blake3_hasher_init_keyed(&h, key);
	blake3_hasher_update(&h, p, c->len);
	blake3_hasher_finalize(&h, id, sizeof(id));
	if (memcmp(id, c->id, 32) != 0) die("wrong", "chunk");
	*len = c->len;
	return p;
}

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
	if (fd < 0) die("open", last);
	return fd;
}

static void restore_file(struct worker *w, const struct entry *e, int dir, const char *name) {
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = e->mtime / 1000000000, .tv_nsec = e->mtime % 1000000000 } };
	bool pieces = e->size > PIECE;
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (pieces ? 0 : O_EXCL),
		e->mode & 07777);
	uint64_t at = e->at;

	if (fd < 0) die("create", name);
	for (uint32_t i = 0; i < e->refs; i++) {
		size_t n;
		unsigned char *p = chunk_get(w, now.ref[e->first_ref + i], &n);

		if (pwrite(fd, p, n, (off_t)at) != (ssize_t)n) die("write", name);
		at += n;
	}
	if (fchmod(fd, e->mode & 07777) != 0 || futimens(fd, t) != 0 || close(fd) != 0)
		die("finish", name);
}

static void restore_one(struct worker *w, const struct entry *e) {
	const char *name;
	int dir = parent_of(now.name + e->name, &name);

	if (S_ISLNK(e->mode)) {
		size_t n;
		char text[4097];
		unsigned char *p = chunk_get(w, now.ref[e->first_ref], &n);

		memcpy(text, p, n);
		text[n] = 0;
		if (symlinkat(text, dir, name) != 0) die("symlink", name);
	} else {
		restore_file(w, e, dir, name);
	}
}

static void *restore_thread(void *arg) {
	struct worker *w = arg;

	for (;;) {
		uint64_t i = atomic_fetch_add(&next_entry, 64);

		if (i >= now.entries) return NULL;
		for (uint64_t k = i; k < i + 64 && k < now.entries; k++) {
			if (!S_ISDIR(now.entry[k].mode)) restore_one(w, &now.entry[k]);
		}
	}
}

/* In the order of their chunks, so that each block is decoded about once. */
static int by_place(const void *a, const void *b) {
	const struct entry *x = a, *y = b;
	uint64_t p = x->refs ? ((uint64_t)now.chunk[now.ref[x->first_ref]].block << 32 |
							   now.chunk[now.ref[x->first_ref]].at)
						 : 0;
	uint64_t q = y->refs ? ((uint64_t)now.chunk[now.ref[y->first_ref]].block << 32 |
							   now.chunk[now.ref[y->first_ref]].at)
						 : 0;

	return (p > q) - (p < q);
}

static void restore(const char *dir) {
	target = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0) die("open", dir);
	all_reserve(&now);
	all_get(&now, "list", true, true);
	/* A folder is always listed before what is in it. */
	for (uint64_t i = 0; i < now.entries; i++) {
		const struct entry *e = &now.entry[i];

		if (S_ISDIR(e->mode) && e->name_len && mkdirat(target, now.name + e->name, 0700) != 0)
			die("mkdir", now.name + e->name);
	}
	struct entry *sorted = reserve(sizeof(struct entry) * (now.entries + 1));
	memcpy(sorted, now.entry, sizeof(struct entry) * now.entries);
	struct entry *plain = now.entry;
	qsort(sorted, now.entries, sizeof(struct entry), by_place);
	now.entry = sorted;
	run_threads(restore_thread);
	for (uint64_t i = now.entries; i--;) {
		const struct entry *e = &plain[i];
		struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
			{ .tv_sec = e->mtime / 1000000000, .tv_nsec = e->mtime % 1000000000 } };

		if (S_ISDIR(e->mode) && e->name_len &&
			(fchmodat(target, now.name + e->name, e->mode & 07777, 0) != 0 ||
				utimensat(target, now.name + e->name, t, 0) != 0))
			die("finish", now.name + e->name);
	}
}

/* Marks what the newer list uses; deletes packs nothing in them is used of. */
static void prune(void) {
	char *used;
	unsigned long dead = 0, gone = 0;

	all_reserve(&now);
	all_reserve(&old);
	all_get(&old, "list", true, true);
	all_get(&now, "list.new", true, true);
	used = reserve(now.blocks + now.packs + 1);
	for (uint64_t i = 0; i < now.entries; i++) {
		for (uint32_t k = 0; k < now.entry[i].refs; k++)
			used[now.chunk[now.ref[now.entry[i].first_ref + k]].block] = 1;
	}
	for (uint64_t b = 0; b < now.blocks; b++) {
		dead += !used[b];
		used[now.blocks + now.block[b].pack] |= used[b];
	}
	for (uint32_t p = 0; p < now.packs; p++) {
		char path[4096];

		if (used[now.blocks + p]) continue;
		snprintf(path, sizeof(path), "%s/pack-%06u", store, p);
		gone += unlink(path) == 0;
	}
	printf("%lu blocks unused, %lu packs deleted\n", dead, gone);
}

int main(int argc, char **argv) {
	const char *verb = argc > 1 ? argv[1] : "";

	if (getenv("FLOOR_LEVEL")) level = (int)strtol(getenv("FLOOR_LEVEL"), NULL, 10);
	threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (getenv("FLOOR_THREADS")) threads = (int)strtol(getenv("FLOOR_THREADS"), NULL, 10);
	threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
	umask(0);
	if (sodium_init() < 0) return 1;
	store = argc > 2 ? argv[2] : "";
	if (!strcmp(verb, "version"))
		printf("floor: %s, zstd %s level %d, %d threads\n", cut_name(), ZSTD_versionString(), level,
			threads);
	else if (!strcmp(verb, "init") && argc == 3) return mkdir(store, 0700) == 0 ? 0 : 1;
	else if (!strcmp(verb, "first") && argc == 4) backup(argv[3], true, true);
	else if (!strcmp(verb, "unchanged") && argc == 4) backup(argv[3], false, false);
	else if (!strcmp(verb, "edits") && argc == 4) backup(argv[3], false, true);
	else if (!strcmp(verb, "ls") && argc == 3) list();
	else if (!strcmp(verb, "restore") && argc == 4) restore(argv[3]);
	else if (!strcmp(verb, "prune") && argc == 3) prune();
	else return 2;
	return 0;
}
