/*
 * The store in a folder: its layout, how it is made and opened, its segments, and what damage does.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/little.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "scratch.h"
#include "store/embedded.h"
#include "storeplace.h"
#include "storesuite.h"

/* How it is made. */

static void its_layout_is_the_specified_one(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX], text[200];
	struct store *s = storeplace_open(p);
	struct hash name, thing = storesuite_id(9);
	assert_int_equal(storeplace_put(s, p, 1, &name, NULL), OK);
	assert_int_equal(storeplace_append(s, p, 0, NULL), OK);
	uint8_t bytes[3] = { 1, 2, 3 };
	struct hash object = storesuite_name(bytes, 3);
	assert_int_equal(store_object_put(s, &object, span_of(bytes, 3), NULL), OK);
	assert_int_equal(store_locator_put(s, &thing, span_of(bytes, 3), NULL), OK);
	struct stat st;
	storeplace_inside(path, p, "packs/%s/%.2s/%s", storeplace_hex(&p->vault), storeplace_hex(&name),
		storeplace_hex(&name));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, STOREPLACE_PACK);
	assert_int_equal(
		stat(storeplace_inside(path, p, "chains/%s/0000000000000000", storeplace_hex(&p->chain)),
			&st),
		0);
	assert_int_equal(
		stat(storeplace_inside(path, p, "objects/%s", storeplace_hex(&object)), &st), 0);
	assert_int_equal(
		stat(storeplace_inside(path, p, "locators/%s", storeplace_hex(&thing)), &st), 0);
	assert_int_equal(stat(storeplace_inside(path, p, "README.txt"), &st), 0);
	assert_int_equal(scratch_count(storeplace_inside(path, p, "tmp")), 0);
	assert_int_equal(scratch_count(p->path), 7);
	struct buf head;
	buf_init(&head, 4096);
	assert_int_equal(
		file_read_whole(AT_FDCWD, storeplace_inside(path, p, "broch-store"), 4096, &head, NULL),
		OK);
	struct hash id = storesuite_id(1);
	int n = snprintf(text, sizeof text, "broch store 1\nid %s\n", storeplace_hex(&id));
	assert_int_equal(head.len, n);
	assert_memory_equal(head.ptr, text, head.len);
	buf_free(&head);
	assert_true(hash_equal(store_id(s), &id));
	char *whole = realpath(p->path, NULL);
	assert_string_equal(store_address(s), whole);
	free(whole);
	store_free(s);
}

static void a_folder_in_use_is_left_alone(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	struct hash id = storesuite_id(5);
	struct why why;
	/* Not there, and nothing to make it in. */
	scratch_join(path, p->folder, "no/s");
	assert_int_equal(embedded_create(path, &id, &why), E_NOTFOUND);
	/* A file. */
	scratch_write(p->path, "x", 1);
	assert_int_equal(embedded_create(p->path, &id, &why), E_IO);
	assert_int_equal(unlink(p->path), 0);
	/* A folder with something in it. */
	assert_int_equal(mkdir(p->path, 0750), 0);
	scratch_write(storeplace_inside(path, p, "photo.jpg"), "x", 1);
	assert_int_equal(embedded_create(p->path, &id, &why), E_EXISTS);
	assert_non_null(strstr(why.msg, "not empty"));
	assert_int_equal(scratch_count(p->path), 1);
	assert_int_equal(unlink(path), 0);
	/* One of our names, with something in it. */
	assert_int_equal(mkdir(storeplace_inside(path, p, "packs"), 0700), 0);
	scratch_write(storeplace_inside(path, p, "packs/x"), "x", 1);
	assert_int_equal(embedded_create(p->path, &id, &why), E_EXISTS);
	assert_int_equal(scratch_count(p->path), 1);
	assert_int_equal(unlink(path), 0);
	/* An empty one, and then a store. */
	assert_int_equal(embedded_create(p->path, &id, &why), OK);
	struct hash second = storesuite_id(6);
	assert_int_equal(embedded_create(p->path, &second, &why), E_EXISTS);
	assert_non_null(strstr(why.msg, "Broch store"));
	struct store *s = storeplace_open(p);
	assert_true(hash_equal(store_id(s), &id));
	store_free(s);
}

