/*
 * Where a device keeps its own files. State: $BROCH_HOME, else $XDG_STATE_HOME/broch, else
 * ~/.local/state/broch. Caches: $BROCH_HOME/cache, else $XDG_CACHE_HOME/broch, else ~/.cache/broch.
 * Without HOME, ~ is what the user database says. Relative and empty values of HOME and of the XDG
 * variables count as unset; BROCH_HOME may be relative.
 */
#ifndef OS_PATHS_H
#define OS_PATHS_H

#include "base/err.h"
#include "os/why.h"

enum { PATHS_MAX = 4096 };

/*
 * The folder's path to ${out}, which has PATHS_MAX bytes. Makes nothing. E_NOTFOUND without a home,
 * E_LIMIT.
 */
MUST_USE enum err paths_state(char *out, struct why *why);
MUST_USE enum err paths_cache(char *out, struct why *why);

/* The user's home folder. */
MUST_USE enum err paths_home(char *out, struct why *why);

#endif
