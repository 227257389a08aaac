/*
 * A folder on its way through the walk: what is in it, what became of each, and memory that lasts until it is stored.
 * Internal to the backup.
 */
#ifndef CLIENT_BACKUPNODE_H
#define CLIENT_BACKUPNODE_H

#include "client/backupwalk.h"

struct backupnode_item {
	const char *name;
	struct span body;   /* without its length; NULL: dropped, or not there yet */
	struct span cached; /* the body in the tree cache, if there is one */
	struct treecache_print print;
	uint64_t folder; /* of a folder: its record in the tree cache, ... */
	uint64_t cached_folder;
	bool print_same;
};

/* A folder on its way. */
struct backupnode {
	struct backupwalk *w;
	struct backupnode *parent;
	size_t place; /* its item in the parent */
	const char *name;
	struct backupsources_node *source; /* not NULL: only these children */
	struct backupfolder folder;
	_Atomic unsigned pending; /* children and batches under way, and the listing itself */
	struct mutex lock;        /* for the arena */
	struct backupnode_arena *arena;
	struct backupnode_item *items;
	size_t count;
	bool has_cache;
	bool is_named; /* a source, or leads to one: it must be there */
	struct treecache_folder cache;
	uint64_t cache_record;
	dev_t device; /* of the source, for --one-file-system */
	struct direntry self;
};

/* A folder at ${place} of ${parent}, called ${name}; ${source}: the source that it is or leads to, or NULL. NULL: no memory. */
struct backupnode *backupnode_new(struct backupwalk *w, struct backupnode *parent, size_t place,
	const char *name, struct backupsources_node *source);
void backupnode_free(struct backupnode *n);

/* Memory of the node, from any thread; NULL: none is left. */
uint8_t *backupnode_room(struct backupnode *n, size_t len);

/* The path of ${name} in ${n} (or of ${n} itself, if NULL), in the worker's memory; "" if memory is short. */
const char *backupnode_path(
	struct backupwalk_worker *k, const struct backupnode *n, const char *name);

/* A note on that path; leave_out: an entry that could not be stored, which is counted as unreadable. */
void backupnode_note(struct backupwalk_worker *k, const struct backupnode *n, const char *name,
	enum backup_note note, const char *text);
void backupnode_leave_out(
	struct backupwalk_worker *k, struct backupnode *n, const char *name, const struct why *why);

/* Encodes an entry; its body, without length, stays in the node's memory. One that can't be encoded is left out, and said. */
MUST_USE enum err backupnode_encode(struct backupwalk_worker *k, struct backupnode *n,
	struct backupnode_item *item, const struct direntry *d, struct why *why);

#endif
