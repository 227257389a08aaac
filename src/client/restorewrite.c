#include "client/restorewrite.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096 };

void restorewrite_extents(
	const struct direntry *d, struct restorewrite_extent *out, size_t *count) {
	struct direntry_hole hole = { .rest = d->holes.items };
	uint64_t holes = 0;
	size_t n = 0;
	out[n++] = (struct restorewrite_extent){ 0, 0 };
	while (direntry_next_hole(&hole)) {
		uint64_t data = hole.offset - holes;
		holes += hole.length;
		if (out[n - 1].data == data) n--; /* nothing lies before this hole */
		out[n++] = (struct restorewrite_extent){ .data = data, .file = hole.offset + hole.length };
	}
	*count = n;
}

static bool write_all(int fd, uint64_t offset, struct span bytes) {
	while (bytes.len > 0) {
		ssize_t n = pwrite(fd, bytes.ptr, bytes.len, (off_t)offset);
		if (n < 0 && errno == EINTR) continue;
		if (n == 0) errno = EIO;
		if (n <= 0) return false;
		offset += (uint64_t)n;
		bytes = span_skip(bytes, (size_t)n);
	}
	return true;
}

static bool is_zero(struct span bytes) {
	static const uint8_t zeros[BLOCK];
	return bytes.len > 0 && bytes.ptr[0] == 0 && bytes.len <= BLOCK &&
		memcmp(bytes.ptr, zeros, bytes.len) == 0;
}

/* The part of ${bytes} up to where the file's next whole block begins, at most a block. */
static size_t block_part(uint64_t offset, size_t len) {
	size_t n = BLOCK - (size_t)(offset % BLOCK);
	return n < len ? n : len;
}

/* Leaves out blocks that are zero, as far as they are in ${bytes}. */
static bool write_sparse(int fd, uint64_t offset, struct span bytes) {
	size_t have = 0; /* to be written, in front of ${bytes} at ${at} */
	for (size_t at = 0; at < bytes.len;) {
		size_t n = block_part(offset + at, bytes.len - at);
		if (is_zero(span_of(bytes.ptr + at, n))) {
			if (!write_all(fd, offset + at - have, span_of(bytes.ptr + at - have, have)))
				return false;
			have = 0;
		} else {
			have += n;
		}
		at += n;
	}
	size_t end = bytes.len;
	return write_all(fd, offset + end - have, span_of(bytes.ptr + end - have, have));
}

/* The last extent that begins at or before byte ${data}. */
static size_t extent_of(const struct restorewrite_map *map, uint64_t data) {
	size_t from = 0, to = map->count;
	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;
		if (map->extents[middle].data <= data) from = middle;
		else to = middle;
	}
	return from;
}

/* Where byte ${data} is in the file, and how many of ${*n} bytes follow there without a hole. */
static uint64_t place_of(const struct restorewrite_map *map, uint64_t data, size_t *n) {
	if (map->count == 0) return data;
	size_t i = extent_of(map, data);
	if (i + 1 < map->count && map->extents[i + 1].data - data < *n)
		*n = (size_t)(map->extents[i + 1].data - data);
	return map->extents[i].file + (data - map->extents[i].data);
}

bool restorewrite_at(int fd, const struct restorewrite_map *map, uint64_t data, struct span bytes) {
	while (bytes.len > 0) {
		size_t n = bytes.len;
		uint64_t offset = place_of(map, data, &n);
		struct span part = span_of(bytes.ptr, n);
		if (map->sparse ? !write_sparse(fd, offset, part) : !write_all(fd, offset, part))
			return false;
		data += n;
		bytes = span_skip(bytes, n);
	}
	return true;
}

bool restorewrite_read(
	int fd, const struct restorewrite_map *map, uint64_t data, uint8_t *out, size_t n) {
	while (n > 0) {
		size_t part = n;
		uint64_t offset = place_of(map, data, &part);
		ssize_t got = pread(fd, out, part, (off_t)offset);
		if (got < 0 && errno == EINTR) continue;
		if (got == 0) errno = EIO;
		if (got <= 0) return false;
		data += (uint64_t)got;
		out += got;
		n -= (size_t)got;
	}
	return true;
}
