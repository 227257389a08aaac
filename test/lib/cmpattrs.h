/* Compares what an entry has besides its content: type, mode, owner, time, attributes, target. */
#ifndef CMPATTRS_H
#define CMPATTRS_H

#include "cmpreport.h"

#include <sys/stat.h>

/*
 * One side's entry: ${name} in the directory ${dir} (or a path, with AT_FDCWD). ${fd} is the
 * entry opened, or negative where it is not: attributes are read faster through it.
 */
struct cmpattrs_side {
	int dir;
	int fd;
	const char *name;
	struct stat st;
};

const char *cmpattrs_type(mode_t mode);

/* Reports each difference of two entries of the same type. */
void cmpattrs_compare(
	struct cmpreport *r, const struct cmpattrs_side *a, const struct cmpattrs_side *b);

#endif
