/* client/when: a text as a point in time; and, from its first eight bytes, any such point as a text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/little.h"
#include "client/when.h"

enum { TEXT_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_text(const char *text) {
	char out[WHEN_TEXT];
	int64_t ns = 0, again = 0;
	enum err e = when_parse(text, &ns);
	if (e) {
		assert(e == E_FORMAT || e == E_LIMIT);
		return;
	}
	if (strcmp(text, "now") == 0) return;
	assert(ns % 1000000000 == 0);
	(void)when_local(out, ns);
	if (ns < 0) return; /* 1970 and a zone east of here */
	assert(when_parse(out, &again) == OK && again == ns);
}

static void try_point(int64_t ns) {
	char local[WHEN_TEXT], utc[WHEN_TEXT];
	(void)when_local(local, ns);
	(void)when_utc(utc, ns);
	assert(strlen(local) == 19 && strlen(utc) == 30);
	assert(strncmp(local, utc, 10) == 0 && strncmp(local + 11, utc + 11, 8) == 0);
	assert(utc[19] == '.' && utc[29] == 'Z' && strspn(utc + 20, "0123456789") == 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static bool started;
	char text[TEXT_MAX + 1] = "";
	if (!started) assert(setenv("TZ", "UTC", 1) == 0);
	started = true;
	if (size > TEXT_MAX) return 0;
	if (size > 0) memcpy(text, data, size);
	try_text(text);
	if (size >= 8) try_point((int64_t)little_get64(data));
	return 0;
}
