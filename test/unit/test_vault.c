/* client/vault: opened by name, written to beside others by who looks again, rotated, moved; and not where it must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/vault.h"
#include "rawbox.h"
#include "storesuite.h"

enum { RIVALS = 5, MANY = 70 };

static struct rawbox *box;
static struct vault *mine;

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	mine = &box->t.vault;
	return 0;
}

static int teardown(void **state) {
	rawstore_on_append(box->raw, NULL, NULL);
	return rawbox_teardown(state);
}

static uint64_t length(void) {
	uint64_t n = 0;
	assert_int_equal(store_chain_length(box->raw, &mine->id, &n, NULL), OK);
	return n;
}

/* --- what is appended: snapshots that are nothing but an id */

struct decision {
	uint64_t seed;
	unsigned asked;
	uint64_t count_seen; /* the vault's entries when it was asked last */
	enum err refuse;
	unsigned refuse_at; /* the how manieth time */
};

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct decision *d = ctx;
	d->asked++;
	d->count_seen = v->state.count;
	assert_int_equal(out->body.type, 0);
	assert_int_equal(out->public_part.kind, ENTRYPUBLIC_NONE);
	if (d->refuse && d->asked >= d->refuse_at) return why_set(why, d->refuse, "not now");
	out->body = (struct vaultbody){
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = storesuite_id(d->seed),
		.stamp = { .host = span_text("host"), .branch = span_text("branch") },
	};
	return OK;
}

