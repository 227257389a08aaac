/* client/treecache: what a run wrote of a tree comes back exactly or not at all, whatever became of the file in between. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/treecache.h"
#include "os/file.h"
#include "os/thread.h"
#include "scratch.h"
#include "storesuite.h"

/* HEAD, FOOT: of the file's layout (client/treecache.c). */
enum { HEAD = 64, FOOT = 88, ENTRIES = 5, WRITERS = 4, RECORDS = 200, LARGE = 3 << 20 };

struct place {
	char folder[SCRATCH_MAX];
	char file[SCRATCH_MAX];
	int at;
	uint8_t key[32];
};

static int setup(void **state) {
	struct place *p = calloc(1, sizeof *p);
	if (!p) return -1;
	scratch_make(p->folder);
	(void)scratch_join(p->file, p->folder, "tree");
	p->at = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	storesuite_bytes(p->key, sizeof p->key, 5);
	*state = p;
	return p->at < 0;
}

static int teardown(void **state) {
	struct place *p = *state;
	(void)close(p->at);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static struct treecache *open_cache(const struct place *p) {
	struct treecache *c = NULL;
	struct why why;
	assert_int_equal(treecache_open(&c, p->at, "tree", p->key, &why), OK);
	return c;
}

/* An entry as a directory has it: type, name with its length, and something behind. */
struct given {
	struct treecache_print print;
	uint64_t folder;
	uint8_t body[400];
	size_t len;
	size_t name, name_len; /* in the body */
};

static const size_t name_lengths[ENTRIES] = { 1, 127, 128, 200, 255 };

static struct given make_entry(size_t i, uint64_t seed) {
	struct given g = {
		.print = { .inode = seed * 100 + i,
			.ctime_ns = INT64_MIN + (int64_t)i,
			.mtime_ns = -1 - (int64_t)seed,
			.size = UINT64_MAX - i,
			.mode = 0100644 + (uint32_t)i,
			.device = UINT32_MAX - (uint32_t)i },
		.folder = i,
	};
	size_t n = name_lengths[i];
	g.body[g.len++] = 1;
	if (n < 128) {
		g.body[g.len++] = (uint8_t)n;
	} else {
		g.body[g.len++] = (uint8_t)(n | 0x80);
		g.body[g.len++] = (uint8_t)(n >> 7);
	}
	g.name = g.len;
	g.name_len = n;
	for (size_t k = 0; k < n + 30 + i; k++) g.body[g.len++] = (uint8_t)(seed + k);
	return g;
}

/* A record of ENTRIES entries made of ${seed}; its place. */
static uint64_t write_record(struct treecache *c, uint64_t seed) {
	struct buf b;
	uint64_t record = 77, other = seed;
	buf_init(&b, TREECACHE_RECORD_MAX);
	assert_int_equal(treecache_record_begin(&b, span_of(&other, sizeof other), ENTRIES), OK);
	for (size_t i = 0; i < ENTRIES; i++) {
		struct given g = make_entry(i, seed);
		assert_int_equal(treecache_record_add(&b, &g.print, g.folder, span_of(g.body, g.len)), OK);
	}
	assert_int_equal(treecache_append(c, &b, &record), OK);
	buf_free(&b);
	return record;
}

static void expect_record(const struct treecache *c, uint64_t record, uint64_t seed) {
	struct treecache_folder f;
	struct treecache_entry e;
	assert_int_equal(treecache_folder_open(c, record, &f), OK);
	assert_true(span_equal(f.ref, span_of(&seed, sizeof seed)));
	assert_int_equal(f.count, ENTRIES);
	for (size_t i = 0; i < ENTRIES; i++) {
		struct given g = make_entry(i, seed);
		assert_true(treecache_folder_next(&f, &e));
		assert_int_equal(e.print.inode, g.print.inode);
		assert_true(e.print.ctime_ns == g.print.ctime_ns);
		assert_true(e.print.mtime_ns == g.print.mtime_ns);
		assert_true(e.print.size == g.print.size);
		assert_int_equal(e.print.mode, g.print.mode);
		assert_int_equal(e.print.device, g.print.device);
		assert_int_equal(e.folder, g.folder);
		assert_true(span_equal(e.body, span_of(g.body, g.len)));
		assert_true(span_equal(e.name, span_of(g.body + g.name, g.name_len)));
	}
	assert_false(treecache_folder_next(&f, &e));
}

static void commit(struct treecache *c, uint64_t snapshot, uint64_t root) {
	struct hash id = storesuite_id(snapshot);
	treecache_commit(c, &id, root);
}

/* The snapshot that the cache describes, by its seed; its root. 0: empty. */
static uint64_t root_of(const struct treecache *c, uint64_t snapshot) {
	struct hash id = storesuite_id(snapshot), got;
	uint64_t root = 0;
	if (!treecache_root(c, &got, &root)) return 0;
	assert_true(hash_equal(&got, &id));
	assert_true(root > 0);
	return root;
}

/* A cache of one run, with two records, of seeds 1 and 2; the second is its root. */
static uint64_t make(const struct place *p, uint64_t *first) {
	struct treecache *c = open_cache(p);
	*first = write_record(c, 1);
	uint64_t root = write_record(c, 2);
	commit(c, 9, root);
	treecache_free(c);
	return root;
}

static void a_new_one_is_empty(void **state) {
	const struct place *p = *state;
	struct stat st;
	struct treecache_folder f;
	struct treecache *c = open_cache(p);
	assert_int_equal(root_of(c, 0), 0);
	assert_int_equal(treecache_folder_open(c, HEAD, &f), E_NOTFOUND);
	treecache_free(c);
	treecache_free(NULL);
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_a_run_wrote_comes_back(void **state) {
	const struct place *p = *state;
	struct treecache_folder f;
	uint64_t first, root = make(p, &first);
	struct treecache *c = open_cache(p);
	assert_int_equal(root_of(c, 9), root);
	expect_record(c, first, 1);
	expect_record(c, root, 2);
	/* what is no record's place */
	static const uint64_t none[] = { 0, 1, HEAD - 1, HEAD + 1, UINT32_MAX, UINT64_MAX, INT64_MAX };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_int_equal(treecache_folder_open(c, none[i], &f), E_NOTFOUND);
	for (uint64_t at = 0; at < root + 3000; at++)
		if (at != first && at != root)
			assert_int_equal(treecache_folder_open(c, at, &f), E_NOTFOUND);
	treecache_free(c);
}

static void a_run_that_does_not_end_changes_nothing(void **state) {
	const struct place *p = *state;
	struct treecache *c = open_cache(p);
	(void)write_record(c, 1);
	treecache_free(c);
	c = open_cache(p);
	assert_int_equal(root_of(c, 9), 0);
	treecache_free(c);
	uint64_t first, root = make(p, &first);
	c = open_cache(p);
	(void)write_record(c, 3);
	treecache_free(c);
	c = open_cache(p);
	assert_int_equal(root_of(c, 9), root);
	expect_record(c, first, 1);
	treecache_free(c);
}

/* A run writes what changed: the records of other folders stay where they are. */
static void a_later_run_adds_to_it(void **state) {
	const struct place *p = *state;
	struct stat before, after;
	uint64_t first, old = make(p, &first);
	assert_int_equal(stat(p->file, &before), 0);
	struct treecache *c = open_cache(p);
	uint64_t root = write_record(c, 3);
	commit(c, 10, root);
	treecache_free(c);
	assert_int_equal(stat(p->file, &after), 0);
	assert_int_equal(after.st_size - before.st_size, (off_t)(old - first) + FOOT);
	c = open_cache(p);
	assert_int_equal(root_of(c, 10), root);
	expect_record(c, first, 1);
	expect_record(c, old, 2);
	expect_record(c, root, 3);
	/* an unchanged tree under another snapshot */
	commit(c, 11, root);
	treecache_free(c);
	c = open_cache(p);
	assert_int_equal(root_of(c, 11), root);
	expect_record(c, first, 1);
	expect_record(c, root, 3);
	treecache_free(c);
}

/* A run that was killed leaves bytes behind the newest foot. */
static void leftovers_are_passed_over(void **state) {
	const struct place *p = *state;
	struct stat st;
	uint64_t first, root = make(p, &first), each = root - first, end = root + each + FOOT;
	for (uint64_t i = 0; i < 3; i++) {
		FILE *f = fopen(p->file, "a");
		assert_non_null(f);
		for (int n = 0; n < 5000; n++) assert_true(fputc(n & 255, f) != EOF);
		assert_int_equal(fclose(f), 0);
		struct treecache *c = open_cache(p);
		assert_int_equal(root_of(c, 9 + i), root);
		expect_record(c, first, 1);
		root = write_record(c, 20 + i);
		assert_int_equal(root, end);
		end += each + FOOT;
		commit(c, 10 + i, root);
		treecache_free(c);
		c = open_cache(p);
		expect_record(c, first, 1);
		expect_record(c, root, 20 + i);
		/* and written over */
		assert_int_equal(stat(p->file, &st), 0);
		assert_int_equal(st.st_size, end);
		treecache_free(c);
	}
}

/* Records of another vault, or of another device, are none. */
static void another_key_opens_nothing(void **state) {
	struct place *p = *state;
	struct treecache_folder f;
	uint64_t first, root = make(p, &first);
	p->key[31] ^= 1;
	struct treecache *c = open_cache(p);
	assert_int_equal(root_of(c, 9), 0);
	assert_int_equal(treecache_folder_open(c, first, &f), E_NOTFOUND);
	assert_int_equal(treecache_folder_open(c, root, &f), E_NOTFOUND);
	treecache_free(c);
}

/* A cache whose file is as given: it is empty, or what is in it is what was written. */
static void expect_honest(
	const struct place *p, const uint8_t *bytes, size_t len, uint64_t first, uint64_t root) {
	struct treecache_folder f;
	scratch_write(p->file, bytes, len);
	struct treecache *c = open_cache(p);
	if (root_of(c, 9)) {
		assert_int_equal(root_of(c, 9), root);
		if (treecache_folder_open(c, first, &f) == OK) expect_record(c, first, 1);
		if (treecache_folder_open(c, root, &f) == OK) expect_record(c, root, 2);
	} else {
		assert_int_equal(treecache_folder_open(c, first, &f), E_NOTFOUND);
		assert_int_equal(treecache_folder_open(c, root, &f), E_NOTFOUND);
	}
	treecache_free(c);
}

static void damage_costs_only_time(void **state) {
	const struct place *p = *state;
	uint64_t first, root = make(p, &first);
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_int_equal(file_read_whole(AT_FDCWD, p->file, 1 << 20, &b, NULL), OK);
	for (size_t i = 0; i < b.len; i++) {
		b.ptr[i] ^= (uint8_t)(1 << i % 8);
		expect_honest(p, b.ptr, b.len, first, root);
		b.ptr[i] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 0; len < b.len; len += len < 200 ? 1 : 7)
		expect_honest(p, b.ptr, len, first, root);
	/* a length at the end of the map, and one beyond all */
	memset(b.ptr + first, 0xff, 4);
	expect_honest(p, b.ptr, b.len, first, root);
	memset(b.ptr + 8, 0xff, 8);
	expect_honest(p, b.ptr, b.len, first, root);
	buf_free(&b);
}

/* Who comes second has no cache, and leaves the first one's alone. */
static void one_run_at_a_time_has_it(void **state) {
	const struct place *p = *state;
	uint64_t first, root = make(p, &first);
	struct treecache *c = open_cache(p), *second = open_cache(p);
	assert_int_equal(root_of(second, 9), 0);
	assert_int_equal(write_record(second, 50), 0);
	commit(second, 50, root);
	root = write_record(c, 3);
	commit(c, 10, root);
	treecache_free(second);
	treecache_free(c);
	c = open_cache(p);
	assert_int_equal(root_of(c, 10), root);
	expect_record(c, first, 1);
	expect_record(c, root, 3);
	treecache_free(c);
}

static uint64_t write_large(struct treecache *c) {
	struct buf b;
	uint64_t record = 77;
	static uint8_t body[LARGE];
	struct treecache_print print = { .inode = 1 };
	memcpy(body, "\1\1x", 3); /* a file called x */
	buf_init(&b, TREECACHE_RECORD_MAX);
	assert_int_equal(treecache_record_begin(&b, span_of("ref", 3), 1), OK);
	assert_int_equal(treecache_record_add(&b, &print, 0, span_of(body, LARGE)), OK);
	assert_int_equal(treecache_append(c, &b, &record), OK);
	buf_free(&b);
	return record;
}

static void limit_files(rlim_t size) {
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* No space for it, as if: what the last run left stays in force, and nothing refers to what is not there. */
static void a_write_that_fails_gives_it_up(void **state) {
	const struct place *p = *state;
	uint64_t first, root = make(p, &first);
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	struct treecache *c = open_cache(p);
	limit_files(100000);
	uint64_t records[] = { write_large(c), write_record(c, 3) };
	commit(c, 10, root);
	treecache_free(c);
	/* the same where only the foot doesn't fit */
	c = open_cache(p);
	uint64_t each = root - first, end = root + each + FOOT;
	limit_files((rlim_t)(end + each + 10));
	uint64_t small = write_record(c, 3);
	commit(c, 10, small);
	limit_files(RLIM_INFINITY);
	treecache_free(c);
	(void)signal(SIGXFSZ, before);
	assert_int_equal(records[0], 0);
	assert_int_equal(records[1], 0);
	c = open_cache(p);
	assert_int_equal(root_of(c, 9), root);
	expect_record(c, first, 1);
	expect_record(c, root, 2);
	treecache_free(c);
}

static void records_may_be_large(void **state) {
	const struct place *p = *state;
	struct treecache_folder f;
	struct treecache_entry e;
	struct treecache *c = open_cache(p);
	uint64_t large = write_large(c), root = write_record(c, 2);
	commit(c, 9, root);
	treecache_free(c);
	c = open_cache(p);
	assert_int_equal(treecache_folder_open(c, large, &f), OK);
	assert_true(treecache_folder_next(&f, &e));
	assert_int_equal(e.body.len, LARGE);
	assert_true(span_equal(e.name, span_text("x")));
	expect_record(c, root, 2);
	treecache_free(c);
}

struct writer {
	struct treecache *cache;
	struct thread thread;
	uint64_t first;
	uint64_t records[RECORDS];
};

static void write_many(void *ctx) {
	struct writer *w = ctx;
	for (size_t i = 0; i < RECORDS; i++) w->records[i] = write_record(w->cache, w->first + i);
}

static void all_threads_write(void **state) {
	const struct place *p = *state;
	static struct writer writers[WRITERS];
	struct treecache *c = open_cache(p);
	for (size_t i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .cache = c, .first = 1000 * (i + 1) };
		assert_int_equal(thread_start(&writers[i].thread, write_many, &writers[i], NULL), OK);
	}
	for (size_t i = 0; i < WRITERS; i++) thread_join(&writers[i].thread);
	commit(c, 9, writers[0].records[0]);
	treecache_free(c);
	c = open_cache(p);
	assert_int_equal(root_of(c, 9), writers[0].records[0]);
	for (size_t i = 0; i < WRITERS; i++)
		for (size_t k = 0; k < RECORDS; k++)
			expect_record(c, writers[i].records[k], writers[i].first + k);
	treecache_free(c);
}

/* Where the file can't even be opened, a backup goes on without. */
static void without_a_file(void **state) {
	const struct place *p = *state;
	assert_int_equal(mkdir(p->file, 0700), 0);
	struct treecache *c = open_cache(p);
	assert_int_equal(root_of(c, 0), 0);
	assert_int_equal(write_record(c, 1), 0);
	commit(c, 9, HEAD);
	treecache_free(c);
	/* and never through a link */
	char to[SCRATCH_MAX];
	assert_int_equal(rmdir(p->file), 0);
	assert_int_equal(symlink(scratch_join(to, p->folder, "elsewhere"), p->file), 0);
	c = open_cache(p);
	assert_int_equal(write_record(c, 1), 0);
	treecache_free(c);
	assert_int_equal(access(to, F_OK), -1);
}

static void memory_runs_out(void **state) {
	const struct place *p = *state;
	struct treecache *c = NULL;
	struct treecache_print print = { .inode = 1 };
	struct why why;
	struct buf b;
	uint64_t record = 77;
	mem_fail_at(1);
	assert_int_equal(treecache_open(&c, p->at, "tree", p->key, &why), E_NOMEM);
	mem_fail_at(0);
	buf_init(&b, TREECACHE_RECORD_MAX);
	mem_fail_at(1);
	assert_int_equal(treecache_record_begin(&b, span_of("ref", 3), 1), E_NOMEM);
	mem_fail_at(0);
	assert_int_equal(treecache_record_begin(&b, span_of("ref", 3), 1), OK);
	while (b.cap - b.len >= 50) assert_int_equal(buf_add_zero(&b, 50), OK);
	mem_fail_at(1);
	assert_int_equal(treecache_record_add(&b, &print, 0, span_of(&b, sizeof b)), E_NOMEM);
	c = open_cache(p);
	mem_fail_at(1);
	assert_int_equal(treecache_append(c, &b, &record), OK);
	mem_fail_at(0);
	assert_int_equal(record, 0);
	treecache_free(c);
	buf_free(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_one_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_run_wrote_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_run_that_does_not_end_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_later_run_adds_to_it, setup, teardown),
		cmocka_unit_test_setup_teardown(leftovers_are_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(another_key_opens_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_costs_only_time, setup, teardown),
		cmocka_unit_test_setup_teardown(one_run_at_a_time_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_write_that_fails_gives_it_up, setup, teardown),
		cmocka_unit_test_setup_teardown(records_may_be_large, setup, teardown),
		cmocka_unit_test_setup_teardown(all_threads_write, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_runs_out, setup, teardown),
	};
	return cmocka_run_group_tests_name("treecache", tests, NULL, NULL);
}
