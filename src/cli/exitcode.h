/* How broch ends. Documented in broch(1); scripts depend on these numbers. */
#ifndef CLI_EXITCODE_H
#define CLI_EXITCODE_H

#include "base/err.h"

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_ERROR = 1,        /* anything that has no number of its own */
	EXITCODE_USAGE = 2,        /* the command line makes no sense; nothing was done */
	EXITCODE_INCOMPLETE = 3,   /* done, but something was left out; each was said */
	EXITCODE_NOTFOUND = 10,    /* no such store, vault or snapshot */
	EXITCODE_DENIED = 12,      /* wrong passphrase or kit */
	EXITCODE_DAMAGED = 20,     /* an object of the store is damaged, forged or missing */
	EXITCODE_ROLLBACK = 21,    /* the store shows an older state, or a fork */
	EXITCODE_INTERRUPTED = 130 /* asked to stop; nothing half-made is visible */
};

/*
 * The number for an error of the store or the keys. An error from somewhere else (a source file that can't be opened
 * is E_DENIED or E_NOTFOUND too) is for the caller to judge.
 */
enum exitcode exitcode_of(enum err e);

#endif
