/* client/vault: written to beside others by who looks again, and rotated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appending.h"
#include "client/vault.h"
#include "rawbox.h"
#include "storesuite.h"

enum { RIVALS = 5 };

static int teardown(void **state) {
	struct rawbox *box = *state;
	rawstore_on_append(box->raw, NULL, NULL);
	return rawbox_teardown(state);
}

static void an_entry_is_appended_and_applied(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct appending d = { .seed = 1 };
	struct why why;
	struct head kept;
	uint64_t before = rawbox_length(box);
	rawbox_ok(appending_try(mine, &d, &why), &why);
	assert_int_equal(d.asked, 1);
	assert_int_equal(d.count_seen, before);
	assert_int_equal(rawbox_length(box), before + 1);
	assert_true(appending_has(mine, 1));
	struct head head = vault_head(mine);
	assert_int_equal(head.seq, before);
	assert_int_equal(heads_get(box->t.session.folder.state, &mine->id, &kept, NULL), OK);
	assert_int_equal(kept.seq, head.seq);
	assert_true(hash_equal(&kept.hash, &head.hash));
}

static void who_decides_not_to(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	static const enum err errors[] = { E_CANCELLED, E_EXISTS, E_BUSY, E_NOTFOUND };
	struct why why;
	uint64_t before = rawbox_length(box);
	for (size_t i = 0; i < 4; i++) {
		struct appending d = { .seed = 1, .refuse = errors[i] };
		assert_int_equal(appending_try(mine, &d, &why), errors[i]);
		assert_string_equal(why.msg, "not now");
		assert_int_equal(d.asked, 1);
	}
	assert_int_equal(rawbox_length(box), before);
}

/* Another process of this device, or another device: first for a while. */
struct rival {
	struct rawbox *box;
	struct testvault t;
	unsigned left;
	uint64_t seed;
	bool rotate, rotate_account;
	enum err always;
	unsigned asked;
};

static enum err be_first(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct rival *r = ctx;
	struct why why = { OK, "" };
	(void)seq;
	(void)bytes;
	if (!hash_equal(chain, &r->box->t.vault.id)) return OK;
	r->asked++;
	if (r->always) return r->always;
	if (!r->left) return OK;
	unsigned left = r->left - 1;
	r->left = 0;
	if (r->rotate) {
		rawbox_ok(vault_rotate(&r->t.vault, &why), &why);
	} else {
		if (r->rotate_account) rawbox_ok(account_rotate(&r->t.session.account, &why), &why);
		appending_one(&r->t.vault, r->seed++);
	}
	r->left = left;
	return OK;
}

static void open_rival(struct rival *r) {
	testvault_must_open(&r->t, r->box->raw);
	rawstore_on_append(r->box->raw, be_first, r);
}

static void close_rival(struct rival *r) {
	rawstore_on_append(r->box->raw, NULL, NULL);
	testvault_close(&r->t);
}

/* Asked again each time, with what the other wrote. */
static void another_writer_was_first(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct rival r = { .box = box, .left = RIVALS, .seed = 100 };
	struct appending d = { .seed = 1 };
	struct why why;
	uint64_t before = rawbox_length(box);
	open_rival(&r);
	rawbox_ok(appending_try(mine, &d, &why), &why);
	assert_int_equal(d.asked, RIVALS + 1);
	assert_int_equal(d.count_seen, before + RIVALS);
	assert_int_equal(rawbox_length(box), before + RIVALS + 1);
	assert_true(appending_has(mine, 1));
	for (uint64_t i = 0; i < RIVALS; i++) assert_true(appending_has(mine, 100 + i));
	assert_int_equal(mine->state.void_count, 0);
	/* what it decides the second time counts */
	uint64_t now = rawbox_length(box);
	d = (struct appending){ .seed = 2, .refuse = E_CANCELLED, .refuse_at = 2 };
	r.left = 1;
	assert_int_equal(appending_try(mine, &d, &why), E_CANCELLED);
	assert_int_equal(d.asked, 2);
	assert_int_equal(rawbox_length(box), now + 1);
	assert_false(appending_has(mine, 2));
	close_rival(&r);
	assert_int_equal(rawbox_result(box, "main"), OK);
}