static void what_is_no_store_is_not_opened(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX], later[200];
	struct store *s = NULL;
	struct why why;
	assert_int_equal(embedded_open(p->path, &s, &why), E_NOTFOUND);
	assert_non_null(strstr(why.msg, "no Broch store at"));
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(embedded_open(p->path, &s, &why), E_NOTFOUND);
	assert_non_null(strstr(why.msg, "no Broch store at"));
	struct hash id = storesuite_id(5);
	storeplace_inside(path, p, "broch-store");
	/* Every proper prefix of a good head is damaged. */
	int n = snprintf(later, sizeof later, "broch store 1\nid %s\n", storeplace_hex(&id));
	for (int len = 0; len < n; len++) {
		scratch_write(path, later, (size_t)len);
		assert_int_equal(embedded_open(p->path, &s, &why), E_FORMAT);
	}
	scratch_write(path, later, (size_t)n);
	assert_int_equal(embedded_open(p->path, &s, &why), OK);
	store_free(s);
	static const char *const bad[] = { "\n", "x", "broch stork 1\nid ", "BROCH STORE 1\n" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		scratch_write(path, bad[i], strlen(bad[i]));
		assert_int_equal(embedded_open(p->path, &s, &why), E_FORMAT);
	}
	/* More behind it, other digits, one too few. */
	n = snprintf(later, sizeof later, "broch store 1\nid %s\n\n", storeplace_hex(&id));
	scratch_write(path, later, (size_t)n);
	assert_int_equal(embedded_open(p->path, &s, &why), E_FORMAT);
	later[20] = 'G';
	scratch_write(path, later, (size_t)n - 1);
	assert_int_equal(embedded_open(p->path, &s, &why), E_FORMAT);
	n = snprintf(later, sizeof later, "broch store 2\nid %s\n", storeplace_hex(&id));
	scratch_write(path, later, (size_t)n);
	assert_int_equal(embedded_open(p->path, &s, &why), E_UNSUPPORTED);
	n = snprintf(later, sizeof later, "broch store 10\nid %s\n", storeplace_hex(&id));
	scratch_write(path, later, (size_t)n);
	assert_int_equal(embedded_open(p->path, &s, &why), E_UNSUPPORTED);
}

