/* client/account: made, opened by devices and kits, and written to beside others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accountbox.h"
#include "base/mem.h"
#include "client/account.h"
#include "rawbox.h"
#include "secret/locator.h"
#include "storesuite.h"

enum { RIVALS = 5 };

/* --- made and opened */

static void what_a_new_account_says(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct actor kit = accountbox_kit_actor(&box->kit);
	const struct account_device *d = accountstate_device(&mine->state, &accountbox_device(box)->id);
	const struct account_device *k = accountstate_kit(&mine->state);
	assert_int_equal(mine->state.device_count, 2);
	assert_non_null(d);
	assert_int_equal(d->kind, DEVICERECORD_FULL);
	assert_true(span_equal(span_of(d->name, d->name_len), span_text("test")));
	assert_non_null(k);
	assert_true(hash_equal(&k->id, &kit.id));
	assert_true(mine->is_home);
	assert_true(hash_equal(&mine->state.home, store_id(box->raw)));
	assert_int_equal(mine->state.vault_count, 1);
	struct head head = account_head(mine), kept;
	assert_int_equal(head.seq, accountbox_length(box) - 1);
	assert_int_equal(heads_get(box->t.session.folder.state, &mine->id, &kept, NULL), OK);
	assert_int_equal(kept.seq, head.seq);
	assert_true(hash_equal(&kept.hash, &head.hash));
}

/* The way from the kit to the account. */
static void the_locator_object(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct kit_secret other;
	struct kit_keys keys;
	struct locator_content content;
	struct buf object;
	struct statefolder_locator noted;
	struct hash now;
	struct why why = { OK, "" };
	buf_init(&object, STORE_LOCATOR_MAX);
	kitkeys_derive(&keys, &box->kit);
	assert_int_equal(store_locator_get(box->raw, &keys.locator, &object, NULL), OK);
	assert_int_equal(locator_open(&content, &keys, buf_span(&object)), OK);
	assert_true(hash_equal(&content.account, &mine->id));
	assert_true(hash_equal(&content.store, store_id(box->raw)));
	buf_clear(&object);
	assert_int_equal(kitkeys_generate(&other, accountbox_fresh(box)), OK);
	rawbox_ok(account_put_locator(mine, &other, &why), &why);
	kitkeys_derive(&keys, &other);
	assert_int_equal(store_locator_get(box->raw, &keys.locator, &object, NULL), OK);
	assert_int_equal(locator_open(&content, &keys, buf_span(&object)), OK);
	assert_true(hash_equal(&content.account, &mine->id));
	/* the device remembers it */
	assert_int_equal(statefolder_get_locator(&box->t.session.folder, &noted, NULL), OK);
	hash_of(&now, buf_span(&object));
	assert_true(hash_equal(&noted.name, &keys.locator));
	assert_true(hash_equal(&noted.sum, &now));
	buf_free(&object);
	rawbox_fail(box, FAULTY_LOCATOR_PUT, E_IO);
	assert_int_equal(kitkeys_generate(&other, accountbox_fresh(box)), OK);
	assert_int_equal(account_put_locator(mine, &other, &why), E_IO);
	faulty_clear(box->store);
}

/* Nothing points to an account that is not there. */
static void an_account_that_cannot_be_made(void **state) {
	struct rawbox *box = *state;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	for (size_t i = 0; i < 2; i++) {
		struct device_keys keys;
		struct kit_secret kit;
		struct kit_keys kit_keys;
		struct hash id;
		struct buf object;
		struct why why = { OK, "" };
		struct account_new n = { .store = box->store,
			.fresh = accountbox_fresh(box),
			.keys = &keys,
			.device_name = span_text("x"),
			.kit = &kit };
		assert_int_equal(devicekeys_generate(&keys, accountbox_fresh(box)), OK);
		assert_int_equal(kitkeys_generate(&kit, accountbox_fresh(box)), OK);
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(account_create(&n, &id, &why), E_IO);
		faulty_clear(box->store);
		buf_init(&object, STORE_LOCATOR_MAX);
		kitkeys_derive(&kit_keys, &kit);
		assert_int_equal(store_locator_get(box->raw, &kit_keys.locator, &object, NULL), E_NOTFOUND);
		buf_free(&object);
	}
}

