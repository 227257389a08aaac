/*
 * A store in memory of which a test owns every object: it can change, cut, remove and exchange what lies there, set the
 * whole back to an earlier state, and stop a writer right before it appends. What an owner of a store's files can do.
 */
#ifndef TEST_RAWSTORE_H
#define TEST_RAWSTORE_H

#include "store/store.h"

enum rawstore_kind { RAWSTORE_PACK, RAWSTORE_ENTRY, RAWSTORE_OBJECT, RAWSTORE_LOCATOR };

struct rawstore_item {
	enum rawstore_kind kind;
	struct hash scope; /* the vault of a pack, the chain of an entry; else zero */
	struct hash name;  /* zero for an entry */
	uint64_t sequence; /* of an entry */
	uint8_t *bytes;    /* owned by the store */
	size_t len;
};

/* For store_free. Stops the program when out of memory, as do all functions here. */
struct store *rawstore_new(const struct hash *id);

/* Items stay where they are until something is put, deleted or set back. */
size_t rawstore_count(const struct store *s);
struct rawstore_item *rawstore_at(struct store *s, size_t i);
struct rawstore_item *rawstore_find(struct store *s, enum rawstore_kind kind,
	const struct hash *scope, const struct hash *name, uint64_t sequence);

/* Puts other bytes in an item's place (they are copied); takes an item away; adds one that is not there. */
void rawstore_replace(struct store *s, size_t i, struct span bytes);
void rawstore_remove(struct store *s, size_t i);
void rawstore_add(struct store *s, const struct rawstore_item *item);

/* A copy of everything, and going back to one. */
struct rawstore_copy;
struct rawstore_copy *rawstore_copy(const struct store *s);
void rawstore_set(struct store *s, const struct rawstore_copy *copy);
void rawstore_copy_free(struct rawstore_copy *copy);

/* Called before each append, with no lock held: what it returns other than OK is the append's result. NULL: nothing. */
typedef enum err rawstore_appending(
	void *ctx, const struct hash *chain, uint64_t seq, struct span bytes);
void rawstore_on_append(struct store *s, rawstore_appending *f, void *ctx);

/* "pack", "entry"…: for messages. */
const char *rawstore_kind_text(enum rawstore_kind kind);

#endif
