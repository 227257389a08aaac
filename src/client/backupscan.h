/*
 * Counts the files of the sources and their bytes ahead of a backup that has no parent to tell, so that its progress has
 * an end: one thread of low priority, which opens files with holes only and reads none. What the backup leaves out isn't
 * counted; what changes meanwhile is counted as it was. Internal to the backup.
 */
#ifndef CLIENT_BACKUPSCAN_H
#define CLIENT_BACKUPSCAN_H

#include "client/backup.h"
#include "client/backupomit.h"
#include "client/backupsources.h"

struct backupscan;

/* What the arguments point to must last as long as it. E_NOMEM, E_IO. */
MUST_USE enum err backupscan_start(struct backupscan **out, const struct backup_options *o,
	struct backupsources_node *root, const struct backupomit *omit, struct why *why);

/* Ends it, done or not. NULL is fine. */
void backupscan_free(struct backupscan *s);

/* False until all is counted. As in struct backup_progress: names of files, and bytes of contents without holes, each content once. */
bool backupscan_counted(const struct backupscan *s, uint64_t *files, uint64_t *bytes);

#endif
