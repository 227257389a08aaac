/*
 * The walk of a backup: folders are tasks of a pool, deepest first; a folder is stored when all below it is
 * (doc/spec/formats.md section 5). Internal to the backup: backup.c starts it, backupfile.c reads files for it.
 */
#ifndef CLIENT_BACKUPWALK_H
#define CLIENT_BACKUPWALK_H

#include <sys/stat.h>

#include "client/backup.h"
#include "client/backupfolder.h"
#include "client/backuplinks.h"
#include "client/backupomit.h"
#include "client/backupowners.h"
#include "client/backupsources.h"
#include "client/storing.h"
#include "client/taskpool.h"
#include "client/treecache.h"
#include "format/direntry.h"
#include "os/listing.h"
#include "os/mutex.h"

enum {
	BACKUPWALK_SEGMENT = 16 << 20, /* bytes of a large file that one thread cuts at a time */
	BACKUPWALK_BUFFER = BACKUPWALK_SEGMENT + LIMIT_CHUNK,
	BACKUPWALK_XATTRS = 1 << 20,
};

/* What belongs to one thread. */
struct backupwalk_worker {
	struct storing *storing;
	uint8_t *buffer; /* BACKUPWALK_BUFFER */
	struct listing listing;
	struct buf path;   /* of messages and patterns */
	struct buf entry;  /* an entry being encoded */
	struct buf xattrs; /* its attributes */
	struct buf holes;
	char *xattr_names; /* BACKUPWALK_XATTRS each */
	uint8_t *xattr_value;
	bool incomplete; /* the entry whose attributes were read last lacks some */
	struct backupowners owners;
};

struct backupwalk {
	const struct backup_options *options;
	struct storing_shared *storing;
	struct taskpool *pool;
	struct backupfolders folders;
	struct backupwalk_worker *workers;
	unsigned worker_count;
	struct treecache *cache;
	bool use_cache;
	uint64_t cache_root;
	int64_t started_ns;
	struct backupomit omit;
	struct mutex lock; /* notes, failure, current */
	enum err failed;
	struct why why;
	struct backuplinks links;
	_Atomic uint64_t files, directories, others, files_new, files_unchanged, bytes;
	_Atomic uint64_t unreadable, incomplete, changed;
	_Atomic uint64_t above_chunks; /* new ones, of folders that only lead to a source */
	char current[256];
	_Atomic bool want_current; /* it was shown: another may take its place */
	struct streamref root;     /* when the walk is done */
	uint64_t root_record;      /* in the tree cache */
};

/* Starts the walk: pushes its first task. The root is in ${w} when the pool is idle, or ${w->failed}. */
MUST_USE enum err backupwalk_start(
	struct backupwalk *w, struct backupsources_node *root, struct why *why);

/* A tree with one file that is read from ${w->options->stdin_fd}. */
MUST_USE enum err backupwalk_stdin(struct backupwalk *w, struct why *why);

/* The walk is over: all threads stop soon. The first reason stands. */
void backupwalk_fail(struct backupwalk *w, enum err e, const struct why *why);
bool backupwalk_stopped(struct backupwalk *w);

void backupwalk_note(
	struct backupwalk *w, enum backup_note note, const char *path, const char *text);

MUST_USE enum err backupwalk_worker_init(
	struct backupwalk_worker *k, struct storing_shared *shared, struct why *why);
void backupwalk_worker_done(struct backupwalk_worker *k);

#endif
