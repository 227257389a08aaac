/* client/vault: made, opened by name, by whom and from what; moved; and not where it must not be. */
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

enum { MANY = 70 };

static int teardown(void **state) {
	struct rawbox *box = *state;
	rawstore_on_append(box->raw, NULL, NULL);
	return rawbox_teardown(state);
}

/* --- opening */

static enum err create(struct rawbox *box, const char *name, struct why *why) {
	struct vault_new n = { .name = name, .hold = 60, .chunks = testvault_chunks };
	*why = (struct why){ OK, "" };
	enum err e = vault_create(&box->t.session, &n, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static void names(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct vault v;
	struct why why;
	assert_int_equal(rawbox_result(box, "main"), OK);
	assert_int_equal(rawbox_result(box, NULL), OK); /* the only one */
	assert_int_equal(rawbox_result(box, "Main"), E_NOTFOUND);
	assert_int_equal(rawbox_result(box, ""), E_NOTFOUND);
	rawbox_ok(create(box, "photos", &why), &why);
	rawbox_ok(rawbox_open(box, &v, NULL, &why), &why); /* "main", of several */
	assert_string_equal(v.name, "main");
	vault_close(&v);
	rawbox_ok(rawbox_open(box, &v, "photos", &why), &why);
	assert_false(hash_equal(&v.id, &mine->id));
	assert_int_equal(v.state.chunk_min, testvault_chunks.min);
	assert_int_equal(v.state.chunk_max, testvault_chunks.max);
	assert_int_equal(v.state.mask_bits, testvault_chunks.mask_bits);
	assert_int_equal(vaultstate_hold(&v.state, INT64_MAX), 60);
	assert_true(v.is_home);
	vault_close(&v);
	assert_int_equal(rawbox_open(box, &v, "music", &why), E_NOTFOUND);
	assert_non_null(strstr(why.msg, "main, photos"));
	assert_int_equal(create(box, "photos", &why), E_EXISTS);
	assert_int_equal(create(box, "main", &why), E_EXISTS);
}

/* The list of names in the sentence is cut, not the program. */
static void many_names(void **state) {
	struct rawbox *box = *state;
	struct vault v;
	struct why why;
	char name[LIMIT_VAULT_NAME + 1];
	memset(name, 'v', sizeof name);
	name[LIMIT_VAULT_NAME] = '\0';
	for (int i = 0; i < 3; i++) {
		name[0] = (char)('a' + i);
		rawbox_ok(create(box, name, &why), &why);
	}
	rawbox_ok(rawbox_open(box, &v, name, &why), &why);
	assert_string_equal(v.name, name);
	vault_close(&v);
	name[0] = 'd';
	assert_int_equal(rawbox_open(box, &v, name, &why), E_NOTFOUND);
}

/* Another process of this device makes one of the same name right before the account names ours. */
struct namesake {
	struct rawbox *box;
	struct testvault t;
	bool is_done;
};

static enum err name_first(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct namesake *n = ctx;
	struct vault_new photos = { .name = "photos", .chunks = testvault_chunks };
	struct why why = { OK, "" };
	(void)seq;
	(void)bytes;
	if (n->is_done || !hash_equal(chain, &n->box->t.session.account.id)) return OK;
	n->is_done = true;
	rawbox_ok(vault_create(&n->t.session, &photos, &why), &why);
	return OK;
}

static void two_make_one_of_the_same_name(void **state) {
	struct rawbox *box = *state;
	struct namesake n = { .box = box };
	struct accountstate *a = &box->t.session.account.state;
	struct why why;
	testvault_must_open(&n.t, box->raw);
	rawstore_on_append(box->raw, name_first, &n);
	assert_int_equal(create(box, "photos", &why), E_EXISTS);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_true(n.is_done);
	assert_non_null(strstr(why.msg, "photos"));
	assert_int_equal(a->vault_count, 2);
	assert_int_equal(rawbox_result(box, "photos"), OK); /* the first one */
	testvault_close(&n.t);
	/* whose row may be changed */
	struct account_vault row = *accountstate_vault_named(a, span_text("photos"));
	struct accountbody again = {
		.type = ACCOUNTBODY_VAULT,
		.vault = { .vault = row.vault,
			.store = row.store,
			.role = row.role,
			.name = span_text("photos"),
			.anchor_sequence = row.anchor_sequence,
			.anchor_hash = row.anchor_hash },
	};
	rawbox_ok(account_append(&box->t.session.account, &again, &why), &why);
	assert_int_equal(a->vault_count, 2);
}

static void a_vault_that_cannot_be_made(void **state) {
	struct rawbox *box = *state;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	struct why why;
	for (size_t i = 0; i < 2; i++) {
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(create(box, "photos", &why), E_IO);
		faulty_clear(box->store);
		assert_int_equal(rawbox_result(box, "photos"), E_NOTFOUND);
	}
	/* a chunker that no vault has */
	struct vault_new n = { .name = "photos", .chunks = { .min = 10, .max = 5, .mask_bits = 99 } };
	assert_int_not_equal(vault_create(&box->t.session, &n, &why), OK);
	assert_int_equal(rawbox_result(box, "photos"), E_NOTFOUND);
	rawbox_ok(create(box, "photos", &why), &why);
	assert_int_equal(rawbox_result(box, "photos"), OK);
}

static void a_store_that_lies(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	for (uint64_t i = 0; i < 4; i++) appending_one(mine, i);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	/* altered, and cut short */
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 2);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(rawbox_result(box, "main"), E_FORGED);
	rawstore_set(box->raw, all);
	item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 4);
	rawstore_remove(box->raw, (size_t)(item - rawstore_at(box->raw, 0)));
	assert_int_equal(rawbox_result(box, "main"), E_ROLLBACK);
	rawstore_set(box->raw, all);
	/* the keys of its epoch */
	struct hash boxes = epochring_boxes(mine->chain.ring, 1);
	item = rawstore_find(box->raw, RAWSTORE_OBJECT, NULL, &boxes, 0);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(rawbox_result(box, "main"), E_FORGED);
	rawstore_set(box->raw, all);
	assert_int_equal(rawbox_result(box, "main"), OK);
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(rawbox_result(box, "main"), E_IO);
	faulty_clear(box->store);
	rawstore_copy_free(all);
}

