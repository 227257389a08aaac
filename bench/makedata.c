/* Makes the data that bench/compare measures with: always the same bytes from the same seed (and,
 * for `image`, from the same system files). Not part of Broch; it links nothing of it.
 *
 *   makedata random FILE BYTES SEED      incompressible bytes
 *   makedata image FILE BYTES SEED       zeros, files of /usr, text, random bytes, in extents
 *   makedata edit SRC DST COUNT SEED     a copy with small changes, insertions and deletions
 *   makedata tiny DIR FILES DIRS SEED    text files of 200 to 4,000 bytes
 *   makedata rewrite DIR OUT PERCENT SEED  altered versions of that share of DIR's files, into OUT
 *   makedata swap DIR OUT                exchange OUT's files with those of DIR, by rename
 *   makedata touch BYTES                 touch that much memory once, so that the host has it ready
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PIECE = 1 << 20,
	WORDS = 4096,
	PHRASES = 1024,
	WORD_MAX = 16,
	PHRASE_MAX = 128,
	PATH_ROOM = 4096,
	PHRASE_PERCENT = 8,
	AGAIN_PERCENT = 4,
};

static void die(const char *what, const char *name) {
	fprintf(stderr, "makedata: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static void usage(void) {
	fprintf(stderr,
		"usage: makedata random|image|edit|tiny|rewrite|swap|touch ... (see the file's head)\n");
	exit(2);
}

/* --- numbers from a seed (splitmix64 seeds xoshiro256++) ----------------------------------- */

struct rng {
	uint64_t s[4];
};

static struct rng rng_from(uint64_t seed) {
	struct rng r;

	for (int i = 0; i < 4; i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		r.s[i] = z ^ (z >> 31);
	}
	return r;
}

static inline uint64_t rotl(uint64_t x, int k) {
	return (x << k) | (x >> (64 - k));
}

static inline uint64_t rng_next(struct rng *r) {
	uint64_t *s = r->s, out = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

static size_t rng_between(struct rng *r, size_t low, size_t high) {
	return low + (size_t)(rng_next(r) % (high - low + 1));
}

static void fill_random(struct rng *r, unsigned char *p, size_t n) {
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = rng_next(r);

		memcpy(p, &v, 8);
	}
	if (n) {
		uint64_t v = rng_next(r);

		memcpy(p, &v, n);
	}
}

/* --- text: words and phrases of an invented language, common ones more often ---------------
 * How much of it are phrases is set so that files of 200 to 4,000 bytes shrink as real ones of that
 * size do (/usr/share, /usr/share/doc, Python and Node libraries of Debian 12, zstd 3): alone to
 * 1/2.05 to 1/2.44, in blocks of 1 MiB to 1/3.7 to 1/4.4. This text: 1/2.17 and 1/3.87.
 */

static char word[WORDS][WORD_MAX];
static size_t word_len[WORDS];
static char phrase[PHRASES][PHRASE_MAX];
static size_t phrase_len[PHRASES];

static void words_make(void) {
	static const char syllable[32][4] = { "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo",
		"mu", "na", "pe", "qi", "ro", "su", "ta", "ve", "wi", "xo", "yu", "za", "bre", "cla", "dro",
		"fri", "gle", "pra", "sto", "tri", "che", "sha", "thu" };
	struct rng r = rng_from(1);

	for (int i = 0; i < WORDS; i++) {
		size_t parts = rng_between(&r, 1, 4), n = 0;

		while (parts--) {
			const char *s = syllable[rng_next(&r) % 32];

			memcpy(word[i] + n, s, strlen(s));
			n += strlen(s);
		}
		word_len[i] = n;
	}
}

/* The square of a uniform number: the first are far more frequent than the last. */
static size_t common_first(struct rng *r, size_t n) {
	uint64_t v = rng_next(r);

	return (size_t)((v & 0xffff) * (v >> 16 & 0xffff) >> 16) * n >> 16;
}

