/*
 * Trees that no backup would write, made by one who holds all keys of a vault: entries are put together byte by byte, stored
 * as streams, and named by a snapshot that the chain has.
 */
#ifndef TEST_CRAFT_H
#define TEST_CRAFT_H

#include "client/packrun.h"
#include "client/storing.h"
#include "format/direntry.h"
#include "testvault.h"

struct craft {
	struct testvault *t;
	struct packrun *run;
	struct storing_shared shared;
	struct storing *storing;
};

void craft_begin(struct craft *c, struct testvault *t);

/* The same with packs of at most ${pack_limit} bytes, and blocks that go with them. */
void craft_begin_small(struct craft *c, struct testvault *t, uint32_t pack_limit);

/* Content, stored; its reference. */
struct streamref craft_content(struct craft *c, struct span bytes);

/* A folder of these entries (bytes as direntry_encode gives them), stored; its reference. */
struct streamref craft_folder(struct craft *c, const struct buf *entries);

/* A list chunk of ${count} items, stored; its id. */
struct hash craft_list(struct craft *c, const struct streamref_item *items, size_t count);

/* Entries with mode 0644 or 0755, this process's owner, and a fixed time. */
struct direntry craft_file(const char *name, const struct streamref *content);
struct direntry craft_directory(const char *name, const struct streamref *folder);
struct direntry craft_link(const char *name, const char *target);
void craft_group(struct direntry *d, uint8_t group);

/* Appends an entry. */
void craft_add(struct buf *entries, const struct direntry *d);

/* Appends an entry whose name, of the same length, no encoder would take. */
void craft_add_named(struct buf *entries, const struct direntry *d, struct span name);

/* Ends without a snapshot. */
void craft_drop(struct craft *c);

/* Ends with a snapshot of ${root}, which says that it has ${entries} entries and ${bytes} bytes; its id. */
struct hash craft_end(
	struct craft *c, const struct streamref *root, uint64_t entries, uint64_t bytes);

#endif
