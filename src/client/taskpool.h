/*
 * A few threads that run tasks, the newest first: a walk that pushes the folders it finds so stays deep and narrow.
 * Tasks may push tasks. There are no results: tasks write into what their context points to.
 */
#ifndef CLIENT_TASKPOOL_H
#define CLIENT_TASKPOOL_H

#include <stdint.h>

#include "base/err.h"
#include "os/why.h"

struct taskpool;

/* ${worker} is 0 to threads - 1: for memory that belongs to one thread. */
typedef void taskpool_run(void *ctx, unsigned worker);

/*
 * Starts ${threads} threads, but at least 1 and at most 256; fewer if the system gives no more than one. E_NOMEM, E_IO: not
 * even one.
 */
MUST_USE enum err taskpool_new(struct taskpool **out, unsigned threads, struct why *why);

/* Waits for all tasks, then ends the threads. NULL is fine. */
void taskpool_free(struct taskpool *p);

unsigned taskpool_threads(const struct taskpool *p);

/* From any thread. E_NOMEM. */
MUST_USE enum err taskpool_push(struct taskpool *p, taskpool_run *run, void *ctx);

/* Waits until no task is left or under way (true), or until ${timeout_ms} have passed (false). */
bool taskpool_wait(struct taskpool *p, unsigned timeout_ms);

#endif