static void phrases_make(void) {
	struct rng r = rng_from(2);

	for (int i = 0; i < PHRASES; i++) {
		size_t words = rng_between(&r, 4, 9), n = 0;

		while (words--) {
			size_t w = common_first(&r, WORDS);

			if (n + word_len[w] + 1 > PHRASE_MAX) break;
			memcpy(phrase[i] + n, word[w], word_len[w]);
			n += word_len[w];
			phrase[i][n++] = ' ';
		}
		phrase_len[i] = n - 1;
	}
}

static void fill_text(struct rng *r, unsigned char *p, size_t n) {
	size_t used = 0, column = 0;

	while (used < n) {
		size_t what = rng_between(r, 0, 99);
		bool again = what < AGAIN_PERCENT && used > 200, many = what >= 100 - PHRASE_PERCENT;
		size_t i = common_first(r, many ? PHRASES : WORDS);
		const void *from = again ? (void *)(p + rng_between(r, 0, used - 60))
			: many               ? phrase[i]
								 : word[i];
		size_t len = again ? rng_between(r, 20, 60) : many ? phrase_len[i] : word_len[i];

		if (len > n - used) len = n - used;
		memcpy(p + used, from, len);
		used += len;
		column += len + 1;
		if (used < n) p[used++] = column > 70 ? '\n' : ' ';
		if (column > 70) column = 0;
	}
}

/* --- files ---------------------------------------------------------------------------------- */

static unsigned char piece[PIECE];

static int create(const char *name) {
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0) die("create", name);
	return fd;
}

static void put(int fd, const void *from, size_t n, const char *name) {
	const unsigned char *p = from;

	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0) die("write", name);
		p += w;
		n -= (size_t)w;
	}
}

static void finish(int fd, const char *name) {
	if (close(fd) != 0) die("close", name);
}

/* Reads up to n bytes; fewer only at the end of the file. */
static size_t get(int fd, void *to, size_t n, const char *name) {
	size_t have = 0;

	while (have < n) {
		ssize_t r = read(fd, (unsigned char *)to + have, n - have);

		if (r < 0) die("read", name);
		if (r == 0) break;
		have += (size_t)r;
	}
	return have;
}

/* The sorted names of the regular files below a folder, relative to it. */
struct names {
	char **v;
	size_t n, room;
};

static struct names found;
static size_t found_skip;

static int found_add(const char *path, const struct stat *st, int flag, struct FTW *at) {
	(void)at;
	if (flag != FTW_F || !S_ISREG(st->st_mode) || st->st_size == 0) return 0;
	if (found.n == found.room) {
		found.room = found.room ? 2 * found.room : 1024;
		found.v = realloc(found.v, found.room * sizeof(*found.v));
		if (!found.v) die("list", path);
	}
	found.v[found.n] = strdup(path + found_skip);
	if (!found.v[found.n++]) die("list", path);
	return 0;
}

static int by_name(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find(const char *dir) {
	found.n = 0;
	found_skip = strlen(dir) + 1;
	if (nftw(dir, found_add, 32, FTW_PHYS) != 0) die("walk", dir);
	qsort(found.v, found.n, sizeof(*found.v), by_name);
}

static void join(char out[PATH_ROOM], const char *dir, const char *name) {
	if ((size_t)snprintf(out, PATH_ROOM, "%s/%s", dir, name) >= PATH_ROOM) {
		errno = ENAMETOOLONG;
		die("name", name);
	}
}

static void make_parents(char *path) {
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		if (mkdir(path, 0755) != 0 && errno != EEXIST) die("mkdir", path);
		*p = '/';
	}
}

/* --- the data sets -------------------------------------------------------------------------- */

static void make_random(const char *name, size_t bytes, uint64_t seed) {
	struct rng r = rng_from(seed);
	int fd = create(name);

	while (bytes) {
		size_t n = bytes < PIECE ? bytes : PIECE;

		fill_random(&r, piece, n);
		put(fd, piece, n, name);
		bytes -= n;
	}
	finish(fd, name);
}

