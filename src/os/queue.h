/*
 * A bounded queue of pointers between threads, first in first out. It ends in one of two ways:
 * closed (nothing more comes in, what is in it still goes out) or cancelled (both sides stop at
 * once). What is left in a cancelled queue still belongs to somebody: queue_left hands it out.
 */
#ifndef OS_QUEUE_H
#define OS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct queue;

/* ${capacity} is at least 1. NULL when out of memory. */
struct queue *queue_new(size_t capacity);

/* No thread may be in it any more. */
void queue_free(struct queue *q);

/*
 * Waits for room. E_CANCELLED (and ${p} stays the caller's) when closed or cancelled. ${p} is not
 * NULL.
 */
MUST_USE enum err queue_put(struct queue *q, void *p);

/* Waits for something. E_NOTFOUND when closed and empty, E_CANCELLED when cancelled. */
MUST_USE enum err queue_get(struct queue *q, void **p);

/* The next one if there is one, without waiting: NULL if empty or cancelled. */
void *queue_poll(struct queue *q);

void queue_close(struct queue *q);
void queue_cancel(struct queue *q);
bool queue_is_cancelled(struct queue *q);

/* After the end: the next pointer that nobody took, or NULL. */
void *queue_left(struct queue *q);

#endif