static void who_may_open_it(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct actor kit = accountbox_kit_actor(&box->kit), stranger;
	struct device_keys keys;
	struct account a;
	struct why why;
	assert_int_equal(devicekeys_generate(&keys, accountbox_fresh(box)), OK);
	account_actor_device(&stranger, &keys);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), false), OK);
	assert_int_equal(accountbox_result(box, box->store, &kit, false), OK);
	assert_int_equal(accountbox_result(box, box->store, &stranger, false), E_DENIED);
	assert_int_equal(accountbox_result(box, box->store, &stranger, true), E_DENIED);
	/* who has the keys of a device, and is not one */
	stranger = *accountbox_device(box);
	stranger.id = storesuite_id(3);
	assert_int_equal(accountbox_result(box, box->store, &stranger, false), E_DENIED);
	struct account_open o = { .store = box->store,
		.fresh = accountbox_fresh(box),
		.actor = accountbox_device(box),
		.id = storesuite_id(4) };
	assert_int_equal(account_open(&a, &o, &why), E_NOTFOUND);
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), E_IO);
	faulty_clear(box->store);
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 1);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), E_FORGED);
}

static void what_was_seen_is_held_against_the_store(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct account a;
	struct why why;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	struct head newest = account_head(mine);
	rawstore_set(box->raw, before);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), E_ROLLBACK);
	/* a device that knows nothing yet, and one that joined at that entry */
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), false), OK);
	struct account_open o = {
		.store = box->store,
		.fresh = accountbox_fresh(box),
		.actor = accountbox_device(box),
		.id = mine->id,
		.anchor = newest,
		.has_anchor = true,
	};
	assert_int_equal(account_open(&a, &o, &why), E_ROLLBACK);
	o.anchor.seq--;
	assert_int_equal(account_open(&a, &o, &why), E_ROLLBACK); /* another entry there */
	/* a mirror may be behind: then it is only read, and what it says of the home is old */
	o.anchor.seq++;
	o.may_lag = true;
	rawbox_ok(account_open(&a, &o, &why), &why);
	assert_true(a.chain.lags);
	assert_false(a.is_home);
	assert_int_equal(accountbox_append(box, &a, 11, &why), E_DENIED);
	account_close(&a);
	rawstore_copy_free(before);
}

/* --- writing beside others */

struct rival {
	struct rawbox *box;
	struct account other;
	unsigned left; /* how often it is first */
	unsigned number;
	bool rotate;
	enum err always; /* or: the store's answer */
	unsigned asked;
};

static enum err be_first(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct rival *r = ctx;
	struct why why = { OK, "" };
	(void)seq;
	(void)bytes;
	if (!hash_equal(chain, &r->box->t.session.account.id)) return OK;
	r->asked++;
	if (r->always) return r->always;
	if (!r->left) return OK;
	r->left--;
	unsigned left = r->left;
	r->left = 0; /* nobody is before the rival itself */
	if (r->rotate) rawbox_ok(account_rotate(&r->other, &why), &why);
	else rawbox_ok(accountbox_append(r->box, &r->other, r->number++, &why), &why);
	r->left = left;
	return OK;
}

