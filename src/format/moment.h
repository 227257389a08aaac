/* A point in time: seconds since 1970 and nanoseconds (below 10^9), 12 bytes. */
#ifndef FORMAT_MOMENT_H
#define FORMAT_MOMENT_H

#include "base/reader.h"
#include "base/writer.h"

struct moment {
	int64_t seconds;
	uint32_t nanos;
};

struct moment moment_read(struct reader *r); /* nanoseconds of 10^9 or more turn the reader bad */
void moment_write(struct writer *w, struct moment m);

#endif