/* Copies whole files of the system until `bytes` are used up, each to a multiple of 4,096 as a
 * file system would. Returns what is left when no file is. */
static size_t put_system_files(int fd, size_t bytes, size_t *next, const char *name) {
	while (bytes && *next < found.n) {
		char path[PATH_ROOM];
		const char *file = found.v[(*next)++];
		int in;
		size_t n;

		join(path, "/usr", file);
		in = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (in < 0) continue;
		while (bytes && (n = get(in, piece, bytes < PIECE ? bytes : PIECE, path)) != 0) {
			size_t padded = (n + 4095) / 4096 * 4096;

			if (padded > bytes) padded = bytes;
			memset(piece + n, 0, padded - n);
			put(fd, piece, padded, name);
			bytes -= padded;
		}
		close(in);
	}
	return bytes;
}

static void make_image(const char *name, size_t bytes, uint64_t seed) {
	struct rng r = rng_from(seed);
	size_t next = 0;
	int fd = create(name);

	find("/usr");
	while (bytes) {
		size_t kind = rng_between(&r, 0, 19), len = rng_between(&r, 16, 4096) * 4096;

		len = len < bytes ? len : bytes;
		bytes -= len;
		if (kind >= 9) len = put_system_files(fd, len, &next, name);
		while (len) {
			size_t n = len < PIECE ? len : PIECE;

			if (kind < 5) memset(piece, 0, n);
			else if (kind < 9) fill_random(&r, piece, n);
			else fill_text(&r, piece, n);
			put(fd, piece, n, name);
			len -= n;
		}
	}
	finish(fd, name);
}

