/*
 * The chunker without its PRF: same window, hash, sizes and mask, but the cut looks at the digest itself (one lane of it:
 * the mask reaches no further). It is what the solvers must break, and what they use to say where a key would cut.
 */
#ifndef CHUNKERWEAK_H
#define CHUNKERWEAK_H

#include <stddef.h>
#include <stdint.h>

#include "core/chunker.h"

#define CHUNKERWEAK_REDUCE 0x1bu /* the modulus of the real chunker, without its x^64 */

struct chunkerweak {
	uint64_t table[256], out[256];
	uint64_t reduce; /* the modulus, without its x^64 */
	uint64_t
		want; /* what the masked bits of the digest are at a cut; 0 unless a solver says otherwise */
};

void chunkerweak_init(
	struct chunkerweak *w, const uint64_t table[256], uint64_t reduce, uint64_t want);

uint64_t chunkerweak_digest(const struct chunkerweak *w, const uint8_t window[CHUNKER_WINDOW]);

/* The ends of the chunks of ${data} with chunker_default's sizes; at most ${room}. Returns how many. */
size_t chunkerweak_cuts(
	const struct chunkerweak *w, const uint8_t *data, size_t len, size_t *ends, size_t room);

uint64_t chunkerweak_times_x(uint64_t d, uint64_t reduce);

#endif
