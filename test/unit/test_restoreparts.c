/* The parts of a restore that need no vault: restorewrite, restoreselect, restoretemp. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/restoreselect.h"
#include "client/restoretemp.h"
#include "client/restorewrite.h"
#include "scratch.h"

enum { SIZE = 1 << 20 };

static char top[SCRATCH_MAX];

static int set_up(void **state) {
	(void)state;
	scratch_make(top);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	scratch_remove(top);
	return 0;
}

static int new_file(const char *name, off_t size) {
	char path[SCRATCH_MAX];
	int fd = open(scratch_join(path, top, name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static uint64_t blocks_of(int fd) {
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

struct span_at {
	uint64_t offset, length;
};

/* Writes ${data} around the holes in uneven pieces, last piece first, and compares the whole file. */
static void write_around(const struct span_at *holes, size_t count, uint64_t size) {
	struct buf items;
	struct restorewrite_extent extents[16];
	uint64_t end = 0, total = 0;
	uint8_t *whole = calloc(1, size), *data = malloc(size), *got = malloc(size);
	size_t at = 0;
	buf_init(&items, 4096);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(direntry_add_hole(&items, &end, holes[i].offset, holes[i].length), OK);
		total += holes[i].length;
	}
	for (uint64_t i = 0, next = 0; i < size; i++) {
		if (next < count && i == holes[next].offset) {
			i += holes[next++].length - 1;
			continue;
		}
		whole[i] = data[at] = (uint8_t)(1 + at % 251);
		at++;
	}
	assert_int_equal(at, size - total);
	struct direntry d = { .holes = { .count = (uint32_t)count, .items = buf_span(&items) } };
	struct restorewrite_map map = { .extents = extents };
	restorewrite_extents(&d, extents, &map.count);
	int fd = new_file("holes", (off_t)size);
	for (size_t piece = 5000, from = at / piece * piece + piece; from > 0;) {
		from -= piece;
		size_t n = at - from < piece ? at - from : piece;
		if (from >= at) continue;
		assert_true(restorewrite_at(fd, &map, from, span_of(data + from, n)));
	}
	assert_int_equal(pread(fd, got, size, 0), (ssize_t)size);
	assert_memory_equal(got, whole, size);
	memset(got, 0, size);
	assert_true(restorewrite_read(fd, &map, 0, got, at));
	assert_memory_equal(got, data, at);
	assert_false(at && restorewrite_read(fd, &map, 1, got, at));
	assert_int_equal(close(fd), 0);
	char path[SCRATCH_MAX];
	assert_int_equal(unlink(scratch_join(path, top, "holes")), 0);
	buf_free(&items);
	free(whole);
	free(data);
	free(got);
}

static void around_holes(void **state) {
	(void)state;
	static const struct span_at first[] = { { 0, 4096 } }, last[] = { { SIZE - 10, 10 } },
								several[] = { { 0, 1 }, { 100, 3 }, { 8192, 65536 }, { 100000, 1 },
									{ 100002, 12345 } },
								all[] = { { 0, SIZE } };
	write_around(NULL, 0, SIZE);
	write_around(first, 1, SIZE);
	write_around(last, 1, SIZE);
	write_around(several, 5, SIZE);
	write_around(several, 3, 73728); /* ends with a hole */
	write_around(all, 1, SIZE);
}

/* Blocks of zeros stay holes; everything else is there. */
static void sparse(void **state) {
	(void)state;
	uint8_t *data = calloc(1, SIZE), *got = malloc(SIZE);
	struct restorewrite_map map = { .sparse = true };
	memset(data + 4000, 'a', 200);
	data[SIZE / 2] = 'b';
	data[SIZE - 1] = 'c';
	int fd = new_file("sparse", SIZE);
	for (size_t at = 0; at < SIZE; at += 70000)
		assert_true(restorewrite_at(
			fd, &map, at, span_of(data + at, SIZE - at < 70000 ? SIZE - at : 70000)));
	assert_int_equal(pread(fd, got, SIZE, 0), SIZE);
	assert_memory_equal(got, data, SIZE);
	/* the blocks with something in them, and the ones that the pieces divide */
	assert_true(blocks_of(fd) <= (4 + 2 * (SIZE / 70000)) * 4096);
	assert_int_equal(close(fd), 0);
	free(data);
	free(got);
}

