/* The chunker's scan with AES-NI and SSE4.2: eight blocks in flight. */
#include "core/chunker_cpu.h"
#include "core/chunker_key.h"

#ifdef CHUNKER_CPU_X86

#define LANES_TARGET __attribute__((target("aes,sse4.2")))
#define LANES 8
#define LANES_PLACE(bit) ((bit) / 2)
#define LANES_ALL 0x5555

#include "core/chunker_x86.h"

/* A round of the eight, and one digest more. The empty statements make the compiler leave it so. */
#define ROUND(r)                                                            \
	do {                                                                    \
		__m128i key = lanes_load(k->round[r]);                              \
		a = _mm_aesenc_si128(a, key);                                       \
		b = _mm_aesenc_si128(b, key);                                       \
		c = _mm_aesenc_si128(c, key);                                       \
		d = _mm_aesenc_si128(d, key);                                       \
		f = _mm_aesenc_si128(f, key);                                       \
		g = _mm_aesenc_si128(g, key);                                       \
		h = _mm_aesenc_si128(h, key);                                       \
		i = _mm_aesenc_si128(i, key);                                       \
		next[r - 1] = e = lanes_roll(e, k, in[r - 1], out[r - 1]);          \
		__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e)); \
		__asm__ volatile("" : "+x"(f), "+x"(g), "+x"(h), "+x"(i));          \
	} while (0)

/* Byte 0 after round 9, of four positions, in the lowest byte of each 32 bits, compared with what a hit has. */
static inline LANES_TARGET __m128i gather(
	const struct chunker_key *k, __m128i a, __m128i b, __m128i c, __m128i d) {
	a = _mm_shuffle_epi8(a, _mm_setr_epi8(LANES_GATHER_0));
	b = _mm_shuffle_epi8(b, _mm_setr_epi8(LANES_GATHER_1));
	c = _mm_shuffle_epi8(c, _mm_setr_epi8(LANES_GATHER_2));
	d = _mm_shuffle_epi8(d, _mm_setr_epi8(LANES_GATHER_3));
	a = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
	a = _mm_and_si128(_mm_aesenc_si128(a, lanes_load(k->column)), _mm_set1_epi32(0xff));
	return _mm_cmpeq_epi32(a, _mm_set1_epi32(k->wanted));
}

static inline LANES_TARGET uint32_t lanes_step(const struct chunker_key *k, const __m128i *now,
	__m128i *next, __m128i e, const uint8_t *in, const uint8_t *out) {
	__m128i a = now[0], b = now[1], c = now[2], d = now[3], f = now[4], g = now[5], h = now[6],
			i = now[7];
	ROUND(1);
	ROUND(2);
	ROUND(3);
	ROUND(4);
	ROUND(5);
	ROUND(6);
	ROUND(7);
	ROUND(8);
	__m128i found = _mm_packs_epi32(gather(k, a, b, c, d), gather(k, f, g, h, i));
	return (uint32_t)_mm_movemask_epi8(found) & LANES_ALL;
}

LANES_TARGET size_t chunker_aesni_find(
	const struct chunker_key *k, const uint8_t *data, size_t from, size_t to) {
	return lanes_find(k, data, from, to);
}

#else

typedef int chunker_aesni_is_not_here;

#endif
