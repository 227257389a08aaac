/*
 * The vectors of test/vector/format. Good ones: every field is what the text says, encoding again gives the same bytes;
 * then, in guarded memory: no shorter input is taken (or it is in its one encoding), no input with one byte altered makes a
 * fault or is taken in another encoding, and failing any allocation gives E_NOMEM. Bad ones: refused with the stated error.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "formatcase.h"
#include "guarded.h"

enum { FILE_MAX = 1 << 20, PATH_LEN = 1024, EDGE = 40, WORK = 1 << 21 };

static unsigned passed, failed;

static bool fail(const char *path, const char *what) {
	printf("%s: %s\n", path, what);
	failed++;
	return false;
}

static bool load(const char *path, struct buf *out) {
	uint8_t *at;
	FILE *f = fopen(path, "rb");
	buf_clear(out);
	if (!f || buf_extend(out, FILE_MAX, &at)) return fail(path, "can't be read");
	out->len = fread(at, 1, FILE_MAX, f);
	bool whole = !ferror(f) && feof(f);
	fclose(f);
	return whole ? true : fail(path, "can't be read whole");
}

/* Takes "param = N\n" off the front, if it is there. */
static uint32_t take_param(struct span *text) {
	static const char word[] = "param = ";
	size_t at = sizeof word - 1;
	unsigned long n = 0;
	if (text->len <= at || memcmp(text->ptr, word, at) != 0) return 0;
	for (; at < text->len && text->ptr[at] != '\n'; at++)
		n = n * 10 + (unsigned long)(text->ptr[at] - '0');
	*text = span_skip(*text, at + 1);
	return (uint32_t)n;
}

static enum err run(const struct formatcase *c, struct span in, uint32_t param, struct buf *again) {
	buf_clear(again);
	return c->run(in, param, again, NULL);
}

static bool same_fields(const struct formatcase *c, struct span in, uint32_t param,
	struct span text, struct buf *again) {
	char *dump = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&dump, &len);
	if (!f) abort();
	buf_clear(again);
	enum err e = c->run(in, param, again, f);
	if (fclose(f) != 0) abort();
	bool same = e == OK && len == text.len && memcmp(dump, text.ptr, len) == 0;
	free(dump);
	return same;
}

/* How far to go on at ${i} of ${len}: all places at both ends, and between them as many as make ${WORK} bytes of runs. */
static size_t step(size_t i, size_t len) {
	size_t runs = WORK / len + 1;
	return i < EDGE || i + EDGE >= len || len <= runs ? 1 : len / runs;
}

/* Refused, or taken in its one encoding. */
static bool strict(
	const struct formatcase *c, struct span in, uint32_t param, struct buf *again, bool may_pass) {
	enum err e = run(c, in, param, again);
	if (e == OK) return may_pass && span_equal(in, buf_span(again));
	return (e == E_FORMAT || e == E_UNSUPPORTED) && again->len == 0;
}

static bool cuts_refused(const struct formatcase *c, struct span in, uint32_t param,
	struct buf *again, struct guarded *g) {
	for (size_t n = 0; n < in.len; n += step(n, in.len)) {
		if (!strict(c, guarded_copy(g, in, n), param, again, c->cuttable)) return false;
	}
	return true;
}

static bool changes_strict(const struct formatcase *c, struct span in, uint32_t param,
	struct buf *again, struct guarded *g) {
	static const uint8_t flips[] = { 0x01, 0x80 };
	struct span copy = guarded_copy(g, in, in.len);
	uint8_t *bytes = g->ptr + g->len - in.len;
	for (size_t i = 0; i < in.len; i += step(i, in.len)) {
		for (size_t j = 0; j < sizeof flips; j++) {
			bytes[i] ^= flips[j];
			if (!strict(c, copy, param, again, true)) return false;
			bytes[i] ^= flips[j];
		}
	}
	return true;
}

