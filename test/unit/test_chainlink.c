/* chain/chainlink: what a store and every reader see without a key (doc/spec/chains.md section 1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "forge.h"
#include "format/limits.h"

static struct forge f;
static const struct vaultbody account_word = { .type = VAULTBODY_ACCOUNT };
static const struct vaultbody policy = { .type = VAULTBODY_POLICY, .hold = FORGE_HOLD * 86400 };
static const struct vaultbody rotate = { .type = VAULTBODY_ROTATE };

static int start(void **state) {
	(void)state;
	forge_start(&f);
	return 0;
}

static int done(void **state) {
	(void)state;
	forge_done(&f);
	return 0;
}

static void draft(struct forge_draft *d, const struct vaultbody *body, uint8_t public_kind) {
	struct entrypublic pub = forge_public_of(public_kind);
	struct hash name = { { 7 } };
	pub.packs.names.rows = hash_span(&name);
	pub.store = f.store;
	forge_vault(&f, d, body, &pub);
}

/* chainlink_next alone. The link must be as it was unless the entry follows. */
static enum err next(struct forge_draft *d) {
	struct chainlink *c = &f.chains[d->kind].link, before = *c;
	struct entry entry;
	struct entrypublic pub;
	struct buf bytes;
	buf_init(&bytes, LIMIT_ENTRY);
	forge_make(&f, d, &bytes);
	struct span in = guarded_copy(&f.memory, buf_span(&bytes), bytes.len);
	enum err e = chainlink_next(c, in, &entry, &pub);
	if (e) assert_memory_equal(c, &before, sizeof before);
	else assert_int_equal(c->count, before.count + 1);
	*c = before;
	buf_free(&bytes);
	return e;
}

static void entries_that_follow(void **state) {
	(void)state;
	struct forge_draft d;
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(next(&d), OK);
	draft(&d, &policy, ENTRYPUBLIC_NONE);
	assert_int_equal(next(&d), OK);
	draft(&d, &rotate, ENTRYPUBLIC_ROTATE);
	assert_int_equal(next(&d), OK);
	draft(&d, &(struct vaultbody){ .type = VAULTBODY_HOME }, ENTRYPUBLIC_HOME);
	assert_int_equal(next(&d), OK);
	draft(&d, &(struct vaultbody){ .type = VAULTBODY_INTENT }, ENTRYPUBLIC_INTENT);
	assert_int_equal(next(&d), OK);
	draft(&d, &(struct vaultbody){ .type = VAULTBODY_PURGE }, ENTRYPUBLIC_PURGE);
	assert_int_equal(next(&d), OK);
}

/* Every field that links, one at a time, everything signed anew. */
static void wrong_links(void **state) {
	(void)state;
	struct forge_draft d;
	for (int i = 0; i < 12; i++) {
		draft(&d, &account_word, ENTRYPUBLIC_NONE);
		struct entry *o = &d.outer;
		switch (i) {
		case 0: o->kind = CHAIN_ACCOUNT; break;
		case 1: o->chain.b[31] ^= 1; break;
		case 2: o->chain = f.account.id; break;
		case 3: o->sequence++; break;
		case 4: o->previous.b[0] ^= 1; break;
		case 5: o->previous = f.account.id; break;
		case 6: o->control_hash.b[5] ^= 1; break;
		case 7: o->epoch++; break;
		case 8: o->time--; break;
		case 9: o->time = INT64_MIN; break;
		case 10: o->sequence = 0; break;
		case 11: o->epoch = 0; break;
		}
		enum err e = next(&d);
		/* what one entry shows to be none is E_FORMAT already */
		assert_true(e == E_FORGED || ((i == 0 || i >= 10) && e == E_FORMAT));
	}
}

/* Control sequence and hash are those of the newest control entry before, not of any. */
static void wrong_control_entry(void **state) {
	(void)state;
	struct forge_draft d;
	struct chainlink *c = &f.chains[CHAIN_VAULT].link;
	struct hash first = c->head;
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(forge_give(&f, &d), OK);
	assert_int_equal(c->control_sequence, 0);
	draft(&d, &policy, ENTRYPUBLIC_NONE);
	assert_int_equal(forge_give(&f, &d), OK);
	assert_int_equal(c->control_sequence, 2);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	d.outer.control_sequence = 0;
	d.outer.control_hash = first;
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	d.outer.control_sequence = 1;
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(next(&d), OK);
}

