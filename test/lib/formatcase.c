#include "formatcase.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/little.h"

void formatcase_u(FILE *f, const char *name, uint64_t v) {
	if (f) fprintf(f, "%s = %" PRIu64 "\n", name, v);
}

void formatcase_i(FILE *f, const char *name, int64_t v) {
	if (f) fprintf(f, "%s = %" PRId64 "\n", name, v);
}

void formatcase_b(FILE *f, const char *name, struct span v) {
	if (!f) return;
	fprintf(f, "%s = %s", name, v.len ? "" : "-");
	for (size_t i = 0; i < v.len; i++) fprintf(f, "%02x", v.ptr[i]);
	fputc('\n', f);
}

void formatcase_check(bool true_, const char *what) {
	if (true_) return;
	fprintf(stderr, "format: %s\n", what);
	abort();
}

enum err formatcase_again(enum err e) {
	formatcase_check(e == OK || e == E_NOMEM, "the encoder refuses what the decoder took");
	return e;
}

const struct formatcase *formatcase_at(size_t i) {
	size_t n = 0;
	while (formatcases_stored[n].name) n++;
	const struct formatcase *c = i < n ? &formatcases_stored[i] : &formatcases_chain[i - n];
	return c->name ? c : NULL;
}

const struct formatcase *formatcase_find(const char *name) {
	const struct formatcase *c;
	for (size_t i = 0; (c = formatcase_at(i)) != NULL; i++) {
		if (strcmp(c->name, name) == 0) return c;
	}
	return NULL;
}

void formatcase_fuzz(const char *name, const uint8_t *data, size_t size) {
	const struct formatcase *c = formatcase_find(name);
	struct buf again;
	uint32_t param = 0;
	formatcase_check(c != NULL, "no such case");
	if (c->has_param) {
		if (size < 4) return;
		param = little_get32(data);
		data += 4;
		size -= 4;
	}
	struct span in = span_of(data, size);
	buf_init(&again, size + 1024);
	enum err e = c->run(in, param, &again, NULL);
	if (e == OK) {
		formatcase_check(span_equal(buf_span(&again), in), "encoded again, it differs");
	} else {
		formatcase_check(again.len == 0, "an error, and bytes nevertheless");
	}
	buf_free(&again);
}
