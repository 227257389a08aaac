/*
 * Open descriptors of the packs read last, so that many small reads of a pack open it once. For
 * several threads.
 */
#ifndef STORE_PACKFDS_H
#define STORE_PACKFDS_H

#include "crypto/hash.h"
#include "os/why.h"

struct packfds;

/* NULL when out of memory. */
struct packfds *packfds_new(void);
void packfds_free(struct packfds *p);

/* A pack in use: from packfds_take until packfds_give. */
struct packfds_use {
	int fd;
	int slot;
};

/*
 * The pack ${name} of ${vault}, which is the file ${path} below ${at}. When the process has no
 * descriptors left, those that nobody uses are closed first. E_NOTFOUND, E_IO, E_DENIED.
 */
MUST_USE enum err packfds_take(struct packfds *p, const struct hash *vault, const struct hash *name,
	int at, const char *path, struct packfds_use *use, struct why *why);
void packfds_give(struct packfds *p, struct packfds_use *use);

/* Forgets a pack that was deleted. */
void packfds_drop(struct packfds *p, const struct hash *vault, const struct hash *name);

#endif
