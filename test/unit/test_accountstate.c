/* core/accountstate: who may write what into an account chain (doc/spec/chains.md sections 2 and 3). */
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
static struct forge_draft d;
static struct forge_room room;

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

static void draft(const struct accountbody *body, uint8_t public_kind) {
	struct entrypublic pub = forge_public_of(public_kind);
	pub.store.b[0] = 0x77;
	forge_account(&f, &d, body, &pub);
}

static struct accountbody vault_body(uint8_t id, const char *name) {
	return (struct accountbody){
		.type = ACCOUNTBODY_VAULT,
		.vault = { .vault = { { id } }, .role = ROLE_ADMIN, .name = span_text(name) },
	};
}

static void draft_vault(void) {
	struct accountbody body = vault_body(1, "main");
	draft(&body, ENTRYPUBLIC_NONE);
}

static void draft_add(const struct forge_device *who, uint8_t kind) {
	struct accountbody body = forge_add_body(&f, &room, who, kind);
	draft(&body, ENTRYPUBLIC_NONE);
}

static void draft_recovery(const struct forge_device *kit) {
	struct accountbody body = forge_recovery_body(kit);
	draft(&body, ENTRYPUBLIC_NONE);
}

static void draft_rotate(void) {
	draft(&(struct accountbody){ .type = ACCOUNTBODY_ROTATE }, ENTRYPUBLIC_ROTATE);
}

static void take(void) {
	uint64_t count = f.account.count;
	assert_int_equal(forge_give(&f, &d), OK);
	assert_int_equal(f.account.count, count + 1);
	assert_int_equal(f.account.void_count, 0);
}

/* The draft is void: it is reported, and changes nothing. */
static void refuse(void) {
	struct hash before = forge_account_sum(&f.account);
	uint64_t count = f.account.count, voids = f.account.void_count;
	uint64_t sequence = d.outer.sequence;
	assert_int_equal(forge_give(&f, &d), E_FORGED);
	struct hash after = forge_account_sum(&f.account);
	assert_memory_equal(before.b, after.b, HASH_SIZE);
	assert_int_equal(f.account.count, count);
	assert_int_equal(f.account.void_count, voids + 1);
	assert_int_equal(f.account.newest_void, sequence);
	f.account.void_count = 0;
}

static void what_entries_do(void **state) {
	(void)state;
	assert_int_equal(f.account.device_count, 2);
	assert_memory_equal(accountstate_kit(&f.account)->id.b, f.kit.pub.id.b, HASH_SIZE);
	assert_memory_equal(f.account.home.b, f.store.b, HASH_SIZE);
	assert_int_equal(accountstate_full_devices(&f.account), 1);
	draft_add(&f.second, DEVICERECORD_FULL);
	take();
	assert_int_equal(accountstate_full_devices(&f.account), 2);
	const struct account_device *second = accountstate_device(&f.account, &f.second.pub.id);
	assert_non_null(second);
	assert_false(accountstate_valid_at(second, 0));
	assert_true(accountstate_valid_at(second, 1));
	draft_vault();
	forge_by(&f, &d, &f.second);
	take();
	assert_non_null(accountstate_vault_named(&f.account, span_text("main")));
	assert_null(accountstate_vault_named(&f.account, span_text("mai")));
	struct accountbody again = vault_body(1, "photos");
	draft(&again, ENTRYPUBLIC_NONE);
	take();
	assert_int_equal(f.account.vault_count, 1);
	assert_null(accountstate_vault_named(&f.account, span_text("main")));
	draft(&(struct accountbody){ .type = ACCOUNTBODY_HOME }, ENTRYPUBLIC_HOME);
	take();
	assert_int_equal(f.account.home.b[0], 0x77);
	draft_rotate();
	take();
	draft_vault();
	take();
	assert_false(f.account.rotate_due);
	assert_int_equal(f.account.vaults_due, 0);
}

