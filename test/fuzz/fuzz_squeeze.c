/* core/squeeze: a block as it is stored. What unpacks is packed and unpacked again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/squeeze.h"
#include "format/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void pack_again(struct squeeze *s, const struct buf *raw, size_t chunks) {
	struct span stored;
	struct buf memory, again;
	uint8_t *copy = malloc(SIZE_BLOCK_STORED_HEADER + raw->len);
	if (!copy) abort();
	memcpy(copy + SIZE_BLOCK_STORED_HEADER, raw->ptr, raw->len);
	buf_init(&memory, LIMIT_BLOCK_STORED);
	buf_init(&again, LIMIT_BLOCK_RAW);
	assert(
		squeeze_pack(s, copy + SIZE_BLOCK_STORED_HEADER, raw->len, chunks, &memory, &stored) == OK);
	assert(squeeze_unpack(s, stored, &again) == OK);
	assert(span_equal(buf_span(&again), buf_span(raw)));
	buf_free(&memory);
	buf_free(&again);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct squeeze *s;
	struct buf raw;

	if (!s && squeeze_new(&s, SQUEEZE_AUTO) != OK) abort();
	buf_init(&raw, LIMIT_BLOCK_RAW);
	enum err e = squeeze_unpack(s, span_of(data, size), &raw);
	assert(e == OK || (e == E_FORMAT && raw.len == 0));
	if (!e) {
		assert(raw.len > 0 && raw.len <= LIMIT_BLOCK_RAW);
		pack_again(s, &raw, 1 + raw.ptr[0] * 32u);
	}
	buf_free(&raw);
	return 0;
}
