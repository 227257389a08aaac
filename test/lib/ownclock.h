/*
 * A clock that a test can put forward, in place of src/os/clock.c: one file of a program includes this, and so has all that the
 * library's would bring.
 */
#ifndef TEST_OWNCLOCK_H
#define TEST_OWNCLOCK_H

#include <stdatomic.h>
#include <time.h>

#include "os/clock.h"

enum { OWNCLOCK_NS = 1000000000, OWNCLOCK_DAY = 86400 };

static _Atomic int64_t ownclock_ahead; /* seconds */

int64_t clock_real_ns(void) {
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec + atomic_load(&ownclock_ahead)) * OWNCLOCK_NS + now.tv_nsec;
}

uint64_t clock_mono_ns(void) {
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * OWNCLOCK_NS + (uint64_t)now.tv_nsec;
}

void clock_sleep_ns(uint64_t ns) {
	struct timespec wait = { .tv_sec = (time_t)(ns / OWNCLOCK_NS),
		.tv_nsec = (long)(ns % OWNCLOCK_NS) };
	(void)nanosleep(&wait, NULL);
}

#endif
