/* The small tree that altertree alters: one entry of each kind, and always the same. */
#ifndef ALTERMAKE_H
#define ALTERMAKE_H

#include "treelib.h"

#define ALTERMAKE_SPARSE_DATA ((off_t)1024 * 1024) /* sparse: data at 0 and here, one block each */
#define ALTERMAKE_LARGE 600000

/* Makes it in ${path}; with what only root can make, if ${root}. */
void altermake_tree(const char *path, bool root);

/* The path of a file below more directories than treecmp keeps open. */
const char *altermake_deep(void);

#endif
