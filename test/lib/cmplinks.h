/*
 * Which file of A corresponds to which of B, for files with several names: the two trees must
 * put their names into the same groups.
 */
#ifndef CMPLINKS_H
#define CMPLINKS_H

#include "cmpreport.h"

#include <sys/stat.h>

struct cmplinks;

struct cmplinks *cmplinks_new(void);
void cmplinks_free(struct cmplinks *links);

/*
 * Takes note of a pair of entries at ${r}'s path, of which at least one has several names, and
 * reports where that contradicts an earlier pair. True if the same pair was there before, so that
 * everything but the name has been compared.
 */
bool cmplinks_pair(
	struct cmplinks *links, struct cmpreport *r, const struct stat *a, const struct stat *b);

#endif
