/*
 * The chunker's portable scan: 128 positions at once, bitsliced, in plain C. Bit i of the state of all 128 lies in one
 * plane, so there is no table that a secret would index, and no branch on one until the 128 answers are there.
 */
#include "base/little.h"
#include "core/chunker_key.h"

/* Two words side by side: compilers know how to use a vector register where there is one, and two words elsewhere. */
typedef uint64_t plane __attribute__((vector_size(16)));
typedef plane planes[16]
					[8]; /* [byte of the AES block][bit of the byte], one bit for each position */

#define POSITIONS 128

/* ---- AES ---- */

/* SubBytes on one byte of all blocks: the circuit of Boyar and Peralta (eprint 2011/332), ${b}[0] the lowest bit. */
static void sub_byte(plane b[8]) {
	plane x0 = b[7], x1 = b[6], x2 = b[5], x3 = b[4], x4 = b[3], x5 = b[2], x6 = b[1], x7 = b[0];

	plane y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2;
	plane y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8;
	plane t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0;
	plane y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8, y16 = t0 ^ y11;
	plane y21 = y13 ^ y16, y18 = x0 ^ y16;

	plane t2 = y12 & y15, t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2, t7 = y13 & y16;
	plane t9 = (y5 & y1) ^ t7, t11 = (y2 & y7) ^ t7, t12 = y9 & y11, t14 = (y14 & y17) ^ t12;
	plane t16 = (y8 & y10) ^ t12;
	plane t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;
	plane t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22;
	plane t30 = t23 ^ t24, t31 = t22 ^ t26, t33 = (t31 & t30) ^ t24, t34 = t23 ^ t33;
	plane t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34, t38 = t27 ^ t36;
	plane t40 = t25 ^ (t29 & t38), t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40;
	plane t44 = t33 ^ t37, t45 = t42 ^ t41;

	plane z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1,
		  z5 = t29 & y7;
	plane z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3;
	plane z11 = t33 & y4, z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9;
	plane z16 = t45 & y14, z17 = t41 & y8;

	plane t46 = z15 ^ z16, t48 = z5 ^ z13, t53 = z0 ^ z3, t57 = z2 ^ z12 ^ t53, t58 = z4 ^ t46;
	plane t59 = z3 ^ z6 ^ z7, t60 = t46 ^ t57, t62 = z7 ^ z8 ^ t58, t63 = z9 ^ z10 ^ t58;
	plane t64 = z4 ^ t59, t65 = z14 ^ t57 ^ t62, t66 = z1 ^ t63, s3 = t53 ^ t66;
	b[7] = t59 ^ t63;
	b[6] = t64 ^ ~s3;
	b[5] = z16 ^ z17 ^ ~(t64 ^ t65);
	b[4] = s3;
	b[3] = z2 ^ z5 ^ t66;
	b[2] = z10 ^ z11 ^ t65;
	b[1] = z12 ^ t48 ^ ~t62;
	b[0] = t48 ^ ~t60;
}

uint8_t chunker_portable_sbox(uint8_t b) {
	plane bits[8];
	unsigned r = 0;
	for (int i = 0; i < 8; i++) bits[i] = (plane){ b >> i & 1, 0 };
	sub_byte(bits);
	for (int i = 0; i < 8; i++) r |= (unsigned)(bits[i][0] & 1) << i;
	return (uint8_t)r;
}

/* ${bit} of ${v} everywhere. */
static plane spread(uint64_t v, int bit) {
	uint64_t w = 0 - (v >> bit & 1);
	return (plane){ w, w };
}

static void add_key_byte(plane b[8], uint8_t key) {
	for (int i = 0; i < 8; i++) b[i] ^= spread(key, i);
}

/* One byte of MixColumns: 2a + 3b + c + d. */
static void mix_byte(
	plane out[8], const plane a[8], const plane b[8], const plane c[8], const plane d[8]) {
	plane carry = a[7] ^ b[7];
	out[0] = carry ^ b[0] ^ c[0] ^ d[0];
	out[1] = a[0] ^ b[0] ^ carry ^ b[1] ^ c[1] ^ d[1];
	out[2] = a[1] ^ b[1] ^ b[2] ^ c[2] ^ d[2];
	out[3] = a[2] ^ b[2] ^ carry ^ b[3] ^ c[3] ^ d[3];
	out[4] = a[3] ^ b[3] ^ carry ^ b[4] ^ c[4] ^ d[4];
	out[5] = a[4] ^ b[4] ^ b[5] ^ c[5] ^ d[5];
	out[6] = a[5] ^ b[5] ^ b[6] ^ c[6] ^ d[6];
	out[7] = a[6] ^ b[6] ^ b[7] ^ c[7] ^ d[7];
}