static void time_may_stand_still(void **state) {
	(void)state;
	struct forge_draft d;
	f.now = FORGE_START - FORGE_DAY; /* a clock that is behind: the draft takes the chain's time */
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(d.outer.time, FORGE_START);
	assert_int_equal(next(&d), OK);
	f.now = INT64_MAX;
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(forge_give(&f, &d), OK);
	f.now = FORGE_START;
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(d.outer.time, INT64_MAX);
	assert_int_equal(next(&d), OK);
}

/* The access key is the one of the entry's class, of the epoch in force before the entry. */
static void wrong_access_key(void **state) {
	(void)state;
	struct forge_draft d;
	static const enum role others[] = { ROLE_READER, ROLE_ADMIN };
	for (size_t i = 0; i < 2; i++) {
		draft(&d, &account_word, ENTRYPUBLIC_NONE);
		d.access_role = others[i];
		assert_int_equal(next(&d), E_FORGED);
	}
	draft(&d, &policy, ENTRYPUBLIC_NONE);
	d.access_role = ROLE_WRITER;
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	d.access = &f.chains[CHAIN_ACCOUNT].secrets[0]; /* another chain's */
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	d.fault = FORGE_ACCESS;
	assert_int_equal(next(&d), E_FORGED);
	/* a rotate by the key that it makes itself */
	draft(&d, &rotate, ENTRYPUBLIC_ROTATE);
	d.access = d.sealing;
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &rotate, ENTRYPUBLIC_ROTATE);
	d.outer.epoch--;
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &rotate, ENTRYPUBLIC_ROTATE);
	d.outer.epoch++;
	assert_int_equal(next(&d), E_FORGED);
	/* after a rotate, the keys from before it are worth nothing */
	draft(&d, &rotate, ENTRYPUBLIC_ROTATE);
	assert_int_equal(forge_give(&f, &d), OK);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	d.access = &f.chains[CHAIN_VAULT].secrets[0];
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	d.outer.epoch = 1;
	assert_int_equal(next(&d), E_FORGED);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	assert_int_equal(next(&d), OK);
}

/* Class, role and public part: all others than those of the table. */
static void wrong_class_and_role(void **state) {
	(void)state;
	struct forge_draft d;
	static const uint8_t kinds[] = { ENTRYPUBLIC_NONE, ENTRYPUBLIC_CREATE, ENTRYPUBLIC_ROTATE,
		ENTRYPUBLIC_INTENT, ENTRYPUBLIC_PURGE, ENTRYPUBLIC_HOME };
	for (size_t i = 0; i < sizeof kinds; i++) {
		bool control = kinds[i] == ENTRYPUBLIC_ROTATE || kinds[i] == ENTRYPUBLIC_HOME;
		bool data = kinds[i] == ENTRYPUBLIC_INTENT || kinds[i] == ENTRYPUBLIC_PURGE;
		if (kinds[i] == ENTRYPUBLIC_NONE) control = data = true;
		struct hash birth = f.chains[CHAIN_VAULT].birth;
		draft(&d, &account_word, kinds[i]);
		f.chains[CHAIN_VAULT].birth = birth;
		assert_int_equal(next(&d), data ? OK : E_FORGED);
		draft(&d, &policy, kinds[i]);
		f.chains[CHAIN_VAULT].birth = birth;
		if (kinds[i] == ENTRYPUBLIC_CREATE) d.access = &f.chains[CHAIN_VAULT].secrets[0];
		assert_int_equal(next(&d), control ? OK : E_FORGED);
	}
	for (uint8_t role = 0; role < 6; role++) {
		draft(&d, &account_word, ENTRYPUBLIC_NONE);
		d.outer.role = role;
		if (role == ROLE_ADMIN) d.access_role = ROLE_ADMIN;
		assert_int_equal(next(&d) == OK, role == ROLE_WRITER);
		draft(&d, &policy, ENTRYPUBLIC_NONE);
		d.outer.role = role;
		if (role == ROLE_WRITER) d.access_role = ROLE_WRITER;
		assert_int_equal(next(&d) == OK, role == ROLE_ADMIN);
	}
	/* an account chain has no data, intents, purges */
	struct entrypublic pub = forge_public_of(ENTRYPUBLIC_NONE);
	forge_account(&f, &d, &(struct accountbody){ .type = ACCOUNTBODY_HOME }, &pub);
	d.outer.class = ENTRY_DATA;
	d.outer.role = ROLE_WRITER;
	d.access_role = ROLE_WRITER;
	assert_int_equal(next(&d), E_FORMAT);
}

