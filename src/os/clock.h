/* The two clocks. The order of things never depends on the first: it may jump. */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970-01-01 UTC, from the clock people set; saturates at the ends of int64_t. */
int64_t clock_real_ns(void);

/* Nanoseconds since some moment, never backwards. For durations and deadlines. */
uint64_t clock_mono_ns(void);

/* Sleeps that long, or shorter if a signal comes. */
void clock_sleep_ns(uint64_t ns);

#endif
