/* How fast this machine does the parts that a backup is made of, on one thread and on all.
 *
 *   rates [-j] parts FOLDER      memory, hash, cipher, chunker; files made, read, listed in FOLDER
 *   rates [-j] zstd NAME FOLDER  zstd on the files of FOLDER (the first 256 MB), in blocks of 1 MiB
 *
 * Prints a table, or with -j one JSON line a figure. Each figure is the median of five runs of at
 * least 0.1 s a thread; FOLDER for `parts` should be on the file system to be measured, and empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <blake3.h>
#include <sodium.h>
#include <zstd.h>

#include "cut.h"
#include "secret/argon.h"

enum { THREADS_MAX = 16, BUFFER = 16 << 20, BLOCK = 1 << 20, RUNS = 5, FILES = 4000 };
static const size_t sample_max = 256u << 20;

struct lane {
	pthread_t thread;
	int number;
	unsigned char *in, *out;
	ZSTD_CCtx *zc;
	ZSTD_DCtx *zd;
	double rate;
};

/* One step of a test: returns how much it did (bytes or files). */
typedef double step(struct lane *l, long argument);

static struct lane lane[THREADS_MAX];
static pthread_barrier_t start;
static step *now_step;
static long now_argument;
static bool json;
static const char *folder;
static unsigned char *sample, *packed;
static size_t sample_len, packed_len[1 << 9];
static int packed_level;

_Noreturn static void die(const char *what, const char *name) {
	fprintf(stderr, "rates: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static double seconds(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *reserve(size_t n) {
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) die("mmap", "memory");
	return p;
}

/* --- running -------------------------------------------------------------------------------- */

static void *body(void *arg) {
	struct lane *l = arg;
	double begin, end, done = 0;

	pthread_barrier_wait(&start);
	begin = seconds();
	do {
		done += now_step(l, now_argument);
		end = seconds();
	} while (end - begin < 0.1);
	l->rate = done / (end - begin);
	return NULL;
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(step *s, long argument, int threads) {
	double run[RUNS];

	now_step = s;
	now_argument = argument;
	for (int r = 0; r < RUNS; r++) {
		run[r] = 0;
		pthread_barrier_init(&start, NULL, (unsigned)threads);
		for (int i = 0; i < threads; i++) pthread_create(&lane[i].thread, NULL, body, &lane[i]);
		for (int i = 0; i < threads; i++) {
			pthread_join(lane[i].thread, NULL);
			run[r] += lane[i].rate;
		}
		pthread_barrier_destroy(&start);
	}
	qsort(run, RUNS, sizeof(run[0]), by_value);
	return run[RUNS / 2];
}

/* `per` is what the figure is divided by: 1e6 for MB/s, 1e3 for thousands of files a second. */
static void report(const char *name, const char *unit, double per, step *s, long argument) {
	int all = (int)sysconf(_SC_NPROCESSORS_ONLN);
	double one, many;

	all = all > THREADS_MAX ? THREADS_MAX : all;
	one = measure(s, argument, 1) / per;
	many = measure(s, argument, all) / per;
	if (json)
		printf("{\"type\": \"rate\", \"name\": \"%s\", \"unit\": \"%s\", \"one\": %.4g, "
			   "\"all\": %.4g, \"threads\": %d}\n",
			name, unit, one, many, all);
	else printf("%-44s %9.4g %9.4g  %s\n", name, one, many, unit);
	fflush(stdout);
}

static void lanes_make(void) {
	for (int i = 0; i < THREADS_MAX; i++) {
		lane[i].number = i;
		if (i >= sysconf(_SC_NPROCESSORS_ONLN)) continue;
		lane[i].in = reserve(BUFFER);
		lane[i].out = reserve(BUFFER + 1024);
		memset(lane[i].out, 1, BUFFER + 1024);
		randombytes_buf(lane[i].in, BUFFER);
		lane[i].zc = ZSTD_createCCtx();
		lane[i].zd = ZSTD_createDCtx();
	}
}

/* --- the parts ------------------------------------------------------------------------------ */

static double step_copy(struct lane *l, long n) {
	memcpy(l->out, l->in, (size_t)n);
	return (double)n;
}

static double step_blake3(struct lane *l, long n) {
	for (long at = 0; at + n <= BUFFER; at += n) {
		blake3_hasher h;

		blake3_hasher_init_keyed(&h, l->in);
		blake3_hasher_update(&h, l->in + at, (size_t)n);
		blake3_hasher_finalize(&h, l->out, 32);
	}
	return (double)(BUFFER / n * n);
}

static double step_seal(struct lane *l, long n) {
	for (long at = 0; at + n <= BUFFER; at += n) {
		unsigned long long len;

		crypto_aead_aegis256_encrypt(
			l->out, &len, l->in + at, (unsigned long long)n, NULL, 0, NULL, l->in, l->in + 32);
	}
	return (double)(BUFFER / n * n);
}

static double step_unseal(struct lane *l, long n) {
	static _Thread_local unsigned char *box;
	unsigned long long len;

	if (!box) {
		box = reserve(BLOCK + 64);
		crypto_aead_aegis256_encrypt(
			box, &len, l->in, (unsigned long long)n, NULL, 0, NULL, l->in, l->in + 32);
	}
	if (crypto_aead_aegis256_decrypt(
			l->out, &len, NULL, box, (unsigned long long)n + 32, NULL, 0, l->in, l->in + 32) != 0)
		die("decrypt", "box");
	return (double)n;
}

/* Whole chunks as a backup cuts them: what the minimum skips counts as done. */
static double step_cut(struct lane *l, long unused) {
	size_t at = 0;

	(void)unused;
	while (BUFFER - at >= CUT_MAX) at += cut(l->in + at, BUFFER - at);
	return (double)at;
}

static double step_stretch(struct lane *l, long unused) {
	(void)unused;
	if (crypto_pwhash(l->out, 32, "not a secret", 12, l->in, ARGON_T, (size_t)ARGON_M << 10,
			crypto_pwhash_ALG_ARGON2ID13) != 0)
		die("stretch", "passphrase");
	return 1;
}

/* For comparison: a plain gear hash over every byte. */
static double step_gear(struct lane *l, long unused) {
	static uint64_t gear[256];
	uint64_t h = 0, cuts = 0;

	(void)unused;
	if (!gear[255]) memcpy(gear, l->in, sizeof(gear));
	for (size_t i = 0; i < BUFFER; i++) {
		h = (h << 1) + gear[l->in[i]];
		cuts += !(h >> 47);
	}
	memcpy(l->out, &cuts, sizeof(cuts));
	return BUFFER;
}

/* --- files ---------------------------------------------------------------------------------- */

static void name_of(char out[64], int number, long i) {
	snprintf(out, 64, "%d-%ld", number, i);
}

/* Files of n bytes, rewritten where they exist: makes what is read and listed afterwards. */
static double step_create(struct lane *l, long n) {
	static _Thread_local long next;
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	for (int i = 0; i < 100; i++) {
		int fd;

		name_of(name, l->number, next++ % FILES);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, l->in, (size_t)n) != n) die("create", name);
		close(fd);
	}
	close(dir);
	return 100;
}

