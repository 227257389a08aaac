/*
 * Compares the contents of two files of the same size, and where their holes lie. Takes time in
 * proportion to the data, not to the size.
 */
#ifndef CMPDATA_H
#define CMPDATA_H

#include "treelib.h"

#include <sys/types.h>

struct cmpdata {
	bool differs; /* a byte differs; the first is at ${byte_at} */
	bool filled;  /* a whole 4 KiB block is a hole in A, data in B; the first at ${filled_at} */
	bool punched; /* the other way round */
	off_t byte_at;
	off_t filled_at;
	off_t punched_at;
	uint64_t data_bytes; /* read of A */
};

/* Returns 0, or -1 with errno where one of the files could not be read. */
int cmpdata_compare(int a, int b, off_t size, struct cmpdata *out);

#endif
