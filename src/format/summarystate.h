/* The live state of a vault, as its summaries hash it (doc/spec/formats.md section 9). Points into its input. */
#ifndef FORMAT_SUMMARYSTATE_H
#define FORMAT_SUMMARYSTATE_H

#include "format/entrypublic.h"
#include "format/location.h"
#include "format/stamp.h"

/* One of the lists in it: a count, and its items as they stand there. */
struct summarystate_list {
	uint64_t count;
	struct span items;
};

struct summarystate {
	uint64_t sequence; /* covers */
	struct hash hash;
	uint64_t hold;
	uint8_t trust;
	struct summarystate_list snapshots; /* by sequence */
	struct summarystate_list indexes;   /* by sequence, location */
	struct summarystate_list intents;   /* by sequence */
	struct summarystate_list accounts;  /* by account */
	struct summarystate_list devices;   /* by device */
};

struct summarystate_snapshot {
	uint64_t sequence;
	struct hash id;
	struct hash device;
	bool forgotten;
	struct stamp stamp; /* with the tags now in force */
};
struct summarystate_index {
	struct location location;
	uint64_t sequence;
};
struct summarystate_intent {
	uint64_t sequence;
	int64_t time;
	struct entrypublic_packs packs;
};
struct summarystate_head { /* an account's head, or a device's newest entry */
	struct hash id;
	uint64_t sequence;
	struct hash hash;
};

/* E_FORMAT, E_UNSUPPORTED. Checks everything, the order of the lists too. */
MUST_USE enum err summarystate_decode(struct summarystate *out, struct span in);
/* Appends. E_USAGE (decode would refuse it: order!), E_LIMIT, E_NOMEM. */
MUST_USE enum err summarystate_encode(const struct summarystate *s, struct buf *out);

/* Iterate: start with ${rest} = list.items; false at the end. */
bool summarystate_next_snapshot(struct span *rest, struct summarystate_snapshot *out);
bool summarystate_next_index(struct span *rest, struct summarystate_index *out);
bool summarystate_next_intent(struct span *rest, struct summarystate_intent *out);
bool summarystate_next_head(struct span *rest, struct summarystate_head *out);

/* Append one item to ${items} for an encoder. E_LIMIT, E_NOMEM. */
MUST_USE enum err summarystate_add_snapshot(
	struct buf *items, const struct summarystate_snapshot *s);
MUST_USE enum err summarystate_add_index(struct buf *items, const struct summarystate_index *i);
MUST_USE enum err summarystate_add_intent(struct buf *items, const struct summarystate_intent *i);
MUST_USE enum err summarystate_add_head(struct buf *items, const struct summarystate_head *h);

#endif
