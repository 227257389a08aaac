/* A folder of its own for a test, on a file system in memory where there is one. */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_MAX = 256 };

/* A new empty folder's path to ${out}, which has SCRATCH_MAX bytes. Fails the test. */
void scratch_make(char *out);

/*
 * A folder that stays until the process ends, the same at each call: its path to ${out}, which has SCRATCH_MAX bytes, and its
 * descriptor. For fuzz targets, which have no end of their own.
 */
int scratch_lasting(char *out);

/* Removes it with all that is in it. */
void scratch_remove(const char *path);

/* "${folder}/${name}" to ${out}, which has SCRATCH_MAX bytes; returns ${out}. */
char *scratch_join(char *out, const char *folder, const char *name);

/* Makes a file with these contents; its length. Fails the test. */
void scratch_write(const char *path, const void *bytes, size_t len);

/* How many names the folder has, without . and ..; -1 if it is not there. */
int scratch_count(const char *path);

#endif
