/* The chunker's scan with VAES on 512 bits: sixteen blocks in flight, four in a register. */
#include "core/chunker_cpu.h"
#include "core/chunker_key.h"

#ifdef CHUNKER_CPU_X86

#ifdef CHUNKER_VAES_EMULATED
#define LANES_TARGET __attribute__((target("aes,avx2,avx512f,avx512bw,avx512vl,avx512dq")))
#else
#define LANES_TARGET __attribute__((target("aes,avx2,vaes,avx512f,avx512bw,avx512vl,avx512dq")))
#endif
#define LANES 16
#define LANES_PLACE(bit) ((bit) % 4 * 4 + (bit) / 4)
#define LANES_ALL 0xffff

#include "core/chunker_x86.h"

#ifdef CHUNKER_VAES_EMULATED
static inline LANES_TARGET __m512i aesenc(__m512i a, __m512i key) {
	__m128i k = _mm512_castsi512_si128(key);
	__m512i r = _mm512_castsi128_si512(_mm_aesenc_si128(_mm512_castsi512_si128(a), k));
	r = _mm512_inserti64x2(r, _mm_aesenc_si128(_mm512_extracti64x2_epi64(a, 1), k), 1);
	r = _mm512_inserti64x2(r, _mm_aesenc_si128(_mm512_extracti64x2_epi64(a, 2), k), 2);
	return _mm512_inserti64x2(r, _mm_aesenc_si128(_mm512_extracti64x2_epi64(a, 3), k), 3);
}
#else
#define aesenc(a, key) _mm512_aesenc_epi128(a, key)
#endif

static inline LANES_TARGET __m512i four_times(__m128i block) {
	return _mm512_broadcast_i64x2(block);
}

static inline LANES_TARGET __m512i four(const __m128i *digest) {
	return _mm512_load_si512(__builtin_assume_aligned(digest, 64));
}

#define ROUND(r)                                                            \
	do {                                                                    \
		__m512i key = four_times(lanes_load(k->round[r]));                  \
		a = aesenc(a, key);                                                 \
		b = aesenc(b, key);                                                 \
		c = aesenc(c, key);                                                 \
		d = aesenc(d, key);                                                 \
		__asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e)); \
	} while (0)

/* Rounds 2q + 1 and 2q + 2 of the sixteen, and four digests more; stored as one, or loading them would wait. The
 * empty statement makes the compiler leave the order so. */
#define TWO_ROUNDS(q)                                                                \
	do {                                                                             \
		__m128i e0 = lanes_roll(e, k, in[4 * q], out[4 * q]);                        \
		__m128i e1 = lanes_roll(e0, k, in[4 * q + 1], out[4 * q + 1]);               \
		ROUND(2 * q + 1);                                                            \
		__m128i e2 = lanes_roll(e1, k, in[4 * q + 2], out[4 * q + 2]);               \
		e = lanes_roll(e2, k, in[4 * q + 3], out[4 * q + 3]);                        \
		__m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(e0), e1, 1);    \
		__m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(e2), e, 1);    \
		_mm512_store_si512(                                                          \
			next + 4 * q, _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)); \
		ROUND(2 * q + 2);                                                            \
	} while (0)

/* Bit 4 * quarter + register: byte 0 after round 9 is what a hit has. */
static inline LANES_TARGET uint32_t lanes_step(const struct chunker_key *k, const __m128i *now,
	__m128i *next, __m128i e, const uint8_t *in, const uint8_t *out) {
	__m512i a = four(now), b = four(now + 4), c = four(now + 8), d = four(now + 12);
	TWO_ROUNDS(0);
	TWO_ROUNDS(1);
	TWO_ROUNDS(2);
	TWO_ROUNDS(3);
	a = _mm512_shuffle_epi8(a, four_times(_mm_setr_epi8(LANES_GATHER_0)));
	b = _mm512_shuffle_epi8(b, four_times(_mm_setr_epi8(LANES_GATHER_1)));
	c = _mm512_shuffle_epi8(c, four_times(_mm_setr_epi8(LANES_GATHER_2)));
	d = _mm512_shuffle_epi8(d, four_times(_mm_setr_epi8(LANES_GATHER_3)));
	a = _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d));
	a = _mm512_and_si512(aesenc(a, four_times(lanes_load(k->column))), _mm512_set1_epi32(0xff));
	return _mm512_cmpeq_epi32_mask(a, _mm512_set1_epi32(k->wanted));
}

LANES_TARGET size_t chunker_vaes512_find(
	const struct chunker_key *k, const uint8_t *data, size_t from, size_t to) {
	return lanes_find(k, data, from, to);
}

#else

typedef int chunker_vaes512_is_not_here;

#endif
