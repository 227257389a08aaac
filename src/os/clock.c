#include "os/clock.h"

#include <stdlib.h>
#include <time.h>

enum { NS = 1000000000 };

int64_t clock_real_ns(void) {
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0) abort();
	int64_t ns;
	if (__builtin_mul_overflow((int64_t)now.tv_sec, (int64_t)NS, &ns) ||
		__builtin_add_overflow(ns, (int64_t)now.tv_nsec, &ns))
		return now.tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

uint64_t clock_mono_ns(void) {
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) abort();
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

void clock_sleep_ns(uint64_t ns) {
	struct timespec wait = { .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };
	(void)nanosleep(&wait, NULL);
}
