/* What the parts of bench/floor share; its head is in floor.c. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zstd.h>

#include "cut.h"

enum {
	BLOCK = 1 << 20,              /* what is compressed and encrypted together */
	WINDOW = BLOCK + 3 * CUT_MAX, /* a block being filled, and what was read behind it */
	PACK = 16 << 20,
	SMALL = 224 << 10, /* a file up to this is one chunk, unscanned */
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
	size_t base, fill, have; /* in the window: where the block begins and ends, and what was read */
	uint32_t pending[1 << 16];
	size_t pendings;
	int pack;
	uint32_t pack_number;
	size_t pack_used;
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
	uint64_t changed;
};

extern struct all floor_now, floor_old;
extern _Atomic uint64_t *floor_table; /* id prefix, or 0 */
extern _Atomic uint32_t *floor_table_chunk;
extern struct worker floor_worker[THREADS_MAX];
extern int floor_threads, floor_level;
extern const char *floor_store;
extern const unsigned char floor_key[32];

/* floor.c: every failure ends the program. */
_Noreturn void floor_die(const char *what, const char *name);
void *floor_reserve(size_t bytes);
void floor_all_reserve(struct all *a);
void floor_write(int fd, const void *from, size_t n, const char *name);
uint64_t floor_hash(const void *p, size_t n, uint64_t seed);
void floor_run(void *(*body)(void *)); /* in every worker, to their end */

/* floorblock.c */
int floor_pack_open(uint32_t number, int flags);
void floor_block_flush(struct worker *w);
uint32_t floor_chunk_add(struct worker *w, size_t n);
void floor_read_more(struct worker *w, int fd, uint64_t at, size_t n, const char *name);
unsigned char *floor_chunk_get(struct worker *w, uint32_t number, size_t *len);

/* floorlist.c */
void floor_all_put(struct all *a, const char *name, bool sealed);
void floor_all_get(struct all *a, const char *name, bool sealed, bool whole);

/* floorwalk.c, floorrestore.c */
void floor_backup(const char *dir, bool first, bool chunks);
void floor_ls(void);
void floor_restore(const char *dir);
void floor_prune(void);

#endif