static enum err append_to(struct vault *v, struct decision *d, struct why *why) {
	*why = (struct why){ OK, "" };
	enum err e = vault_append(v, decide, d, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static void append(struct vault *v, uint64_t seed) {
	struct decision d = { .seed = seed };
	struct why why;
	rawbox_ok(append_to(v, &d, &why), &why);
}

static bool has(struct vault *v, uint64_t seed) {
	struct hash id = storesuite_id(seed);
	return vaultstate_snapshot(&v->state, &id) != NULL;
}

/* --- opening */

static enum err open_named(struct vault *v, const char *name, struct why *why) {
	*why = (struct why){ OK, "" };
	enum err e = vault_open(v, &box->t.session, name, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static enum err result(const char *name) {
	struct vault v;
	struct why why;
	enum err e = open_named(&v, name, &why);
	if (!e) vault_close(&v);
	return e;
}

static enum err create(const char *name, struct why *why) {
	struct vault_new n = { .name = name, .hold = 60, .chunks = testvault_chunks };
	*why = (struct why){ OK, "" };
	enum err e = vault_create(&box->t.session, &n, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static void names(void **state) {
	(void)state;
	struct vault v;
	struct why why;
	assert_int_equal(result("main"), OK);
	assert_int_equal(result(NULL), OK); /* the only one */
	assert_int_equal(result("Main"), E_NOTFOUND);
	assert_int_equal(result(""), E_NOTFOUND);
	rawbox_ok(create("photos", &why), &why);
	rawbox_ok(open_named(&v, NULL, &why), &why); /* "main", of several */
	assert_string_equal(v.name, "main");
	vault_close(&v);
	rawbox_ok(open_named(&v, "photos", &why), &why);
	assert_false(hash_equal(&v.id, &mine->id));
	assert_int_equal(v.state.chunk_min, testvault_chunks.min);
	assert_int_equal(v.state.chunk_max, testvault_chunks.max);
	assert_int_equal(v.state.mask_bits, testvault_chunks.mask_bits);
	assert_int_equal(vaultstate_hold(&v.state, INT64_MAX), 60);
	assert_true(v.is_home);
	vault_close(&v);
	assert_int_equal(open_named(&v, "music", &why), E_NOTFOUND);
	assert_non_null(strstr(why.msg, "main, photos"));
	assert_int_equal(create("photos", &why), E_EXISTS);
	assert_int_equal(create("main", &why), E_EXISTS);
}

/* The list of names in the sentence is cut, not the program. */
static void many_names(void **state) {
	(void)state;
	struct vault v;
	struct why why;
	char name[LIMIT_VAULT_NAME + 1];
	memset(name, 'v', sizeof name);
	name[LIMIT_VAULT_NAME] = '\0';
	for (int i = 0; i < 3; i++) {
		name[0] = (char)('a' + i);
		rawbox_ok(create(name, &why), &why);
	}
	rawbox_ok(open_named(&v, name, &why), &why);
	assert_string_equal(v.name, name);
	vault_close(&v);
	name[0] = 'd';
	assert_int_equal(open_named(&v, name, &why), E_NOTFOUND);
}

/* Another process of this device makes one of the same name right before the account names ours. */
struct namesake {
	struct testvault t;
	bool is_done;
};

static enum err name_first(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct namesake *n = ctx;
	struct vault_new photos = { .name = "photos", .chunks = testvault_chunks };
	struct why why = { OK, "" };
	(void)seq;
	(void)bytes;
	if (n->is_done || !hash_equal(chain, &box->t.session.account.id)) return OK;
	n->is_done = true;
	rawbox_ok(vault_create(&n->t.session, &photos, &why), &why);
	return OK;
}

static void two_make_one_of_the_same_name(void **state) {
	(void)state;
	struct namesake n = { .is_done = false };
	struct accountstate *a = &box->t.session.account.state;
	struct why why;
	testvault_must_open(&n.t, box->raw);
	rawstore_on_append(box->raw, name_first, &n);
	assert_int_equal(create("photos", &why), E_EXISTS);
	rawstore_on_append(box->raw, NULL, NULL);
	assert_true(n.is_done);
	assert_non_null(strstr(why.msg, "photos"));
	assert_int_equal(a->vault_count, 2);
	assert_int_equal(result("photos"), OK); /* the first one */
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
	(void)state;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	struct why why;
	for (size_t i = 0; i < 2; i++) {
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(create("photos", &why), E_IO);
		faulty_clear(box->store);
		assert_int_equal(result("photos"), E_NOTFOUND);
	}
	/* a chunker that no vault has */
	struct vault_new n = { .name = "photos", .chunks = { .min = 10, .max = 5, .mask_bits = 99 } };
	assert_int_not_equal(vault_create(&box->t.session, &n, &why), OK);
	assert_int_equal(result("photos"), E_NOTFOUND);
	rawbox_ok(create("photos", &why), &why);
	assert_int_equal(result("photos"), OK);
}

static void a_store_that_lies(void **state) {
	(void)state;
	for (uint64_t i = 0; i < 4; i++) append(mine, i);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	/* altered, and cut short */
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 2);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(result("main"), E_FORGED);
	rawstore_set(box->raw, all);
	item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 4);
	rawstore_remove(box->raw, (size_t)(item - rawstore_at(box->raw, 0)));
	assert_int_equal(result("main"), E_ROLLBACK);
	rawstore_set(box->raw, all);
	/* the keys of its epoch */
	struct hash boxes = epochring_boxes(mine->chain.ring, 1);
	item = rawstore_find(box->raw, RAWSTORE_OBJECT, NULL, &boxes, 0);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(result("main"), E_FORGED);
	rawstore_set(box->raw, all);
	assert_int_equal(result("main"), OK);
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(result("main"), E_IO);
	faulty_clear(box->store);
	rawstore_copy_free(all);
}

static void what_was_verified_is_kept(void **state) {
	(void)state;
	for (uint64_t i = 0; i < MANY; i++) append(mine, i);
	rawbox_reopen(box);
	assert_int_equal(mine->state.snapshot_count, MANY);
	for (uint64_t i = 0; i < MANY; i += 9) assert_true(has(mine, i));
	append(mine, MANY);
	rawbox_reopen(box);
	assert_true(has(mine, MANY));
	/* an entry of long ago is not verified again, unless somebody asks for all */
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, 3);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(result("main"), OK);
	box->t.session.whole_chains = true;
	assert_int_equal(result("main"), E_FORGED);
	box->t.session.whole_chains = false;
	item->bytes[item->len / 2] ^= 1;
	item = rawstore_find(box->raw, RAWSTORE_ENTRY, &mine->id, NULL, length() - 1);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(result("main"), E_FORGED);
}

/* --- appending */

static void an_entry_is_appended_and_applied(void **state) {
	(void)state;
	struct decision d = { .seed = 1 };
	struct why why;
	struct head kept;
	uint64_t before = length();
	rawbox_ok(append_to(mine, &d, &why), &why);
	assert_int_equal(d.asked, 1);
	assert_int_equal(d.count_seen, before);
	assert_int_equal(length(), before + 1);
	assert_true(has(mine, 1));
	struct head head = vault_head(mine);
	assert_int_equal(head.seq, before);
	assert_int_equal(heads_get(box->t.session.folder.state, &mine->id, &kept, NULL), OK);
	assert_int_equal(kept.seq, head.seq);
	assert_true(hash_equal(&kept.hash, &head.hash));
}

static void who_decides_not_to(void **state) {
	(void)state;
	static const enum err errors[] = { E_CANCELLED, E_EXISTS, E_BUSY, E_NOTFOUND };
	struct why why;
	uint64_t before = length();
	for (size_t i = 0; i < 4; i++) {
		struct decision d = { .seed = 1, .refuse = errors[i] };
		assert_int_equal(append_to(mine, &d, &why), errors[i]);
		assert_string_equal(why.msg, "not now");
		assert_int_equal(d.asked, 1);
	}
	assert_int_equal(length(), before);
}

/* Another process of this device, or another device: first for a while. */
struct rival {
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
	if (!hash_equal(chain, &mine->id)) return OK;
	r->asked++;
	if (r->always) return r->always;
	if (!r->left) return OK;
	unsigned left = r->left - 1;
	r->left = 0;
	if (r->rotate) {
		rawbox_ok(vault_rotate(&r->t.vault, &why), &why);
	} else {
		if (r->rotate_account) rawbox_ok(account_rotate(&r->t.session.account, &why), &why);
		append(&r->t.vault, r->seed++);
	}
	r->left = left;
	return OK;
}

static void open_rival(struct rival *r) {
	testvault_must_open(&r->t, box->raw);
	rawstore_on_append(box->raw, be_first, r);
}

static void close_rival(struct rival *r) {
	rawstore_on_append(box->raw, NULL, NULL);
	testvault_close(&r->t);
}

/* Asked again each time, with what the other wrote. */
static void another_writer_was_first(void **state) {
	(void)state;
	struct rival r = { .left = RIVALS, .seed = 100 };
	struct decision d = { .seed = 1 };
	struct why why;
	uint64_t before = length();
	open_rival(&r);
	rawbox_ok(append_to(mine, &d, &why), &why);
	assert_int_equal(d.asked, RIVALS + 1);
	assert_int_equal(d.count_seen, before + RIVALS);
	assert_int_equal(length(), before + RIVALS + 1);
	assert_true(has(mine, 1));
	for (uint64_t i = 0; i < RIVALS; i++) assert_true(has(mine, 100 + i));
	assert_int_equal(mine->state.void_count, 0);
	/* what it decides the second time counts */
	uint64_t now = length();
	d = (struct decision){ .seed = 2, .refuse = E_CANCELLED, .refuse_at = 2 };
	r.left = 1;
	assert_int_equal(append_to(mine, &d, &why), E_CANCELLED);
	assert_int_equal(d.asked, 2);
	assert_int_equal(length(), now + 1);
	assert_false(has(mine, 2));
	close_rival(&r);
	assert_int_equal(result("main"), OK);
}

/* The rival's entry names a newer account head than this reader has: it reads the account again. */
static void an_account_that_is_newer(void **state) {
	(void)state;
	struct rival r = { .left = 1, .seed = 100, .rotate_account = true };
	struct testvault t;
	struct decision d = { .seed = 1 };
	struct why why;
	open_rival(&r);
	uint64_t account = box->t.session.account.state.count;
	rawbox_ok(append_to(mine, &d, &why), &why);
	assert_int_equal(box->t.session.account.state.count, account + 1);
	assert_true(has(mine, 1) && has(mine, 100));
	assert_int_equal(mine->state.void_count, 0);
	close_rival(&r);
	/* where the account was set back behind that, the vault does not open */
	struct hash id = box->t.session.account.id;
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &id, NULL, account);
	item->scope = storesuite_id(1);
	struct vault v;
	assert_int_equal(open_named(&v, "main", &why), OK); /* this session has it still */
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
	(void)state;
	struct rival r = { .seed = 100 };
	struct why why = { OK, "" };
	uint64_t account = box->t.session.account.state.count;
	testvault_must_open(&r.t, box->raw);
	rawbox_ok(account_rotate(&r.t.session.account, &why), &why);
	append(&r.t.vault, 100);
	append(&r.t.vault, 101);
	/* the account entry that they name is not there for a while */
	struct hash id = box->t.session.account.id;
	struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_ENTRY, &id, NULL, account);
	item->scope = storesuite_id(1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vault_refresh(mine, &why), E_ROLLBACK);
		assert_false(has(mine, 100) || has(mine, 101));
	}
	item->scope = id;
	rawbox_ok(vault_refresh(mine, &why), &why);
	assert_true(has(mine, 100) && has(mine, 101));
	assert_int_equal(mine->state.count, length());
	assert_int_equal(mine->state.void_count, 0);
	testvault_close(&r.t);
}

