/* Shared parts of the tree tools: see treelib.h. */
#include "treelib.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DENTS_SIZE (1024 * 1024)

noreturn void treelib_die(const char *fmt, ...) {
	int saved = errno;
	va_list args;

	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fprintf(stderr, "%s%s\n", saved != 0 ? ": " : "", saved != 0 ? strerror(saved) : "");
	exit(2);
}

void *treelib_alloc(size_t n) {
	void *p = calloc(1, n > 0 ? n : 1);

	if (p == NULL) treelib_die("no memory");
	return p;
}

void *treelib_resize(void *p, size_t n) {
	void *q = realloc(p, n > 0 ? n : 1);

	if (q == NULL) treelib_die("no memory");
	return q;
}

uint64_t treelib_number(const char *text, uint64_t min, uint64_t max, const char *what) {
	char *end = NULL;
	uint64_t n;

	errno = 0;
	n = strtoumax(text, &end, 10);
	if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || n < min || n > max) {
		errno = 0;
		treelib_die("%s must be a number from %" PRIu64 " to %" PRIu64, what, min, max);
	}
	return n;
}

uint64_t treelib_random(struct treelib_rng *rng) {
	uint64_t z = (rng->state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

uint64_t treelib_below(struct treelib_rng *rng, uint64_t limit) {
	return treelib_random(rng) % limit;
}

void treelib_fill(struct treelib_rng *rng, uint8_t *out, size_t len) {
	while (len > 0) {
		uint64_t word = treelib_random(rng);
		size_t n = len < sizeof(word) ? len : sizeof(word);

		memcpy(out, &word, n);
		out += n;
		len -= n;
	}
}

void treelib_escape(FILE *out, const char *bytes, size_t len, bool json) {
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\\') (void)fputs(json ? "\\\\\\\\" : "\\\\", out);
		else if (c == '"') (void)fputs("\\\"", out);
		else if (c >= 0x20 && c < 0x7f) (void)fputc(c, out);
		else (void)fprintf(out, json ? "\\\\x%02x" : "\\x%02x", c);
	}
}

static int name_order(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Collects the names one behind the other in ${pool}; returns its length, or -1. */
static ssize_t names_collect(int dir, char **pool_out, size_t *count_out) {
	char *dents = treelib_alloc(DENTS_SIZE);
	char *pool = NULL;
	size_t used = 0, room = 0, count = 0;
	ssize_t got;

	while ((got = getdents64(dir, dents, DENTS_SIZE)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *d = (const void *)(dents + at);
			size_t len = strlen(d->d_name) + 1;

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
			if (room - used < len) {
				room = room * 2 + 4096;
				pool = treelib_resize(pool, room);
			}
			memcpy(pool + used, d->d_name, len);
			used += len;
			count++;
		}
	}
	free(dents);
	if (got < 0) {
		free(pool);
		return -1;
	}
	*pool_out = pool;
	*count_out = count;
	return (ssize_t)used;
}

int treelib_names_read(struct treelib_names *names, int dir) {
	char *pool = NULL;
	size_t count = 0, at = 0;
	ssize_t used = names_collect(dir, &pool, &count);

	if (used < 0) return -1;
	names->pool = pool;
	names->count = count;
	names->name = treelib_alloc(count * sizeof(*names->name));
	for (size_t i = 0; i < count; i++) {
		names->name[i] = pool + at;
		at += strlen(pool + at) + 1;
	}
	qsort(names->name, count, sizeof(*names->name), name_order);
	return 0;
}

void treelib_names_free(struct treelib_names *names) {
	free(names->name);
	free(names->pool);
	*names = (struct treelib_names){ 0 };
}

void treelib_proc_path(char out[TREELIB_PATH_MAX], int dir, const char *name) {
	int n;

	if (dir == AT_FDCWD) n = snprintf(out, TREELIB_PATH_MAX, "%s", name);
	else n = snprintf(out, TREELIB_PATH_MAX, "/proc/self/fd/%d/%s", dir, name);
	if (n < 0 || n >= TREELIB_PATH_MAX) {
		errno = ENAMETOOLONG;
		treelib_die("a path from the command line");
	}
}
