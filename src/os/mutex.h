/* A mutex and a condition. Misuse stops the program. */
#ifndef OS_MUTEX_H
#define OS_MUTEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct mutex {
	pthread_mutex_t m;
};

void mutex_init(struct mutex *m);
void mutex_done(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct mutex_cond {
	pthread_cond_t c;
};

void mutex_cond_init(struct mutex_cond *c);
void mutex_cond_done(struct mutex_cond *c);

/* Waits with ${m} held; may wake for nothing, so the caller looks again in a loop. */
void mutex_wait(struct mutex_cond *c, struct mutex *m);

/* The same until clock_mono_ns() is ${deadline_ns}: false once it has passed. */
bool mutex_wait_until(struct mutex_cond *c, struct mutex *m, uint64_t deadline_ns);

void mutex_wake_one(struct mutex_cond *c);
void mutex_wake_all(struct mutex_cond *c);

#endif
