/* store/segment: the bytes of a segment file, of a chain that has all its entries. */
#include <assert.h>
#include <stdlib.h>

#include "scratch.h"
#include "store/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct folder folder = { .root = -1, .tmp = -1 };
static char path[SCRATCH_MAX];
static const struct hash chain = { { 1 } };

static void put(const struct folder_path *p, const void *bytes, size_t len) {
	char whole[SCRATCH_MAX];
	scratch_write(scratch_join(whole, path, p->text), bytes, len);
}

static void start(void) {
	struct folder_path chain_path = folder_chain(&chain);
	struct folder_path last = folder_entry(&chain, FOLDER_SEGMENT - 1);
	(void)scratch_lasting(path);
	assert(folder_open(&folder, path, NULL) == OK);
	assert(folder_make(&folder, chain_path.text, NULL) == OK);
	put(&last, "x", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct folder_path p = folder_segment(&chain, 0);
	struct buf bytes;

	if (folder.root < 0) start();
	put(&p, data, size);
	buf_init(&bytes, SEGMENT_MAX);
	enum err e = segment_read(&folder, &chain, 0, &bytes);
	assert(e == OK || e == E_FORMAT);
	if (!e) {
		struct span rest = buf_span(&bytes);
		for (int i = 0; i < FOLDER_SEGMENT; i++) {
			struct span entry = segment_next(&rest);
			assert(entry.len > 0 && entry.len <= STORE_ENTRY_MAX);
		}
		assert(rest.len == 0 && segment_next(&rest).len == 0);
	}
	buf_free(&bytes);
	return 0;
}