/* The rival's entry names a newer account head than this reader has: it reads the account again. */
static void an_account_that_is_newer(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct rival r = { .box = box, .left = 1, .seed = 100, .rotate_account = true };
	struct testvault t;
	struct appending d = { .seed = 1 };
	struct why why;
	open_rival(&r);
	uint64_t account = box->t.session.account.state.count;
	rawbox_ok(appending_try(mine, &d, &why), &why);
	assert_int_equal(box->t.session.account.state.count, account + 1);
	assert_true(appending_has(mine, 1) && appending_has(mine, 100));
	assert_int_equal(mine->state.void_count, 0);
	close_rival(&r);
	/* where the account was set back behind that, the vault does not open */
	struct hash id = box->t.session.account.id;
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &id, NULL, account);
	item->scope = storesuite_id(1);
	struct vault v;
	assert_int_equal(rawbox_open(box, &v, "main", &why), OK); /* this session has it still */
	vault_close(&v);
	assert_int_equal(testvault_open(&t, box->store, "main", &why), E_ROLLBACK);
	struct account_open o = {
		.store = box->store,
		.fresh = &box->t.session.secrets->fresh,
		.actor = &box->t.session.secrets->actor,
		.id = id,
	};
	struct session other = { .store = box->store, .ignore_heads = true };
	other.secrets = box->t.session.secrets;
	other.folder = box->t.session.folder;
	rawbox_ok(account_open(&other.account, &o, &why), &why);
	assert_int_equal(vault_open(&v, &other, "main", &why), E_ROLLBACK);
	assert_non_null(strstr(why.msg, "the account was set back"));
	account_close(&other.account);
}

/* An entry that can't be applied is not passed over: who tries again stops at it again, and goes on once it can be. */
static void what_could_not_be_applied_comes_first(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct rival r = { .box = box, .seed = 100 };
	struct why why = { OK, "" };
	uint64_t account = box->t.session.account.state.count;
	testvault_must_open(&r.t, box->raw);
	rawbox_ok(account_rotate(&r.t.session.account, &why), &why);
	appending_one(&r.t.vault, 100);
	appending_one(&r.t.vault, 101);
	/* the account entry that they name is not there for a while */
	struct hash id = box->t.session.account.id;
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &id, NULL, account);
	item->scope = storesuite_id(1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vault_refresh(mine, &why), E_ROLLBACK);
		assert_false(appending_has(mine, 100) || appending_has(mine, 101));
	}
	item->scope = id;
	rawbox_ok(vault_refresh(mine, &why), &why);
	assert_true(appending_has(mine, 100) && appending_has(mine, 101));
	assert_int_equal(mine->state.count, rawbox_length(box));
	assert_int_equal(mine->state.void_count, 0);
	testvault_close(&r.t);
}

static void a_store_that_fails(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct appending d = { .seed = 1 };
	struct why why;
	uint64_t before = rawbox_length(box);
	rawbox_fail(box, FAULTY_CHAIN_APPEND, E_IO);
	assert_int_equal(appending_try(mine, &d, &why), E_IO);
	assert_int_equal(d.asked, 1); /* no other try: what happened is not known */
	faulty_clear(box->store);
	assert_int_equal(rawbox_length(box), before);
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(appending_try(mine, &d, &why), E_IO);
	assert_int_equal(d.asked, 1); /* nobody decides on what may be old */
	faulty_clear(box->store);
	/* done, and the answer was lost */
	faulty_order(box->store,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_AFTER, .error = E_IO });
	assert_int_equal(appending_try(mine, &d, &why), E_IO);
	faulty_clear(box->store);
	assert_int_equal(rawbox_length(box), before + 1);
	appending_one(mine, 2);
	assert_true(appending_has(mine, 1) && appending_has(mine, 2));
	assert_int_equal(mine->state.void_count, 0);
}

