/* The result of every fallible function: few codes, each leading to a different action. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum err {
	OK = 0,
	E_NOMEM,       /* memory ran out: stop, nothing half-done */
	E_IO,          /* the world failed (disk, network): may work later */
	E_BUSY,        /* somebody else was first (compare-and-swap): look again */
	E_NOTFOUND,    /* no such thing: often expected */
	E_EXISTS,      /* it is there already */
	E_FORMAT,      /* bytes that no writer of ours makes: refuse */
	E_FORGED,      /* does not authenticate: alarm, never retry */
	E_ROLLBACK,    /* authentic but older than, or in conflict with, what was seen */
	E_LIMIT,       /* larger than a stated maximum */
	E_DENIED,      /* wrong passphrase or kit, or no right to do this */
	E_USAGE,       /* the caller asked for something that makes no sense */
	E_UNSUPPORTED, /* a format version or feature this program does not have */
	E_CANCELLED,   /* asked to stop */
	E_COUNT
};

/* A short fixed text for ${e}, for programmers; users get the sentence in struct why. */
const char *err_text(enum err e);

/* Whether the same call may succeed later without anything else changing. */
bool err_is_retryable(enum err e);

/* Looks away from a result on purpose; the line that calls it says why. */
void err_ignore(enum err e);

#endif
