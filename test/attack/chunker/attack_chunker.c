/*
 * Rows L01, L02 and L04: recovering the chunker's secret from the cuts of one known file of 64 MiB. Each solver must
 * break the chunker without its PRF (it predicts over 99 % of a second file's cuts), and must do no better than a random
 * key against the real one. Against the real one L01 and L02 are told more than anybody could know: the secret table of
 * the lane that the mask looks at (for L01 up to one constant), so that only the PRF stands in their way.
 *
 *   attack_chunker [--long | KEYS]     3 keys; --long: 100
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/little.h"
#include "chunkersolve.h"
#include "crypto/crypto.h"

#define FILE_BYTES ((size_t)64 << 20)
#define ROOM (FILE_BYTES / 131072 + 2)

static uint64_t random_state = 1181783497276652981u;

static uint64_t random_word(void) {
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717u;
}

static void random_table(uint64_t table[256]) {
	for (int i = 0; i < 256; i++) table[i] = random_word();
}

struct cuts {
	size_t ends[ROOM], n;
};

struct bench {
	uint8_t *known, *second; /* two files */
	int passed, failed;
};

static void report(struct bench *b, bool good, const char *what, const char *figures) {
	printf("%s  %-48s %s\n", good ? "ok  " : "FAIL", what, figures);
	fflush(stdout); /* the long form takes minutes */
	*(good ? &b->passed : &b->failed) += 1;
}

/* How many of the true cuts, without the end of the file, ${guess} has. */
static size_t common(const struct cuts *truth, const struct cuts *guess) {
	size_t n = 0;
	for (size_t i = 0, j = 0; i + 1 < truth->n && j + 1 < guess->n;) {
		n += truth->ends[i] == guess->ends[j];
		if (truth->ends[i] <= guess->ends[j]) i++;
		else j++;
	}
	return n;
}

static void weak_cuts(const struct chunkerweak *w, const uint8_t *file, struct cuts *out) {
	out->n = chunkerweak_cuts(w, file, FILE_BYTES, out->ends, ROOM);
}

static void real_cuts(const struct chunker *c, const uint8_t *file, struct cuts *out) {
	out->n = 0;
	for (size_t at = 0; at < FILE_BYTES;)
		out->ends[out->n++] = at += chunker_next(c, file + at, FILE_BYTES - at, true);
}

/* ---- One row ---- */

enum row { L01, L02, L04 };
static const char *const row_names[] = { "L01 seeded table", "L02 secret polynomial",
	"L04 secret table" };

struct tally {
	size_t cuts, predicted; /* true cuts of the second files; those that the solver named */
	size_t by_random_key;
	size_t solved; /* keys for which everything fitted */
	double chance; /* how many would be common by chance */
	double worst;  /* lowest share of a key */
};

/* What the solver is given is ${table}: see the head. */
static bool solve(enum row row, struct chunkerweak *guess, const struct bench *b,
	const struct cuts *known, const uint64_t table[256]) {
	struct chunkersolve_evidence e = { b->known, FILE_BYTES, known->ends, known->n };
	if (row == L01) return chunkersolve_seed(guess, &e, table);
	if (row == L02) return chunkersolve_modulus(guess, &e, table);
	return chunkersolve_table(guess, &e);
}

static void tally_add(struct tally *t, const struct bench *b, const struct cuts *truth,
	const struct chunkerweak *guess) {
	struct cuts guessed;
	struct chunkerweak other;
	uint64_t table[256];
	weak_cuts(guess, b->second, &guessed);
	size_t hits = common(truth, &guessed);
	double share = (double)hits / (double)(truth->n - 1);
	t->cuts += truth->n - 1;
	t->predicted += hits;
	t->chance += (double)truth->n * (double)guessed.n / (double)FILE_BYTES;
	if (share < t->worst) t->worst = share;
	random_table(table);
	chunkerweak_init(&other, table, CHUNKERWEAK_REDUCE, 0);
	weak_cuts(&other, b->second, &guessed);
	t->by_random_key += common(truth, &guessed);
}

/* The table that the solver may know. For L01 it lacks a constant that nobody knows. */
static void told(enum row row, uint64_t out[256], const uint64_t table[256]) {
	uint64_t seed = row == L01 ? random_word() : 0;
	for (int i = 0; i < 256; i++) out[i] = table[i] ^ seed;
}

