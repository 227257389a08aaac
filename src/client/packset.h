/* The packs that a store lists, by name, and what a check or a copy finds out about each. */
#ifndef CLIENT_PACKSET_H
#define CLIENT_PACKSET_H

#include <stdatomic.h>

#include "store/store.h"

struct packset_pack {
	struct hash name;
	uint64_t size;
	uint64_t rows;   /* of indexes that name places in it */
	bool is_named;   /* an index in force names it */
	bool is_doomed;  /* an intent in force names it */
	bool is_purged;  /* a purge named it: it may vanish */
	bool is_chosen;  /* for whoever works on some of them */
	uint64_t lost;   /* repair: rows of readable indexes that reading it did not find again */
	bool has_cut;    /* repair: the plan has its cut block */
	uint32_t number; /* repair: in the plan, plus one; 0: not in it */
	atomic_bool
		is_bad; /* something in it is damaged: what it holds is believed only after reading it */
};

struct packset {
	struct packset_pack *packs; /* ascending by name */
	size_t count, room;
	uint64_t bytes;
};

/* Fills an all-zero set from the store's list. E_IO, E_NOMEM. */
MUST_USE enum err packset_read(
	struct packset *s, struct store *store, const struct hash *vault, struct why *why);
void packset_done(struct packset *s);

/* NULL if it is not there. */
struct packset_pack *packset_find(const struct packset *s, const struct hash *name);

#endif