static void bad_sealing(void **state) {
	(void)state;
	static const enum forge_fault faults[] = { FORGE_AUTHOR, FORGE_SEALED, FORGE_PADDING,
		FORGE_LONGER };
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		draft_vault();
		d.fault = faults[i];
		refuse();
	}
	/* of the other chain, of another epoch */
	draft_vault();
	d.sealing = &f.chains[CHAIN_VAULT].secrets[0];
	refuse();
	draft_rotate();
	take();
	draft_vault();
	d.sealing = &f.chains[CHAIN_ACCOUNT].secrets[0];
	refuse();
}

/* Each type has its seal: what the second key opens is less than the account's own. */
static void wrong_seal(void **state) {
	(void)state;
	draft_vault();
	d.outer.seal = SEAL_CONTACT;
	refuse();
	draft_add(&f.second, DEVICERECORD_FULL);
	d.outer.seal = SEAL_BODY;
	refuse();
	draft_recovery(&f.new_kit);
	d.outer.seal = SEAL_CONTACT;
	refuse();
	draft_rotate();
	d.outer.seal = SEAL_BODY;
	refuse();
}

static void wrong_authors(void **state) {
	(void)state;
	/* not of the account */
	draft_vault();
	forge_by(&f, &d, &f.second);
	refuse();
	/* a device's name under another's signature */
	draft_vault();
	d.author = &f.second;
	refuse();
	draft_vault();
	d.inner.device = f.kit.pub.id;
	refuse();
	/* adding oneself */
	draft_add(&f.second, DEVICERECORD_FULL);
	forge_by(&f, &d, &f.second);
	refuse();
	/* a write-only device may write nothing here */
	draft_add(&f.second, DEVICERECORD_WRITE_ONLY);
	take();
	assert_int_equal(accountstate_full_devices(&f.account), 1);
	draft_vault();
	forge_by(&f, &d, &f.second);
	refuse();
	/* the kit may */
	draft_add(&f.new_kit, DEVICERECORD_FULL);
	forge_by(&f, &d, &f.kit);
	take();
}

/* Own sequence and hash name the device's entry before, exactly. */
static void wrong_thread(void **state) {
	(void)state;
	draft_vault();
	d.inner.own_sequence = ENTRYINNER_NONE;
	memset(&d.inner.own_hash, 0, HASH_SIZE);
	refuse();
	draft_vault();
	d.inner.own_hash.b[0] ^= 1;
	refuse();
	draft_vault();
	d.inner.own_sequence = 1;
	refuse();
	draft_vault();
	take();
	draft_vault(); /* the one before the one before */
	d.inner.own_sequence = 0;
	d.inner.own_hash = f.account.hashes[0];
	refuse();
	draft_vault();
	forge_by(&f, &d, &f.kit);
	d.inner.own_sequence = 1; /* another device's */
	d.inner.own_hash = f.account.hashes[1];
	refuse();
	draft_vault(); /* neither without the other */
	d.inner.own_sequence = ENTRYINNER_NONE;
	refuse();
	draft_vault();
	forge_by(&f, &d, &f.kit);
	d.inner.own_sequence = 0;
	refuse();
}

static void wrong_inner_part(void **state) {
	(void)state;
	draft_vault();
	d.inner.account = f.account.id;
	refuse();
	draft_vault();
	d.inner.account_sequence = 1;
	refuse();
	draft_vault();
	d.inner.account_head = f.account.id;
	refuse();
	draft_vault();
	forge_raw(&d.body, "\1\2\3", 3);
	refuse();
	draft_vault();
	assert_int_equal(buf_add_zero(&d.body, 1), OK);
	refuse();
}