/* Kinds that a later version has: only who may write control entries gets to say so. */
static void unsupported_kinds(void **state) {
	(void)state;
	struct forge_draft d;
	static const uint8_t kinds[] = { ENTRYPUBLIC_GRANT, ENTRYPUBLIC_VERSION,
		ENTRYPUBLIC_REVOKE_GRANT, 9, 255 };
	for (size_t i = 0; i < sizeof kinds; i++) {
		uint8_t bytes[40] = { kinds[i] };
		draft(&d, &policy, ENTRYPUBLIC_NONE);
		forge_raw(&d.public_part, bytes, sizeof bytes);
		assert_int_equal(next(&d), E_UNSUPPORTED);
		draft(&d, &policy, ENTRYPUBLIC_NONE);
		forge_raw(&d.public_part, bytes, sizeof bytes);
		d.fault = FORGE_ACCESS;
		assert_int_equal(next(&d), E_FORGED);
		draft(&d, &policy, ENTRYPUBLIC_NONE);
		forge_raw(&d.public_part, bytes, sizeof bytes);
		d.outer.previous.b[0] ^= 1;
		assert_int_equal(next(&d), E_FORGED);
	}
}

static void wrong_first_entries(void **state) {
	(void)state;
	struct forge_draft d;
	for (int i = 0; i < 7; i++) {
		struct chainlink was = f.chains[CHAIN_VAULT].link;
		struct hash birth = f.chains[CHAIN_VAULT].birth;
		struct entrypublic pub = forge_public_of(ENTRYPUBLIC_CREATE);
		chainlink_init(&f.chains[CHAIN_VAULT].link, CHAIN_VAULT);
		struct vaultbody body = forge_vault_create_body(&f);
		forge_vault(&f, &d, &body, &pub);
		switch (i) {
		case 0: d.outer.epoch = 2; break;
		case 1: d.outer.chain.b[3] = 1; break;
		case 2: d.outer.previous.b[3] = 1; break;
		case 3: d.outer.control_hash.b[3] = 1; break;
		case 4: d.access_role = ROLE_WRITER; break;
		case 5: d.outer.class = ENTRY_DATA; break;
		case 6: forge_public(&d, &(struct entrypublic){ .kind = ENTRYPUBLIC_NONE }); break;
		}
		enum err e = next(&d);
		assert_int_equal(e, i == 1 || i == 2 || i == 3 || i == 5 ? E_FORMAT : E_FORGED);
		f.chains[CHAIN_VAULT].link = was;
		f.chains[CHAIN_VAULT].birth = birth;
	}
}

/* Cut short anywhere, and with any bit the other way: never taken, never read over the end. */
static void damaged_entries(void **state) {
	(void)state;
	struct forge_draft d;
	struct buf bytes;
	struct entry entry;
	struct entrypublic pub;
	struct chainlink c = f.chains[CHAIN_VAULT].link, before = c;
	buf_init(&bytes, LIMIT_ENTRY);
	draft(&d, &account_word, ENTRYPUBLIC_NONE);
	forge_make(&f, &d, &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		struct span in = guarded_copy(&f.memory, buf_span(&bytes), n);
		assert_int_not_equal(chainlink_next(&c, in, &entry, &pub), OK);
	}
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct span in = guarded_copy(&f.memory, buf_span(&bytes), bytes.len);
		enum err e = chainlink_next(&c, in, &entry, &pub);
		/* only the version in the magic makes it something for another program */
		if (bit / 8 != 3) assert_true(e == E_FORGED || e == E_FORMAT);
		assert_int_not_equal(e, OK);
		bytes.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_memory_equal(&c, &before, sizeof c);
	for (uint64_t nth = 1;; nth++) {
		struct span in = guarded_copy(&f.memory, buf_span(&bytes), bytes.len);
		mem_fail_at(nth);
		enum err e = chainlink_next(&c, in, &entry, &pub);
		mem_fail_at(0);
		if (e == OK) break;
		assert_int_equal(e, E_NOMEM);
		assert_memory_equal(&c, &before, sizeof c);
		assert_true(nth < 100);
	}
	buf_free(&bytes);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, done)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(entries_that_follow),
		EACH(wrong_links),
		EACH(wrong_control_entry),
		EACH(time_may_stand_still),
		EACH(wrong_access_key),
		EACH(wrong_class_and_role),
		EACH(unsupported_kinds),
		EACH(wrong_first_entries),
		EACH(damaged_entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
