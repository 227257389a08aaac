/* The packs of one vault, copied from one store to another, each checked against its name on the way. */
#ifndef CLIENT_MIRRORPACKS_H
#define CLIENT_MIRRORPACKS_H

#include "client/mirror.h"

struct mirrorpacks {
	struct store *from, *to;
	struct hash vault;
	struct span purged; /* names, ascending: not copied */
	const struct mirror_options *options;
	struct mirror_result *result;
	uint64_t vanished; /* out: packs that were listed and gone when they were to be read */
};

/* E_FORGED: packs are damaged, each said; the others were copied. Durable when it returns OK. E_CANCELLED, E_IO, E_NOMEM. */
MUST_USE enum err mirrorpacks_copy(struct mirrorpacks *m, struct why *why);

/* Deletes those of ${m->purged} that are in ${m->to}. */
MUST_USE enum err mirrorpacks_delete(struct mirrorpacks *m, struct why *why);

#endif
