/* A random generator and a clock for tests that give what they are told to. */
#ifndef FIXEDRANDOM_H
#define FIXEDRANDOM_H

#include <stdint.h>

/*
 * From now on every call of the system's generator gives the first of these bytes (from the start
 * again after 32).
 */
void fixedrandom_install(const uint8_t bytes[32]);

/* The system's own again. */
void fixedrandom_remove(void);

void fixedrandom_set_clock(uint64_t ns);
uint64_t fixedrandom_clock(void);

#endif