static void a_rotation(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct why why = { OK, "" };
	struct streamref none = { .length = 0 };
	struct craft c;
	craft_begin(&c, &box->t);
	struct streamref ref = craft_content(&c, span_text("before"));
	(void)craft_end(&c, &none, 0, 0);
	assert_int_equal(vault_epoch(mine), 1);
	rawbox_ok(vault_rotate(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2);
	assert_int_equal(mine->chain.link.epoch, 2);
	const struct epoch_secrets *one = epochring_secrets(mine->chain.ring, 1);
	const struct epoch_secrets *two = epochring_secrets(mine->chain.ring, 2);
	assert_non_null(one);
	assert_non_null(two);
	assert_memory_not_equal(&one->s, &two->s, sizeof one->s);
	/* chunks keep their ids, so nothing is stored again; what was written opens still */
	craft_begin(&c, &box->t);
	struct streamref again = craft_content(&c, span_text("before"));
	craft_drop(&c);
	assert_true(streamref_equal(&ref, &again));
	appending_one(mine, 1);
	rawbox_reopen(box);
	assert_int_equal(vault_epoch(mine), 2);
	struct fetch *f = rawbox_fetch(box, 1);
	struct fetch_chunk chunk;
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, &ref.id, &chunk, &why), &why);
	fetch_release(f, &chunk);
	fetch_free(f);
}

static void a_rotation_that_another_made(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct rival r = { .box = box, .left = 1, .rotate = true };
	struct why why = { OK, "" };
	open_rival(&r);
	rawbox_ok(vault_rotate(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2); /* one is enough */
	/* an entry that comes behind one is sealed to the new epoch */
	r.left = 1;
	appending_one(mine, 1);
	assert_int_equal(vault_epoch(mine), 3);
	assert_int_equal(mine->state.void_count, 0);
	close_rival(&r);
	rawbox_reopen(box);
	assert_true(appending_has(mine, 1));
}

static void a_rotation_that_fails(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	struct why why = { OK, "" };
	uint64_t before = rawbox_length(box);
	for (size_t i = 0; i < 2; i++) {
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(vault_rotate(mine, &why), E_IO);
		assert_int_equal(why.code, E_IO);
		faulty_clear(box->store);
		assert_int_equal(rawbox_length(box), before);
		assert_int_equal(vault_epoch(mine), 1);
	}
	appending_one(mine, 1);
	rawbox_ok(vault_rotate(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2);
}

/* A kit that was replaced makes vaults due: whoever writes next begins an epoch that it has no way into. */
static void a_rotation_that_is_due(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct kit_secret kit;
	struct kit_keys keys;
	struct device_public pub;
	struct why why = { OK, "" };
	struct account *a = &box->t.session.account;
	assert_int_equal(kitkeys_generate(&kit, &box->t.session.secrets->fresh), OK);
	kitkeys_derive(&keys, &kit);
	kitkeys_public(&pub, &keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_RECOVERY,
		.kit = account_record(&pub, DEVICERECORD_KIT, span_text("recovery kit"), 0),
	};
	rawbox_ok(account_append(a, &body, &why), &why);
	assert_true(a->state.rotate_due);
	uint64_t before = rawbox_length(box);
	appending_one(mine, 1);
	assert_false(a->state.rotate_due);
	assert_int_equal(vault_epoch(mine), 2);
	assert_int_equal(rawbox_length(box), before + 2);
	/* once */
	appending_one(mine, 2);
	rawbox_ok(vault_prepare_write(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2);
	rawbox_reopen(box);
	assert_true(appending_has(mine, 1) && appending_has(mine, 2));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_entry_is_appended_and_applied, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(who_decides_not_to, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(another_writer_was_first, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_that_is_newer, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_could_not_be_applied_comes_first, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_fails, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_another_made, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_fails, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_is_due, rawbox_setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