static mode_t mode_of(const char *path) {
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void modes_do_not_follow_the_umask(void **state) {
	struct storeplace *p = *state;
	static const mode_t masks[] = { 0, 022, 0777 };
	char path[SCRATCH_MAX];
	for (size_t i = 0; i < 3; i++) {
		mode_t old = umask(masks[i]);
		scratch_join(p->path, p->folder, (const char *[]){ "m0", "m1", "m2" }[i]);
		storeplace_create(p);
		struct store *s = storeplace_open(p);
		struct hash name;
		enum err e = storeplace_put(s, p, 1, &name, NULL);
		store_free(s);
		umask(old);
		assert_int_equal(e, OK);
		assert_int_equal(mode_of(p->path), 0700);
		assert_int_equal(mode_of(storeplace_inside(path, p, "broch-store")), 0600);
		assert_int_equal(mode_of(storeplace_inside(path, p, "packs/%s/%.2s",
							 storeplace_hex(&p->vault), storeplace_hex(&name))),
			0700);
		storeplace_inside(path, p, "packs/%s/%.2s/%s", storeplace_hex(&p->vault),
			storeplace_hex(&name), storeplace_hex(&name));
		assert_int_equal(mode_of(path), 0600);
	}
	/* A folder that a group shares. */
	scratch_join(p->path, p->folder, "shared");
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(chmod(p->path, 0770), 0);
	storeplace_create(p);
	assert_int_equal(mode_of(storeplace_inside(path, p, "packs")), 0770);
	assert_int_equal(mode_of(storeplace_inside(path, p, "broch-store")), 0660);
}

/* Segments. */

static void append_many(const struct storeplace *p, uint64_t from, uint64_t to) {
	struct store *s = storeplace_open(p);
	for (uint64_t seq = from; seq < to; seq++)
		assert_int_equal(storeplace_append(s, p, seq, NULL), OK);
	store_free(s);
}

static void segments_are_copies(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX], first[SCRATCH_MAX];
	append_many(p, 0, 255);
	storeplace_inside(first, p, "chains/%s/0000000000000000.seg", storeplace_hex(&p->chain));
	assert_int_equal(access(first, F_OK), -1);
	append_many(p, 255, 300);
	struct buf segment;
	buf_init(&segment, 1 << 20);
	assert_int_equal(file_read_whole(AT_FDCWD, first, 1 << 20, &segment, NULL), OK);
	assert_int_equal(segment.len, 256 * 44);
	for (uint64_t seq = 0; seq < 256; seq++) {
		uint8_t expected[40];
		storesuite_bytes(expected, sizeof expected, 100 + seq);
		assert_int_equal(little_get32(segment.ptr + seq * 44), 40);
		assert_memory_equal(segment.ptr + seq * 44 + 4, expected, 40);
	}
	/* A wrong one is what the fast way gives, so that it is really read; the other way does not. */
	segment.ptr[44 * 7 + 20] ^= 1;
	scratch_write(first, segment.ptr, segment.len);
	struct storeplace_follow f = storeplace_read(p, 0, STORE_READ_FAST, OK);
	assert_int_equal(f.next, 300);
	assert_int_equal(f.wrong, 1);
	f = storeplace_read(p, 0, STORE_READ_SINGLE, OK);
	assert_int_equal(f.next, 300);
	assert_int_equal(f.wrong, 0);
	/* Of damaged form: as if it were not there. */
	static const size_t lengths[] = { 0, 1, 4, 5000, 256 * 44 - 1 };
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		scratch_write(first, segment.ptr, lengths[i]);
		f = storeplace_read(p, 0, STORE_READ_FAST, OK);
		assert_int_equal(f.next, 300);
		assert_int_equal(f.wrong, 0);
	}
	segment.ptr[3] = 0x7f; /* a length beyond everything */
	scratch_write(first, segment.ptr, segment.len);
	assert_int_equal(storeplace_read(p, 0, STORE_READ_FAST, OK).wrong, 0);
	/* Missing: written again together with the next. */
	assert_int_equal(unlink(first), 0);
	assert_int_equal(storeplace_read(p, 3, STORE_READ_FAST, OK).next, 300);
	append_many(p, 300, 520);
	assert_int_equal(access(first, F_OK), 0);
	assert_int_equal(access(storeplace_inside(path, p, "chains/%s/0000000000000100.seg",
								storeplace_hex(&p->chain)),
						 F_OK),
		0);
	f = storeplace_read(p, 0, STORE_READ_FAST, OK);
	assert_int_equal(f.next, 520);
	assert_int_equal(f.wrong, 0);
	buf_free(&segment);
}

static void an_entry_exists_when_its_file_does(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	append_many(p, 0, 260);
	/* The segment has 256, but the store has lost the last six. */
	for (unsigned seq = 254; seq < 260; seq++)
		assert_int_equal(
			unlink(storeplace_inside(path, p, "chains/%s/%016x", storeplace_hex(&p->chain), seq)),
			0);
	assert_int_equal(storeplace_read(p, 0, STORE_READ_FAST, OK).next, 254);
	struct store *s = storeplace_open(p);
	uint64_t length;
	assert_int_equal(store_chain_length(s, &p->chain, &length, NULL), OK);
	assert_int_equal(length, 254);
	store_free(s);
}

static void a_store_that_loses_entries_is_seen(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	append_many(p, 0, 40);
	struct store *s = storeplace_open(p);
	uint64_t length;
	assert_int_equal(store_chain_length(s, &p->chain, &length, NULL), OK);
	assert_int_equal(length, 40);
	for (unsigned seq = 10; seq < 40; seq++)
		assert_int_equal(
			unlink(storeplace_inside(path, p, "chains/%s/%016x", storeplace_hex(&p->chain), seq)),
			0);
	assert_int_equal(store_chain_length(s, &p->chain, &length, NULL), OK);
	assert_int_equal(length, 10);
	store_free(s);
}

