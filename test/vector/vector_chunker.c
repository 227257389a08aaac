/* The vectors of test/vector/chunker, made by a second implementation, on every code path of this processor. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/chunker.h"
#include "crypto/crypto.h"

static void stream(uint64_t seed, uint8_t *out, size_t n) {
	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(seed >> 56);
	}
}

static bool make_data(const char *kind, uint64_t seed, uint8_t *out, size_t n) {
	if (strcmp(kind, "random") == 0) {
		stream(seed, out, n);
	} else if (strcmp(kind, "zero") == 0) {
		memset(out, 0, n);
	} else if (strcmp(kind, "two") == 0) {
		stream(seed, out, n);
		for (size_t i = 0; i < n; i++) out[i] >>= 7;
	} else if (strcmp(kind, "period") == 0) {
		stream(seed, out, n < 100 ? n : 100);
		for (size_t i = 100; i < n; i++) out[i] = out[i - 100];
	} else if (strcmp(kind, "runs") == 0) {
		uint8_t *pairs = malloc(n + 1);
		if (pairs == NULL) return false;
		stream(seed, pairs, n + 1);
		for (size_t i = 0, at = 0; at < n; i += 2)
			for (int j = 0; j < 2 * pairs[i + 1] + 1 && at < n; j++) out[at++] = pairs[i] % 4;
		free(pairs);
	} else {
		return false;
	}
	return true;
}

struct test {
	uint64_t key, seed;
	struct chunker_params params;
	char kind[16];
	size_t length, count;
};

static bool run(
	const struct test *t, const size_t *want, const uint8_t *data, enum chunker_path path) {
	uint8_t key[CHUNKER_KEY_BYTES];
	struct chunker *c;
	bool good = true;
	stream(t->key, key, sizeof(key));
	if (chunker_new(&c, key, &t->params) != OK || chunker_force_path(c, path) != OK) return false;
	size_t at = 0;
	for (size_t i = 0; i < t->count && good; i++) {
		size_t have = chunker_next(c, data + at, t->length - at, true);
		good = have == want[i];
		if (!good) printf("key %" PRIu64 ", chunk %zu: %zu, not %zu\n", t->key, i, have, want[i]);
		at += have;
	}
	chunker_free(c);
	return good && at == t->length;
}

int main(void) {
	char name[4096], line[128];
	const char *root = getenv("BROCH_SOURCE_ROOT");
	int passed = 0, failed = 0;
	if (crypto_start() != OK) return 1;
	snprintf(name, sizeof(name), "%s/test/vector/chunker/vectors.txt", root != NULL ? root : ".");
	FILE *f = fopen(name, "r");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL) { /* a comment */
		fprintf(stderr, "no %s\n", name);
		return 1;
	}
	struct test t;
	while (fscanf(f, " case %" SCNu64 " %u %u %u %15s %" SCNu64 " %zu %zu", &t.key, &t.params.min,
			   &t.params.max, &t.params.mask_bits, t.kind, &t.seed, &t.length, &t.count) == 8) {
		size_t *want = calloc(t.count, sizeof(*want));
		uint8_t *data = malloc(t.length);
		bool good = want != NULL && data != NULL && make_data(t.kind, t.seed, data, t.length);
		for (size_t i = 0; i < t.count && good; i++) good = fscanf(f, "%zu", &want[i]) == 1;
		for (int path = 0; path < CHUNKER_PATHS; path++)
			if (chunker_path_here((enum chunker_path)path))
				*(good && run(&t, want, data, (enum chunker_path)path) ? &passed : &failed) += 1;
		free(want);
		free(data);
	}
	if (!feof(f)) failed++;
	fclose(f);
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0 || passed < 20;
}
