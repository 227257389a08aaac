/* client/repair: the index is made anew from what is there, also where a block lies in two packs of which one was away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/repair.h"
#include "clientbox.h"
#include "prunebox.h"

static struct repair_result repair(struct prunebox *p, bool read_data) {
	struct checkreport r = { .found = NULL };
	struct repair_options o = { .apply = true, .read_data = read_data, .threads = 1 };
	struct repair_result out;
	struct why why = { OK, "" };
	checkreport_init(&r);
	clientbox_ok(repair_run(&r, &p->t.vault, &o, &out, &why), &why);
	checkreport_done(&r);
	return out;
}

/* Takes a pack away; what puts it back. */
static struct rawstore_item take(struct prunebox *p, const struct hash *name) {
	struct rawstore_item item = *rawstore_find(p->raw, RAWSTORE_PACK, &p->t.vault.id, name, 0);
	uint8_t *bytes = malloc(item.len);
	assert_non_null(bytes);
	memcpy(bytes, item.bytes, item.len);
	item.bytes = bytes;
	prunebox_lose(p, name);
	return item;
}

static void put_back(struct prunebox *p, struct rawstore_item *item) {
	rawstore_add(p->raw, item);
	free(item->bytes);
}

/* Each pack is away while the index is made anew, and comes back: all is found again, blocks that go on in it or from it too. */
static void a_pack_that_comes_back(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 200000, 1);
	struct hash snapshot = prunebox_backup(p);
	struct buf needs = prunebox_needs(p, &snapshot);
	assert_true(needs.len / HASH_SIZE >= 5);
	for (size_t at = 0; at < needs.len; at += HASH_SIZE) {
		struct hash name = hash_from(needs.ptr + at);
		struct rawstore_item item = take(p, &name);
		assert_true(repair(p, false).written);
		assert_false(repair(p, false).needed);
		put_back(p, &item);
		struct repair_result r = repair(p, false);
		assert_true(r.written && r.rows_new > 0);
		prunebox_check(p, &snapshot);
		assert_false(repair(p, false).needed);
		assert_false(repair(p, true).needed);
	}
	buf_free(&needs);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_pack_that_comes_back, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("repair", tests, NULL, NULL);
}
