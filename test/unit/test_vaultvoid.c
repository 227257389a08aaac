/* core/vaultstate: who may write what into a vault chain, and that the rest is void (doc/spec/chains.md sections 2 and 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forge.h"
#include "format/limits.h"
#include "vaultbox.h"

static void bad_sealing(void **state) {
	struct vaultbox *b = *state;
	static const enum forge_fault faults[] = { FORGE_AUTHOR, FORGE_SEALED, FORGE_PADDING,
		FORGE_LONGER };
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		vaultbox_snapshot(b, 1, 1, 1);
		b->d.fault = faults[i];
		vaultbox_refuse(b);
		vaultbox_policy(b, 7);
		b->d.fault = faults[i];
		vaultbox_refuse(b);
	}
	vaultbox_snapshot(b, 1, 1, 1);
	b->d.sealing = &b->f.chains[CHAIN_ACCOUNT].secrets[0];
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 1, 1);
	vaultbox_take(b);
}

static void wrong_authors(void **state) {
	struct vaultbox *b = *state;
	struct accountbody add = forge_add_body(&b->f, &b->room, &b->f.second, DEVICERECORD_WRITE_ONLY);
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	for (int control = 0; control < 2; control++) {
		const struct forge_device *others[] = { &b->f.second, &b->f.kit, &b->f.new_kit };
		for (size_t i = 0; i < 3; i++) {
			if (control) vaultbox_policy(b, 7);
			else vaultbox_snapshot(b, 1, 1, 1);
			forge_by(&b->f, &b->d, others[i]);
			vaultbox_refuse(b);
		}
		if (control) vaultbox_policy(b, 7);
		else vaultbox_snapshot(b, 1, 1, 1);
		b->d.author = &b->f.second; /* another's signature */
		vaultbox_refuse(b);
	}
	/* a write-only device of the account has no right in this version, however it seals */
	forge_account(&b->f, &b->d, &add, &none);
	assert_int_equal(forge_give(&b->f, &b->d), OK);
	vaultbox_snapshot(b, 1, 1, 1);
	forge_by(&b->f, &b->d, &b->f.second);
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 1, 1);
	forge_by(&b->f, &b->d, &b->f.second);
	b->d.outer.seal = SEAL_HPKE;
	vaultbox_refuse(b);
	vaultbox_policy(b, 7);
	forge_by(&b->f, &b->d, &b->f.second);
	vaultbox_refuse(b);
}

static void wrong_account_heads(void **state) {
	struct vaultbox *b = *state;
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	vaultbox_snapshot(b, 1, 0, 0);
	b->d.inner.account.b[0] ^= 1;
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 0, 0);
	b->d.inner.account_head.b[0] ^= 1;
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 0, 0);
	memset(&b->d.inner.account, 0, HASH_SIZE);
	vaultbox_refuse(b);
	/* a device that joined after the head it names */
	struct accountbody add = forge_add_body(&b->f, &b->room, &b->f.second, DEVICERECORD_FULL);
	forge_account(&b->f, &b->d, &add, &none);
	assert_int_equal(forge_give(&b->f, &b->d), OK);
	vaultbox_snapshot(b, 1, 0, 0);
	forge_by(&b->f, &b->d, &b->f.second);
	b->d.inner.account_sequence = 0;
	b->d.inner.account_head = b->f.account.hashes[0];
	vaultbox_refuse(b);
	/* an old head is good until a newer one was named */
	vaultbox_snapshot(b, 2, 0, 0);
	b->d.inner.account_sequence = 0;
	b->d.inner.account_head = b->f.account.hashes[0];
	vaultbox_take(b);
	vaultbox_snapshot(b, 3, 0, 0);
	forge_by(&b->f, &b->d, &b->f.second);
	vaultbox_take(b);
	vaultbox_snapshot(b, 4, 0, 0);
	b->d.inner.account_sequence = 0;
	b->d.inner.account_head = b->f.account.hashes[0];
	vaultbox_refuse(b);
	vaultbox_policy(b, 7);
	b->d.inner.account_sequence = 0;
	b->d.inner.account_head = b->f.account.hashes[0];
	vaultbox_refuse(b);
	/* a void entry names nothing */
	vaultbox_snapshot(b, 4, 0, 0);
	vaultbox_take(b);
}

