/* A store in memory, for tests. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store/store.h"

/* An empty store with this id. NULL when out of memory. For store_free. */
struct store *memory_new(const struct hash *id);

#endif
