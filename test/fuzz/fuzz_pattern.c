/* core/pattern: the first line is a file's text of patterns up to a zero byte, the rest a path. */
#include <assert.h>
#include <string.h>

#include "core/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(void *context, struct span name) {
	(void)context;
	return name.len % 2 ? "/v[a-z]*" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const uint8_t *zero = size ? memchr(data, '\0', size) : NULL;
	size_t n = zero ? (size_t)(zero - data) : size;
	struct span path = zero ? span_of(zero + 1, size - n - 1) : span_text("/home/ann/file.txt");
	struct pattern_set *set = NULL;
	size_t line = 0;
	bool whole;

	if (pattern_set_new(&set) != OK) return 0;
	whole = pattern_set_add_lines(set, span_of(data, n), variable, NULL, &line) == OK;
	assert(line <= n + 1 && (whole || line > 0));
	if (pattern_set_is_empty(set)) assert(!pattern_set_match(set, path).matched);
	bool chosen = pattern_set_chooses(set, path);
	assert(!chosen || pattern_set_match(set, path).matched);
	pattern_set_free(set);
	return 0;
}
