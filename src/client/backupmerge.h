/* The walk beside the tree cache: what of a folder is as it was, and what the cache gets to know. Internal to the backup. */
#ifndef CLIENT_BACKUPMERGE_H
#define CLIENT_BACKUPMERGE_H

#include "client/backupnode.h"

/* The print of what lstat said; no print where it changed so shortly before the walk that it may change without showing it. */
struct treecache_print backupmerge_print(const struct backupwalk *w, const struct stat *st);
bool backupmerge_equal(const struct treecache_print *a, const struct treecache_print *b);

/* Opens the folder's record in the cache, if it has one. */
void backupmerge_open(struct backupnode *n, uint64_t record);

/* What of a folder, all of it stored, is as in the cache: its entries' bytes (so its stream), and all that the record says. */
void backupmerge_compare(const struct backupnode *n, bool *same_stream, bool *same_record);

/* Writes the folder's new record; ${ref}: of its stream, encoded. ${*record} is 0 where there can be none. E_NOMEM, E_IO. */
MUST_USE enum err backupmerge_write(struct backupnode *n, struct span ref, uint64_t *record);

#endif