static void what_was_verified_is_kept(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	for (uint64_t i = 0; i < MANY; i++) appending_one(mine, i);
	rawbox_reopen(box);
	assert_int_equal(mine->state.snapshot_count, MANY);
	for (uint64_t i = 0; i < MANY; i += 9) assert_true(appending_has(mine, i));
	appending_one(mine, MANY);
	rawbox_reopen(box);
	assert_true(appending_has(mine, MANY));
	/* an entry of long ago is not verified again, unless somebody asks for all */
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 3);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(rawbox_result(box, "main"), OK);
	box->t.session.whole_chains = true;
	assert_int_equal(rawbox_result(box, "main"), E_FORGED);
	box->t.session.whole_chains = false;
	item->bytes[item->len / 2] ^= 1;
	item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, rawbox_length(box) - 1);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(rawbox_result(box, "main"), E_FORGED);
}

/* --- homes and mirrors */

static void a_mirror_is_only_read(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct hash id = storesuite_id(88), home = *store_id(box->raw);
	struct store *mirror = rawstore_new(&id);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	struct testvault t;
	struct appending d = { .seed = 1 };
	struct why why = { OK, "" };
	rawstore_set(mirror, all);
	appending_one(mine, 5);
	/* behind its home, which this device knows: so it may be */
	testvault_must_open(&t, mirror);
	assert_true(t.vault.chain.lags);
	assert_false(t.vault.is_home);
	assert_int_equal(appending_try(&t.vault, &d, &why), E_DENIED);
	assert_int_equal(d.asked, 0);
	assert_int_equal(vault_prepare_write(&t.vault, &why), E_DENIED);
	struct vault_new n = { .name = "x", .hold = 0, .chunks = testvault_chunks };
	size_t items = rawstore_count(mirror);
	assert_int_equal(vault_create(&t.session, &n, &why), E_DENIED);
	assert_int_equal(rawstore_count(mirror), items);
	testvault_close(&t);
	/* level with it: a mirror still, until it is made the home */
	struct rawstore_copy *now = rawstore_copy(box->raw);
	rawstore_set(mirror, now);
	testvault_must_open(&t, mirror);
	assert_false(t.vault.chain.lags);
	assert_false(t.vault.is_home);
	rawbox_ok(account_move_home(&t.session.account, &id, &why), &why);
	rawbox_ok(vault_move_home(&t.vault, &id, &why), &why);
	assert_true(t.vault.is_home);
	uint64_t count = t.vault.state.count;
	rawbox_ok(vault_move_home(&t.vault, &id, &why), &why); /* it is there */
	assert_int_equal(t.vault.state.count, count);
	appending_one(&t.vault, 6);
	/* moving is over: the old home as a mirror is not written to by the way */
	rawbox_ok(vault_move_home(&t.vault, &home, &why), &why);
	assert_false(t.vault.is_home);
	assert_int_equal(appending_try(&t.vault, &d, &why), E_DENIED);
	testvault_close(&t);
	rawstore_copy_free(all);
	rawstore_copy_free(now);
	store_free(mirror);
}

/* Who may look at it all the same does not write to it. */
static void a_home_that_was_set_back(void **state) {
	struct rawbox *box = *state;
	struct vault *mine = &box->t.vault;
	struct appending d = { .seed = 1 };
	struct vault v;
	struct why why;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	appending_one(mine, 5);
	rawstore_set(box->raw, before);
	assert_int_equal(rawbox_result(box, "main"), E_ROLLBACK);
	box->t.session.may_lag = true;
	rawbox_ok(rawbox_open(box, &v, "main", &why), &why);
	assert_true(v.chain.lags);
	assert_false(v.is_home);
	assert_int_equal(appending_try(&v, &d, &why), E_DENIED);
	vault_close(&v);
	rawstore_copy_free(before);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(many_names, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(two_make_one_of_the_same_name, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_vault_that_cannot_be_made, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_lies, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_verified_is_kept, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_mirror_is_only_read, rawbox_setup, teardown),
		cmocka_unit_test_setup_teardown(a_home_that_was_set_back, rawbox_setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
