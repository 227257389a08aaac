/* Points in time as people write and read them: local time, to the second. */
#ifndef CLIENT_WHEN_H
#define CLIENT_WHEN_H

#include <stdint.h>

#include "base/err.h"

enum { WHEN_TEXT = 48 };

/*
 * Nanoseconds since 1970 from `now`, `2006-01-02`, `2006-01-02 15:04`, `2006-01-02 15:04:05` (local time; a `T` may
 * stand for the space), each of the last two also with `Z` or `+01:00` behind it. E_FORMAT; E_LIMIT for years before
 * 1970 or after 2200.
 */
MUST_USE enum err when_parse(const char *text, int64_t *ns_out);

/* `2006-01-02 15:04:05` in local time; returns ${out}. */
const char *when_local(char out[WHEN_TEXT], int64_t ns);

/* `2006-01-02T15:04:05.123456789Z`, for programs to read. */
const char *when_utc(char out[WHEN_TEXT], int64_t ns);

#endif