static void files_remove(void) {
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	for (int t = 0; t < THREADS_MAX; t++) {
		for (long i = 0; i < FILES; i++) {
			name_of(name, t, i);
			if (unlinkat(dir, name, 0) != 0) break;
		}
	}
	close(dir);
}

static double step_create_new(struct lane *l, long n) {
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];
	double begin = seconds(), made;

	for (int i = 0; i < 1000; i++) {
		int fd;

		name_of(name, l->number, i);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, l->in, (size_t)n) != n) die("create", name);
		close(fd);
	}
	made = seconds() - begin;
	for (int i = 0; i < 1000; i++) {
		name_of(name, l->number, i);
		unlinkat(dir, name, 0);
	}
	close(dir);
	/* The removals are not what is measured: they are taken out in proportion. */
	return 1000 * (seconds() - begin) / made;
}

static double step_open_read(struct lane *l, long n) {
	static _Thread_local long next;
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	for (int i = 0; i < 100; i++) {
		int fd;

		name_of(name, 0, next++ % FILES);
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, l->out, (size_t)n) < 0) die("read", name);
		close(fd);
	}
	close(dir);
	return 100;
}

static double step_stat(struct lane *l, long unused) {
	static _Thread_local long next;
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];
	struct stat st;

	(void)unused;
	(void)l;
	for (int i = 0; i < 1000; i++) {
		name_of(name, 0, next++ % FILES);
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) die("stat", name);
	}
	close(dir);
	return 1000;
}

static double step_read_large(struct lane *l, long n) {
	char path[4096];
	int fd;
	double done = 0;
	ssize_t r;

	snprintf(path, sizeof(path), "%s/large-%d", folder, l->number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while ((r = read(fd, l->out, (size_t)n)) > 0) done += (double)r;
	close(fd);
	return done;
}

static double step_write_large(struct lane *l, long n) {
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/large-%d", folder, l->number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (long at = 0; at < 64 << 20; at += n) {
		if (write(fd, l->in, (size_t)n) != n) die("write", path);
	}
	close(fd);
	return 64 << 20;
}

