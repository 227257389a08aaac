/*
 * The scan of the x86 paths: each of them includes this once, after saying what it needs.
 *
 *   LANES_TARGET   the function attribute that lets the compiler use the path's instructions
 *   LANES          how many positions it encrypts at once, a multiple of 8
 *   lanes_step     static uint32_t lanes_step(k, __m128i now[LANES], __m128i next[LANES], __m128i e, in, out):
 *                  rolls e over the LANES bytes that come in at ${in} and leave at ${out}, writing each digest to next;
 *                  and returns a bit for each digest in now that may be a hit, at the bit that lanes_place maps to it
 *   LANES_PLACE(b) the index in now of bit b
 *   LANES_ALL      every bit that means a digest
 *
 * How it saves work, with the result unchanged. (1) Byte 0 of the ciphertext depends on byte 0 after round 9, which must
 * have one known value; so round 10 is not computed. (2) That byte needs only one column of round 9: the columns of four
 * positions are gathered into one block. One position in 256 passes and is then encrypted in full. (3) The digests of the
 * next positions are rolled between the rounds of these, so that neither waits for the other.
 */
#include <immintrin.h>

/* The source bytes that ShiftRows brings to column 0 (0, 5, 10, 15), turned to where it brings them to column ${slot}. */
#define LANES_GATHER_0 0, -1, -1, -1, -1, 5, -1, -1, -1, -1, 10, -1, -1, -1, -1, 15
#define LANES_GATHER_1 -1, -1, -1, 15, 0, -1, -1, -1, -1, 5, -1, -1, -1, -1, 10, -1
#define LANES_GATHER_2 -1, -1, 10, -1, -1, -1, -1, 15, 0, -1, -1, -1, -1, 5, -1, -1
#define LANES_GATHER_3 -1, 5, -1, -1, -1, -1, 10, -1, -1, -1, -1, 15, 0, -1, -1, -1

static inline LANES_TARGET __m128i lanes_load(const void *p) {
	return _mm_load_si128((const __m128i *)__builtin_assume_aligned(p, 16));
}

/* e*x, with what comes in and goes out added. */
static inline LANES_TARGET __m128i lanes_roll(
	__m128i e, const struct chunker_key *k, uint8_t in, uint8_t out) {
	__m128i change = _mm_xor_si128(lanes_load(k->in[in]), lanes_load(k->out[out]));
	__m128i carry = _mm_shuffle_epi32(_mm_srai_epi32(e, 31), 0xf5);
	carry = _mm_and_si128(carry, _mm_set1_epi64x(CHUNKER_REDUCE));
	return _mm_xor_si128(_mm_xor_si128(_mm_add_epi64(e, e), change), carry);
}

static inline LANES_TARGET uint32_t lanes_step(const struct chunker_key *k, const __m128i *now,
	__m128i *next, __m128i e, const uint8_t *in, const uint8_t *out);

static inline LANES_TARGET bool lanes_hit(const struct chunker_key *k, __m128i e) {
	for (int r = 1; r < 10; r++) e = _mm_aesenc_si128(e, lanes_load(k->round[r]));
	e = _mm_aesenclast_si128(e, lanes_load(k->round[10]));
	return ((uint64_t)_mm_cvtsi128_si64(e) & k->mask) == 0;
}

static inline LANES_TARGET __m128i lanes_before(
	const struct chunker_key *k, const uint8_t *data, size_t at) {
	__m128i e = lanes_load(k->round[0]);
	for (size_t i = at - CHUNKER_WINDOW; i < at; i++) {
		__m128i carry = _mm_shuffle_epi32(_mm_srai_epi32(e, 31), 0xf5);
		carry = _mm_and_si128(carry, _mm_set1_epi64x(CHUNKER_REDUCE));
		e = _mm_xor_si128(_mm_xor_si128(_mm_add_epi64(e, e), lanes_load(k->in[data[i]])), carry);
	}
	return e;
}

/* The lowest index of a true hit among those that ${maybe} names, or LANES. */
static LANES_TARGET size_t lanes_first(
	const struct chunker_key *k, const __m128i *now, uint32_t maybe) {
	size_t first = LANES;
	for (; maybe != 0; maybe &= maybe - 1) {
		size_t i = LANES_PLACE((size_t)__builtin_ctz(maybe));
		if (i < first && lanes_hit(k, now[i])) first = i;
	}
	return first;
}

/* From ${*at}, whose digest is ${*e}, by LANES positions as long as 2 * LANES are left, or to a hit (then true) or a run. */
static inline LANES_TARGET bool lanes_scan(
	const struct chunker_key *k, const uint8_t *data, size_t *at, size_t to, __m128i *e) {
	_Alignas(64) __m128i digest[2][LANES];
	size_t p = *at;
	unsigned which = 0;
	bool found = false;
	digest[0][0] = *e;
	for (size_t i = 1; i < LANES; i++)
		digest[0][i] =
			lanes_roll(digest[0][i - 1], k, data[p + i - 1], data[p + i - 1 - CHUNKER_WINDOW]);
	while (to - p >= 2 * LANES) {
		const __m128i *now = digest[which];
		const uint8_t *in = data + p + LANES - 1;
		uint32_t maybe =
			lanes_step(k, now, digest[which ^ 1], now[LANES - 1], in, in - CHUNKER_WINDOW);
		if (k->any) maybe = LANES_ALL;
		if (__builtin_expect(maybe != 0, 0)) {
			size_t i = lanes_first(k, now, maybe);
			if (i < LANES) {
				p += i;
				found = true;
				break;
			}
		}
		which ^= 1;
		p += LANES;
		if (chunker_run_end(
				data, p, p + CHUNKER_WINDOW < to ? p + CHUNKER_WINDOW : p, CHUNKER_WINDOW) > p)
			break;
	}
	*at = p;
	*e = digest[which][0];
	return found;
}

static inline LANES_TARGET size_t lanes_find(
	const struct chunker_key *k, const uint8_t *data, size_t from, size_t to) {
	if (from >= to) return to;
	size_t at = from;
	__m128i e = lanes_before(k, data, at);
	for (;;) {
		/* The positions of a run beyond the first have its digest: test it once, go on at the last. */
		size_t run = chunker_run_end(data, at, to - 1, CHUNKER_WINDOW);
		if (run > at) {
			if (lanes_hit(k, e)) return at;
			at = run;
		}
		if (to - at < 2 * LANES) break;
		if (lanes_scan(k, data, &at, to, &e)) return at;
	}
	for (;; at++) {
		if (lanes_hit(k, e)) return at;
		if (at + 1 >= to) return to;
		e = lanes_roll(e, k, data[at], data[at - CHUNKER_WINDOW]);
	}
}
