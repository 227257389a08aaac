/* client/statefolder: what a device keeps outside every store, and what it does when that is not there or damaged. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/statefolder.h"
#include "os/file.h"
#include "scratch.h"
#include "storesuite.h"

enum { KEYS_MAX = 65536 };

struct place {
	char folder[SCRATCH_MAX];
	char home[SCRATCH_MAX];
	struct statefolder f;
};

static int setup_bare(void **state) {
	struct place *p = calloc(1, sizeof *p);
	if (!p) return -1;
	scratch_make(p->folder);
	(void)scratch_join(p->home, p->folder, "a/home");
	p->f.state = p->f.cache = -1;
	*state = p;
	return setenv("BROCH_HOME", p->home, 1);
}

static int setup(void **state) {
	struct why why;
	if (setup_bare(state)) return -1;
	struct place *p = *state;
	return statefolder_open(&p->f, true, &why);
}

static int teardown(void **state) {
	struct place *p = *state;
	statefolder_close(&p->f);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static mode_t mode_of(const char *path) {
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void it_is_made_when_asked_for(void **state) {
	struct place *p = *state;
	struct why why;
	assert_int_equal(statefolder_open(&p->f, false, &why), E_NOTFOUND);
	assert_int_equal(p->f.state, -1);
	assert_int_equal(p->f.cache, -1);
	assert_int_equal(scratch_count(p->folder), 0);
	assert_int_equal(statefolder_open(&p->f, true, &why), OK);
	assert_int_equal(mode_of(p->home), 0700);
	assert_int_equal(mode_of(p->f.cache_path), 0700);
	assert_string_equal(p->f.state_path, p->home);
	statefolder_close(&p->f);
	assert_int_equal(p->f.state, -1);
	assert_int_equal(p->f.cache, -1);
	assert_int_equal(statefolder_open(&p->f, false, &why), OK);
}

/* Everything but the caches works in a home where none can be made. */
static void the_cache_is_not_needed(void **state) {
	struct place *p = *state;
	char path[SCRATCH_MAX];
	struct why why;
	struct hash vault = storesuite_id(1);
	statefolder_close(&p->f);
	assert_int_equal(rmdir(scratch_join(path, p->home, "cache")), 0);
	scratch_write(path, "x", 1);
	assert_int_equal(statefolder_open(&p->f, true, &why), OK);
	assert_int_equal(p->f.cache, -1);
	statefolder_drop_caches(&p->f, &vault);
	assert_int_equal(statefolder_put_store_id(&p->f, &vault, &why), OK);
}

static void the_state_is_needed(void **state) {
	struct place *p = *state;
	struct why why;
	char path[SCRATCH_MAX];
	scratch_write(scratch_join(path, p->folder, "a"), "x", 1);
	assert_int_not_equal(statefolder_open(&p->f, true, &why), OK);
	assert_int_equal(p->f.state, -1);
	assert_int_equal(p->f.cache, -1);
}

static void keys_come_back(void **state) {
	struct place *p = *state;
	char path[SCRATCH_MAX];
	static uint8_t bytes[KEYS_MAX + 1];
	struct why why;
	struct buf b;
	buf_init(&b, KEYS_MAX);
	storesuite_bytes(bytes, sizeof bytes, 3);
	assert_false(statefolder_has_keys(&p->f));
	assert_int_equal(statefolder_get_keys(&p->f, &b, &why), E_NOTFOUND);
	assert_int_equal(statefolder_put_keys(&p->f, span_of(bytes, 500), &why), OK);
	assert_true(statefolder_has_keys(&p->f));
	assert_int_equal(mode_of(scratch_join(path, p->home, "keys")), 0600);
	assert_int_equal(statefolder_get_keys(&p->f, &b, &why), OK);
	assert_true(span_equal(buf_span(&b), span_of(bytes, 500)));
	buf_clear(&b);
	assert_int_equal(statefolder_put_keys(&p->f, span_of(bytes + 1, KEYS_MAX), &why), OK);
	assert_int_equal(statefolder_get_keys(&p->f, &b, &why), OK);
	assert_true(span_equal(buf_span(&b), span_of(bytes + 1, KEYS_MAX)));
	buf_clear(&b);
	scratch_write(path, bytes, KEYS_MAX + 1);
	assert_int_equal(statefolder_get_keys(&p->f, &b, &why), E_LIMIT);
	/* what lies elsewhere is not read */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(statefolder_get_keys(&p->f, &b, &why), E_IO);
	buf_free(&b);
}