static void a_store_that_fails(void **state) {
	(void)state;
	struct decision d = { .seed = 1 };
	struct why why;
	uint64_t before = length();
	rawbox_fail(box, FAULTY_CHAIN_APPEND, E_IO);
	assert_int_equal(append_to(mine, &d, &why), E_IO);
	assert_int_equal(d.asked, 1); /* no other try: what happened is not known */
	faulty_clear(box->store);
	assert_int_equal(length(), before);
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(append_to(mine, &d, &why), E_IO);
	assert_int_equal(d.asked, 1); /* nobody decides on what may be old */
	faulty_clear(box->store);
	/* done, and the answer was lost */
	faulty_order(box->store,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 1, .way = FAULTY_AFTER, .error = E_IO });
	assert_int_equal(append_to(mine, &d, &why), E_IO);
	faulty_clear(box->store);
	assert_int_equal(length(), before + 1);
	append(mine, 2);
	assert_true(has(mine, 1) && has(mine, 2));
	assert_int_equal(mine->state.void_count, 0);
}

/* --- epochs */

static void a_rotation(void **state) {
	(void)state;
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
	append(mine, 1);
	rawbox_reopen(box);
	assert_int_equal(vault_epoch(mine), 2);
	struct fetch *f = rawbox_fetch(box, 1);
	struct fetch_chunk chunk;
	rawbox_ok(fetch_chunk(f, CHUNKTYPE_CONTENT, &ref.id, &chunk, &why), &why);
	fetch_release(f, &chunk);
	fetch_free(f);
}