static int by_size(const void *a, const void *b) {
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void make_edit(const char *src, const char *dst, size_t count, uint64_t seed) {
	struct rng r = rng_from(seed);
	struct stat st;
	int in = open(src, O_RDONLY | O_CLOEXEC), out = create(dst);
	uint64_t at = 0, *where = calloc(count, sizeof(*where));

	if (in < 0 || fstat(in, &st) != 0 || !where) die("open", src);
	for (size_t i = 0; i < count; i++) where[i] = rng_next(&r) % (uint64_t)st.st_size;
	qsort(where, count, sizeof(*where), by_size);
	for (size_t i = 0; i <= count; i++) {
		uint64_t end = i < count ? where[i] : (uint64_t)st.st_size;
		size_t len = rng_between(&r, 1, 20000), n;

		while (at < end) {
			n = end - at < PIECE ? (size_t)(end - at) : PIECE;
			if (get(in, piece, n, src) != n) die("read", src);
			put(out, piece, n, dst);
			at += n;
		}
		if (i == count) break;
		if (i % 3 != 2) { /* new bytes: put in, or in place of old ones */
			fill_random(&r, piece, len);
			put(out, piece, len, dst);
		}
		if (i % 3 != 0) { /* old bytes: replaced or taken out */
			at += len;
			if (lseek(in, (off_t)at, SEEK_SET) < 0) die("seek", src);
		}
	}
	free(where);
	close(in);
	finish(out, dst);
}

/* Folders stand in groups of 1,000; fewer stand alone. */
static void tiny_folder(char out[PATH_ROOM], const char *dir, size_t number, size_t dirs) {
	if (dirs > 1000) {
		snprintf(out, PATH_ROOM, "%s/group-%03zu", dir, number / 1000);
		if (mkdir(out, 0755) != 0 && errno != EEXIST) die("mkdir", out);
		snprintf(out, PATH_ROOM, "%s/group-%03zu/folder-%03zu", dir, number / 1000, number % 1000);
	} else {
		snprintf(out, PATH_ROOM, "%s/folder-%03zu", dir, number);
	}
	if (mkdir(out, 0755) != 0 && errno != EEXIST) die("mkdir", out);
}

static void make_tiny(const char *dir, size_t files, size_t dirs, uint64_t seed) {
	struct rng r = rng_from(seed);
	char folder[PATH_ROOM], path[PATH_ROOM + 64];
	size_t last = dirs;

	if (mkdir(dir, 0755) != 0) die("mkdir", dir);
	for (size_t i = 0; i < files; i++) {
		size_t n = rng_between(&r, 200, 4000);
		int fd;

		if (i * dirs / files != last) {
			last = i * dirs / files;
			tiny_folder(folder, dir, last, dirs);
		}
		snprintf(path, sizeof(path), "%s/%s-%06zu.txt", folder, word[rng_next(&r) % WORDS], i);
		fd = create(path);
		fill_text(&r, piece, n);
		put(fd, piece, n, path);
		finish(fd, path);
	}
}

/* The altered version: a line of new words at three places, and 1 % of the bytes cut out. */
static void rewrite_one(const char *from, const char *to, struct rng *r) {
	static unsigned char text[8 << 20];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = create(to);
	size_t n, at = 0;

	if (in < 0) die("open", from);
	n = get(in, text, sizeof(text), from);
	for (size_t i = 1; i <= 3; i++) {
		unsigned char line[60];
		size_t end = rng_between(r, at, n * i / 3 > at ? n * i / 3 : at);

		put(out, text + at, end - at, to);
		fill_text(r, line, sizeof(line));
		line[sizeof(line) - 1] = '\n';
		put(out, line, sizeof(line), to);
		at = end + n / 300 < n ? end + n / 300 : n;
	}
	put(out, text + at, n - at, to);
	close(in);
	finish(out, to);
}

static void make_rewrite(const char *dir, const char *out, size_t percent, uint64_t seed) {
	struct rng r = rng_from(seed);

	find(dir);
	for (size_t i = 0; i < found.n; i++) {
		char from[PATH_ROOM], to[PATH_ROOM];

		if (rng_between(&r, 0, 99) >= percent) continue;
		join(from, dir, found.v[i]);
		join(to, out, found.v[i]);
		make_parents(to);
		rewrite_one(from, to, &r);
	}
}

static void swap(const char *dir, const char *out) {
	find(out);
	for (size_t i = 0; i < found.n; i++) {
		char a[PATH_ROOM], b[PATH_ROOM];

		join(a, dir, found.v[i]);
		join(b, out, found.v[i]);
		if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) != 0) die("exchange", a);
	}
}

static void touch(size_t bytes) {
	volatile unsigned char *p =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) die("mmap", "memory");
	for (size_t i = 0; i < bytes; i += 4096) p[i] = 1;
}

static size_t number(const char *s) {
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || end == s || *end) {
		fprintf(stderr, "makedata: not a number: %s\n", s);
		exit(2);
	}
	return (size_t)v;
}

int main(int argc, char **argv) {
	const char *verb = argc > 1 ? argv[1] : "";

	words_make();
	phrases_make();
	if (!strcmp(verb, "random") && argc == 5)
		make_random(argv[2], number(argv[3]), number(argv[4]));
	else if (!strcmp(verb, "image") && argc == 5)
		make_image(argv[2], number(argv[3]), number(argv[4]));
	else if (!strcmp(verb, "edit") && argc == 6)
		make_edit(argv[2], argv[3], number(argv[4]), number(argv[5]));
	else if (!strcmp(verb, "tiny") && argc == 6)
		make_tiny(argv[2], number(argv[3]), number(argv[4]), number(argv[5]));
	else if (!strcmp(verb, "rewrite") && argc == 6)
		make_rewrite(argv[2], argv[3], number(argv[4]), number(argv[5]));
	else if (!strcmp(verb, "swap") && argc == 4) swap(argv[2], argv[3]);
	else if (!strcmp(verb, "touch") && argc == 3) touch(number(argv[2]));
	else usage();
	return 0;
}
