/* The names in a folder, read at once and sorted by their bytes. */
#ifndef OS_LISTING_H
#define OS_LISTING_H

#include "base/buf.h"
#include "os/why.h"

struct listing_name {
	const char *name; /* NUL-terminated, inside the listing */
	uint8_t length;
	uint8_t kind; /* DT_DIR and the like as the file system says; DT_UNKNOWN: it does not */
};

struct listing {
	struct listing_name *names;
	size_t count, room;
	struct buf bytes;
};

void listing_init(struct listing *l);
void listing_done(struct listing *l);

/* Reads the folder ${fd}, all but . and .., replacing what ${l} held. E_IO, E_NOMEM, E_LIMIT (over 2^26 names). */
MUST_USE enum err listing_read(struct listing *l, int fd, struct why *why);

#endif
