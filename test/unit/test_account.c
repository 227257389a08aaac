/* client/account: made, opened by devices and kits, written to beside others, and not where that would harm it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/account.h"
#include "rawbox.h"
#include "secret/locator.h"
#include "storesuite.h"

enum { RIVALS = 5 };

static struct rawbox *box;
static struct account *mine; /* the session's, opened on the faulty store */

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	mine = &box->t.session.account;
	return 0;
}

static int teardown(void **state) {
	return rawbox_teardown(state);
}

static struct fresh *fresh(void) {
	return &box->t.session.secrets->fresh;
}

static uint64_t length(void) {
	uint64_t n = 0;
	assert_int_equal(store_chain_length(box->raw, &mine->id, &n, NULL), OK);
	return n;
}

/* Opens the account as the device's folder knows it, or (${folder} false) knowing nothing. */
static enum err open_as(struct account *a, struct store *store, const struct actor *actor,
	bool folder, struct why *why) {
	struct account_open o = {
		.store = store,
		.folder = folder ? &box->t.session.folder : NULL,
		.fresh = fresh(),
		.actor = actor,
		.id = mine->id,
	};
	*why = (struct why){ OK, "" };
	enum err e = account_open(a, &o, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static void open_well(
	struct account *a, struct store *store, const struct actor *actor, bool folder) {
	struct why why;
	rawbox_ok(open_as(a, store, actor, folder, &why), &why);
}

static enum err result(struct store *store, const struct actor *actor, bool folder) {
	struct account a;
	struct why why;
	enum err e = open_as(&a, store, actor, folder, &why);
	if (!e) account_close(&a);
	return e;
}

static const struct actor *device(void) {
	return &box->t.session.secrets->actor;
}

static struct actor kit_actor(const struct kit_secret *kit) {
	struct kit_keys keys;
	struct actor out;
	kitkeys_derive(&keys, kit);
	account_actor_kit(&out, &keys);
	return out;
}

/* An entry that names a vault. */
struct named {
	char name[16];
	struct accountbody body;
};

static void name_vault(struct named *n, unsigned number) {
	(void)snprintf(n->name, sizeof n->name, "vault %u", number);
	n->body = (struct accountbody){
		.type = ACCOUNTBODY_VAULT,
		.vault = {
			.vault = storesuite_id(number),
			.store = *store_id(box->store),
			.role = ROLE_ADMIN,
			.name = span_text(n->name),
			.anchor_hash = storesuite_id(number),
		},
	};
}

static enum err append(struct account *a, unsigned number, struct why *why) {
	struct named n;
	name_vault(&n, number);
	*why = (struct why){ OK, "" };
	enum err e = account_append(a, &n.body, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static bool has_vault(const struct account *a, unsigned number) {
	struct hash id = storesuite_id(number);
	return accountstate_vault(&a->state, &id) != NULL;
}

/* Replaces the kit and goes no further: what a device that died right then leaves. */
static struct kit_secret replace_kit(struct account *a) {
	struct kit_secret kit;
	struct kit_keys keys;
	struct device_public pub;
	struct why why = { OK, "" };
	assert_int_equal(kitkeys_generate(&kit, fresh()), OK);
	kitkeys_derive(&keys, &kit);
	kitkeys_public(&pub, &keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_RECOVERY,
		.kit = account_record(&pub, DEVICERECORD_KIT, span_text("recovery kit"), 0),
	};
	rawbox_ok(account_append(a, &body, &why), &why);
	return kit;
}

/* --- made and opened */

static void what_a_new_account_says(void **state) {
	(void)state;
	struct actor kit = kit_actor(&box->kit);
	const struct account_device *d = accountstate_device(&mine->state, &device()->id);
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
	assert_int_equal(head.seq, length() - 1);
	assert_int_equal(heads_get(box->t.session.folder.state, &mine->id, &kept, NULL), OK);
	assert_int_equal(kept.seq, head.seq);
	assert_true(hash_equal(&kept.hash, &head.hash));
}

/* The way from the kit to the account. */
static void the_locator_object(void **state) {
	(void)state;
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
	assert_int_equal(kitkeys_generate(&other, fresh()), OK);
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
	assert_int_equal(kitkeys_generate(&other, fresh()), OK);
	assert_int_equal(account_put_locator(mine, &other, &why), E_IO);
	faulty_clear(box->store);
}

/* Nothing points to an account that is not there. */
static void an_account_that_cannot_be_made(void **state) {
	(void)state;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	for (size_t i = 0; i < 2; i++) {
		struct device_keys keys;
		struct kit_secret kit;
		struct kit_keys kit_keys;
		struct hash id;
		struct buf object;
		struct why why = { OK, "" };
		struct account_new n = { .store = box->store,
			.fresh = fresh(),
			.keys = &keys,
			.device_name = span_text("x"),
			.kit = &kit };
		assert_int_equal(devicekeys_generate(&keys, fresh()), OK);
		assert_int_equal(kitkeys_generate(&kit, fresh()), OK);
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
	(void)state;
	struct actor kit = kit_actor(&box->kit), stranger;
	struct device_keys keys;
	struct account a;
	struct why why;
	assert_int_equal(devicekeys_generate(&keys, fresh()), OK);
	account_actor_device(&stranger, &keys);
	assert_int_equal(result(box->store, device(), true), OK);
	assert_int_equal(result(box->store, device(), false), OK);
	assert_int_equal(result(box->store, &kit, false), OK);
	assert_int_equal(result(box->store, &stranger, false), E_DENIED);
	assert_int_equal(result(box->store, &stranger, true), E_DENIED);
	/* who has the keys of a device, and is not one */
	stranger = *device();
	stranger.id = storesuite_id(3);
	assert_int_equal(result(box->store, &stranger, false), E_DENIED);
	struct account_open o = {
		.store = box->store, .fresh = fresh(), .actor = device(), .id = storesuite_id(4)
	};
	assert_int_equal(account_open(&a, &o, &why), E_NOTFOUND);
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(result(box->store, device(), true), E_IO);
	faulty_clear(box->store);
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 1);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(result(box->store, device(), true), E_FORGED);
}

static void what_was_seen_is_held_against_the_store(void **state) {
	(void)state;
	struct account a;
	struct why why;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	rawbox_ok(append(mine, 10, &why), &why);
	struct head newest = account_head(mine);
	rawstore_set(box->raw, before);
	assert_int_equal(result(box->store, device(), true), E_ROLLBACK);
	/* a device that knows nothing yet, and one that joined at that entry */
	assert_int_equal(result(box->store, device(), false), OK);
	struct account_open o = {
		.store = box->store,
		.fresh = fresh(),
		.actor = device(),
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
	assert_int_equal(append(&a, 11, &why), E_DENIED);
	account_close(&a);
	rawstore_copy_free(before);
}

/* --- writing beside others */

struct rival {
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
	if (!hash_equal(chain, &mine->id)) return OK;
	r->asked++;
	if (r->always) return r->always;
	if (!r->left) return OK;
	r->left--;
	unsigned left = r->left;
	r->left = 0; /* nobody is before the rival itself */
	if (r->rotate) rawbox_ok(account_rotate(&r->other, &why), &why);
	else rawbox_ok(append(&r->other, r->number++, &why), &why);
	r->left = left;
	return OK;
}

static void another_writer_was_first(void **state) {
	(void)state;
	struct rival r = { .left = RIVALS, .number = 100 };
	struct why why;
	uint64_t before = length();
	open_well(&r.other, box->raw, device(), false);
	rawstore_on_append(box->raw, be_first, &r);
	rawbox_ok(append(mine, 10, &why), &why);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_int_equal(length(), before + RIVALS + 1);
	assert_true(has_vault(mine, 10));
	for (unsigned i = 0; i < RIVALS; i++) assert_true(has_vault(mine, 100 + i));
	/* and the rival, when it looks again, has mine */
	assert_false(has_vault(&r.other, 10));
	rawbox_ok(account_refresh(&r.other, &why), &why);
	assert_true(has_vault(&r.other, 10));
	account_close(&r.other);
	assert_int_equal(result(box->store, device(), true), OK);
}

/* A store where always somebody else is first: it is said, and not taken for done. */
static void a_store_that_is_always_busy(void **state) {
	(void)state;
	struct rival r = { .always = E_BUSY };
	struct why why;
	uint64_t before = length();
	rawstore_on_append(box->raw, be_first, &r);
	assert_int_equal(append(mine, 10, &why), E_BUSY);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_true(r.asked > 100);
	assert_int_equal(length(), before);
	assert_false(has_vault(mine, 10));
	rawbox_ok(append(mine, 10, &why), &why);
	assert_true(has_vault(mine, 10));
}

static void a_rotation_that_another_made(void **state) {
	(void)state;
	struct rival r = { .left = 1, .rotate = true };
	struct why why = { OK, "" };
	open_well(&r.other, box->raw, device(), false);
	rawstore_on_append(box->raw, be_first, &r);
	rawbox_ok(account_rotate(mine, &why), &why);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_int_equal(epochring_newest(mine->chain.ring), 2); /* one is enough */
	account_close(&r.other);
	/* an entry of mine that comes behind a rotation is sealed to the new epoch */
	r = (struct rival){ .left = 1, .rotate = true };
	open_well(&r.other, box->raw, device(), false);
	rawstore_on_append(box->raw, be_first, &r);
	rawbox_ok(append(mine, 10, &why), &why);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_int_equal(epochring_newest(mine->chain.ring), 3);
	assert_true(has_vault(mine, 10));
	account_close(&r.other);
	assert_int_equal(result(box->store, device(), true), OK);
}

/* An entry that could not be applied is applied when it is tried again, and not passed over: memory runs out at each place. */
static void what_could_not_be_applied_comes_first(void **state) {
	(void)state;
	struct account other;
	struct why why = { OK, "" };
	bool was_short = true;
	unsigned failures = 0;
	open_well(&other, box->raw, device(), false);
	for (unsigned n = 1; was_short; n++) {
		rawbox_ok(append(&other, 200 + 2 * n, &why), &why);
		rawbox_ok(append(&other, 201 + 2 * n, &why), &why);
		uint64_t before = mem_count();
		mem_fail_at(n);
		enum err e = account_refresh(mine, &why);
		mem_fail_at(0);
		was_short = mem_count() - before >= n;
		assert_true(e == OK || (was_short && e == E_NOMEM));
		failures += e == E_NOMEM;
		rawbox_ok(account_refresh(mine, &why), &why);
		assert_true(has_vault(mine, 200 + 2 * n) && has_vault(mine, 201 + 2 * n));
		assert_int_equal(mine->state.count, length());
	}
	assert_true(failures > 3);
	account_close(&other);
}

/* The entry is there and the answer was lost: an error, and nothing breaks by it. */
static void an_answer_that_was_lost(void **state) {
	(void)state;
	struct why why;
	uint64_t before = length();
	faulty_order(box->store,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_AFTER, .error = E_IO });
	assert_int_equal(append(mine, 10, &why), E_IO);
	faulty_clear(box->store);
	assert_int_equal(length(), before + 1);
	rawbox_ok(append(mine, 11, &why), &why);
	assert_true(has_vault(mine, 10) && has_vault(mine, 11));
	assert_int_equal(result(box->store, device(), true), OK);
}

/* --- epochs */

static void a_rotation_that_fails(void **state) {
	(void)state;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	struct why why = { OK, "" };
	uint64_t before = length();
	for (size_t i = 0; i < 2; i++) {
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(account_rotate(mine, &why), E_IO);
		assert_int_equal(why.code, E_IO);
		faulty_clear(box->store);
		assert_int_equal(length(), before);
		assert_int_equal(epochring_newest(mine->chain.ring), 1);
	}
	rawbox_ok(account_rotate(mine, &why), &why);
	assert_int_equal(epochring_newest(mine->chain.ring), 2);
	assert_int_equal(result(box->store, device(), true), OK);
}

/* Who was replaced opens nothing that is written from then on; the new one opens all. */
static void a_kit_that_was_replaced(void **state) {
	(void)state;
	struct actor old = kit_actor(&box->kit);
	struct why why;
	struct kit_secret kit = replace_kit(mine);
	struct actor new = kit_actor(&kit);
	assert_true(mine->state.rotate_due);
	uint64_t before = length();
	/* whoever writes next finishes the rotation first */
	rawbox_ok(append(mine, 10, &why), &why);
	assert_int_equal(length(), before + 2);
	assert_false(mine->state.rotate_due);
	assert_int_equal(epochring_newest(mine->chain.ring), 2);
	/* not because the state says so, but because there is no box for it */
	struct account a;
	assert_int_equal(open_as(&a, box->store, &old, false, &why), E_DENIED);
	assert_non_null(strstr(why.msg, "no key of this device opens epoch 2"));
	assert_int_equal(result(box->store, &new, false), OK);
	assert_int_equal(result(box->store, device(), true), OK);
}

/* Between the two entries the old kit has the keys still; what it wrote would stop every reader. */
static void a_kit_that_is_no_more_writes_nothing(void **state) {
	(void)state;
	struct actor old = kit_actor(&box->kit);
	struct account early;
	struct device_keys keys;
	struct why why = { OK, "" };
	open_well(&early, box->raw, &old, false);
	(void)replace_kit(mine);
	uint64_t before = length();
	assert_int_equal(result(box->store, &old, false), E_DENIED);
	/* opened before, and it looks again */
	rawbox_ok(account_refresh(&early, &why), &why);
	assert_int_equal(append(&early, 10, &why), E_DENIED);
	assert_int_equal(account_rotate(&early, &why), E_DENIED);
	assert_int_equal(devicekeys_generate(&keys, fresh()), OK);
	assert_int_equal(account_add_device(&early, &keys, span_text("thief"), &why), E_DENIED);
	account_close(&early);
	/* opened before, and it only finds out when it is not first */
	assert_int_equal(length(), before);
	rawbox_ok(append(mine, 11, &why), &why);
	assert_int_equal(result(box->store, device(), true), OK);
}

static enum err replace_now(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	bool *is_done = ctx;
	(void)seq;
	(void)bytes;
	if (*is_done || !hash_equal(chain, &mine->id)) return OK;
	*is_done = true;
	(void)replace_kit(mine);
	return OK;
}

static void a_kit_that_is_replaced_while_it_writes(void **state) {
	(void)state;
	struct actor old = kit_actor(&box->kit);
	struct account early;
	bool is_done = false;
	struct why why;
	open_well(&early, box->raw, &old, false);
	rawstore_on_append(box->raw, replace_now, &is_done);
	assert_int_equal(append(&early, 10, &why), E_DENIED);
	rawstore_on_append(box->raw, NULL, NULL);
	account_close(&early);
	assert_true(is_done);
	rawbox_ok(append(mine, 11, &why), &why);
	assert_int_equal(result(box->store, device(), true), OK);
}

static void another_device(void **state) {
	(void)state;
	struct actor kit = kit_actor(&box->kit), second;
	struct account by_kit, theirs;
	struct device_keys keys;
	struct why why = { OK, "" };
	assert_int_equal(devicekeys_generate(&keys, fresh()), OK);
	account_actor_device(&second, &keys);
	open_well(&by_kit, box->raw, &kit, false);
	rawbox_ok(account_add_device(&by_kit, &keys, span_text("second"), &why), &why);
	/* twice would be an entry that stops every reader */
	assert_int_equal(account_add_device(&by_kit, &keys, span_text("again"), &why), E_EXISTS);
	account_close(&by_kit);
	open_well(&theirs, box->raw, &second, false);
	assert_int_equal(accountstate_full_devices(&theirs.state), 2);
	rawbox_ok(append(&theirs, 10, &why), &why);
	rawbox_ok(account_refresh(mine, &why), &why);
	assert_true(has_vault(mine, 10));
	rawbox_ok(append(mine, 11, &why), &why);
	rawbox_ok(append(&theirs, 12, &why), &why);
	account_close(&theirs);
	assert_int_equal(result(box->store, &second, false), OK);
}

/* Killed, or cut off, between the entry that adds it and the rotation that gives it a box: the next try finishes. */
static void a_device_that_was_half_added(void **state) {
	(void)state;
	static const struct faulty_order orders[] = {
		{ .verb = FAULTY_CHAIN_APPEND, .nth = 2, .way = FAULTY_BEFORE, .error = E_IO },
		{ .verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_AFTER, .error = E_IO },
		{ .verb = FAULTY_OBJECT_PUT, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO },
	};
	struct actor kit = kit_actor(&box->kit);
	struct why why = { OK, "" };
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct actor second;
		struct account by_kit;
		struct device_keys keys;
		uint64_t before = length();
		assert_int_equal(devicekeys_generate(&keys, fresh()), OK);
		account_actor_device(&second, &keys);
		open_well(&by_kit, box->store, &kit, false);
		faulty_order(box->store, orders[i]);
		assert_int_equal(account_add_device(&by_kit, &keys, span_text("second"), &why), E_IO);
		faulty_clear(box->store);
		account_close(&by_kit);
		assert_int_equal(length(), before + 1);
		assert_int_equal(result(box->raw, &second, false), E_DENIED);
		open_well(&by_kit, box->store, &kit, false);
		rawbox_ok(account_add_device(&by_kit, &keys, span_text("second"), &why), &why);
		assert_int_equal(length(), before + 2);
		assert_int_equal(result(box->raw, &second, false), OK);
		assert_int_equal(account_add_device(&by_kit, &keys, span_text("second"), &why), E_EXISTS);
		account_close(&by_kit);
		assert_int_equal(length(), before + 2);
	}
}

struct joining {
	struct account by_kit;
	struct device_keys keys;
	bool is_done;
};

static enum err join_now(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct joining *j = ctx;
	struct why why = { OK, "" };
	(void)seq;
	(void)bytes;
	if (j->is_done || !hash_equal(chain, &mine->id)) return OK;
	j->is_done = true;
	rawbox_ok(account_add_device(&j->by_kit, &j->keys, span_text("second"), &why), &why);
	return OK;
}

/* One device alone may replace the kit; while it does so a second one comes, and then it may not. */
static void a_device_that_comes_while_the_kit_is_replaced(void **state) {
	(void)state;
	struct joining j = { .is_done = false };
	struct actor kit = kit_actor(&box->kit);
	struct kit_secret secret;
	struct kit_keys keys;
	struct device_public pub;
	struct why why = { OK, "" };
	open_well(&j.by_kit, box->raw, &kit, false);
	assert_int_equal(devicekeys_generate(&j.keys, fresh()), OK);
	assert_int_equal(kitkeys_generate(&secret, fresh()), OK);
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
	rawbox_ok(append(mine, 10, &why), &why);
	/* the kit may */
	rawbox_ok(account_refresh(&j.by_kit, &why), &why);
	rawbox_ok(account_append(&j.by_kit, &body, &why), &why);
	assert_int_equal(result(box->store, device(), true), OK);
	account_close(&j.by_kit);
}

/* --- homes and mirrors */

static void a_mirror_is_only_read(void **state) {
	(void)state;
	struct hash id = storesuite_id(88);
	struct store *mirror = rawstore_new(&id);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	struct account a;
	struct device_keys keys;
	struct why why = { OK, "" };
	uint64_t n = 0;
	rawstore_set(mirror, all);
	rawbox_ok(append(mine, 10, &why), &why);
	/* behind its home, which this device knows: so it may be */
	open_well(&a, mirror, device(), true);
	assert_true(a.chain.lags);
	assert_false(a.is_home);
	assert_int_equal(append(&a, 11, &why), E_DENIED);
	assert_int_equal(account_rotate(&a, &why), E_DENIED);
	assert_int_equal(devicekeys_generate(&keys, fresh()), OK);
	assert_int_equal(account_add_device(&a, &keys, span_text("x"), &why), E_DENIED);
	account_close(&a);
	assert_int_equal(store_chain_length(mirror, &mine->id, &n, NULL), OK);
	assert_int_equal(n, length() - 1);
	/* level with its home: a mirror still */
	struct rawstore_copy *now = rawstore_copy(box->raw);
	rawstore_set(mirror, now);
	open_well(&a, mirror, device(), true);
	assert_false(a.chain.lags);
	assert_false(a.is_home);
	assert_int_equal(append(&a, 11, &why), E_DENIED);
	/* until it is made the home; it stays so, and once is enough */
	rawbox_ok(account_move_home(&a, &id, &why), &why);
	assert_true(a.is_home);
	assert_int_equal(store_chain_length(mirror, &mine->id, &n, NULL), OK);
	rawbox_ok(account_move_home(&a, &id, &why), &why);
	uint64_t again = 0;
	assert_int_equal(store_chain_length(mirror, &mine->id, &again, NULL), OK);
	assert_int_equal(again, n);
	rawbox_ok(append(&a, 12, &why), &why);
	account_close(&a);
	/* the old home is now what may be behind, and is written to no more */
	open_well(&a, box->raw, device(), true);
	assert_true(a.chain.lags);
	assert_int_equal(append(&a, 13, &why), E_DENIED);
	account_close(&a);
	rawstore_copy_free(all);
	rawstore_copy_free(now);
	store_free(mirror);
}

/* A mirror takes the place of a home that was lost right after its kit was replaced: the rotation is finished on the way. */
static void a_home_lost_between_two_entries(void **state) {
	(void)state;
	struct hash id = storesuite_id(88);
	struct store *mirror = rawstore_new(&id);
	struct account a;
	struct why why = { OK, "" };
	(void)replace_kit(mine);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	rawstore_set(mirror, all);
	open_well(&a, mirror, device(), true);
	assert_true(a.state.rotate_due);
	assert_int_equal(append(&a, 10, &why), E_DENIED);
	assert_int_equal(account_rotate(&a, &why), E_DENIED);
	rawbox_ok(account_move_home(&a, &id, &why), &why);
	assert_true(a.is_home);
	assert_false(a.state.rotate_due);
	rawbox_ok(append(&a, 11, &why), &why);
	account_close(&a);
	assert_int_equal(result(mirror, device(), true), OK);
	rawstore_copy_free(all);
	store_free(mirror);
}

/* The home itself must not be behind, by whatever name it goes. */
static void a_home_that_was_set_back(void **state) {
	(void)state;
	struct why why;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	rawbox_ok(append(mine, 10, &why), &why);
	rawstore_set(box->raw, before);
	assert_int_equal(result(box->raw, device(), true), E_ROLLBACK);
	rawstore_copy_free(before);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_new_account_says, setup, teardown),
		cmocka_unit_test_setup_teardown(the_locator_object, setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_that_cannot_be_made, setup, teardown),
		cmocka_unit_test_setup_teardown(who_may_open_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_seen_is_held_against_the_store, setup, teardown),
		cmocka_unit_test_setup_teardown(another_writer_was_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_is_always_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_another_made, setup, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_applied_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_was_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kit_that_was_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kit_that_is_no_more_writes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kit_that_is_replaced_while_it_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(another_device, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_was_half_added, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_device_that_comes_while_the_kit_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mirror_is_only_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_home_lost_between_two_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(a_home_that_was_set_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
