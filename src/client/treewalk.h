/* Every chunk that a tree needs: its folders, its lists, its contents. For checks, prunes and the last look of a run. */
#ifndef CLIENT_TREEWALK_H
#define CLIENT_TREEWALK_H

#include "client/fetch.h"
#include "format/direntry.h"

/* Called for each chunk that is referred to, before it is read. What it returns other than OK ends the walk. */
typedef enum err treewalk_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why);

/*
 * Whether the folder was gone into before, which is not done again; from now on it was. ${id}: of its one chunk, or topmost list,
 * which stands for the whole string. That its chunks were all met says nothing: in another string they may mean something else.
 */
typedef bool treewalk_folder(void *ctx, const struct hash *id);

struct treewalk {
	struct fetch *fetch;
	treewalk_chunk *chunk;
	treewalk_folder *folder; /* NULL: each is gone into */
	void *ctx;
};

/*
 * Walks the tree below ${root}, a directory: what is in a folder, then its folders, of which names and references are kept
 * meanwhile and nothing else. E_FORGED: a folder or list is missing or damaged; E_UNSUPPORTED: chunks of another origin;
 * E_LIMIT: more folders than can be kept; E_IO, E_NOMEM.
 */
MUST_USE enum err treewalk_run(
	const struct treewalk *t, const struct streamref *root, struct why *why);

/*
 * The snapshot object ${id}, decoded into ${out}, which points into ${bytes}. E_FORGED: missing, damaged, or none;
 * E_UNSUPPORTED: of a newer program; E_IO, E_NOMEM.
 */
struct snapshot;
MUST_USE enum err treewalk_snapshot(struct fetch *f, const struct hash *id, struct snapshot *out,
	struct buf *bytes, struct why *why);

#endif
