/*
 * client/heads: the file of a head as it is, and, as nothing else gets behind the checksum, any 44 bytes with the right
 * one. The first byte says which: 0, the file.
 */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "client/heads.h"
#include "scratch.h"

enum { CHECKED = 44, ROOM = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static int state = -1;
	static char path[SCRATCH_MAX];
	static const struct hash chain = { { 1 } }, other = { { 2 } };
	char name[HASH_HEX], heads[SCRATCH_MAX], folder[SCRATCH_MAX];
	uint8_t file[ROOM] = { 0 };
	struct head head, again;
	struct hash sum;

	if (state < 0) {
		state = scratch_lasting(path);
		assert(mkdir(scratch_join(heads, path, "heads"), 0700) == 0);
	}
	if (size == 0 || size > ROOM) return 0;
	size_t n = size - 1;
	memcpy(file, data + 1, n);
	if (data[0] != 0) {
		hash_of(&sum, span_of(file, CHECKED));
		memcpy(file + CHECKED, sum.b, HASH_SIZE);
		n = CHECKED + HASH_SIZE;
	}
	hash_hex(name, &chain);
	scratch_write(scratch_join(folder, scratch_join(heads, path, "heads"), name), file, n);
	enum err e = heads_get(state, &chain, &head, NULL);
	assert(e == OK || e == E_FORMAT);
	if (e) {
		assert(heads_advance(state, &chain, &head, NULL) == E_FORMAT); /* not written over */
		return 0;
	}
	assert(heads_set(state, &other, &head, NULL) == OK);
	assert(heads_get(state, &other, &again, NULL) == OK);
	assert(again.seq == head.seq && hash_equal(&again.hash, &head.hash));
	return 0;
}
