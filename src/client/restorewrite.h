/* Writing a file's data at its places: with the holes it had, and others where zeros may become holes. */
#ifndef CLIENT_RESTOREWRITE_H
#define CLIENT_RESTOREWRITE_H

#include "base/span.h"
#include "format/direntry.h"

/* From byte ${data} of the stream on, the file goes on at ${file}. */
struct restorewrite_extent {
	uint64_t data, file;
};

/* Fills ${out}, which has room for the number of holes and one, with the extents; their number to ${count}. */
void restorewrite_extents(const struct direntry *d, struct restorewrite_extent *out, size_t *count);

struct restorewrite_map {
	const struct restorewrite_extent *extents; /* of none, the stream is the file */
	size_t count;
	bool sparse; /* blocks of zeros are left out: the file is longer already, and new */
};

/* Writes ${bytes} of the stream from its byte ${data} on. False with errno. */
bool restorewrite_at(int fd, const struct restorewrite_map *map, uint64_t data, struct span bytes);

/* Reads them back to ${out}. False with errno; a file that is shorter is EIO. */
bool restorewrite_read(
	int fd, const struct restorewrite_map *map, uint64_t data, uint8_t *out, size_t n);

#endif