static void a_rotation_that_another_made(void **state) {
	(void)state;
	struct rival r = { .left = 1, .rotate = true };
	struct why why = { OK, "" };
	open_rival(&r);
	rawbox_ok(vault_rotate(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2); /* one is enough */
	/* an entry that comes behind one is sealed to the new epoch */
	r.left = 1;
	append(mine, 1);
	assert_int_equal(vault_epoch(mine), 3);
	assert_int_equal(mine->state.void_count, 0);
	close_rival(&r);
	rawbox_reopen(box);
	assert_true(has(mine, 1));
}

static void a_rotation_that_fails(void **state) {
	(void)state;
	static const enum faulty_verb verbs[] = { FAULTY_OBJECT_PUT, FAULTY_CHAIN_APPEND };
	struct why why = { OK, "" };
	uint64_t before = length();
	for (size_t i = 0; i < 2; i++) {
		rawbox_fail(box, verbs[i], E_IO);
		assert_int_equal(vault_rotate(mine, &why), E_IO);
		assert_int_equal(why.code, E_IO);
		faulty_clear(box->store);
		assert_int_equal(length(), before);
		assert_int_equal(vault_epoch(mine), 1);
	}
	append(mine, 1);
	rawbox_ok(vault_rotate(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2);
}

/* A kit that was replaced makes vaults due: whoever writes next begins an epoch that it has no way into. */
static void a_rotation_that_is_due(void **state) {
	(void)state;
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
	uint64_t before = length();
	append(mine, 1);
	assert_false(a->state.rotate_due);
	assert_int_equal(vault_epoch(mine), 2);
	assert_int_equal(length(), before + 2);
	/* once */
	append(mine, 2);
	rawbox_ok(vault_prepare_write(mine, &why), &why);
	assert_int_equal(vault_epoch(mine), 2);
	rawbox_reopen(box);
	assert_true(has(mine, 1) && has(mine, 2));
}

/* --- homes and mirrors */

static void a_mirror_is_only_read(void **state) {
	(void)state;
	struct hash id = storesuite_id(88), home = *store_id(box->raw);
	struct store *mirror = rawstore_new(&id);
	struct rawstore_copy *all = rawstore_copy(box->raw);
	struct testvault t;
	struct decision d = { .seed = 1 };
	struct why why = { OK, "" };
	rawstore_set(mirror, all);
	append(mine, 5);
	/* behind its home, which this device knows: so it may be */
	testvault_must_open(&t, mirror);
	assert_true(t.vault.chain.lags);
	assert_false(t.vault.is_home);
	assert_int_equal(append_to(&t.vault, &d, &why), E_DENIED);
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
	append(&t.vault, 6);
	/* moving is over: the old home as a mirror is not written to by the way */
	rawbox_ok(vault_move_home(&t.vault, &home, &why), &why);
	assert_false(t.vault.is_home);
	assert_int_equal(append_to(&t.vault, &d, &why), E_DENIED);
	testvault_close(&t);
	rawstore_copy_free(all);
	rawstore_copy_free(now);
	store_free(mirror);
}

/* Who may look at it all the same does not write to it. */
static void a_home_that_was_set_back(void **state) {
	(void)state;
	struct decision d = { .seed = 1 };
	struct vault v;
	struct why why;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	append(mine, 5);
	rawstore_set(box->raw, before);
	assert_int_equal(result("main"), E_ROLLBACK);
	box->t.session.may_lag = true;
	rawbox_ok(open_named(&v, "main", &why), &why);
	assert_true(v.chain.lags);
	assert_false(v.is_home);
	assert_int_equal(append_to(&v, &d, &why), E_DENIED);
	vault_close(&v);
	rawstore_copy_free(before);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(many_names, setup, teardown),
		cmocka_unit_test_setup_teardown(two_make_one_of_the_same_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vault_that_cannot_be_made, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_verified_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_is_appended_and_applied, setup, teardown),
		cmocka_unit_test_setup_teardown(who_decides_not_to, setup, teardown),
		cmocka_unit_test_setup_teardown(another_writer_was_first, setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_that_is_newer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_applied_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_another_made, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotation_that_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mirror_is_only_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_home_that_was_set_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
