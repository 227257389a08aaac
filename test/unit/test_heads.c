/* client/heads: what this device has seen of a chain stays seen, whatever becomes of its file and whoever writes beside it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/heads.h"
#include "os/file.h"
#include "scratch.h"
#include "storesuite.h"

enum { HEAD_BYTES = 76, WRITERS = 4, ROUNDS = 150 };

struct place {
	char folder[SCRATCH_MAX];
	char file[SCRATCH_MAX]; /* of ${chain} */
	struct hash chain;
	int state;
};

static int setup(void **state) {
	struct place *p = calloc(1, sizeof *p);
	char hex[HASH_HEX], name[SCRATCH_MAX];
	if (!p) return -1;
	scratch_make(p->folder);
	p->chain = storesuite_id(1);
	hash_hex(hex, &p->chain);
	(void)snprintf(name, sizeof name, "heads/%s", hex);
	(void)scratch_join(p->file, p->folder, name);
	p->state = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->state < 0;
}

static int teardown(void **state) {
	struct place *p = *state;
	(void)close(p->state);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static struct head head_of(uint64_t seq) {
	return (struct head){ .seq = seq, .hash = storesuite_id(1000 + seq) };
}

static enum err advance(const struct place *p, uint64_t seq) {
	struct why why;
	struct head head = head_of(seq);
	return heads_advance(p->state, &p->chain, &head, &why);
}

static void expect_kept(const struct place *p, uint64_t seq) {
	struct why why;
	struct head kept = { 0, { { 0 } } }, expected = head_of(seq);
	assert_int_equal(heads_get(p->state, &p->chain, &kept, &why), OK);
	assert_int_equal(kept.seq, seq);
	assert_true(hash_equal(&kept.hash, &expected.hash));
}

static enum err get(const struct place *p) {
	struct why why;
	struct head kept;
	return heads_get(p->state, &p->chain, &kept, &why);
}

static void what_was_seen_is_kept(void **state) {
	const struct place *p = *state;
	struct hash other = storesuite_id(2);
	struct head kept, set = head_of(3);
	struct stat st;
	struct why why;
	assert_int_equal(get(p), E_NOTFOUND);
	assert_int_equal(advance(p, UINT64_MAX - 1), OK);
	expect_kept(p, UINT64_MAX - 1);
	/* of this chain alone */
	assert_int_equal(heads_get(p->state, &other, &kept, &why), E_NOTFOUND);
	assert_int_equal(heads_set(p->state, &other, &set, &why), OK);
	expect_kept(p, UINT64_MAX - 1);
	/* for nobody else to see */
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(p->state, "heads", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void it_never_goes_back(void **state) {
	const struct place *p = *state;
	assert_int_equal(advance(p, 5), OK);
	assert_int_equal(advance(p, 4), OK);
	expect_kept(p, 5);
	assert_int_equal(advance(p, 5), OK);
	expect_kept(p, 5);
	assert_int_equal(advance(p, 6), OK);
	expect_kept(p, 6);
	assert_int_equal(advance(p, 0), OK);
	expect_kept(p, 6);
}

/* Two processes at once, each shown another entry there: the second must not pass over what the first has seen. */
static void another_entry_at_the_same_place_is_a_fork(void **state) {
	const struct place *p = *state;
	struct why why;
	struct head fork = { .seq = 5, .hash = storesuite_id(77) };
	assert_int_equal(advance(p, 5), OK);
	assert_int_equal(heads_advance(p->state, &p->chain, &fork, &why), E_ROLLBACK);
	assert_non_null(strstr(why.msg, "entry 5"));
	expect_kept(p, 5);
	assert_int_equal(heads_set(p->state, &p->chain, &fork, &why), OK);
	assert_int_equal(heads_advance(p->state, &p->chain, &fork, &why), OK);
}

static void the_owner_may_set_it_back(void **state) {
	const struct place *p = *state;
	struct why why;
	struct head older = head_of(2);
	assert_int_equal(advance(p, 9), OK);
	assert_int_equal(heads_set(p->state, &p->chain, &older, &why), OK);
	expect_kept(p, 2);
	assert_int_equal(advance(p, 3), OK);
	expect_kept(p, 3);
}

/* Not one is taken for a head, nor for none: a device that has lost what it saw must not believe any store. */
static void expect_damaged(const struct place *p, const uint8_t *bytes, size_t len) {
	struct why why = { OK, "" };
	struct head kept;
	scratch_write(p->file, bytes, len);
	assert_int_equal(heads_get(p->state, &p->chain, &kept, &why), E_FORMAT);
	assert_non_null(strstr(why.msg, "heads/"));
	assert_int_equal(advance(p, 10), E_FORMAT);
	assert_int_equal(get(p), E_FORMAT);
}

static void read_file(const struct place *p, uint8_t bytes[HEAD_BYTES]) {
	struct buf b;
	buf_init(&b, HEAD_BYTES);
	assert_int_equal(file_read_whole(AT_FDCWD, p->file, HEAD_BYTES, &b, NULL), OK);
	assert_int_equal(b.len, HEAD_BYTES);
	memcpy(bytes, b.ptr, HEAD_BYTES);
	buf_free(&b);
}

static void damage_is_an_error(void **state) {
	const struct place *p = *state;
	uint8_t bytes[HEAD_BYTES + 1] = { 0 };
	struct why why;
	struct head head = head_of(1);
	assert_int_equal(advance(p, 7), OK);
	read_file(p, bytes);
	for (size_t i = 0; i < HEAD_BYTES; i++) {
		bytes[i] ^= (uint8_t)(1 << i % 8);
		expect_damaged(p, bytes, HEAD_BYTES);
		bytes[i] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 0; len < HEAD_BYTES; len++) expect_damaged(p, bytes, len);
	expect_damaged(p, bytes, HEAD_BYTES + 1);
	scratch_write(p->file, bytes, HEAD_BYTES);
	expect_kept(p, 7);
	/* another layout, well summed */
	struct hash sum;
	bytes[3]++;
	hash_of(&sum, span_of(bytes, HEAD_BYTES - HASH_SIZE));
	memcpy(bytes + HEAD_BYTES - HASH_SIZE, sum.b, HASH_SIZE);
	expect_damaged(p, bytes, HEAD_BYTES);
	/* accept-older replaces it */
	assert_int_equal(heads_set(p->state, &p->chain, &head, &why), OK);
	expect_kept(p, 1);
}

/* What cannot be kept is no success: the caller would go on as if it had been. */
static void what_cannot_be_written_is_an_error(void **state) {
	const struct place *p = *state;
	char path[SCRATCH_MAX], to[SCRATCH_MAX];
	struct why why;
	struct head head = head_of(1);
	scratch_write(scratch_join(path, p->folder, "heads"), "x", 1);
	assert_int_not_equal(advance(p, 1), OK);
	assert_int_not_equal(heads_set(p->state, &p->chain, &head, &why), OK);
	assert_int_equal(unlink(path), 0);
	/* the lock is no way out of the folder */
	assert_int_equal(unlink(scratch_join(path, p->folder, "heads.lock")), 0);
	assert_int_equal(symlink(scratch_join(to, p->folder, "elsewhere"), path), 0);
	assert_int_equal(advance(p, 1), E_IO);
	assert_int_equal(heads_set(p->state, &p->chain, &head, &why), E_IO);
	assert_int_equal(access(to, F_OK), -1);
}

static int write_upwards(const struct place *p, uint64_t first) {
	for (uint64_t seq = first; seq < ROUNDS * WRITERS; seq += WRITERS) {
		struct why why;
		struct head kept = { 0, { { 0 } } };
		if (advance(p, seq)) return 2;
		if (heads_get(p->state, &p->chain, &kept, &why)) return 3;
		if (kept.seq < seq) return 4;
	}
	return 0;
}

/* Several processes: what one was told is kept is not replaced by another's older head. */
static void the_later_head_wins(void **state) {
	const struct place *p = *state;
	pid_t writers[WRITERS];
	for (size_t i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		assert_true(writers[i] >= 0);
		if (writers[i] == 0) _exit(write_upwards(p, i));
	}
	for (size_t i = 0; i < WRITERS; i++) {
		int status = -1;
		assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
		assert_int_equal(status, 0);
	}
	expect_kept(p, ROUNDS * WRITERS - 1);
}

static void memory_runs_out(void **state) {
	const struct place *p = *state;
	enum err e = E_NOMEM;
	assert_int_equal(advance(p, 1), OK);
	for (uint64_t n = 1; e; n++) {
		mem_fail_at(n);
		e = advance(p, 2);
		mem_fail_at(0);
		assert_true(e == OK || e == E_NOMEM);
		if (e) expect_kept(p, 1);
	}
	expect_kept(p, 2);
	mem_fail_at(1);
	assert_int_equal(get(p), E_NOMEM);
	mem_fail_at(0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_seen_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(it_never_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(another_entry_at_the_same_place_is_a_fork, setup, teardown),
		cmocka_unit_test_setup_teardown(the_owner_may_set_it_back, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(the_later_head_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_runs_out, setup, teardown),
	};
	return cmocka_run_group_tests_name("heads", tests, NULL, NULL);
}
