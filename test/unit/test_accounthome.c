/* client/account: its home and its mirrors: which is written to, and which may be behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accountbox.h"
#include "client/account.h"
#include "rawbox.h"
#include "storesuite.h"

static void a_mirror_is_only_read(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct hash id = storesuite_id(88);
	struct store *mirror = rawstore_new(&id);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	struct account a;
	struct device_keys keys;
	struct why why = { OK, "" };
	uint64_t n = 0;
	rawstore_set(mirror, all);
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	/* behind its home, which this device knows: so it may be */
	accountbox_open(box, &a, mirror, accountbox_device(box), true);
	assert_true(a.chain.lags);
	assert_false(a.is_home);
	assert_int_equal(accountbox_append(box, &a, 11, &why), E_DENIED);
	assert_int_equal(account_rotate(&a, &why), E_DENIED);
	assert_int_equal(devicekeys_generate(&keys, accountbox_fresh(box)), OK);
	assert_int_equal(account_add_device(&a, &keys, span_text("x"), &why), E_DENIED);
	account_close(&a);
	assert_int_equal(store_chain_length(mirror, &mine->id, &n, NULL), OK);
	assert_int_equal(n, accountbox_length(box) - 1);
	/* level with its home: a mirror still */
	struct rawstore_copy *now = rawstore_copy(box->raw);
	rawstore_set(mirror, now);
	accountbox_open(box, &a, mirror, accountbox_device(box), true);
	assert_false(a.chain.lags);
	assert_false(a.is_home);
	assert_int_equal(accountbox_append(box, &a, 11, &why), E_DENIED);
	/* until it is made the home; it stays so, and once is enough */
	rawbox_ok(account_move_home(&a, &id, &why), &why);
	assert_true(a.is_home);
	assert_int_equal(store_chain_length(mirror, &mine->id, &n, NULL), OK);
	rawbox_ok(account_move_home(&a, &id, &why), &why);
	uint64_t again = 0;
	assert_int_equal(store_chain_length(mirror, &mine->id, &again, NULL), OK);
	assert_int_equal(again, n);
	rawbox_ok(accountbox_append(box, &a, 12, &why), &why);
	account_close(&a);
	/* the old home is now what may be behind, and is written to no more */
	accountbox_open(box, &a, box->raw, accountbox_device(box), true);
	assert_true(a.chain.lags);
	assert_int_equal(accountbox_append(box, &a, 13, &why), E_DENIED);
	account_close(&a);
	rawstore_copy_free(all);
	rawstore_copy_free(now);
	store_free(mirror);
}

/* A mirror takes the place of a home that was lost right after its kit was replaced: the rotation is finished on the way. */
static void a_home_lost_between_two_entries(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct hash id = storesuite_id(88);
	struct store *mirror = rawstore_new(&id);
	struct account a;
	struct why why = { OK, "" };
	(void)accountbox_replace_kit(box, mine);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	rawstore_set(mirror, all);
	accountbox_open(box, &a, mirror, accountbox_device(box), true);
	assert_true(a.state.rotate_due);
	assert_int_equal(accountbox_append(box, &a, 10, &why), E_DENIED);
	assert_int_equal(account_rotate(&a, &why), E_DENIED);
	rawbox_ok(account_move_home(&a, &id, &why), &why);
	assert_true(a.is_home);
	assert_false(a.state.rotate_due);
	rawbox_ok(accountbox_append(box, &a, 11, &why), &why);
	account_close(&a);
	assert_int_equal(accountbox_result(box, mirror, accountbox_device(box), true), OK);
	rawstore_copy_free(all);
	store_free(mirror);
}

/* The home itself must not be behind, by whatever name it goes. */
static void a_home_that_was_set_back(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct why why;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	rawstore_set(box->raw, before);
	assert_int_equal(accountbox_result(box, box->raw, accountbox_device(box), true), E_ROLLBACK);
	rawstore_copy_free(before);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mirror_is_only_read, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_home_lost_between_two_entries, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(a_home_that_was_set_back, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
