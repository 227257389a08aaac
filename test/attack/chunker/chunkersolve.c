#include "chunkersolve.h"

#include <stdlib.h>
#include <string.h>

#define BITS 16u /* chunker_default.mask_bits */
#define MASK (((uint64_t)1 << BITS) - 1)

/* The next window that the content chose as a cut, or NULL; ${*i} goes through the chunks. */
static const uint8_t *next_window(const struct chunkersolve_evidence *e, size_t *i) {
	while (*i < e->n) {
		size_t start = *i == 0 ? 0 : e->ends[*i - 1], end = e->ends[*i];
		++*i;
		if (end < e->len && end - start < chunker_default.max)
			return e->data + end - CHUNKER_WINDOW;
	}
	return NULL;
}

/* ---- L01 ---- */

bool chunkersolve_seed(
	struct chunkerweak *out, const struct chunkersolve_evidence *e, const uint64_t table[256]) {
	const uint8_t *window;
	unsigned *votes = calloc(MASK + 1, sizeof(*votes)), most = 0, all = 0;
	if (votes == NULL) abort();
	chunkerweak_init(out, table, CHUNKERWEAK_REDUCE, 0);
	for (size_t i = 0; (window = next_window(e, &i)) != NULL; all++) {
		uint64_t value = chunkerweak_digest(out, window) & MASK;
		if (++votes[value] <= most) continue;
		most = votes[value];
		out->want = value;
	}
	free(votes);
	return all > 0 && most == all;
}

/* ---- L02 ---- */

/* One cut: the coefficients of r_64 .. r_126 (r_i = x^i modulo the secret), and for each masked bit what they add up to. */
struct modulus_row {
	uint64_t left; /* bit i: r_(64+i) */
	uint64_t right;
};

static struct modulus_row modulus_row(const uint64_t table[256], const uint8_t *window) {
	uint64_t high = 0, low = 0;
	for (int j = 0; j < CHUNKER_WINDOW; j++) {
		high = high << 1 | low >> 63;
		low = low << 1 ^ table[window[j]];
	}
	return (struct modulus_row){ high, low & MASK };
}

/* Reduces ${r} by the rows, each kept at its highest left bit. */
static struct modulus_row modulus_reduce(const struct modulus_row rows[63], struct modulus_row r) {
	for (int i = 62; i >= 0; i--) {
		if ((r.left >> i & 1) == 0 || rows[i].left == 0) continue;
		r.left ^= rows[i].left;
		r.right ^= rows[i].right;
	}
	return r;
}

/* The modulus from the lowest bits ${s} of x^0 .. x^126, and its coefficient of x, which these don't show. */
static uint64_t modulus_from(const unsigned s[127], unsigned of_x) {
	unsigned q[64] = { 1, of_x };
	uint64_t modulus = 0;
	for (int i = 1; i <= 62; i++) {
		q[64 - i] = s[64 + i];
		for (int j = 65 - i; j < 64; j++) q[64 - i] ^= q[j] & s[i + j];
	}
	for (int j = 0; j < 64; j++) modulus |= (uint64_t)q[j] << j;
	return modulus;
}

bool chunkersolve_modulus(
	struct chunkerweak *out, const struct chunkersolve_evidence *e, const uint64_t table[256]) {
	struct modulus_row rows[63] = { { 0, 0 } };
	uint64_t r[63]; /* the masked bits of x^64 .. x^126 */
	unsigned s[127] = { 1 };
	bool consistent = true;
	const uint8_t *window;
	for (size_t i = 0; (window = next_window(e, &i)) != NULL;) {
		struct modulus_row row = modulus_reduce(rows, modulus_row(table, window));
		if (row.left != 0) rows[63 - __builtin_clzll(row.left)] = row;
		else if (row.right != 0) consistent = false;
	}
	for (int i = 0; i < 63; i++) {
		if (rows[i].left == 0) consistent = false;
		r[i] = rows[i].right;
		for (int j = 0; j < i; j++)
			if ((rows[i].left >> j & 1) != 0) r[i] ^= r[j];
		s[64 + i] = r[i] & 1;
	}
	if (s[64] != 1) consistent = false;
	s[64] = 1;
	chunkerweak_init(out, table, modulus_from(s, r[0] >> 1 & 1), 0);
	return consistent;
}

