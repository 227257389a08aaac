/*
 * Being asked to stop. The first SIGINT, SIGTERM or SIGHUP only sets a flag, which long work looks
 * at between steps; the second ends the program at once (nothing on a store or in the local state
 * can be half-done by that). SIGPIPE is ignored: a write to a closed pipe is an ordinary error.
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include <stdbool.h>

/* Once, at the start of a program. */
void signals_install(void);

/* Whether the program was asked to stop. From any thread. */
bool signals_asked(void);

/* The signal that asked, or 0. A program that stops for it exits with 128 plus this. */
int signals_which(void);

/* Tests: as if nobody had asked. */
void signals_forget(void);

static inline bool interrupt_asked(void) {
	return signals_asked();
}

#endif
