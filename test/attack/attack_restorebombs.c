/* Trees that claim more than a disk, a machine's memory or a life has room for, of few bytes. Row P11. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "restorebox.h"
#include "scratch.h"

/* P11: a file that claims eight exbibytes by naming one chunk again and again. */
static void data_bomb(void **state) {
	struct restorebox *f = *state;
	enum { ITEMS = 1000, LEVELS = 5 };
	uint8_t *zeros = calloc(1, LIMIT_CHUNK);
	struct hash chunk;
	struct why why = { OK, "" };
	testvault_must(
		storing_chunk(f->c.storing, CHUNKTYPE_CONTENT, span_of(zeros, LIMIT_CHUNK), &chunk, &why),
		&why, "chunk");
	free(zeros);
	struct streamref_item items[ITEMS];
	uint64_t length = LIMIT_CHUNK;
	uint32_t size = LIMIT_CHUNK;
	for (unsigned level = 0; level < LEVELS - 1; level++) {
		for (size_t i = 0; i < ITEMS; i++)
			items[i] = (struct streamref_item){ .id = chunk, .length = size };
		chunk = craft_list(&f->c, items, ITEMS);
		size = ITEMS * SIZE_STREAM_ITEM;
		length *= ITEMS;
	}
	struct streamref ref = { .length = length, .depth = LEVELS - 1, .id = chunk };
	struct direntry bomb = craft_file("bomb", &ref), file = craft_file("file", &f->text);
	craft_add(&f->entries, &bomb);
	craft_add(&f->entries, &file);
	struct hash id = restorebox_snapshot(f);
	/* a restore that begins it all the same must not fill this machine */
	struct rlimit limit, before;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 64 << 20;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	struct restore_result r = restorebox_run(f, &id);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	assert_non_null(strstr(f->last, "are free")); /* and how many */
	restorebox_has_text(f->target, "file", "restored");
	assert_false(restorebox_is_there(f->target, "bomb"));
	assert_int_equal(restorebox_temps(f->target), 0);
}

/* P11: what does not fit by its own account is not begun, and both numbers are said. */
static void too_large(void **state) {
	struct restorebox *f = *state;
	struct restore_result r;
	struct direntry file = craft_file("file", &f->text);
	craft_add(&f->entries, &file);
	struct streamref root = craft_folder(&f->c, &f->entries);
	struct hash id = craft_end(&f->c, &root, 1, (uint64_t)1 << 60);
	craft_begin(&f->c, &f->t);
	assert_int_equal(
		restorebox_try(f, &id, (struct restore_options){ .overwrite = RESTORE_ALWAYS }, &r),
		E_LIMIT);
	assert_non_null(strstr(f->last, "1152921504606846976"));
	assert_int_equal(scratch_count(f->target), 0);
}

/* P11: as large as a file can be, and one hole; the most holes there can be. Takes no space. */
static void holes(void **state) {
	struct restorebox *f = *state;
	struct buf huge, many;
	uint64_t end = 0;
	char path[SCRATCH_MAX];
	struct stat st;
	buf_init(&huge, 1 << 20);
	buf_init(&many, 8 << 20);
	assert_int_equal(direntry_add_hole(&huge, &end, 0, INT64_MAX), OK);
	end = 0;
	for (uint64_t i = 0; i < LIMIT_HOLES; i++)
		assert_int_equal(direntry_add_hole(&many, &end, i * 8192 + 8, 8184), OK);
	uint8_t *data = calloc(1, (size_t)LIMIT_HOLES * 8);
	memset(data, 'x', (size_t)LIMIT_HOLES * 8);
	struct streamref content = craft_content(&f->c, span_of(data, (size_t)LIMIT_HOLES * 8));
	free(data);
	struct direntry one = craft_file("huge", &(struct streamref){ .length = 0 }),
					full = craft_file("many", &content);
	one.flags = full.flags = DIRENTRY_HAS_HOLES;
	one.holes = (struct direntry_items){ .count = 1, .items = buf_span(&huge) };
	full.holes = (struct direntry_items){ .count = LIMIT_HOLES, .items = buf_span(&many) };
	craft_add(&f->entries, &one);
	craft_add(&f->entries, &full);
	struct hash id = restorebox_snapshot(f);
	struct restore_result r = restorebox_run(f, &id);
	if (restorebox_is_there(f->target, "huge")) {
		assert_int_equal(lstat(scratch_join(path, f->target, "huge"), &st), 0);
		assert_true(st.st_size == INT64_MAX && st.st_blocks == 0);
	} else {
		assert_int_equal(r.counts[RESTORE_NOT_DONE], 1); /* larger than files can be here */
	}
	assert_int_equal(lstat(scratch_join(path, f->target, "many"), &st), 0);
	assert_true(st.st_size == (off_t)LIMIT_HOLES * 8192);
	assert_true(st.st_blocks * 512 <= (off_t)LIMIT_HOLES * 4096);
	buf_free(&huge);
	buf_free(&many);
}

/* P11: folders that name the folder below several times make a tree without end out of a few bytes. */
static void folder_bomb(void **state) {
	struct restorebox *f = *state;
	struct streamref below = { .length = 0 };
	struct restore_result r;
	for (int level = 0; level < 40; level++) {
		buf_clear(&f->entries);
		for (char name[2] = "a"; name[0] <= 'p'; name[0]++) {
			struct direntry d = craft_directory(name, &below);
			craft_add(&f->entries, &d);
		}
		below = craft_folder(&f->c, &f->entries);
	}
	struct hash id = craft_end(&f->c, &below, 10, 0);
	craft_begin(&f->c, &f->t);
	assert_int_equal(restorebox_try(f, &id,
						 (struct restore_options){ .overwrite = RESTORE_ALWAYS, .each = true }, &r),
		E_FORGED);
	assert_true(f->items > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_bomb, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(too_large, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(holes, restorebox_setup, restorebox_teardown),
		cmocka_unit_test_setup_teardown(folder_bomb, restorebox_setup, restorebox_teardown),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
