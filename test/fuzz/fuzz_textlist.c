/* cli/textlist: the lines of a file of paths (or what stands before its zero bytes), which come back in their order, each as it is. */
#include <assert.h>
#include <string.h>

#include "cli/textlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct textlist list = { .count = 0 };
	struct buf file;
	uint8_t mark = size && memchr(data, '\0', size) ? '\0' : '\n';
	size_t at = 0;

	buf_init(&file, size + 1);
	assert(buf_add(&file, span_of(data, size)) == OK);
	assert(textlist_add_lines(&list, &file) == OK);
	for (size_t i = 0; i < list.count; i++) {
		size_t n = strlen(list.items[i]);
		while (data[at] == mark) at++;
		assert(n > 0 && n <= size - at && memcmp(data + at, list.items[i], n) == 0);
		at += n;
		assert(at == size || data[at] == mark);
	}
	while (at < size) assert(data[at++] == mark);
	textlist_done(&list);
	buf_free(&file);
	return 0;
}
