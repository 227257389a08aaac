/* Snapshots in lists: as rows of a table and as objects, with what their entries in the chain say. */
#ifndef CLI_SNAPSHOTROW_H
#define CLI_SNAPSHOTROW_H

#include "cli/jsonl.h"
#include "client/choose.h"
#include "format/snapshot.h"

enum { SNAPSHOTROW_ID = 9 };

/* The first digits of an id, as people see them. */
const char *snapshotrow_id(char out[SNAPSHOTROW_ID], const struct hash *id);

/* Items of a list with ", " between them, appended. E_NOMEM, E_LIMIT. */
MUST_USE enum err snapshotrow_join(struct buf *out, const struct bytelist *list);

/* Nanoseconds since 1970, at the ends where they do not fit. */
int64_t snapshotrow_ns(struct moment m);

/* An object of ${type}: the stamp, and ${object} if it could be read (else NULL). */
struct jsonl *snapshotrow_json(
	const char *type, const struct vault_snapshot *s, const struct snapshot *object);

#endif
