/* Memory that ends where a page begins that can't be touched: reading or writing over the end is a fault at once. */
#ifndef TEST_GUARDED_H
#define TEST_GUARDED_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct guarded {
	uint8_t *ptr; /* ${len} bytes, the guard behind them */
	size_t len;
	void *map;
	size_t map_len;
};

/* Stops the program if there is no memory. */
void guarded_init(struct guarded *g, size_t len);
void guarded_done(struct guarded *g);

/* The first ${n} bytes of ${bytes}, copied so that they end at the guard; valid until the next call. n <= g->len. */
struct span guarded_copy(struct guarded *g, struct span bytes, size_t n);

#endif
