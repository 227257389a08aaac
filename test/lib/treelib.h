/*
 * What the tree tools of the tests (maketree, treecmp, altertree) share: dying with a sentence,
 * memory, seeded random numbers, escaped output, and names of a directory. These tools depend on
 * nothing of Broch, so that they can't share a mistake with it.
 */
#ifndef TREELIB_H
#define TREELIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

/* Room for "/proc/self/fd/N/" and a name, or for a path from the command line. */
#define TREELIB_PATH_MAX 4200

/* Prints the program's name, the sentence and, where errno is not 0, its text; exits with 2. */
noreturn void treelib_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory of ${n} bytes, and ${p} resized to ${n}; both die rather than fail. */
void *treelib_alloc(size_t n);
void *treelib_resize(void *p, size_t n);

/* A number between ${min} and ${max}, in decimal; dies naming ${what} on anything else. */
uint64_t treelib_number(const char *text, uint64_t min, uint64_t max, const char *what);

/* splitmix64: the same seed gives the same numbers everywhere. */
struct treelib_rng {
	uint64_t state;
};
uint64_t treelib_random(struct treelib_rng *rng);
uint64_t treelib_below(struct treelib_rng *rng, uint64_t limit);
void treelib_fill(struct treelib_rng *rng, uint8_t *out, size_t len);

/*
 * Prints ${len} bytes so that they stay on one line and move nothing on a terminal: printable
 * ASCII as it is, backslash and double quote behind a backslash, the rest as \xNN. In JSON
 * (${json}) the backslashes themselves are doubled.
 */
void treelib_escape(FILE *out, const char *bytes, size_t len, bool json);

/* The names in a directory, without "." and "..", sorted by bytes. */
struct treelib_names {
	char **name;
	size_t count;
	char *pool;
};
/* Reads all names of the freshly opened ${dir}. Returns 0, or -1 with errno and nothing to free. */
int treelib_names_read(struct treelib_names *names, int dir);
void treelib_names_free(struct treelib_names *names);

/*
 * A path for the calls that have no form with a descriptor (extended attributes): through
 * /proc/self/fd, so its length doesn't depend on the depth. With AT_FDCWD, ${name} itself.
 */
void treelib_proc_path(char out[TREELIB_PATH_MAX], int dir, const char *name);

#endif
