/*
 * Threads. Signals go to the thread that called main: threads started here have all of them
 * blocked.
 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <pthread.h>

#include "base/err.h"
#include "os/why.h"

struct thread {
	pthread_t id;
	bool running;
};

/*
 * Starts ${run}(${ctx}). Each started thread is joined once. E_IO when the system has no more
 * threads to give.
 */
MUST_USE enum err thread_start(
	struct thread *t, void (*run)(void *ctx), void *ctx, struct why *why);

/* Waits for its end. A thread that never started (all zero) or was joined already is fine. */
void thread_join(struct thread *t);

/* Processors this process may use: at least 1. */
unsigned thread_cpus(void);

#endif
