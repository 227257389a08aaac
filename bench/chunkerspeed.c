/*
 * How fast the chunker is, in one run with what it is measured against: a plain gear scan of every byte in one lane. The
 * chunker's rate counts the bytes that the minimum size skips.
 *
 *   chunkerspeed [MIB]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/chunker.h"
#include "crypto/crypto.h"

#define ROUNDS 7

/* Processor seconds of this thread, so that other load disturbs less; or, for several threads, seconds. */
static double now(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_word(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void random_fill(uint8_t *p, size_t n) {
	for (size_t i = 0; i + 8 <= n; i += 8) {
		uint64_t w = random_word();
		memcpy(p + i, &w, 8);
	}
}

static uint64_t gear[256];

static __attribute__((noinline)) size_t gear_cuts(const uint8_t *data, size_t len) {
	uint64_t h = 0;
	size_t cuts = 0;
	for (size_t i = 0; i < len; i++) {
		h = (h << 1) + gear[data[i]];
		if ((h & 0x1ffff00000000000u) == 0) cuts++;
	}
	return cuts;
}

static size_t chunker_cuts(const struct chunker *c, const uint8_t *data, size_t len) {
	size_t cuts = 0;
	for (size_t at = 0; at < len; cuts++) at += chunker_next(c, data + at, len - at, true);
	return cuts;
}

struct half {
	const struct chunker *c;
	const uint8_t *data;
	size_t len, start, n;
	size_t *cuts;
};

static void *trace_half(void *arg) {
	struct half *h = arg;
	size_t room = CHUNKER_TRACE_ROOM(h->len - h->start, chunker_default.min);
	h->n = chunker_trace(h->c, h->data, h->len, true, h->start, h->len, h->cuts, room);
	return NULL;
}

/* Two threads: this one cuts the first half, the other traces the second; then this one takes over what was traced. */
static size_t chunker_cuts_by_two(const struct chunker *c, const uint8_t *data, size_t len) {
	struct half h = { c, data, len, len / 2, 0, NULL };
	pthread_t thread;
	h.cuts = calloc(CHUNKER_TRACE_ROOM(len - len / 2, chunker_default.min), sizeof(*h.cuts));
	if (h.cuts == NULL || pthread_create(&thread, NULL, trace_half, &h) != 0) abort();
	size_t at = 0, cuts = 0;
	for (; at < len / 2; cuts++) at += chunker_next(c, data + at, len - at, true);
	pthread_join(thread, NULL);
	for (; at < len; cuts++) at += chunker_next_traced(c, data, len, true, at, h.cuts, h.n);
	free(h.cuts);
	return cuts;
}

typedef size_t scanner(const struct chunker *c, const uint8_t *data, size_t len);

static size_t gear_scan(const struct chunker *c, const uint8_t *data, size_t len) {
	(void)c;
	return gear_cuts(data, len);
}

static double rate(const struct chunker *c, scanner *scan, const uint8_t *data, size_t len) {
	clockid_t clock = scan == chunker_cuts_by_two ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
	double start = now(clock);
	volatile size_t cuts = scan(c, data, len);
	(void)cuts;
	return (double)len / (now(clock) - start) / 1e9;
}

static int by_size(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double rates[ROUNDS]) {
	qsort(rates, ROUNDS, sizeof(*rates), by_size);
	return rates[ROUNDS / 2];
}

/* Each round beside a gear scan of its own: what slows one slows the other. Returns the median rate. */
static double compare(const char *name, const struct chunker *c, scanner *scan, const uint8_t *data,
	size_t len, const char *how) {
	double rates[ROUNDS], ratios[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		double of_gear = rate(NULL, gear_scan, data, len);
		rates[i] = rate(c, scan, data, len);
		ratios[i] = rates[i] / of_gear;
	}
	double middle = median(rates), ratio = median(ratios);
	printf("%-22s %7.3f  %5.2f of gear (%.2f to %.2f)%s\n", name, middle, ratio, ratios[0],
		ratios[ROUNDS - 1], how);
	return middle;
}

int main(int argc, char **argv) {
	size_t len = (argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 64) << 20;
	uint8_t *data = malloc(len), key[CHUNKER_KEY_BYTES];
	struct chunker *c;
	if (data == NULL || len == 0 || crypto_start() != OK) return 1;
	random_fill(data, len);
	random_fill(key, sizeof(key));
	for (int i = 0; i < 256; i++) gear[i] = random_word();
	if (chunker_new(&c, key, &chunker_default) != OK) return 1;
	printf("%zu MiB of random bytes; medians of %d rounds, and their range; GB/s of input\n",
		len >> 20, ROUNDS);
	(void)compare("gear, one lane", NULL, gear_scan, data, len, "");
	enum chunker_path fastest = chunker_path_of(c);
	for (int path = 0; path < CHUNKER_PATHS; path++) {
		char name[64];
		snprintf(name, sizeof(name), "chunker, %s", chunker_path_name((enum chunker_path)path));
		size_t part = path == CHUNKER_PORTABLE && len > 8u << 20 ? 8u << 20 : len;
		if (chunker_force_path(c, (enum chunker_path)path) != OK)
			printf("%-22s not on this processor\n", name);
		else (void)compare(name, c, chunker_cuts, data, part, "");
	}
	if (chunker_force_path(c, fastest) != OK) return 1;
	double one = compare("chunker, one thread", c, chunker_cuts, data, len, "");
	(void)compare("chunker, two threads", c, chunker_cuts_by_two, data, len, ", by the clock");
	double start = now(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < ROUNDS; i++) (void)chunker_cuts_by_two(c, data, len);
	double seconds = (now(CLOCK_PROCESS_CPUTIME_ID) - start) / ROUNDS;
	printf("processor time of the two, against one: %.2f\n", seconds * one * 1e9 / (double)len);
	memset(data, 0, len);
	(void)compare("chunker, zeros", c, chunker_cuts, data, len, "");
	chunker_free(c);
	free(data);
	return 0;
}