/* ---- L04 ---- */

#define LETTERS CHUNKERSOLVE_LETTERS
#define UNKNOWNS (LETTERS * 64)

/* What never changes a cut: one constant added to every entry, of the 2^47 that add zero to the masked bits. */
#define FREE_OF_MEANING (64 - BITS)

struct row {
	uint64_t w[LETTERS]; /* word a, bit i: bit i of entry a */
};

static bool row_bit(const struct row *r, size_t i) {
	return (r->w[i / 64] >> i % 64 & 1) != 0;
}

static void row_add(struct row *to, const struct row *r) {
	for (int a = 0; a < LETTERS; a++) to->w[a] ^= r->w[a];
}

/* The equations of one window: row k says that bit k of its digest is zero. */
static void table_rows(struct row rows[BITS], const uint8_t *window) {
	memset(rows, 0, BITS * sizeof(*rows));
	for (int a = 0; a < LETTERS; a++) {
		uint64_t m = 0; /* what multiplies entry a */
		for (int j = 0; j < CHUNKER_WINDOW; j++) m = m << 1 | (window[j] == a);
		for (int i = 0; i < 64; i++, m = chunkerweak_times_x(m, CHUNKERWEAK_REDUCE))
			for (unsigned k = 0; k < BITS; k++) rows[k].w[a] |= (m >> k & 1) << i;
	}
}

struct system {
	struct row rows[UNKNOWNS]; /* row i has its first bit at i, if used */
	bool used[UNKNOWNS];
	size_t rank;
};

/* Whether ${r} says something new; it is then taken in unless nothing but the meaningless would be left to find. */
static bool system_add(struct system *s, struct row r) {
	for (size_t i = 0; i < UNKNOWNS; i++) {
		if (!row_bit(&r, i)) continue;
		if (s->used[i]) {
			row_add(&r, &s->rows[i]);
			continue;
		}
		if (s->rank + FREE_OF_MEANING + 1 >= UNKNOWNS) return true;
		s->rows[i] = r;
		s->used[i] = true;
		s->rank++;
		return true;
	}
	return false;
}

/* A solution: the unknowns that are free as ${choice} has them, the others as they follow. */
static struct row system_solve(const struct system *s, const struct row *choice) {
	struct row x = { { 0 } };
	for (size_t i = UNKNOWNS; i-- > 0;) {
		bool bit = row_bit(choice, i);
		if (s->used[i]) {
			uint64_t sum = 0;
			for (int a = 0; a < LETTERS; a++) sum ^= s->rows[i].w[a] & x.w[a];
			bit = __builtin_parityll(sum) != 0;
		}
		x.w[i / 64] |= (uint64_t)bit << i % 64;
	}
	return x;
}

static bool all_entries_equal(const struct row *x) {
	for (int a = 1; a < LETTERS; a++)
		if (x->w[a] != x->w[0]) return false;
	return true;
}

bool chunkersolve_table(struct chunkerweak *out, const struct chunkersolve_evidence *e) {
	struct system *s = calloc(1, sizeof(*s));
	const uint8_t *window;
	bool consistent = true;
	uint64_t table[256] = { 0 }, random = 88172645463325252u;
	if (s == NULL) abort();
	for (size_t i = 0; (window = next_window(e, &i)) != NULL;) {
		struct row rows[BITS];
		table_rows(rows, window);
		for (unsigned k = 0; k < BITS; k++) {
			bool full = s->rank + FREE_OF_MEANING + 1 == UNKNOWNS;
			if (system_add(s, rows[k]) && full) consistent = false;
		}
	}
	struct row choice, x;
	do { /* half of the choices have only the meaningless part */
		for (int a = 0; a < LETTERS; a++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			choice.w[a] = random ^ random >> 32;
		}
		x = system_solve(s, &choice);
	} while (all_entries_equal(&x));
	memcpy(table, x.w, sizeof(x.w));
	chunkerweak_init(out, table, CHUNKERWEAK_REDUCE, 0);
	consistent = consistent && s->rank + FREE_OF_MEANING + 1 == UNKNOWNS;
	free(s);
	return consistent;
}