/* Every type in every public part that is not its own. */
static void wrong_type(void **state) {
	(void)state;
	static const uint8_t publics[] = { ENTRYPUBLIC_NONE, ENTRYPUBLIC_ROTATE, ENTRYPUBLIC_HOME };
	static const uint8_t types[] = { ACCOUNTBODY_CREATE, ACCOUNTBODY_VAULT, ACCOUNTBODY_ROTATE,
		ACCOUNTBODY_HOME };
	for (size_t p = 0; p < 3; p++) {
		for (size_t t = 0; t < 4; t++) {
			struct accountbody body = { .type = types[t] };
			if (types[t] == ACCOUNTBODY_CREATE) body = forge_create_body(&f, &room);
			if (types[t] == ACCOUNTBODY_VAULT) body = vault_body(1, "main");
			draft(&body, publics[p]);
			bool fits = (publics[p] == ENTRYPUBLIC_NONE && types[t] == ACCOUNTBODY_VAULT) ||
				(publics[p] == ENTRYPUBLIC_ROTATE && types[t] == ACCOUNTBODY_ROTATE) ||
				(publics[p] == ENTRYPUBLIC_HOME && types[t] == ACCOUNTBODY_HOME);
			if (fits) take();
			else refuse();
		}
	}
	/* a vault chain's */
	draft_vault();
	d.inner.type = VAULTBODY_ACCOUNT;
	d.inner.account = d.inner.account_head = f.account.id;
	d.outer.seal = SEAL_CONTACT;
	forge_raw(&d.body, NULL, 0);
	refuse();
}

/* Types of a later version stop the reader: but only from who may write. */
static void unknown_types(void **state) {
	(void)state;
	static const uint8_t types[] = { 0, ACCOUNTBODY_SUSPEND, ACCOUNTBODY_REMOVE_DEVICE,
		ACCOUNTBODY_CLOSE, ACCOUNTBODY_VERSION, ACCOUNTBODY_SUMMARY, 12, 31 };
	for (size_t i = 0; i < sizeof types; i++) {
		struct hash before = forge_account_sum(&f.account);
		for (int by = 0; by < 4; by++) {
			draft(&(struct accountbody){ .type = ACCOUNTBODY_HOME },
				by == 3 ? ENTRYPUBLIC_HOME : ENTRYPUBLIC_NONE);
			d.inner.type = types[i];
			if (by == 0) {
				assert_int_equal(forge_give(&f, &d), E_UNSUPPORTED);
				continue;
			}
			if (by == 1) forge_by(&f, &d, &f.second);
			if (by == 2) d.fault = FORGE_AUTHOR;
			refuse();
		}
		struct hash after = forge_account_sum(&f.account);
		assert_memory_equal(before.b, after.b, HASH_SIZE);
	}
}

static void adding_devices(void **state) {
	(void)state;
	draft_add(&f.second, DEVICERECORD_FULL);
	d.body.ptr[d.body.len - 1] ^= 1; /* of joined, which is last */
	refuse();
	draft_add(&f.second, DEVICERECORD_FULL);
	d.body.ptr[d.body.len - SIGN_SIGNATURE - 1] ^= 1; /* of created, which joined signs */
	refuse();
	/* joined for another account */
	struct hash id = f.account.id;
	f.account.id.b[0] ^= 1;
	struct accountbody body = forge_add_body(&f, &room, &f.second, DEVICERECORD_FULL);
	f.account.id = id;
	draft(&body, ENTRYPUBLIC_NONE);
	refuse();
	/* devices that are there, or were */
	draft_add(&f.device, DEVICERECORD_FULL);
	refuse();
	draft_add(&f.device, DEVICERECORD_WRITE_ONLY);
	refuse();
	draft_add(&f.kit, DEVICERECORD_FULL);
	refuse();
	/* a kit comes with a recovery entry only */
	draft_add(&f.second, DEVICERECORD_FULL);
	d.body.ptr[0] = DEVICERECORD_KIT;
	refuse();
	draft_add(&f.second, DEVICERECORD_FULL);
	take();
}