/* The id of a store belongs to the path that it was met under. */
static void a_path_and_the_store_there(void **state) {
	struct place *p = *state;
	static char longest[PATHS_MAX], out[PATHS_MAX], path[SCRATCH_MAX];
	struct why why;
	struct hash id = storesuite_id(4), got;
	assert_int_equal(statefolder_get_store(&p->f, out, &why), E_NOTFOUND);
	assert_int_equal(statefolder_get_store_id(&p->f, &got, &why), E_NOTFOUND);
	assert_int_equal(statefolder_put_store(&p->f, "/mnt/one", &why), OK);
	assert_int_equal(statefolder_put_store_id(&p->f, &id, &why), OK);
	assert_int_equal(statefolder_get_store(&p->f, out, &why), OK);
	assert_string_equal(out, "/mnt/one");
	assert_int_equal(statefolder_get_store_id(&p->f, &got, &why), OK);
	assert_true(hash_equal(&got, &id));
	memset(longest, 'x', sizeof longest - 1);
	assert_int_equal(statefolder_put_store(&p->f, longest, &why), OK);
	assert_int_equal(statefolder_get_store(&p->f, out, &why), OK);
	assert_string_equal(out, longest);
	assert_int_equal(statefolder_get_store_id(&p->f, &got, &why), E_NOTFOUND);
	/* a longer one is none */
	memset(out, 'x', sizeof out);
	scratch_write(scratch_join(path, p->home, "store"), out, sizeof out);
	assert_int_equal(statefolder_get_store(&p->f, longest, &why), E_LIMIT);
}

static void homes_are_by_chain(void **state) {
	struct place *p = *state;
	struct why why;
	struct hash chains[2] = { storesuite_id(1), storesuite_id(2) };
	struct hash stores[2] = { storesuite_id(11), storesuite_id(12) }, got;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(statefolder_get_home(&p->f, &chains[i], &got, &why), E_NOTFOUND);
		assert_int_equal(statefolder_put_home(&p->f, &chains[i], &stores[i], &why), OK);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(statefolder_get_home(&p->f, &chains[i], &got, &why), OK);
		assert_true(hash_equal(&got, &stores[i]));
	}
	assert_int_equal(statefolder_put_home(&p->f, &chains[0], &stores[1], &why), OK);
	assert_int_equal(statefolder_get_home(&p->f, &chains[0], &got, &why), OK);
	assert_true(hash_equal(&got, &stores[1]));
}

static void a_locator_its_sum_and_its_kit(void **state) {
	struct place *p = *state;
	struct why why;
	struct statefolder_locator in = {
		.name = storesuite_id(1), .sum = storesuite_id(2), .kit = storesuite_id(3)
	};
	struct statefolder_locator got;
	uint8_t bytes[2 * HASH_SIZE];
	char path[SCRATCH_MAX];
	assert_int_equal(statefolder_get_locator(&p->f, &got, &why), E_NOTFOUND);
	assert_int_equal(statefolder_put_locator(&p->f, &in, &why), OK);
	assert_int_equal(statefolder_get_locator(&p->f, &got, &why), OK);
	assert_memory_equal(&got, &in, sizeof in);
	/* as it was written before the kit was noted */
	memcpy(bytes, in.name.b, HASH_SIZE);
	memcpy(bytes + HASH_SIZE, in.sum.b, HASH_SIZE);
	scratch_write(scratch_join(path, p->home, "locator"), bytes, sizeof bytes);
	assert_int_equal(statefolder_get_locator(&p->f, &got, &why), OK);
	assert_true(hash_equal(&got.sum, &in.sum));
	assert_true(hash_is_zero(&got.kit));
}