/* A head beyond the reader's copy: it must read the account again, then the same entry is taken. */
static void newer_account_head(void **state) {
	struct vaultbox *b = *state;
	struct buf bytes;
	struct hash before = forge_vault_sum(&b->f.vault);
	buf_init(&bytes, LIMIT_ENTRY);
	struct accountbody add = forge_add_body(&b->f, &b->room, &b->f.second, DEVICERECORD_FULL);
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	struct buf account;
	buf_init(&account, LIMIT_ENTRY);
	forge_account(&b->f, &b->d, &add, &none);
	forge_make(&b->f, &b->d, &account);
	vaultbox_snapshot(b, 1, 1, 1);
	forge_by(&b->f, &b->d, &b->f.second);
	hash_label(&b->d.inner.account_head, "broch 1 entry", buf_span(&account));
	b->d.inner.account_sequence = 1;
	forge_make(&b->f, &b->d, &bytes);
	assert_int_equal(forge_take(&b->f, CHAIN_VAULT, buf_span(&bytes)), E_ROLLBACK);
	struct hash after = forge_vault_sum(&b->f.vault);
	assert_memory_equal(before.b, after.b, HASH_SIZE);
	assert_int_equal(b->f.vault.void_count, 0);
	assert_int_equal(forge_take(&b->f, CHAIN_ACCOUNT, buf_span(&account)), OK);
	assert_int_equal(forge_take(&b->f, CHAIN_VAULT, buf_span(&bytes)), OK);
	assert_int_equal(b->f.vault.snapshot_count, 1);
	buf_free(&account);
	buf_free(&bytes);
}

static void wrong_threads(void **state) {
	struct vaultbox *b = *state;
	vaultbox_snapshot(b, 1, 0, 0);
	b->d.inner.own_sequence = ENTRYINNER_NONE;
	memset(&b->d.inner.own_hash, 0, HASH_SIZE);
	vaultbox_refuse(b); /* entry 1 */
	vaultbox_snapshot(b, 1, 0, 0);
	b->d.inner.own_hash.b[0] ^= 1;
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 0, 0);
	b->d.inner.own_sequence = 1; /* a void entry of its own */
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 0, 0);
	vaultbox_take(b);
	vaultbox_snapshot(b, 2, 0, 0);
	b->d.inner.own_sequence = 0;
	b->d.inner.own_hash = b->f.vault.id;
	vaultbox_refuse(b);
	/* an entry of unknown type counts */
	vaultbox_plain(b, VAULTBODY_ACCOUNT);
	b->d.inner.type = 200;
	assert_int_equal(forge_give(&b->f, &b->d), OK);
	assert_int_equal(b->f.vault.unknown_count, 1);
	assert_int_equal(
		vaultstate_thread(&b->f.vault, &b->f.device.pub.id)->sequence, b->f.vault.count - 1);
	vaultbox_snapshot(b, 2, 0, 0);
	vaultbox_take(b);
}

static bool fits(uint8_t type, uint8_t kind) {
	switch (kind) {
	case ENTRYPUBLIC_ROTATE: return type == VAULTBODY_ROTATE;
	case ENTRYPUBLIC_HOME: return type == VAULTBODY_HOME;
	case ENTRYPUBLIC_INTENT: return type == VAULTBODY_INTENT;
	case ENTRYPUBLIC_PURGE: return type == VAULTBODY_PURGE;
	default: return type == VAULTBODY_POLICY || type == VAULTBODY_ACCOUNT;
	}
}

/* Every type in every class and public part that is not its own. */
static void wrong_types(void **state) {
	struct vaultbox *b = *state;
	static const uint8_t publics[] = { ENTRYPUBLIC_NONE, ENTRYPUBLIC_ROTATE, ENTRYPUBLIC_HOME,
		ENTRYPUBLIC_INTENT, ENTRYPUBLIC_PURGE };
	static const uint8_t types[] = { VAULTBODY_CREATE, VAULTBODY_ROTATE, VAULTBODY_POLICY,
		VAULTBODY_HOME, VAULTBODY_INTENT, VAULTBODY_PURGE, VAULTBODY_ACCOUNT, ACCOUNTBODY_HOME };
	for (size_t p = 0; p < 5; p++) {
		for (size_t t = 0; t < sizeof types; t++) {
			struct vaultbody body = { .type = VAULTBODY_ACCOUNT };
			bool control = publics[p] == ENTRYPUBLIC_ROTATE || publics[p] == ENTRYPUBLIC_HOME;
			if (publics[p] == ENTRYPUBLIC_NONE) control = types[t] == VAULTBODY_POLICY;
			if (types[t] == VAULTBODY_CREATE) body = forge_vault_create_body(&b->f);
			else if (types[t] != ACCOUNTBODY_HOME) body.type = types[t];
			vaultbox_draft(b, &body, publics[p]);
			b->d.inner.type = types[t];
			b->d.outer.class = control ? ENTRY_CONTROL : ENTRY_DATA;
			b->d.outer.role = control ? ROLE_ADMIN : ROLE_WRITER;
			b->d.access_role = (enum role)b->d.outer.role;
			if (!fits(types[t], publics[p])) vaultbox_refuse(b);
			else forge_drop(&b->d);
		}
	}
	/* data in a control entry, control in a data entry */
	vaultbox_snapshot(b, 1, 1, 1);
	b->d.outer.class = ENTRY_CONTROL;
	b->d.outer.role = b->d.access_role = ROLE_ADMIN;
	vaultbox_refuse(b);
	vaultbox_policy(b, 0);
	b->d.outer.class = ENTRY_DATA;
	b->d.outer.role = b->d.access_role = ROLE_WRITER;
	vaultbox_refuse(b);
}