static void recovery(void **state) {
	(void)state;
	/* by the only full device */
	draft_recovery(&f.new_kit);
	take();
	assert_true(f.account.rotate_due);
	assert_int_equal(f.account.vaults_due, 1);
	assert_memory_equal(accountstate_kit(&f.account)->id.b, f.new_kit.pub.id.b, HASH_SIZE);
	const struct account_device *old = accountstate_device(&f.account, &f.kit.pub.id);
	assert_true(accountstate_valid_at(old, 0));
	assert_false(accountstate_valid_at(old, 1));
	/* the next entry is a rotate, whoever writes it */
	draft_vault();
	refuse();
	draft_add(&f.second, DEVICERECORD_FULL);
	refuse();
	draft_recovery(&f.second);
	refuse();
	draft(&(struct accountbody){ .type = ACCOUNTBODY_HOME }, ENTRYPUBLIC_HOME);
	refuse();
	draft_rotate();
	forge_by(&f, &d, &f.kit); /* not who was replaced */
	refuse();
	draft_rotate();
	forge_by(&f, &d, &f.new_kit);
	take();
	assert_false(f.account.rotate_due);
	assert_int_equal(f.account.vaults_due, 1);
	/* the old kit is worth nothing */
	draft_vault();
	forge_by(&f, &d, &f.kit);
	refuse();
	draft_recovery(&f.second);
	forge_by(&f, &d, &f.kit);
	refuse();
	/* and does not come back */
	draft_recovery(&f.kit);
	refuse();
	draft_add(&f.kit, DEVICERECORD_FULL);
	refuse();
	draft_vault();
	take();
}

static void recovery_with_two_devices(void **state) {
	(void)state;
	draft_add(&f.second, DEVICERECORD_FULL);
	take();
	draft_recovery(&f.new_kit);
	refuse();
	draft_recovery(&f.new_kit);
	forge_by(&f, &d, &f.second);
	refuse();
	draft_recovery(&f.device); /* no new key */
	forge_by(&f, &d, &f.kit);
	refuse();
	draft_recovery(&f.kit);
	forge_by(&f, &d, &f.kit);
	refuse();
	draft_recovery(&f.new_kit);
	d.body.ptr[0] = DEVICERECORD_FULL;
	forge_by(&f, &d, &f.kit);
	refuse();
	draft_recovery(&f.new_kit);
	forge_by(&f, &d, &f.kit);
	take();
	assert_int_equal(f.account.vaults_due, 2);
}

/* The first entry: its author is the device in it, its kit is a kit, and joined is for no account. */
static void first_entries(void **state) {
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct forge g;
		struct entrypublic pub = forge_public_of(ENTRYPUBLIC_CREATE);
		forge_keys(&g);
		struct accountbody body = forge_create_body(&g, &room);
		forge_account(&g, &d, &body, &pub);
		switch (i) {
		case 0: forge_by(&g, &d, &g.second); break;
		case 1: d.author = &g.second; break;
		case 2: d.inner.device = g.second.pub.id; break;
		case 3: d.fault = FORGE_AUTHOR; break;
		case 4:
			d.inner.own_sequence = 0;
			d.inner.own_hash.b[0] = 1;
			break;
		case 5:
			room.joined[0] ^= 1;
			forge_account_body(&d, &body);
			break;
		case 6: d.inner.type = ACCOUNTBODY_ADD_DEVICE; break;
		case 7: d.body.ptr[0] = DEVICERECORD_WRITE_ONLY; break;
		case 8: d.outer.seal = SEAL_BODY; break;
		case 9: /* one key for both */
			body.kit = body.device;
			body.kit.kind = DEVICERECORD_KIT;
			forge_account_body(&d, &body);
			break;
		}
		struct hash before = forge_account_sum(&g.account);
		assert_int_equal(forge_give(&g, &d), E_FORGED);
		struct hash after = forge_account_sum(&g.account);
		assert_memory_equal(before.b, after.b, HASH_SIZE);
		assert_int_equal(g.account.count, 0);
		assert_int_equal(g.account.void_count, 1);
		forge_done(&g);
	}
}