/* A file of another length is none of ours: not an id, and not the lack of one. */
static void damage_is_an_error(void **state) {
	struct place *p = *state;
	static const size_t lengths[] = { 0, 1, 31, 33, 63, 65, 1000 };
	static const uint8_t bytes[1000] = { 1 };
	char hex[HASH_HEX], name[SCRATCH_MAX], path[SCRATCH_MAX];
	struct why why = { OK, "" };
	struct hash chain = storesuite_id(1), a;
	struct statefolder_locator locator;
	assert_int_equal(statefolder_put_home(&p->f, &chain, &chain, &why), OK);
	hash_hex(hex, &chain);
	(void)snprintf(name, sizeof name, "homes/%s", hex);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		scratch_write(scratch_join(path, p->home, name), bytes, lengths[i]);
		assert_int_equal(statefolder_get_home(&p->f, &chain, &a, &why), E_FORMAT);
		assert_non_null(strstr(why.msg, "homes/"));
		scratch_write(scratch_join(path, p->home, "store-id"), bytes, lengths[i]);
		assert_int_equal(statefolder_get_store_id(&p->f, &a, &why), E_FORMAT);
		assert_non_null(strstr(why.msg, "store-id"));
		scratch_write(scratch_join(path, p->home, "locator"), bytes, lengths[i]);
		assert_int_equal(statefolder_get_locator(&p->f, &locator, &why), E_FORMAT);
		assert_non_null(strstr(why.msg, "locator"));
	}
}

static void caches_of_one_vault_are_dropped(void **state) {
	struct place *p = *state;
	char branch[] = "-0123456789abcdef";
	char hex[HASH_HEX], name[SCRATCH_MAX], path[SCRATCH_MAX];
	struct hash vaults[2] = { storesuite_id(1), storesuite_id(2) };
	for (size_t v = 0; v < 2; v++) {
		hash_hex(hex, &vaults[v]);
		for (size_t i = 0; i < 2; i++) {
			(void)snprintf(
				name, sizeof name, "%s-%.16s%s", i ? "tree" : "state", hex, i ? branch : "");
			scratch_write(scratch_join(path, p->f.cache_path, name), "x", 1);
		}
	}
	statefolder_drop_caches(&p->f, &vaults[0]);
	assert_int_equal(scratch_count(p->f.cache_path), 2);
	assert_int_equal(access(path, F_OK), 0);
	statefolder_drop_caches(&p->f, &vaults[1]);
	assert_int_equal(scratch_count(p->f.cache_path), 0);
}

/* One line for each, however long: what the owner reads there is not run together. */
static void what_happened_is_recorded(void **state) {
	struct place *p = *state;
	static char line[3000];
	char path[SCRATCH_MAX];
	struct why why;
	struct buf b;
	memset(line, 'x', sizeof line - 1);
	statefolder_record(&p->f, "the first");
	statefolder_record(&p->f, line);
	statefolder_record(&p->f, "the last");
	buf_init(&b, 1 << 16);
	assert_int_equal(file_read_whole(p->f.state, "alarms", 1 << 16, &b, &why), OK);
	assert_int_equal(mode_of(scratch_join(path, p->home, "alarms")), 0600);
	assert_int_equal(buf_add_zero(&b, 1), OK);
	size_t lines = 0;
	for (char *at = (char *)b.ptr, *end; *at; at = end + 1, lines++) {
		end = strchr(at, '\n');
		assert_non_null(end);
		*end = '\0';
		assert_memory_equal(at, "20", 2);
		assert_memory_equal(at + 19, "Z ", 2);
		if (lines == 0) assert_string_equal(at + 21, "the first");
		if (lines == 1) assert_memory_equal(at + 21, line, 900);
		if (lines == 2) assert_string_equal(at + 21, "the last");
	}
	assert_int_equal(lines, 3);
	buf_free(&b);
	/* where it can't be written, nothing stops */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	statefolder_record(&p->f, "lost");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_made_when_asked_for, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(the_state_is_needed, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(the_cache_is_not_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_and_the_store_there, setup, teardown),
		cmocka_unit_test_setup_teardown(homes_are_by_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(a_locator_its_sum_and_its_kit, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(caches_of_one_vault_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(what_happened_is_recorded, setup, teardown),
	};
	return cmocka_run_group_tests_name("statefolder", tests, NULL, NULL);
}
