/* What the code paths of the chunker share, and only they include: the prepared key, and the name of each path's scan. */
#ifndef CORE_CHUNKER_KEY_H
#define CORE_CHUNKER_KEY_H

#include <string.h>

#include "core/chunker.h"

#define CHUNKER_REDUCE 0x1b /* x^64 = x^4 + x^3 + x + 1 */

/*
 * All paths keep the digest with the first round key of AES already added: e = d + k0. Since the hash is linear that
 * costs nothing: e*x + (T[in] + k0*x + k0) + x^64*T[out] is the next e.
 */
struct chunker_key {
	_Alignas(16) uint64_t in[256][2];   /* T[b] + k0*x + k0 */
	_Alignas(16) uint64_t out[256][2];  /* x^64 * T[b] */
	_Alignas(16) uint8_t round[11][16]; /* AES round keys */
	_Alignas(16) uint8_t column[16];    /* the first column of round key 9, four times */
	uint8_t wanted; /* byte 0 after round 9 of every hit, where mask_bits >= 8 */
	bool any;       /* mask_bits < 8: byte 0 says nothing, each position is tested in full */
	uint64_t mask;  /* the ciphertext bits that are zero at a hit */
};

/*
 * The first position p, ${from} <= p < ${to}, whose window data[p-64..p) is a hit, or ${to}. ${from} is at least 64.
 * Reads data[from-64 .. to-1).
 */
typedef size_t chunker_find(
	const struct chunker_key *k, const uint8_t *data, size_t from, size_t to);

chunker_find chunker_portable_find;
chunker_find chunker_aesni_find;
chunker_find chunker_vaes256_find;
chunker_find chunker_vaes512_find;

/* AES's S-box, without a table: its time doesn't depend on ${b}. */
uint8_t chunker_portable_sbox(uint8_t b);

/*
 * The end of a run: where the window before ${at} and at least ${least} bytes after it are one byte repeated, the
 * first position after ${at} whose byte differs, at most ${end}; else ${at}. All windows that end in a run are equal.
 */
static inline size_t chunker_run_end(const uint8_t *data, size_t at, size_t end, size_t least) {
	uint64_t w, v;
	memcpy(&w, data + at - 8, 8);
	if (w != (w << 8 | w >> 56)) return at;
	size_t p = at - CHUNKER_WINDOW;
	for (; p + 8 <= end; p += 8) {
		memcpy(&v, data + p, 8);
		if (v != w) break;
	}
	while (p < end && data[p] == (uint8_t)w) p++;
	return p >= at + least ? p : at;
}

#endif
