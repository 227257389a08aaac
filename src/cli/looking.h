/* Looking into snapshots: a vault opened for reading, its chunks, the snapshot that is looked at. */
#ifndef CLI_LOOKING_H
#define CLI_LOOKING_H

#include "cli/opening.h"
#include "client/fetch.h"
#include "client/treelist.h"
#include "format/snapshot.h"

struct looking {
	struct opening opening;
	struct fetch *fetch;
	const struct invocation *inv;
};

/* A snapshot object in memory. */
struct looking_at {
	struct hash id;
	struct snapshot snapshot; /* points into ${bytes} */
	struct buf bytes;
};

/* Opens the vault and its indexes. Says what is wrong; gives the exit code. looking_close takes what it leaves. */
int looking_open(struct looking *l, const struct invocation *inv);
void looking_close(struct looking *l);

/* The snapshot that ${text} means, or the one with ${id}, read. Likewise. looking_done takes what they leave. */
int looking_begin(struct looking *l, const char *text, struct looking_at *out);
int looking_read(struct looking *l, const struct hash *id, struct looking_at *out);
void looking_done(struct looking_at *a);

/* The tree at ${root}, fetched ahead by as many threads as there are processors, or none. */
MUST_USE enum err looking_list(struct looking *l, const struct streamref *root, struct span prefix,
	bool ahead, struct treelist **out, struct why *why);

#endif