/* Fails the first allocation, the second, … until none is asked for any more (of very many: not each). */
static bool memory_failures(const struct formatcase *c, struct span in, uint32_t param) {
	for (uint64_t n = 1;; n += 1 + n / 32) {
		struct buf again;
		buf_init(&again, in.len + 1024);
		uint64_t before = mem_count();
		mem_fail_at(n);
		enum err e = c->run(in, param, &again, NULL);
		mem_fail_at(0);
		bool reached = mem_count() - before >= n;
		size_t left = again.len;
		buf_free(&again);
		if (e != (reached ? E_NOMEM : OK) || (e && left)) return false;
		if (!reached) return true;
	}
}

static void test_good(const struct formatcase *c, const char *path, struct span in,
	struct span text, struct guarded *g) {
	struct buf again;
	uint32_t param = take_param(&text);
	unsigned before = failed;
	buf_init(&again, FILE_MAX);
	struct span copy = guarded_copy(g, in, in.len);
	if (!same_fields(c, copy, param, text, &again)) fail(path, "other fields than the text says");
	else if (!span_equal(buf_span(&again), in)) fail(path, "encoded again, it differs");
	else if (!cuts_refused(c, in, param, &again, g)) fail(path, "cut short, it is taken");
	else if (!changes_strict(c, in, param, &again, g))
		fail(path, "altered, it is taken in another encoding");
	else if (!memory_failures(c, in, param)) fail(path, "a failing allocation is not E_NOMEM");
	if (failed == before) passed++;
	buf_free(&again);
}

static void test_bad(const struct formatcase *c, const char *path, struct span in, struct span text,
	struct guarded *g) {
	struct buf again;
	uint32_t param = take_param(&text);
	buf_init(&again, FILE_MAX);
	enum err want = E_COUNT;
	if (span_equal(text, span_text("error = E_FORMAT\n"))) want = E_FORMAT;
	if (span_equal(text, span_text("error = E_UNSUPPORTED\n"))) want = E_UNSUPPORTED;
	enum err e = c->run(guarded_copy(g, in, in.len), param, &again, NULL);
	if (want == E_COUNT) fail(path, "the text states no error");
	else if (e != want || again.len) fail(path, e ? "refused with another error" : "taken");
	else passed++;
	buf_free(&again);
}

typedef void test_function(const struct formatcase *c, const char *path, struct span in,
	struct span text, struct guarded *g);

static unsigned test_folder(
	const struct formatcase *c, const char *root, const char *sub, test_function *test) {
	struct dirent **names = NULL;
	char folder[PATH_LEN], path[PATH_LEN + 300];
	struct buf bin, text;
	struct guarded g;
	unsigned found = 0;
	buf_init(&bin, FILE_MAX);
	buf_init(&text, FILE_MAX);
	guarded_init(&g, FILE_MAX);
	snprintf(folder, sizeof folder, "%s/test/vector/format/%s/%s", root, c->name, sub);
	int n = scandir(folder, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);
		if (len > 4 && strcmp(names[i]->d_name + len - 4, ".bin") == 0) {
			found++;
			snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
			bool loaded = load(path, &bin);
			memcpy(path + strlen(path) - 4, ".txt", 4);
			if (loaded && load(path, &text)) test(c, path, buf_span(&bin), buf_span(&text), &g);
		}
		free(names[i]);
	}
	free(names);
	guarded_done(&g);
	buf_free(&bin);
	buf_free(&text);
	return found;
}

int main(int argc, char **argv) {
	const char *root = getenv("BROCH_SOURCE_ROOT");
	const struct formatcase *c;
	for (size_t i = 0; (c = formatcase_at(i)) != NULL; i++) {
		if (argc > 1 && strcmp(argv[1], c->name) != 0) continue;
		unsigned good = test_folder(c, root ? root : ".", "good", test_good);
		unsigned bad = test_folder(c, root ? root : ".", "bad", test_bad);
		if (good == 0 || bad == 0) fail(c->name, "has no vectors");
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
