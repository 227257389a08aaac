/* Every chunk that a tree needs: its folders, its lists, its contents. For checks, prunes and the last look of a run. */
#ifndef CLIENT_TREEWALK_H
#define CLIENT_TREEWALK_H

#include "client/fetch.h"
#include "format/direntry.h"

/*
 * Called for each chunk that is referred to, before it is read. ${*skip} set: what is below it (of a folder or list) is not
 * walked, because it was before. What it returns other than OK ends the walk.
 */
typedef enum err treewalk_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, bool *skip, struct why *why);

struct treewalk {
	struct fetch *fetch;
	treewalk_chunk *chunk;
	void *ctx;
	/* Called when something cannot be read; returns OK to go on. NULL: the walk ends. */
	enum err (*broken)(void *ctx, const char *path, enum err e, const struct why *why);
};

/* Walks the tree below ${root}, a directory. */
MUST_USE enum err treewalk_run(
	const struct treewalk *t, const struct streamref *root, struct why *why);

/* The snapshot object ${id}, decoded into ${out}, which points into ${bytes}. */
struct snapshot;
MUST_USE enum err treewalk_snapshot(struct fetch *f, const struct hash *id, struct snapshot *out,
	struct buf *bytes, struct why *why);

#endif
