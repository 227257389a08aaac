/*
 * What this device has verified of a vault's chain, kept in its cache folder so that the next command reads only what is
 * new. Authenticated under the device's secret; without it, or with a damaged one, the whole chain is read.
 */
#ifndef CLIENT_STATECACHE_H
#define CLIENT_STATECACHE_H

#include "client/vault.h"

/*
 * Fills ${v}, which has its id and nothing read yet: true if a usable cache was found. The entry that the cache ends with
 * is held against the store's by the next chainread_on.
 */
bool statecache_load(struct vault *v);

/* Keeps the state of ${v}. Failure costs only time. */
void statecache_save(const struct vault *v);

/* Removes the cache of a vault. */
void statecache_drop(const struct statefolder *f, const struct hash *vault);

#endif
