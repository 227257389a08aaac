#include "os/mutex.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* What fails here is a mistake of the program: to go on unlocked would be worse than to stop. */
static void must(int number) {
	if (number != 0) abort();
}

void mutex_init(struct mutex *m) {
	must(pthread_mutex_init(&m->m, NULL));
}

void mutex_done(struct mutex *m) {
	must(pthread_mutex_destroy(&m->m));
}

void mutex_lock(struct mutex *m) {
	must(pthread_mutex_lock(&m->m));
}

void mutex_unlock(struct mutex *m) {
	must(pthread_mutex_unlock(&m->m));
}

void mutex_cond_init(struct mutex_cond *c) {
	pthread_condattr_t attr;
	must(pthread_condattr_init(&attr));
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	must(pthread_cond_init(&c->c, &attr));
	must(pthread_condattr_destroy(&attr));
}

void mutex_cond_done(struct mutex_cond *c) {
	must(pthread_cond_destroy(&c->c));
}

void mutex_wait(struct mutex_cond *c, struct mutex *m) {
	must(pthread_cond_wait(&c->c, &m->m));
}

bool mutex_wait_until(struct mutex_cond *c, struct mutex *m, uint64_t deadline_ns) {
	struct timespec until = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};
	int r = pthread_cond_timedwait(&c->c, &m->m, &until);
	if (r == ETIMEDOUT) return false;
	must(r);
	return true;
}

void mutex_wake_one(struct mutex_cond *c) {
	must(pthread_cond_signal(&c->c));
}

void mutex_wake_all(struct mutex_cond *c) {
	must(pthread_cond_broadcast(&c->c));
}
