/*
 * Memory for long-lived secrets: between guard pages, locked into RAM where the system allows it,
 * left out of core dumps, wiped when freed. Costs several pages a piece: for structs that hold
 * keys, not for data.
 */
#ifndef SECRET_SECRETMEM_H
#define SECRET_SECRETMEM_H

#include <stddef.h>

/* ${n} bytes, zeroed and aligned for any struct; NULL if there are none. */
void *secretmem_alloc(size_t n);

void secretmem_free(void *p); /* NULL is fine */

#endif