static struct restoreselect_verdict look(struct restoreselect *s, const char *path) {
	return restoreselect_look(s, span_text(path));
}

static void paths(void **state) {
	(void)state;
	static const char *const given[] = { "/home/ann//letters/", "etc/passwd", "/nothing" };
	struct restore_options o = { .paths = given, .path_count = 3 };
	struct restoreselect s;
	assert_int_equal(restoreselect_init(&s, &o, NULL), OK);
	assert_false(s.all);
	assert_true(look(&s, "/home").go && !look(&s, "/home").take);
	assert_true(look(&s, "/home/ann/letters").take);
	assert_true(look(&s, "/home/ann/letters/x/y").take);
	assert_false(look(&s, "/home/ann/letters2").go);
	assert_false(look(&s, "/home/bob").go);
	assert_int_equal(restoreselect_missing(&s), 2);
	assert_true(look(&s, "/etc/passwd").take);
	assert_int_equal(restoreselect_missing(&s), 1);
	restoreselect_done(&s);
	o.paths = (const char *const[]){ "/a/../b" };
	o.path_count = 1;
	assert_int_equal(restoreselect_init(&s, &o, NULL), E_USAGE);
	o.paths = (const char *const[]){ "/" };
	assert_int_equal(restoreselect_init(&s, &o, NULL), OK);
	assert_true(look(&s, "/a/b").take);
	assert_int_equal(restoreselect_missing(&s), 0);
	restoreselect_done(&s);
}

static void patterns(void **state) {
	(void)state;
	struct pattern_set *in, *out;
	struct restoreselect s;
	static const char *const given[] = { "/home" };
	assert_int_equal(pattern_set_new(&in), OK);
	assert_int_equal(pattern_set_new(&out), OK);
	assert_int_equal(pattern_set_add(in, span_text("*.txt")), OK);
	assert_int_equal(pattern_set_add(out, span_text("secret*")), OK);
	struct restore_options o = { .include = in, .exclude = out, .paths = given, .path_count = 1 };
	assert_int_equal(restoreselect_init(&s, &o, NULL), OK);
	assert_true(look(&s, "/home/a").go && !look(&s, "/home/a").take);
	assert_true(look(&s, "/home/a/b.txt").take);
	assert_false(look(&s, "/home/a/b.doc").take);
	assert_false(look(&s, "/home/a/secret.txt").take);
	assert_false(look(&s, "/home/secrets").go);
	assert_false(look(&s, "/etc/b.txt").take);
	restoreselect_done(&s);
	pattern_set_free(in);
	pattern_set_free(out);
}

static bool is_there(const char *name) {
	char path[SCRATCH_MAX];
	return access(scratch_join(path, top, name), F_OK) == 0;
}

/* What is left of a restore that died goes; what is held, or only looks alike, stays. */
static void temporary_names(void **state) {
	(void)state;
	char held[RESTORETEMP_NAME], left[RESTORETEMP_NAME], folder[RESTORETEMP_NAME],
		other[RESTORETEMP_NAME], path[SCRATCH_MAX];
	int at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = restoretemp_open(at, held), gone = restoretemp_open(at, left);
	assert_true(fd >= 0 && gone >= 0);
	assert_int_equal(close(gone), 0);
	assert_int_equal(restoretemp_name(folder), OK);
	assert_int_equal(mkdir(scratch_join(path, top, folder), 0700), 0);
	memcpy(other, held, sizeof other);
	other[RESTORETEMP_NAME - 2] = other[RESTORETEMP_NAME - 2] == 'a' ? 'b' : 'a';
	scratch_write(scratch_join(path, top, other), "x", 1);
	scratch_write(scratch_join(path, top, ".broch-mine"), "x", 1);
	restoretemp_sweep(at);
	assert_true(is_there(held) && is_there(folder) && is_there(other) && is_there(".broch-mine"));
	assert_false(is_there(left));
	assert_int_equal(close(fd), 0);
	restoretemp_sweep(at);
	assert_false(is_there(held));
	assert_int_equal(close(at), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(around_holes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sparse, set_up, tear_down),
		cmocka_unit_test(paths),
		cmocka_unit_test(patterns),
		cmocka_unit_test_setup_teardown(temporary_names, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