/* Of this thread's own time: how long others keep it waiting does not count. */
static uint64_t own_ns(void) {
	struct timespec t;
	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void the_length_of_long_chains_is_found_at_once(void **state) {
	struct storeplace *p = *state;
	enum { LENGTH = 100000 };
	char path[SCRATCH_MAX];
	assert_int_equal(
		mkdir(storeplace_inside(path, p, "chains/%s", storeplace_hex(&p->chain)), 0700), 0);
	int fd = open(path, O_DIRECTORY | O_RDONLY);
	for (unsigned seq = 0; seq < LENGTH; seq++) {
		char name[20];
		snprintf(name, sizeof name, "%016x", seq);
		assert_int_equal(mknodat(fd, name, S_IFREG | 0600, 0), 0);
	}
	close(fd);
	struct store *s = storeplace_open(p);
	uint64_t length = 0, start = own_ns();
	assert_int_equal(store_chain_length(s, &p->chain, &length, NULL), OK);
	uint64_t first = own_ns() - start;
	assert_int_equal(length, LENGTH);
	print_message("length of %d entries: %.3f ms\n", LENGTH, (double)first / 1e6);
	assert_true(first < 500000000);
	store_free(s);
}

/* Damage. */

static enum err count_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	(void)name;
	(void)size;
	(void)why;
	++*(uint64_t *)ctx;
	return OK;
}

static enum err count_name(void *ctx, const struct hash *name, struct why *why) {
	return count_pack(ctx, name, 0, why);
}

static void foreign_files_are_not_listed(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	struct hash name;
	struct store *s = storeplace_open(p);
	assert_int_equal(storeplace_put(s, p, 1, &name, NULL), OK);
	char hex[HASH_HEX];
	hash_hex(hex, &name);
	scratch_write(
		storeplace_inside(path, p, "packs/%s/%.2s/x", storeplace_hex(&p->vault), hex), "x", 1);
	scratch_write(
		storeplace_inside(path, p, "packs/%s/%.2s/.DS_Store", storeplace_hex(&p->vault), hex), "x",
		1);
	hex[63] = 'G';
	scratch_write(
		storeplace_inside(path, p, "packs/%s/%.2s/%s", storeplace_hex(&p->vault), hex, hex), "x",
		1);
	/* A pack's name, in the wrong folder. */
	hash_hex(hex, &name);
	hex[0] = hex[0] == '0' ? '1' : '0';
	scratch_write(storeplace_inside(path, p, "packs/%s/%.2s/%s", storeplace_hex(&p->vault),
					  storeplace_hex(&name), hex),
		"x", 1);
	scratch_write(storeplace_inside(path, p, "packs/x"), "x", 1);
	scratch_write(storeplace_inside(path, p, "objects/x"), "x", 1);
	scratch_write(storeplace_inside(path, p, "locators/x"), "x", 1);
	scratch_write(storeplace_inside(path, p, "chains/x"), "x", 1);
	assert_int_equal(
		mkdir(storeplace_inside(path, p, "chains/%s", storeplace_hex(&p->chain)), 0700), 0);
	uint64_t calls = 0;
	struct storeplace_follow none = { 0 };
	assert_int_equal(store_pack_list(s, &p->vault, count_pack, &calls, NULL), OK);
	assert_int_equal(calls, 1);
	assert_int_equal(store_object_list(s, count_name, &calls, NULL), OK);
	assert_int_equal(store_locator_list(s, count_name, &calls, NULL), OK);
	assert_int_equal(store_chain_list(s, count_name, &calls, NULL), OK);
	assert_int_equal(calls, 1);
	assert_int_equal(
		store_chain_read(s, &p->chain, 0, STORE_READ_FAST, storeplace_follow_entry, &none, NULL),
		OK);
	assert_int_equal(none.next, 0);
	store_free(s);
}