static void without_prf(enum row row, const struct bench *b, struct tally *t) {
	struct chunkerweak secret, guess;
	struct cuts known, second;
	uint64_t table[256], hint[256];
	random_table(table);
	told(row, hint, table);
	chunkerweak_init(&secret, table, row == L02 ? random_word() | 1 : CHUNKERWEAK_REDUCE, 0);
	weak_cuts(&secret, b->known, &known);
	weak_cuts(&secret, b->second, &second);
	t->solved += solve(row, &guess, b, &known, hint);
	tally_add(t, b, &second, &guess);
}

static void with_prf(enum row row, const struct bench *b, struct tally *t) {
	struct chunkerweak guess;
	struct cuts known, second;
	struct chunker *c;
	uint8_t key[CHUNKER_KEY_BYTES];
	uint64_t table[256], hint[256];
	for (size_t i = 0; i < sizeof(key); i += 8) little_put64(key + i, random_word());
	for (int i = 0; i < 256; i++) table[i] = little_get64(key + 16 * i);
	told(row, hint, table);
	if (chunker_new(&c, key, &chunker_default) != OK) abort();
	real_cuts(c, b->known, &known);
	real_cuts(c, b->second, &second);
	chunker_free(c);
	t->solved += solve(row, &guess, b, &known, hint);
	tally_add(t, b, &second, &guess);
}

static void try_row(struct bench *b, enum row row, size_t keys) {
	struct tally weak = { .worst = 1 }, real = { .worst = 1 };
	char what[100], figures[200];
	for (size_t i = 0; i < keys; i++) {
		without_prf(row, b, &weak);
		with_prf(row, b, &real);
	}
	snprintf(what, sizeof(what), "%s, without PRF: recovered", row_names[row]);
	snprintf(figures, sizeof(figures),
		"%zu of %zu keys; %zu of %zu cuts predicted, at least %.2f %%", weak.solved, keys,
		weak.predicted, weak.cuts, 100 * weak.worst);
	report(b, weak.solved == keys && weak.worst > 0.99, what, figures);
	snprintf(what, sizeof(what), "%s, Broch: no better than chance", row_names[row]);
	snprintf(figures, sizeof(figures),
		"%zu of %zu keys; %zu of %zu cuts predicted, a random key %zu, by chance %.2f", real.solved,
		keys, real.predicted, real.cuts, real.by_random_key, real.chance);
	/* Poisson: more than 4 + 4 * chance is rarer than one in ten thousand runs */
	report(b, real.solved == 0 && (double)real.predicted <= 4 + 4 * real.chance, what, figures);
}

/* ---- The whole ---- */

static void stream(uint64_t seed, uint8_t *out, size_t n) {
	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(seed >> 56);
	}
}

/* That the chunker without PRF has the hash of the real one: the worked example of doc/spec/chunker.md, section 4. */
static void same_hash(struct bench *b) {
	struct chunkerweak w;
	uint8_t key[CHUNKER_KEY_BYTES], window[CHUNKER_WINDOW];
	uint64_t table[256];
	stream(1, key, sizeof(key));
	for (int i = 0; i < 256; i++) table[i] = little_get64(key + 16 * i);
	for (int i = 0; i < CHUNKER_WINDOW; i++) window[i] = (uint8_t)i;
	chunkerweak_init(&w, table, CHUNKERWEAK_REDUCE, 0);
	report(b, chunkerweak_digest(&w, window) == 0x0f80383185e2b74au,
		"the same hash as the real chunker", "");
}

int main(int argc, char **argv) {
	struct bench b = { .known = malloc(FILE_BYTES), .second = malloc(FILE_BYTES) };
	size_t keys = argc < 2               ? 3
		: strcmp(argv[1], "--long") == 0 ? 100
										 : (size_t)strtoul(argv[1], NULL, 10);
	if (b.known == NULL || b.second == NULL || keys == 0 || crypto_start() != OK) return 1;
	same_hash(&b);
	for (size_t i = 0; i < FILE_BYTES; i += 8) {
		little_put64(b.known + i, random_word());
		little_put64(b.second + i, random_word());
	}
	try_row(&b, L01, keys);
	try_row(&b, L02, keys);
	for (size_t i = 0; i < FILE_BYTES; i++) {
		b.known[i] %= CHUNKERSOLVE_LETTERS;
		b.second[i] %= CHUNKERSOLVE_LETTERS;
	}
	try_row(&b, L04, keys);
	free(b.known);
	free(b.second);
	printf("%d passed, %d failed\n", b.passed, b.failed);
	return b.failed > 0;
}