static void full_round(planes out, planes in, const uint8_t key[16]) {
	for (int i = 0; i < 16; i++) sub_byte(in[i]);
	for (int i = 0; i < 16; i++) {
		int column = i / 4, row = i % 4;
		plane *from[4]; /* the bytes that ShiftRows brings into this column, from this row on */
		for (int j = 0; j < 4; j++) {
			int r = (row + j) % 4;
			from[j] = in[4 * ((column + r) % 4) + r];
		}
		mix_byte(out[i], from[0], from[1], from[2], from[3]);
		add_key_byte(out[i], key[i]);
	}
}

/* Bit p of the result: position p is a hit. Of the last round only the masked bytes are computed. */
static plane hits(const struct chunker_key *k, planes a) {
	planes b;
	plane miss = { 0, 0 };
	for (int r = 1; r < 9; r += 2) {
		full_round(b, a, k->round[r]);
		full_round(a, b, k->round[r + 1]);
	}
	full_round(b, a, k->round[9]);
	for (int i = 0; k->mask >> 8 * i != 0; i++) {
		plane *byte = b[4 * ((i % 4 + i / 4) % 4) + i % 4];
		sub_byte(byte);
		add_key_byte(byte, k->round[10][i]);
		for (int j = 0; j < 8; j++) miss |= byte[j] & spread(k->mask, 8 * i + j);
	}
	return ~miss;
}

/* ---- The scan ---- */

/* Turns rows into columns: afterwards bit i of m[j] is what bit j of m[i] was. */
static void transpose(uint64_t m[64]) {
	uint64_t low = 0x00000000ffffffffu;
	for (int width = 32; width > 0; width /= 2, low ^= low << width) {
		for (int i = 0; i < 64; i = (i + width + 1) & ~width) {
			uint64_t swap = ((m[i] >> width) ^ m[i + width]) & low;
			m[i] ^= swap << width;
			m[i + width] ^= swap;
		}
	}
}

struct digest {
	uint64_t lane[2];
};

static void roll(struct digest *e, const uint64_t in[2], const uint64_t out[2]) {
	for (int i = 0; i < 2; i++)
		e->lane[i] = e->lane[i] << 1 ^ ((0 - (e->lane[i] >> 63)) & CHUNKER_REDUCE) ^ in[i] ^ out[i];
}

static struct digest digest_before(const struct chunker_key *k, const uint8_t *data, size_t at) {
	static const uint64_t nothing[2];
	struct digest e = { { little_get64(k->round[0]), little_get64(k->round[0] + 8) } };
	for (size_t i = at - CHUNKER_WINDOW; i < at; i++) roll(&e, k->in[data[i]], nothing);
	return e;
}

size_t chunker_portable_find(
	const struct chunker_key *k, const uint8_t *data, size_t from, size_t to) {
	planes state;
	uint64_t words[4][64]; /* lane 0 of the first 64 positions, of the rest; lane 1 likewise */
	if (from >= to) return to;
	struct digest e = digest_before(k, data, from);
	size_t at = from;
	for (;;) {
		/* The positions of a run beyond the first have its digest: test it once, go on at the last. */
		size_t run = chunker_run_end(data, at, to - 1, CHUNKER_WINDOW);
		size_t n = run > at ? 1 : to - at < POSITIONS ? to - at : POSITIONS;
		for (size_t i = 0; i < POSITIONS; i++) {
			words[i / 64][i % 64] = e.lane[0];
			words[2 + i / 64][i % 64] = e.lane[1];
			if (i + 1 < n) roll(&e, k->in[data[at + i]], k->out[data[at + i - CHUNKER_WINDOW]]);
		}
		for (int i = 0; i < 4; i++) transpose(words[i]);
		for (int i = 0; i < 128; i++)
			state[i / 8][i % 8] =
				(plane){ words[i / 64 * 2][i % 64], words[i / 64 * 2 + 1][i % 64] };
		plane found = hits(k, state);
		for (size_t i = 0; i < n; i++)
			if ((found[i / 64] >> i % 64 & 1) != 0) return at + i;
		if (run > at) {
			at = run;
		} else {
			at += n;
			if (at >= to) return to;
			roll(&e, k->in[data[at - 1]], k->out[data[at - 1 - CHUNKER_WINDOW]]);
		}
	}
}