static void damage_is_told(void **state) {
	struct storeplace *p = *state;
	char path[SCRATCH_MAX];
	struct why why;
	struct hash name;
	struct store *s = storeplace_open(p);
	/* A pack that lost its end: a put of it does not pass it off as stored. */
	assert_int_equal(storeplace_put(s, p, 1, &name, NULL), OK);
	storeplace_inside(path, p, "packs/%s/%.2s/%s", storeplace_hex(&p->vault), storeplace_hex(&name),
		storeplace_hex(&name));
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(storeplace_put(s, p, 1, &name, &why), E_EXISTS);
	uint8_t got[200];
	assert_int_equal(store_pack_get(s, &p->vault, &name, 0, 200, got, &why), E_FORMAT);
	assert_int_equal(store_pack_delete(s, &p->vault, &name, NULL), OK);
	assert_int_equal(storeplace_put(s, p, 1, &name, &why), OK);
	assert_int_equal(store_pack_get(s, &p->vault, &name, 0, 200, got, &why), OK);
	/* An object with a bit flipped. */
	struct buf out;
	buf_init(&out, STORE_OBJECT_MAX);
	uint8_t bytes[3] = { 1, 2, 3 };
	struct hash object = storesuite_name(bytes, 3);
	assert_int_equal(store_object_put(s, &object, span_of(bytes, 3), NULL), OK);
	scratch_write(storeplace_inside(path, p, "objects/%s", storeplace_hex(&object)), "\1\2\4", 3);
	assert_int_equal(store_object_get(s, &object, &out, &why), E_FORMAT);
	assert_int_equal(out.len, 0);
	assert_int_equal(store_object_put(s, &object, span_of(bytes, 3), NULL), E_EXISTS);
	/* Entries that are a link, a folder, too large. */
	assert_int_equal(storeplace_append(s, p, 0, NULL), OK);
	assert_int_equal(storeplace_append(s, p, 1, NULL), OK);
	storeplace_inside(path, p, "chains/%s/0000000000000001", storeplace_hex(&p->chain));
	assert_int_equal(truncate(path, STORE_ENTRY_MAX + 1), 0);
	storeplace_read(p, 0, STORE_READ_FAST, E_FORMAT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	storeplace_read(p, 0, STORE_READ_FAST, E_IO);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	storeplace_read(p, 0, STORE_READ_FAST, E_IO);
	buf_free(&out);
	store_free(s);
}

static void old_files_under_tmp_go(void **state) {
	struct storeplace *p = *state;
	static const struct {
		const char *name;
		int age; /* hours */
		bool stays;
	} files[] = {
		{ "t-0123456789abcdef", 25, false },
		{ "t-0123456789abcde0", 23, true },
		{ "t-0123456789abcde", 25, true },
		{ "t-0123456789abcdeg", 25, true },
		{ "t-0123456789abcdef0", 25, true },
		{ "notes.txt", 1000, true },
	};
	char path[SCRATCH_MAX];
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		scratch_write(storeplace_inside(path, p, "tmp/%s", files[i].name), "x", 1);
		struct timespec times[2];
		clock_gettime(CLOCK_REALTIME, &times[0]);
		times[0].tv_sec -= files[i].age * 3600;
		times[1] = times[0];
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	/* Reading removes nothing; the first put does. */
	struct store *s = storeplace_open(p);
	assert_int_equal(scratch_count(storeplace_inside(path, p, "tmp")), 6);
	assert_int_equal(storeplace_append(s, p, 0, NULL), OK);
	store_free(s);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		assert_int_equal(access(storeplace_inside(path, p, "tmp/%s", files[i].name), F_OK),
			files[i].stays ? 0 : -1);
}

static void opening_and_creating_may_run_out_of_memory(void **state) {
	struct storeplace *p = *state;
	struct store *s = NULL;
	struct hash id = storesuite_id(1);
	char second[SCRATCH_MAX];
	for (uint64_t nth = 1; nth < 20; nth++) {
		mem_fail_at(nth);
		enum err e = embedded_open(p->path, &s, NULL);
		mem_fail_at(0);
		assert_true(e == OK || e == E_NOMEM);
		if (e == OK) store_free(s);
		scratch_join(second, p->folder, (const char[]){ (char)('A' + nth), 0 });
		mem_fail_at(nth);
		e = embedded_create(second, &id, NULL);
		mem_fail_at(0);
		if (e != OK) assert_int_equal(scratch_count(second), -1);
	}
}

#define BARE(name) cmocka_unit_test_setup_teardown(name, storeplace_bare, storeplace_done)
#define CASE(name) cmocka_unit_test_setup_teardown(name, storeplace_new, storeplace_done)

int main(void) {
	const struct CMUnitTest tests[] = {
		CASE(its_layout_is_the_specified_one),
		BARE(a_folder_in_use_is_left_alone),
		BARE(what_is_no_store_is_not_opened),
		BARE(modes_do_not_follow_the_umask),
		CASE(segments_are_copies),
		CASE(an_entry_exists_when_its_file_does),
		CASE(a_store_that_loses_entries_is_seen),
		CASE(the_length_of_long_chains_is_found_at_once),
		CASE(foreign_files_are_not_listed),
		CASE(damage_is_told),
		CASE(old_files_under_tmp_go),
		CASE(opening_and_creating_may_run_out_of_memory),
	};
	return cmocka_run_group_tests_name("embedded", tests, NULL, NULL);
}
