#include "chunkerweak.h"

#include <string.h>

uint64_t chunkerweak_times_x(uint64_t d, uint64_t reduce) {
	return d << 1 ^ ((0 - (d >> 63)) & reduce);
}

void chunkerweak_init(
	struct chunkerweak *w, const uint64_t table[256], uint64_t reduce, uint64_t want) {
	memcpy(w->table, table, sizeof(w->table));
	w->reduce = reduce;
	w->want = want;
	for (int b = 0; b < 256; b++) {
		w->out[b] = table[b];
		for (int i = 0; i < 64; i++) w->out[b] = chunkerweak_times_x(w->out[b], reduce);
	}
}

uint64_t chunkerweak_digest(const struct chunkerweak *w, const uint8_t window[CHUNKER_WINDOW]) {
	uint64_t d = 0;
	for (int j = 0; j < CHUNKER_WINDOW; j++)
		d = chunkerweak_times_x(d, w->reduce) ^ w->table[window[j]];
	return d;
}

static size_t next(const struct chunkerweak *w, const uint8_t *data, size_t len) {
	size_t at = chunker_default.min;
	size_t end = len < chunker_default.max ? len : chunker_default.max;
	uint64_t mask = ((uint64_t)1 << chunker_default.mask_bits) - 1;
	if (len <= at) return len;
	uint64_t d = chunkerweak_digest(w, data + at - CHUNKER_WINDOW);
	for (; at < end && (d & mask) != w->want; at++)
		d = chunkerweak_times_x(d, w->reduce) ^ w->out[data[at - CHUNKER_WINDOW]] ^
			w->table[data[at]];
	return at;
}

size_t chunkerweak_cuts(
	const struct chunkerweak *w, const uint8_t *data, size_t len, size_t *ends, size_t room) {
	size_t n = 0;
	for (size_t at = 0; at < len && n < room;) ends[n++] = at += next(w, data + at, len - at);
	return n;
}
