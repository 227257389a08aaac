/*
 * client/runrecord: the record of a run that died. The first byte says how the rest is taken: 0, as the file; else as rows
 * without their checksums, which are made right. The store has two packs that open to nobody, so that rows can name what
 * is there.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/little.h"
#include "client/runrecord.h"
#include "crypto/crypto.h"
#include "format/limits.h"
#include "scratch.h"
#include "store/memory.h"

enum { NAMED = HASH_SIZE + 4, ROW = NAMED + 4, ROWS_MAX = 64, PACKS = 2 };

static const struct hash vault = { { 1 } };

static char path[SCRATCH_MAX], name[SCRATCH_MAX];
static int state = -1;
static struct store *store;
static struct epochring *ring;
static struct hash packs[PACKS];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stop(void) {
	store_free(store);
	epochring_free(ring);
}

static void start(void) {
	static const struct hash id = { { 2 } };
	char hex[HASH_HEX + 3], runs[SCRATCH_MAX];
	uint8_t *pack = calloc(1, LIMIT_PACK_LEAST);
	if (!pack || crypto_start() != OK) abort();
	state = scratch_lasting(path);
	assert(mkdir(scratch_join(runs, path, "runs"), 0700) == 0);
	hash_hex(hex, &vault);
	memcpy(hex + HASH_HEX - 1, "-1", 3);
	(void)scratch_join(name, runs, hex);
	store = memory_new(&id);
	assert(store && epochring_new(&ring, CHAIN_VAULT, &vault) == OK);
	for (size_t i = 0; i < PACKS; i++) {
		pack[0] = (uint8_t)i;
		assert(store_pack_add(store, &vault, span_of(pack, LIMIT_PACK_LEAST), &packs[i], NULL, NULL,
				   NULL) == OK);
	}
	free(pack);
	(void)atexit(stop);
}

/* Rows that begin with a zero name a pack of the store. */
static size_t make(uint8_t file[ROWS_MAX * ROW], struct span in) {
	size_t n = 0;
	for (; n < ROWS_MAX && in.len >= NAMED; n++) {
		uint8_t *row = file + n * ROW;
		struct hash sum;
		memcpy(row, in.ptr, NAMED);
		if (row[0] == 0) memcpy(row, packs[row[1] % PACKS].b, HASH_SIZE);
		if (in.ptr[0] == 0 && row[HASH_SIZE] == 0) little_put32(row + HASH_SIZE, LIMIT_PACK_LEAST);
		hash_of(&sum, span_of(row, NAMED));
		memcpy(row + NAMED, sum.b, 4);
		in = span_skip(in, NAMED);
	}
	return n * ROW;
}

static void run(void) {
	struct packread *reading = NULL;
	struct places *places = NULL;
	struct indexplan *plan = NULL;
	struct runrecord *r = NULL;
	struct why why = { OK, "" };
	assert(packread_new(&reading, store, &vault, ring, &why) == OK);
	struct places_params p = { .packs = reading, .store = store, .vault = vault };
	assert(places_new(&places, &p, &why) == OK);
	assert(indexplan_new(&plan) == OK);
	assert(runrecord_open(
			   &r, state, &vault, store, reading, places, hash_span(&packs[1]), plan, &why) == OK);
	assert(indexplan_packs(plan) == 0);
	runrecord_close(r, true);
	indexplan_free(plan);
	places_free(places);
	packread_free(reading);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t file[ROWS_MAX * ROW] = { 0 };
	if (state < 0) start();
	if (size == 0) return 0;
	struct span rest = span_of(data + 1, size - 1);
	if (data[0] == 0) scratch_write(name, rest.ptr, rest.len);
	else scratch_write(name, file, make(file, rest));
	run();
	assert(access(name, F_OK) != 0); /* taken over */
	return 0;
}
