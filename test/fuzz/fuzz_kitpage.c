/* cli/kitpage on any text: what is refused has a sentence of its own that a terminal can show; what is taken makes a page. */
#include <assert.h>
#include <string.h>

#include "cli/kitpage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct kitpage page = {
		.account = "4f3a9c...", .store = "/mnt/disk", .date = "2026-03-01"
	};
	uint8_t secret[KITCODE_SECRET], again[KITCODE_SECRET];
	struct why why = { OK, "" };
	struct buf text;

	enum err e = kitpage_parse(span_of(data, size), secret, &why);
	if (e) {
		assert((e == E_DENIED || e == E_UNSUPPORTED) && why.code == e && why.msg[0]);
		for (const char *c = why.msg; *c; c++) assert(*c >= 0x20 && *c < 0x7f);
		return 0;
	}
	buf_init(&text, KITPAGE_MAX);
	assert(kitpage_render(&text, &page, secret) == OK);
	assert(kitpage_parse(buf_span(&text), again, &why) == OK);
	assert(memcmp(secret, again, sizeof(secret)) == 0);
	buf_free(&text);
	return 0;
}