/* Right is checked before type. */
static void unknown_types(void **state) {
	struct vaultbox *b = *state;
	static const uint8_t control[] = { VAULTBODY_MEMBER, VAULTBODY_GRANT, VAULTBODY_VERSION, 40,
		63 };
	static const uint8_t data[] = { 72, 128, 255 };
	for (size_t i = 0; i < sizeof control; i++) {
		vaultbox_policy(b, 7);
		b->d.inner.type = control[i];
		struct hash before = forge_vault_sum(&b->f.vault);
		assert_int_equal(forge_give(&b->f, &b->d), E_UNSUPPORTED);
		struct hash after = forge_vault_sum(&b->f.vault);
		assert_memory_equal(before.b, after.b, HASH_SIZE);
		assert_int_equal(b->f.vault.count, 1);
		vaultbox_policy(b, 7);
		b->d.inner.type = control[i];
		forge_by(&b->f, &b->d, &b->f.second);
		vaultbox_refuse(b);
		vaultbox_policy(b, 7);
		b->d.inner.type = control[i];
		b->d.fault = FORGE_AUTHOR;
		vaultbox_refuse(b);
	}
	for (size_t i = 0; i < sizeof data; i++) {
		vaultbox_plain(b, VAULTBODY_ACCOUNT);
		b->d.inner.type = data[i];
		assert_int_equal(forge_give(&b->f, &b->d), OK);
		assert_int_equal(b->f.vault.unknown_count, i + 1);
		vaultbox_plain(b, VAULTBODY_ACCOUNT);
		b->d.inner.type = data[i];
		forge_by(&b->f, &b->d, &b->f.second);
		vaultbox_refuse(b);
		assert_int_equal(b->f.vault.unknown_count, i + 1);
	}
}

static void malformed_bodies(void **state) {
	struct vaultbox *b = *state;
	static const uint8_t types[] = { VAULTBODY_SNAPSHOT, VAULTBODY_INDEX, VAULTBODY_TAG,
		VAULTBODY_FORGET, VAULTBODY_KEEP, VAULTBODY_ACCOUNT };
	for (size_t i = 0; i < sizeof types; i++) {
		vaultbox_plain(b, VAULTBODY_ACCOUNT);
		b->d.inner.type = types[i];
		forge_raw(&b->d.body, "\377\377\377", 3);
		vaultbox_refuse(b);
	}
	vaultbox_snapshot(b, 1, 1, 1);
	assert_int_equal(buf_add_zero(&b->d.body, 1), OK);
	vaultbox_refuse(b);
	vaultbox_snapshot(b, 1, 1, 1);
	b->d.body.len--;
	vaultbox_refuse(b);
}

static void first_entries(void **state) {
	struct vaultbox *b = *state;
	for (int i = 0; i < 8; i++) {
		struct entrypublic pub = forge_public_of(ENTRYPUBLIC_CREATE);
		struct vaultstate was = b->f.vault;
		struct forge_chain chain = b->f.chains[CHAIN_VAULT];
		vaultstate_init(&b->f.vault);
		b->f.chains[CHAIN_VAULT].ring = NULL;
		chainlink_init(&b->f.chains[CHAIN_VAULT].link, CHAIN_VAULT);
		struct vaultbody body = forge_vault_create_body(&b->f);
		forge_vault(&b->f, &b->d, &body, &pub);
		switch (i) {
		case 0: forge_by(&b->f, &b->d, &b->f.kit); break; /* not a full device */
		case 1: forge_by(&b->f, &b->d, &b->f.second); break;
		case 2: b->d.inner.account.b[0] ^= 1; break;
		case 3: b->d.inner.account_head.b[0] ^= 1; break;
		case 4:
			body.owner.b[0] ^= 1;
			forge_vault_body(&b->d, &body);
			break;
		case 5: b->d.inner.type = VAULTBODY_POLICY; break;
		case 6:
			b->d.inner.own_sequence = 0;
			b->d.inner.own_hash.b[0] = 1;
			break;
		case 7: b->d.fault = FORGE_AUTHOR; break;
		}
		assert_int_equal(forge_give(&b->f, &b->d), E_FORGED);
		assert_int_equal(b->f.vault.count, 0);
		assert_int_equal(b->f.vault.policy_count, 0);
		assert_int_equal(b->f.vault.thread_count, 0);
		vaultstate_done(&b->f.vault);
		epochring_free(b->f.chains[CHAIN_VAULT].ring);
		b->f.vault = was;
		b->f.chains[CHAIN_VAULT] = chain;
	}
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, vaultbox_setup, vaultbox_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(bad_sealing),
		EACH(wrong_authors),
		EACH(wrong_account_heads),
		EACH(newer_account_head),
		EACH(wrong_threads),
		EACH(wrong_types),
		EACH(unknown_types),
		EACH(malformed_bodies),
		EACH(first_entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
