/* A snapshot object (doc/spec/formats.md section 7). A decoded one points into its input. */
#ifndef FORMAT_SNAPSHOT_H
#define FORMAT_SNAPSHOT_H

#include "format/bytelist.h"
#include "format/moment.h"
#include "format/streamref.h"

/* Names of users or groups: ascending ids. */
struct snapshot_names {
	uint32_t count;
	struct span items;
};

struct snapshot {
	struct moment started, ended;
	struct span host, user, program;
	struct span branch;
	struct hash parent; /* zero: none */
	struct bytelist paths;
	struct bytelist tags;
	struct streamref root;
	uint64_t files, directories, others;
	uint64_t bytes;
	uint64_t unreadable, changed;
	struct snapshot_names users, groups;
};

MUST_USE enum err snapshot_decode(
	struct snapshot *out, struct span in); /* E_FORMAT, E_UNSUPPORTED */
MUST_USE enum err snapshot_encode(
	const struct snapshot *s, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

/* Start with ${rest} = names.items; false at the end. */
bool snapshot_next_name(struct span *rest, uint32_t *id, struct span *name);
/* Appends a name to ${items} for an encoder; ids must ascend. E_LIMIT, E_NOMEM. */
MUST_USE enum err snapshot_add_name(struct buf *items, uint32_t id, struct span name);

#endif
