/*
 * Prints entries of trees, one a line: the path, or all that ls -l would show, or an object. Made for long lists: what is
 * printed gathers in one buffer, and nothing is allocated for an entry.
 */
#ifndef CLI_ENTRYLINE_H
#define CLI_ENTRYLINE_H

#include "client/treelist.h"
#include "client/when.h"
#include "format/snapshot.h"

struct say;

struct entryline_name {
	bool known;
	uint32_t id;
	struct span name; /* empty: it has none */
};

struct entryline {
	struct say *say;
	bool is_long, is_json;
	const struct hash *snapshot_id; /* named in objects; NULL: not */
	const struct snapshot *snapshot;
	struct buf out;
	struct entryline_name user, group; /* met last */
	int64_t minute;                    /* of ${time} */
	char time[WHEN_TEXT];
};

/* ${snapshot} (borrowed) has the names of owners. */
void entryline_init(
	struct entryline *l, struct say *say, bool is_long, const struct snapshot *snapshot);

/* E_NOMEM; E_CANCELLED where nobody reads any more. */
MUST_USE enum err entryline_put(struct entryline *l, const struct treelist_item *item);

/* What waits in the buffer is printed: before anything else is, and at the end. */
void entryline_flush(struct entryline *l);
void entryline_done(struct entryline *l);

/* "file", "directory", "symlink", "fifo", "char", "block", "vault", or "unknown". */
const char *entryline_kind(uint8_t type);

#endif
