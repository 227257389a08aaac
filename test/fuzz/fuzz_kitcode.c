/* secret/kitcode on any text: what is accepted must be written again as a code that gives the same secret. */
#include <assert.h>
#include <string.h>

#include "secret/kitcode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t secret[KITCODE_SECRET], again[KITCODE_SECRET];
	struct kitcode_fault fault;
	char text[KITCODE_TEXT];

	if (kitcode_decode(secret, span_of(data, size), &fault) != OK) {
		assert(fault.kind != KITCODE_GOOD && fault.place <= KITCODE_INPUT_MAX);
		return 0;
	}
	kitcode_encode(text, secret);
	assert(kitcode_decode(again, span_text(text), &fault) == OK);
	assert(memcmp(secret, again, sizeof(secret)) == 0);
	return 0;
}
