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
 * All but `init` first stretch a passphrase by Argon2id, at the cost that Broch's key store asks: a
 * store that opens to a passphrase can't leave that out.
 *
 * FLOOR_LEVEL is the zstd level (default 3), FLOOR_THREADS the number of threads.
 *
 * Two threads take folders and pieces of large files from one queue. Each fills its own block and
 * appends to its own pack; a shared table of 64-bit id prefixes, changed by compare-and-swap, finds
 * duplicates. What is known at the end goes into STORE/list (encrypted) and STORE/state (a plain
 * copy that the next run maps, as a local cache would be).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "floor.h"
#include "secret/argon.h"

struct all floor_now, floor_old;
_Atomic uint64_t *floor_table;
_Atomic uint32_t *floor_table_chunk;
struct worker floor_worker[THREADS_MAX];
int floor_threads = 2, floor_level = 3;
const char *floor_store;
const unsigned char floor_key[crypto_aead_aegis256_KEYBYTES] = "not a secret";

_Noreturn void floor_die(const char *what, const char *name) {
	fprintf(stderr, "floor: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

void *floor_reserve(size_t bytes) {
	void *p = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) floor_die("mmap", "memory");
	return p;
}

void floor_all_reserve(struct all *a) {
	a->chunk = floor_reserve(sizeof(struct chunk) * CHUNKS_MAX);
	a->block = floor_reserve(sizeof(struct block) * CHUNKS_MAX);
	a->entry = floor_reserve(sizeof(struct entry) * ENTRIES_MAX);
	a->ref = floor_reserve(sizeof(uint32_t) * REFS_MAX);
	a->name = floor_reserve(NAMES_MAX);
}

void floor_write(int fd, const void *from, size_t n, const char *name) {
	for (const char *p = from; n;) {
		ssize_t w = write(fd, p, n);

		if (w < 0) floor_die("write", name);
		p += w;
		n -= (size_t)w;
	}
}

uint64_t floor_hash(const void *p, size_t n, uint64_t seed) {
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

void floor_run(void *(*body)(void *)) {
	for (int i = 0; i < floor_threads; i++) {
		struct worker *w = &floor_worker[i];

		w->window = floor_reserve(WINDOW);
		w->squeezed = floor_reserve(ZSTD_compressBound(WINDOW));
		w->sealed = floor_reserve(ZSTD_compressBound(WINDOW) + crypto_aead_aegis256_ABYTES);
		w->zc = ZSTD_createCCtx();
		w->zd = ZSTD_createDCtx();
		w->pack = -1;
		if (pthread_create(&w->thread, NULL, body, w) != 0) floor_die("thread", "");
	}
	for (int i = 0; i < floor_threads; i++) pthread_join(floor_worker[i].thread, NULL);
}

static void stretch_passphrase(void) {
	static const unsigned char salt[crypto_pwhash_SALTBYTES];
	unsigned char key[32];

	if (crypto_pwhash(key, sizeof(key), "not a secret", 12, salt, ARGON_T, (size_t)ARGON_M << 10,
			crypto_pwhash_ALG_ARGON2ID13) != 0)
		floor_die("stretch", "passphrase");
}

int main(int argc, char **argv) {
	const char *verb = argc > 1 ? argv[1] : "";

	if (getenv("FLOOR_LEVEL")) floor_level = (int)strtol(getenv("FLOOR_LEVEL"), NULL, 10);
	floor_threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (getenv("FLOOR_THREADS")) floor_threads = (int)strtol(getenv("FLOOR_THREADS"), NULL, 10);
	floor_threads = floor_threads < 1 ? 1
		: floor_threads > THREADS_MAX ? THREADS_MAX
									  : floor_threads;
	umask(0);
	if (sodium_init() < 0) return 1;
	floor_store = argc > 2 ? argv[2] : "";
	if (strcmp(verb, "version") != 0 && strcmp(verb, "init") != 0) stretch_passphrase();
	if (!strcmp(verb, "version"))
		printf("floor: %s, zstd %s level %d, %d threads\n", cut_name(), ZSTD_versionString(),
			floor_level, floor_threads);
	else if (!strcmp(verb, "init") && argc == 3) return mkdir(floor_store, 0700) == 0 ? 0 : 1;
	else if (!strcmp(verb, "first") && argc == 4) floor_backup(argv[3], true, true);
	else if (!strcmp(verb, "unchanged") && argc == 4) floor_backup(argv[3], false, false);
	else if (!strcmp(verb, "edits") && argc == 4) floor_backup(argv[3], false, true);
	else if (!strcmp(verb, "ls") && argc == 3) floor_ls();
	else if (!strcmp(verb, "restore") && argc == 4) floor_restore(argv[3]);
	else if (!strcmp(verb, "prune") && argc == 3) floor_prune();
	else return 2;
	return 0;
}