static void parts(void) {
	char name[64], label[96];

	report("memory copied (1 MiB)", "MB/s", 1e6, step_copy, BLOCK);
	report("memory copied (16 MiB)", "MB/s", 1e6, step_copy, BUFFER);
	for (long n = 1 << 10; n <= 1 << 20; n <<= 2) {
		snprintf(label, sizeof(label), "BLAKE3 keyed, chunks of %ld KiB", n >> 10);
		report(label, "MB/s", 1e6, step_blake3, n);
	}
	report("AEGIS-256 encrypt (1 MiB)", "MB/s", 1e6, step_seal, BLOCK);
	report("AEGIS-256 decrypt (1 MiB)", "MB/s", 1e6, step_unseal, BLOCK);
	snprintf(label, sizeof(label), "chunker, %s", cut_name());
	report(label, "MB/s", 1e6, step_cut, 0);
	report("plain gear scan of every byte, one lane", "MB/s", 1e6, step_gear, 0);
	report("passphrases stretched (Argon2id, as the key store)", "/s", 1, step_stretch, 0);
	report("large file written (1 MiB a call)", "MB/s", 1e6, step_write_large, BLOCK);
	report("large file read (1 MiB a call)", "MB/s", 1e6, step_read_large, BLOCK);
	for (int i = 0; i < THREADS_MAX; i++) {
		snprintf(name, sizeof(name), "large-%d", i);
		unlinkat(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), name, 0);
	}
	report("new files of 2,000 bytes", "k/s", 1e3, step_create_new, 2000);
	report("new files of 16,000 bytes", "k/s", 1e3, step_create_new, 16000);
	for (int i = 0; i < FILES / 100; i++) step_create(&lane[0], 2000);
	report("files of 2,000 bytes opened, read, closed", "k/s", 1e3, step_open_read, 4000);
	report("stat by name", "k/s", 1e3, step_stat, 0);
	files_remove();
}

/* --- zstd on real data ---------------------------------------------------------------------- */

static int sample_add(const char *path, const struct stat *st, int flag, struct FTW *at) {
	int fd;
	ssize_t n;

	(void)at;
	if (flag != FTW_F || !S_ISREG(st->st_mode) || sample_len == sample_max) return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, sample + sample_len, sample_max - sample_len)) > 0)
		sample_len += (size_t)n;
	if (fd >= 0) close(fd);
	return 0;
}

static double step_zstd(struct lane *l, long level) {
	static _Thread_local size_t next;
	size_t at = next++ * 7 % (sample_len / BLOCK) * BLOCK;

	ZSTD_compressCCtx(l->zc, l->out, BUFFER, sample + at, BLOCK, (int)level);
	return BLOCK;
}

static double step_unzstd(struct lane *l, long unused) {
	static _Thread_local size_t next;
	size_t i = next++ * 7 % (sample_len / BLOCK);

	(void)unused;
	ZSTD_decompressDCtx(l->zd, l->out, BUFFER, packed + i * 2 * BLOCK, packed_len[i]);
	return BLOCK;
}

static double pack_all(int level) {
	size_t sum = 0, n = sample_len / BLOCK;

	for (size_t i = 0; i < n; i++) {
		packed_len[i] = ZSTD_compressCCtx(
			lane[0].zc, packed + i * 2 * BLOCK, 2 * BLOCK, sample + i * BLOCK, BLOCK, level);
		sum += packed_len[i];
	}
	packed_level = level;
	return (double)(n * BLOCK) / (double)sum;
}

static void zstd(const char *name, const char *from) {
	char label[96];

	sample = reserve(sample_max);
	packed = reserve(sample_max * 2);
	if (nftw(from, sample_add, 32, FTW_PHYS) != 0) die("walk", from);
	if (sample_len < BLOCK) die("too little in", from);
	for (int level = 1; level <= 3; level++) {
		double ratio = pack_all(level);

		snprintf(label, sizeof(label), "zstd %d on set %s (shrinks to 1/%.2f)", level, name, ratio);
		report(label, "MB/s", 1e6, step_zstd, level);
	}
	snprintf(label, sizeof(label), "zstd %d on set %s, decompressed", packed_level, name);
	report(label, "MB/s", 1e6, step_unzstd, 0);
}

int main(int argc, char **argv) {
	if (argc > 1 && !strcmp(argv[1], "-j")) {
		json = true;
		argc--;
		argv++;
	}
	if (sodium_init() < 0) return 1;
	lanes_make();
	if (argc == 3 && !strcmp(argv[1], "parts")) {
		folder = argv[2];
		parts();
	} else if (argc == 4 && !strcmp(argv[1], "zstd")) {
		zstd(argv[2], argv[3]);
	} else {
		fprintf(stderr, "usage: rates [-j] parts FOLDER | rates [-j] zstd NAME FOLDER\n");
		return 2;
	}
	return 0;
}