static void another_writer_was_first(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct rival r = { .box = box, .left = RIVALS, .number = 100 };
	struct why why;
	uint64_t before = accountbox_length(box);
	accountbox_open(box, &r.other, box->raw, accountbox_device(box), false);
	rawstore_on_append(box->raw, be_first, &r);
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_int_equal(accountbox_length(box), before + RIVALS + 1);
	assert_true(accountbox_has_vault(mine, 10));
	for (unsigned i = 0; i < RIVALS; i++) assert_true(accountbox_has_vault(mine, 100 + i));
	/* and the rival, when it looks again, has mine */
	assert_false(accountbox_has_vault(&r.other, 10));
	rawbox_ok(account_refresh(&r.other, &why), &why);
	assert_true(accountbox_has_vault(&r.other, 10));
	account_close(&r.other);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

/* A store where always somebody else is first: it is said, and not taken for done. */
static void a_store_that_is_always_busy(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct rival r = { .box = box, .always = E_BUSY };
	struct why why;
	uint64_t before = accountbox_length(box);
	rawstore_on_append(box->raw, be_first, &r);
	assert_int_equal(accountbox_append(box, mine, 10, &why), E_BUSY);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_true(r.asked > 100);
	assert_int_equal(accountbox_length(box), before);
	assert_false(accountbox_has_vault(mine, 10));
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	assert_true(accountbox_has_vault(mine, 10));
}

static void a_rotation_that_another_made(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct rival r = { .box = box, .left = 1, .rotate = true };
	struct why why = { OK, "" };
	accountbox_open(box, &r.other, box->raw, accountbox_device(box), false);
	rawstore_on_append(box->raw, be_first, &r);
	rawbox_ok(account_rotate(mine, &why), &why);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_int_equal(epochring_newest(mine->chain.ring), 2); /* one is enough */
	account_close(&r.other);
	/* an entry of mine that comes behind a rotation is sealed to the new epoch */
	r = (struct rival){ .box = box, .left = 1, .rotate = true };
	accountbox_open(box, &r.other, box->raw, accountbox_device(box), false);
	rawstore_on_append(box->raw, be_first, &r);
	rawbox_ok(accountbox_append(box, mine, 10, &why), &why);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_int_equal(epochring_newest(mine->chain.ring), 3);
	assert_true(accountbox_has_vault(mine, 10));
	account_close(&r.other);
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

/* An entry that could not be applied is applied when it is tried again, and not passed over: memory runs out at each place. */
static void what_could_not_be_applied_comes_first(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct account other;
	struct why why = { OK, "" };
	bool was_short = true;
	unsigned failures = 0;
	accountbox_open(box, &other, box->raw, accountbox_device(box), false);
	for (unsigned n = 1; was_short; n++) {
		rawbox_ok(accountbox_append(box, &other, 200 + 2 * n, &why), &why);
		rawbox_ok(accountbox_append(box, &other, 201 + 2 * n, &why), &why);
		uint64_t before = mem_count();
		mem_fail_at(n);
		enum err e = account_refresh(mine, &why);
		mem_fail_at(0);
		was_short = mem_count() - before >= n;
		assert_true(e == OK || (was_short && e == E_NOMEM));
		failures += e == E_NOMEM;
		rawbox_ok(account_refresh(mine, &why), &why);
		assert_true(
			accountbox_has_vault(mine, 200 + 2 * n) && accountbox_has_vault(mine, 201 + 2 * n));
		assert_int_equal(mine->state.count, accountbox_length(box));
	}
	assert_true(failures > 3);
	account_close(&other);
}

/* The entry is there and the answer was lost: an error, and nothing breaks by it. */
static void an_answer_that_was_lost(void **state) {
	struct rawbox *box = *state;
	struct account *mine = &box->t.session.account;
	struct why why;
	uint64_t before = accountbox_length(box);
	faulty_order(box->store,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_AFTER, .error = E_IO });
	assert_int_equal(accountbox_append(box, mine, 10, &why), E_IO);
	faulty_clear(box->store);
	assert_int_equal(accountbox_length(box), before + 1);
	rawbox_ok(accountbox_append(box, mine, 11, &why), &why);
	assert_true(accountbox_has_vault(mine, 10) && accountbox_has_vault(mine, 11));
	assert_int_equal(accountbox_result(box, box->store, accountbox_device(box), true), OK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_new_account_says, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(the_locator_object, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			an_account_that_cannot_be_made, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(who_may_open_it, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_seen_is_held_against_the_store, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(another_writer_was_first, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(a_store_that_is_always_busy, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_rotation_that_another_made, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_could_not_be_applied_comes_first, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_was_lost, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
