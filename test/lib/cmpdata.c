/* Comparing contents and holes: see cmpdata.h. */
#include "cmpdata.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((off_t)(256 * 1024))
#define GRAIN ((off_t)4096)

static uint8_t piece_a[PIECE], piece_b[PIECE];

/* Where the run of data, or the hole, that ${pos} lies in ends. */
struct run {
	bool data;
	off_t end;
};

static int run_at(int fd, off_t pos, off_t size, struct run *out) {
	off_t at = lseek(fd, pos, SEEK_DATA);

	if (at < 0 && errno == ENXIO) {
		*out = (struct run){ false, size };
		return 0;
	}
	if (at < 0 && (errno == EINVAL || errno == ENOTSUP)) { /* knows no holes */
		*out = (struct run){ true, size };
		return 0;
	}
	if (at < 0) return -1;
	if (at > pos) {
		*out = (struct run){ false, at < size ? at : size };
		return 0;
	}
	at = lseek(fd, pos, SEEK_HOLE);
	if (at < 0) return -1;
	*out = (struct run){ true, at < size ? at : size };
	return 0;
}

/* Exactly ${len} bytes at ${at}: a file that became shorter is an error. */
static int read_all(int fd, uint8_t *out, size_t len, off_t at) {
	while (len > 0) {
		ssize_t n = pread(fd, out, len, at);

		if (n == 0) errno = ESTALE;
		if (n <= 0) return -1;
		out += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void note_bytes(
	struct cmpdata *out, const uint8_t *a, const uint8_t *b, size_t len, off_t at) {
	size_t i = 0;

	if (out->differs || memcmp(a, b, len) == 0) return;
	while (a[i] == b[i]) i++;
	out->differs = true;
	out->byte_at = at + (off_t)i;
}

/* Compares a range in which each side is wholly data or wholly hole; a hole reads as zeros. */
static int range_bytes(
	int a, int b, bool a_data, bool b_data, off_t from, off_t to, struct cmpdata *out) {
	if (!a_data) memset(piece_a, 0, sizeof(piece_a));
	if (!b_data) memset(piece_b, 0, sizeof(piece_b));
	while (from < to) {
		size_t len = (size_t)(to - from < PIECE ? to - from : PIECE);

		if (a_data && read_all(a, piece_a, len, from) != 0) return -1;
		if (b_data && read_all(b, piece_b, len, from) != 0) return -1;
		if (a_data) out->data_bytes += len;
		note_bytes(out, piece_a, piece_b, len, from);
		from += (off_t)len;
	}
	return 0;
}

/* Whether the range holds a whole block; the block cut short by the end of the file counts. */
static bool whole_block(off_t from, off_t to, off_t size, off_t *at) {
	off_t first = (from + GRAIN - 1) / GRAIN * GRAIN;

	*at = first;
	return first < to && (first + GRAIN <= to || to == size);
}

static void note_holes(struct cmpdata *out, bool a_data, off_t from, off_t to, off_t size) {
	off_t at;

	if (!whole_block(from, to, size, &at)) return;
	if (!a_data && !out->filled) {
		out->filled = true;
		out->filled_at = at;
	}
	if (a_data && !out->punched) {
		out->punched = true;
		out->punched_at = at;
	}
}

/* A file of one block that is data on both sides, as most files of most trees. */
static int one_block(int a, int b, off_t size, struct cmpdata *out) {
	if (read_all(a, piece_a, (size_t)size, 0) != 0) return -1;
	if (read_all(b, piece_b, (size_t)size, 0) != 0) return -1;
	out->data_bytes += (uint64_t)size;
	note_bytes(out, piece_a, piece_b, (size_t)size, 0);
	return 0;
}

static bool is_data(int fd) {
	return lseek(fd, 0, SEEK_DATA) == 0;
}

int cmpdata_compare(int a, int b, off_t size, struct cmpdata *out) {
	struct run ra = { .end = 0 }, rb = { .end = 0 };
	off_t pos = 0;

	*out = (struct cmpdata){ 0 };
	if (size <= GRAIN && is_data(a) && is_data(b)) return one_block(a, b, size, out);
	while (pos < size) {
		off_t end;

		if (ra.end <= pos && run_at(a, pos, size, &ra) != 0) return -1;
		if (rb.end <= pos && run_at(b, pos, size, &rb) != 0) return -1;
		end = ra.end < rb.end ? ra.end : rb.end;
		if (ra.data != rb.data) note_holes(out, ra.data, pos, end, size);
		if ((ra.data || rb.data) && range_bytes(a, b, ra.data, rb.data, pos, end, out) != 0)
			return -1;
		pos = end;
	}
	return 0;
}
