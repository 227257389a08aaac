/* client/account: whom an epoch is for: rotations, kits that are replaced, devices that are added, and what dies in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accountbox.h"
#include "client/account.h"
#include "rawbox.h"

static void a_rotation_that_fails(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	struct why why = { OK, "" };
	uint64_t before = accountbox_length(box);
	for (size_t i = 0; i < 2; i++) {
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(account_rotate(mine, &why), E_IO);
		assert_int_equal(why.code, E_IO);
		faulty_clear(box->store);
		assert_int_equal(accountbox_length(box), before);
		assert_int_equal(epochring_newest(mine->chain.ring), 1);
	}
	rawbox_ok(account_rotate(mine, &why), &why);
	assert_int_equal(epochring_newest(mine->chain.ring), 2);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

/* Who was replaced opens nothing that is written from then on; the new one opens all. */
static void a_kit_that_was_replaced(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct actor old = accountbox_kit_actor(&box->kit);
	struct why why;
	struct kit_secret kit = accountbox_replace_kit(box, mine);
	struct actor new = accountbox_kit_actor(&kit);
	assert_true(mine->state.rotate_due);
	uint64_t before = accountbox_length(box);
	/* whoever writes next finishes the rotation first */
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	assert_int_equal(accountbox_length(box), before + 2);
	assert_false(mine->state.rotate_due);
	assert_int_equal(epochring_newest(mine->chain.ring), 2);
	/* not because the state says so, but because there is no box for it */
	struct account a;
	assert_int_equal(accountbox_try(box, &a, box->store, &old, false, &why), E_DENIED);
	assert_non_null(strstr(why.msg, "no key of this device opens epoch 2"));
	assert_int_equal(accountbox_result(box, box->store, &new, false), OK);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

/* Between the two entries the old kit has the keys still; what it wrote would stop every reader. */
static void a_kit_that_is_no_more_writes_nothing(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct actor old = accountbox_kit_actor(&box->kit);
	struct account early;
	struct device_keys keys;
	struct why why = { OK, "" };
	accountbox_open(box, &early, box->raw, &old, false);
	(void)accountbox_replace_kit(box, mine);
	uint64_t before = accountbox_length(box);
	assert_int_equal(accountbox_result(box, box->store, &old, false), E_DENIED);
	/* opened before, and it looks again */
	rawbox_ok(account_refresh(&early, &why), &why);
	assert_int_equal(accountbox_append(box, &early, 10, &why), E_DENIED);
	assert_int_equal(account_rotate(&early, &why), E_DENIED);
	assert_int_equal(devicekeys_generate(&keys, accountbox_fresh(box)), OK);
	assert_int_equal(account_add_device(&early, &keys, span_text("thief"), &why), E_DENIED);
	account_close(&early);
	/* opened before, and it only finds out when it is not first */
	assert_int_equal(accountbox_length(box), before);
	rawbox_ok(accountbox_append(box, mine, 11, &why), &why);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

struct replacing {
	struct rawbox *box;
	bool is_done;
};

static enum err replace_now(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct replacing *r = ctx;
	struct account *mine = &r->box->t.session.account;
	(void)seq;
	(void)bytes;
	if (r->is_done || !hash_equal(chain, &mine->id)) return OK;
	r->is_done = true;
	(void)accountbox_replace_kit(r->box, mine);
	return OK;
}

static void a_kit_that_is_replaced_while_it_writes(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct actor old = accountbox_kit_actor(&box->kit);
	struct account early;
	struct replacing r = { .box = box };
	struct why why;
	accountbox_open(box, &early, box->raw, &old, false);
	rawstore_on_append(box->raw, replace_now, &r);
	assert_int_equal(accountbox_append(box, &early, 10, &why), E_DENIED);
	rawstore_on_append(box->raw, NULL, NULL);
	account_close(&early);
	assert_true(r.is_done);
	rawbox_ok(accountbox_append(box, mine, 11, &why), &why);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

static void another_device(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct actor kit = accountbox_kit_actor(&box->kit), second;
	struct account by_kit, theirs;
	struct device_keys keys;
	struct why why = { OK, "" };
	assert_int_equal(devicekeys_generate(&keys, accountbox_fresh(box)), OK);
	account_actor_device(&second, &keys);
	accountbox_open(box, &by_kit, box->raw, &kit, false);
	rawbox_ok(account_add_device(&by_kit, &keys, span_text("second"), &why), &why);
	/* twice would be an entry that stops every reader */
	assert_int_equal(account_add_device(&by_kit, &keys, span_text("again"), &why), E_EXISTS);
	account_close(&by_kit);
	accountbox_open(box, &theirs, box->raw, &second, false);
	assert_int_equal(accountstate_full_devices(&theirs.state), 2);
	rawbox_ok(accountbox_append(box, &theirs, 10, &why), &why);
	rawbox_ok(account_refresh(mine, &why), &why);
	assert_true(accountbox_has_vault(mine, 10));
	rawbox_ok(accountbox_append(box, mine, 11, &why), &why);
	rawbox_ok(accountbox_append(box, &theirs, 12, &why), &why);
	account_close(&theirs);
	assert_int_equal(accountbox_result(box, box->store, &second, false), OK);
}

/* Killed, or cut off, between the entry that adds it and the rotation that gives it a box: the next try finishes. */
static void a_device_that_was_half_added(void **state) {
	struct rawbox *box = *state;
	static const struct faulty_order orders[] = {
		{ .verb = FAULTY_CHAIN_APPEND, .nth = 2, .way = FAULTY_BEFORE, .error = E_IO },
		{ .verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_AFTER, .error = E_IO },
		{ .verb = FAULTY_OBJECT_PUT, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO },
	};
	struct actor kit = accountbox_kit_actor(&box->kit);
	struct why why = { OK, "" };
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct actor second;
		struct account by_kit;
		struct device_keys keys;
		uint64_t before = accountbox_length(box);
		assert_int_equal(devicekeys_generate(&keys, accountbox_fresh(box)), OK);
		account_actor_device(&second, &keys);
		accountbox_open(box, &by_kit, box->store, &kit, false);
		faulty_order(box->store, orders[i]);
		assert_int_equal(account_add_device(&by_kit, &keys, span_text("second"), &why), E_IO);
		faulty_clear(box->store);
		account_close(&by_kit);
		assert_int_equal(accountbox_length(box), before + 1);
		assert_int_equal(accountbox_result(box, box->raw, &second, false), E_DENIED);
		accountbox_open(box, &by_kit, box->store, &kit, false);
		rawbox_ok(account_add_device(&by_kit, &keys, span_text("second"), &why), &why);
		assert_int_equal(accountbox_length(box), before + 2);
		assert_int_equal(accountbox_result(box, box->raw, &second, false), OK);
		assert_int_equal(account_add_device(&by_kit, &keys, span_text("second"), &why), E_EXISTS);
		account_close(&by_kit);
		assert_int_equal(accountbox_length(box), before + 2);
	}
}

struct joining {
	struct rawbox *box;
	struct account by_kit;
	struct device_keys keys;
	bool is_done;
};

static enum err join_now(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct joining *j = ctx;
	struct why why = { OK, "" };
	(void)seq;
	(void)bytes;
	if (j->is_done || !hash_equal(chain, &j->box->t.session.account.id)) return OK;
	j->is_done = true;
	rawbox_ok(account_add_device(&j->by_kit, &j->keys, span_text("second"), &why), &why);
	return OK;
}

/* One device alone may replace the kit; while it does so a second one comes, and then it may not. */
static void a_device_that_comes_while_the_kit_is_replaced(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct joining j = { .box = box };
	struct actor kit = accountbox_kit_actor(&box->kit);
	struct kit_secret secret;
	struct kit_keys keys;
	struct device_public pub;
	struct why why = { OK, "" };
	accountbox_open(box, &j.by_kit, box->raw, &kit, false);
	assert_int_equal(devicekeys_generate(&j.keys, accountbox_fresh(box)), OK);
	assert_int_equal(kitkeys_generate(&secret, accountbox_fresh(box)), OK);
	kitkeys_derive(&keys, &secret);
	kitkeys_public(&pub, &keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_RECOVERY,
		.kit = account_record(&pub, DEVICERECORD_KIT, span_text("recovery kit"), 0),
	};
	rawstore_on_append(box->raw, join_now, &j);
	assert_int_equal(account_append(mine, &body, &why), E_DENIED);
	assert_int_equal(why.code, E_DENIED);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_true(j.is_done);
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	/* the kit may */
	rawbox_ok(account_refresh(&j.by_kit, &why), &why);
	rawbox_ok(account_append(&j.by_kit, &body, &why), &why);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
	account_close(&j.by_kit);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rotation_that_fails, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(a_kit_that_was_replaced, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_kit_that_is_no_more_writes_nothing, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_kit_that_is_replaced_while_it_writes, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(another_device, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_device_that_was_half_added, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_device_that_comes_while_the_kit_is_replaced, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
