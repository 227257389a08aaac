/* File contents: sizes around every boundary, the same content often, holes: see makesets.h. */
#include "makesets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB ((off_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define LARGEST ((size_t)(40 * MIB))

static int folder(struct makeput *m, int dir, const char *name) {
	int fd = makeput_dir(m, dir, name);

	if (fd < 0) treelib_die("making a folder");
	return fd;
}

/* Text that compresses about as source code does. */
static void fill_text(struct makeput *m, uint8_t *out, size_t len) {
	static const char *const WORDS[] = { "return ", "static ", "if (", ") {\n\t", "}\n", "int ",
		"size_t ", "= ", "the ", "of ", "buffer", "length", "->", "; ", "/* ", " */\n", "0x",
		"name", "value", "\n" };
	size_t at = 0;

	while (at < len) {
		char word[24];
		uint64_t r = treelib_below(&m->rng, 24);
		size_t n;

		if (r < 20) (void)snprintf(word, sizeof(word), "%s", WORDS[r]);
		else (void)snprintf(word, sizeof(word), "%u ", (unsigned)treelib_below(&m->rng, 65536));
		n = strlen(word);
		if (n > len - at) n = len - at;
		memcpy(out + at, word, n);
		at += n;
	}
}

static void size_files(struct makeput *m, int dir, uint8_t *buf, size_t len) {
	char name[40];

	treelib_fill(&m->rng, buf, len);
	(void)snprintf(name, sizeof(name), "%zu-random", len);
	(void)makeput_file(m, dir, name, 0644, buf, len);
	if (len > (size_t)(4 * MIB)) return;
	fill_text(m, buf, len);
	(void)snprintf(name, sizeof(name), "%zu-text", len);
	(void)makeput_file(m, dir, name, 0644, buf, len);
	memset(buf, 0, len);
	(void)snprintf(name, sizeof(name), "%zu-zeros", len);
	(void)makeput_file(m, dir, name, 0644, buf, len);
}

/* 40 MiB of random and zero runs, whole and with edits that shift everything behind them. */
static void large_files(struct makeput *m, int dir, uint8_t *buf) {
	treelib_fill(&m->rng, buf, LARGEST);
	for (size_t at = 0; at + 3 * 1048576 < LARGEST; at += 5 * 1048576 + 4321)
		memset(buf + at, 0, 2 * 1048576 + 77);
	(void)makeput_file(m, dir, "40m-mixed", 0644, buf, LARGEST);
	memmove(buf + 7000001, buf + 7000000, 3000000);
	(void)makeput_file(m, dir, "9m-inserted", 0644, buf, 9000000);
	(void)makeput_file(m, dir, "9m-cut", 0644, buf + 12345, 9000000);
}

void makedata_sizes(struct makeput *m) {
	static const size_t SIZES[] = { 0, 1, 2, 63, 64, 65, 127, 128, 129, 511, 512, 513, 4095, 4096,
		4097, 65535, 65536, 65537, 131071, 131072, 131073, 262143, 262144, 262145, 524288, 1048575,
		1048576, 1048577, 2097151, 2097152, 2097153, 4194304, 16777215, 16777216, 16777217 };
	uint8_t *buf = treelib_alloc(LARGEST);
	int dir = folder(m, m->top, "sizes");

	for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) size_files(m, dir, buf, SIZES[i]);
	large_files(m, dir, buf);
	makeput_dir_close(m, m->top, "sizes", dir);
	free(buf);
}

static void same_files(
	struct makeput *m, int dir, const char *kind, int count, const uint8_t *data, size_t len) {
	char name[40];

	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%s-%d", kind, i);
		(void)makeput_file(m, dir, name, 0644, data, len);
	}
}

