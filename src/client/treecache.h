/*
 * What the last backup of a branch saw: for each folder, each entry's fingerprint and its encoding, so that what has not
 * changed is decided from metadata alone. A local cache and only a hint: every record is authenticated under a key of
 * the vault, and without a cache everything is read again.
 *
 * The file only grows: a run appends the records of folders that changed and a new foot; records of unchanged folders
 * stay where they are. When it is over 64 MiB and more than three quarters of it are old, the next run begins with none.
 */
#ifndef CLIENT_TREECACHE_H
#define CLIENT_TREECACHE_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "os/why.h"

/* What lstat says of an entry as far as a change of content or attributes shows in it. All zero: never unchanged. */
struct treecache_print {
	uint64_t inode;
	int64_t ctime_ns;
	int64_t mtime_ns;
	uint64_t size; /* of a folder: 0 */
	uint32_t mode;
	uint32_t device; /* of a file with several names; else 0 */
};

struct treecache_entry {
	struct treecache_print print;
	uint64_t folder;  /* of a folder: its record; 0: none */
	struct span body; /* the entry as in the directory stream (doc/spec/formats.md section 5) */
	struct span name; /* inside body */
};

/* A folder's record, being read. */
struct treecache_folder {
	struct span ref; /* the reference of its stream, encoded */
	uint32_t count;
	struct span rest;
};

struct treecache;

/*
 * Opens the cache file ${name} in the folder ${at}, or starts an empty one; ${key} authenticates it. Another process
 * that has it open for writing, a damaged foot, or no file: the cache is empty, and so is treecache_root. E_NOMEM, E_IO
 * only for what a backup cannot go on with.
 */
MUST_USE enum err treecache_open(
	struct treecache **out, int at, const char *name, const uint8_t key[32], struct why *why);
void treecache_free(struct treecache *c);

/* The snapshot that the cache describes and the record of its root folder; false if it is empty. */
bool treecache_root(const struct treecache *c, struct hash *snapshot, uint64_t *record);

/* Reads a record. E_NOTFOUND if it is not there or does not authenticate. */
MUST_USE enum err treecache_folder_open(
	const struct treecache *c, uint64_t record, struct treecache_folder *out);

/* The next entry; false at the end. */
bool treecache_folder_next(struct treecache_folder *f, struct treecache_entry *out);

/* Builds a record: begin, each entry in order of name, then treecache_append. ${b} may grow to TREECACHE_RECORD_MAX. */
enum { TREECACHE_RECORD_MAX = 1 << 30 };
MUST_USE enum err treecache_record_begin(struct buf *b, struct span ref, uint32_t count);
MUST_USE enum err treecache_record_add(
	struct buf *b, const struct treecache_print *print, uint64_t folder, struct span body);

/* Appends a record, from any thread; its place goes to ${*record}. After a failed write the cache is given up: OK with 0. */
MUST_USE enum err treecache_append(struct treecache *c, struct buf *b, uint64_t *record);

/* Ends the run: from now on the cache describes ${snapshot}. Failure is no error: the cache is then empty next time. */
void treecache_commit(struct treecache *c, const struct hash *snapshot, uint64_t root);

#endif
