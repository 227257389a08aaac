/* The chunker's scan with VAES on 256 bits: sixteen blocks in flight, two in a register. */
#include "core/chunker_cpu.h"
#include "core/chunker_key.h"

#ifdef CHUNKER_CPU_X86

#ifdef CHUNKER_VAES_EMULATED
#define LANES_TARGET __attribute__((target("aes,avx2")))
#else
#define LANES_TARGET __attribute__((target("aes,avx2,vaes")))
#endif
#define LANES 16
#define LANES_PLACE(bit) ((bit) / 8 * 8 + (bit) % 4 * 2 + (bit) / 4 % 2)
#define LANES_ALL 0xffff

#include "core/chunker_x86.h"

#ifdef CHUNKER_VAES_EMULATED
static inline LANES_TARGET __m256i aesenc(__m256i a, __m256i key) {
	__m128i k = _mm256_castsi256_si128(key);
	__m256i r = _mm256_castsi128_si256(_mm_aesenc_si128(_mm256_castsi256_si128(a), k));
	return _mm256_inserti128_si256(r, _mm_aesenc_si128(_mm256_extracti128_si256(a, 1), k), 1);
}
#else
#define aesenc(a, key) _mm256_aesenc_epi128(a, key)
#endif

static inline LANES_TARGET __m256i twice(__m128i block) {
	return _mm256_broadcastsi128_si256(block);
}

static inline LANES_TARGET __m256i two(const __m128i *digest) {
	return _mm256_load_si256((const __m256i *)__builtin_assume_aligned(digest, 32));
}

/* A round of the sixteen, and two digests more; stored as one, or loading them would wait. The
 * empty statements make the compiler leave the order so. */
#define ROUND(r)                                                                      \
	do {                                                                              \
		__m256i key = twice(lanes_load(k->round[r]));                                 \
		a = aesenc(a, key);                                                           \
		b = aesenc(b, key);                                                           \
		c = aesenc(c, key);                                                           \
		d = aesenc(d, key);                                                           \
		f = aesenc(f, key);                                                           \
		g = aesenc(g, key);                                                           \
		h = aesenc(h, key);                                                           \
		i = aesenc(i, key);                                                           \
		__m128i e0 = lanes_roll(e, k, in[2 * r - 2], out[2 * r - 2]);                 \
		e = lanes_roll(e0, k, in[2 * r - 1], out[2 * r - 1]);                         \
		_mm256_store_si256((__m256i *)__builtin_assume_aligned(next + 2 * r - 2, 32), \
			_mm256_inserti128_si256(_mm256_castsi128_si256(e0), e, 1));               \
		__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e));           \
		__asm__ volatile("" : "+x"(f), "+x"(g), "+x"(h), "+x"(i));                    \
	} while (0)

/* Byte 0 after round 9, of eight positions, compared with what a hit has: bit 4 * half + slot. */
static inline LANES_TARGET uint32_t gather(
	const struct chunker_key *k, __m256i a, __m256i b, __m256i c, __m256i d) {
	a = _mm256_shuffle_epi8(a, twice(_mm_setr_epi8(LANES_GATHER_0)));
	b = _mm256_shuffle_epi8(b, twice(_mm_setr_epi8(LANES_GATHER_1)));
	c = _mm256_shuffle_epi8(c, twice(_mm_setr_epi8(LANES_GATHER_2)));
	d = _mm256_shuffle_epi8(d, twice(_mm_setr_epi8(LANES_GATHER_3)));
	a = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
	a = _mm256_and_si256(aesenc(a, twice(lanes_load(k->column))), _mm256_set1_epi32(0xff));
	a = _mm256_cmpeq_epi32(a, _mm256_set1_epi32(k->wanted));
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(a));
}

static inline LANES_TARGET uint32_t lanes_step(const struct chunker_key *k, const __m128i *now,
	__m128i *next, __m128i e, const uint8_t *in, const uint8_t *out) {
	__m256i a = two(now), b = two(now + 2), c = two(now + 4), d = two(now + 6);
	__m256i f = two(now + 8), g = two(now + 10), h = two(now + 12), i = two(now + 14);
	ROUND(1);
	ROUND(2);
	ROUND(3);
	ROUND(4);
	ROUND(5);
	ROUND(6);
	ROUND(7);
	ROUND(8);
	return gather(k, a, b, c, d) | gather(k, f, g, h, i) << 8;
}

LANES_TARGET size_t chunker_vaes256_find(
	const struct chunker_key *k, const uint8_t *data, size_t from, size_t to) {
	return lanes_find(k, data, from, to);
}

#else

typedef int chunker_vaes256_is_not_here;

#endif
