/* Memory: the only place that allocates, so that tests can make any allocation fail. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* ${n} bytes, or NULL. mem_zalloc's are zero. mem_array makes ${n} * ${size} bytes, zeroed, NULL on overflow. */
void *mem_alloc(size_t n);
void *mem_zalloc(size_t n);
void *mem_array(size_t n, size_t size);

/* ${p} with room for ${n} * ${size} bytes, contents kept; NULL (and ${p} untouched) on failure or overflow. */
void *mem_resize(void *p, size_t n, size_t size);

void mem_free(void *p); /* NULL is fine */

/* Overwrites ${n} bytes at ${p} with zeros in a way that the compiler may not drop. */
void mem_wipe(void *p, size_t n);

/* Tests: the ${nth} allocation from now on fails (0: none, counting goes on). mem_count gives how many were asked for. */
void mem_fail_at(uint64_t nth);
uint64_t mem_count(void);

#endif