void makedata_same(struct makeput *m) {
	size_t len = 300000;
	uint8_t *buf = treelib_alloc(len);
	int dir = folder(m, m->top, "same");

	fill_text(m, buf, len);
	same_files(m, dir, "small", 1000, buf, 1000);
	same_files(m, dir, "one-byte", 300, buf, 1);
	same_files(m, dir, "text", 20, buf, len);
	treelib_fill(&m->rng, buf, len);
	same_files(m, dir, "random", 20, buf, len);
	makeput_dir_close(m, m->top, "same", dir);
	free(buf);
}

/* A file of ${size} bytes that is a hole except for ${count} pieces of data. */
struct piece {
	off_t at;
	size_t len;
};
static void sparse(struct makeput *m, int dir, const char *name, off_t size,
	const struct piece *pieces, size_t count) {
	uint8_t *buf = treelib_alloc((size_t)MIB);
	int fd = makeput_file_open(m, dir, name);

	if (ftruncate(fd, size) != 0) (void)makeput_refused(m, "sparse file", name);
	for (size_t i = 0; i < count; i++) {
		treelib_fill(&m->rng, buf, pieces[i].len);
		makeput_write(fd, buf, pieces[i].len, pieces[i].at);
	}
	makeput_file_close(m, fd);
	free(buf);
}

static void alternating(struct makeput *m, int dir, const char *name, off_t step, int count) {
	struct piece *pieces = treelib_alloc((size_t)count * sizeof(*pieces));

	for (int i = 0; i < count; i++) pieces[i] = (struct piece){ i * 2 * step, (size_t)step };
	sparse(m, dir, name, count * 2 * step, pieces, (size_t)count);
	free(pieces);
}

/* Space that is allocated and never written: reads as zeros, and counts as a hole. */
static void allocated(struct makeput *m, int dir) {
	int fd = makeput_file_open(m, dir, "allocated");

	if (fallocate(fd, 0, 0, MIB) != 0) (void)makeput_refused(m, "allocated space", "allocated");
	makeput_write(fd, "data", 4, 512 * KIB);
	makeput_file_close(m, fd);
}

void makedata_holes(struct makeput *m) {
	const struct piece lead = { MIB, 5000 }, trail = { 0, 5000 }, last = { 3 * MIB - 1, 1 };
	const struct piece middle[] = { { 0, 70000 }, { 5 * MIB, 70000 } };
	const struct piece unaligned[] = { { 100, 50 }, { 20000, 13 }, { 40959, 2 } };
	const struct piece four_gib[] = { { 4 * GIB - 5, 10 }, { 2 * GIB - 1, 2 }, { 0, 1 } };
	const struct piece tebibyte[] = { { 0, 4096 }, { GIB, 100 }, { 512 * GIB + 12345, 200000 },
		{ 1024 * GIB - 1, 1 } };
	int dir = folder(m, m->top, "holes");

	sparse(m, dir, "leading", MIB + 5000, &lead, 1);
	sparse(m, dir, "trailing", MIB + 777, &trail, 1);
	sparse(m, dir, "middle", 6 * MIB, middle, 2);
	sparse(m, dir, "unaligned", 50000, unaligned, 3);
	sparse(m, dir, "last-byte", 3 * MIB, &last, 1);
	sparse(m, dir, "whole-1", 1, NULL, 0);
	sparse(m, dir, "whole-100", 100, NULL, 0);
	sparse(m, dir, "whole-4096", 4096, NULL, 0);
	sparse(m, dir, "whole-1m", MIB, NULL, 0);
	sparse(m, dir, "whole-1g", GIB, NULL, 0);
	sparse(m, dir, "over-4g", 4 * GIB + 4096, four_gib, 3);
	alternating(m, dir, "every-4k", 4 * KIB, 300);
	alternating(m, dir, "every-64k", 64 * KIB, 40);
	alternating(m, dir, "every-1m", MIB, 4);
	allocated(m, dir);
	if (m->options->tebibyte) sparse(m, dir, "one-tib", 1024 * GIB, tebibyte, 4);
	makeput_dir_close(m, m->top, "holes", dir);
}