static void epoch_that_is_not_open(void **state) {
	(void)state;
	struct buf bytes;
	struct entry entry;
	struct epochring *ring;
	struct hash hash = { { 1 } };
	buf_init(&bytes, LIMIT_ENTRY);
	draft_vault();
	forge_make(&f, &d, &bytes);
	assert_int_equal(entry_decode(&entry, buf_span(&bytes)), OK);
	assert_int_equal(epochring_new(&ring, CHAIN_ACCOUNT, &f.chains[CHAIN_ACCOUNT].birth), OK);
	assert_int_equal(
		accountstate_apply(&f.account, &entry, buf_span(&bytes), &hash, ring), E_DENIED);
	epochring_free(ring);
	buf_free(&bytes);
}

/* Whatever allocation fails, nothing has changed, and the same entry is taken afterwards. */
static void memory_runs_out(void **state) {
	(void)state;
	for (int i = 0; i < 40; i++) {
		struct buf bytes;
		struct entry entry;
		struct hash hash;
		buf_init(&bytes, LIMIT_ENTRY);
		if (i == 35) draft_recovery(&f.new_kit);
		else if (i == 36) draft_rotate();
		else if (i % 3 == 1 && i < 30) {
			struct accountbody body = vault_body((uint8_t)i, "more");
			draft(&body, ENTRYPUBLIC_NONE);
		} else if (i == 0) draft_add(&f.second, DEVICERECORD_WRITE_ONLY);
		else draft(&(struct accountbody){ .type = ACCOUNTBODY_HOME }, ENTRYPUBLIC_HOME);
		forge_make(&f, &d, &bytes);
		assert_int_equal(entry_decode(&entry, buf_span(&bytes)), OK);
		hash_of(&hash, buf_span(&bytes));
		struct hash before = forge_account_sum(&f.account);
		struct epochring *ring = f.chains[CHAIN_ACCOUNT].ring;
		for (uint64_t nth = 1; i != 36; nth++) {
			mem_fail_at(nth);
			enum err e = accountstate_apply(&f.account, &entry, buf_span(&bytes), &hash, ring);
			mem_fail_at(0);
			if (e == OK) break;
			assert_int_equal(e, E_NOMEM);
			struct hash after = forge_account_sum(&f.account);
			assert_memory_equal(before.b, after.b, HASH_SIZE);
			assert_true(nth < 100);
		}
		if (i == 36) assert_int_equal(forge_take(&f, CHAIN_ACCOUNT, buf_span(&bytes)), OK);
		else {
			struct entrypublic pub;
			assert_int_equal(
				chainlink_next(&f.chains[CHAIN_ACCOUNT].link, buf_span(&bytes), &entry, &pub), OK);
			/* the hash above was not the entry's: put the thread right */
			struct account_device *own = NULL;
			for (size_t k = 0; k < f.account.device_count; k++)
				if (hash_equal(&f.account.devices[k].id, &f.device.pub.id))
					own = &f.account.devices[k];
			assert_non_null(own);
			own->own_hash = f.chains[CHAIN_ACCOUNT].link.head;
			f.account.hashes[f.account.count - 1] = own->own_hash;
		}
		buf_free(&bytes);
	}
	assert_int_equal(f.account.count, 41);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, done)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(what_entries_do),
		EACH(bad_sealing),
		EACH(wrong_seal),
		EACH(wrong_authors),
		EACH(wrong_thread),
		EACH(wrong_inner_part),
		EACH(wrong_type),
		EACH(unknown_types),
		EACH(adding_devices),
		EACH(recovery),
		EACH(recovery_with_two_devices),
		EACH(first_entries),
		EACH(epoch_that_is_not_open),
		EACH(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
