/* Where bench/floor cuts a large file: Broch's own chunker once src/core has it, else a stand-in. */
#ifndef BENCH_CUT_H
#define BENCH_CUT_H

#include <stddef.h>

enum { CUT_MIN = 224 << 10, CUT_MAX = 2 << 20 };

/* The length of the chunk at p, of which n bytes are there (n >= CUT_MAX, or the file's end). */
size_t cut(const unsigned char *p, size_t n);

/* Which chunker this is, for the record. */
const char *cut_name(void);

#endif
