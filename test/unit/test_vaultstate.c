/* core/vaultstate: who may write what into a vault chain, and what it does (doc/spec/chains.md sections 2, 4 and 5). */
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

/* --- drafts */

static void draft(const struct vaultbody *body, uint8_t public_kind) {
	struct entrypublic pub = forge_public_of(public_kind);
	struct hash name = { { 7 } };
	pub.packs.names.rows = hash_span(&name);
	pub.store.b[0] = 0x77;
	forge_vault(&f, &d, body, &pub);
}

static void draft_plain(uint8_t type) {
	draft(&(struct vaultbody){ .type = type }, ENTRYPUBLIC_NONE);
}

static void draft_policy(uint64_t days) {
	draft(&(struct vaultbody){ .type = VAULTBODY_POLICY, .hold = days * 86400 }, ENTRYPUBLIC_NONE);
}

static struct hash id_of(uint8_t n) {
	return (struct hash){ { n } };
}

/* ${indexes} locations from pack number ${first} on. */
static struct locationlist locations(struct buf *rows, uint8_t first, size_t indexes) {
	buf_init(rows, 65536);
	for (size_t i = 0; i < indexes; i++) {
		struct location l = { .pack = id_of((uint8_t)(first + i)), .offset = 1160, .length = 100 };
		assert_int_equal(location_add(rows, &l), OK);
	}
	return (struct locationlist){ .rows = buf_span(rows) };
}

static void draft_snapshot(uint8_t id, uint8_t first, size_t indexes) {
	struct buf rows;
	struct vaultbody body = {
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = id_of(id),
		.stamp = { .host = span_text("host"), .branch = span_text("branch") },
		.added = locations(&rows, first, indexes),
	};
	draft(&body, ENTRYPUBLIC_NONE);
	buf_free(&rows);
}

static void draft_forget(const uint8_t *ids, size_t count) {
	struct hash list[8];
	for (size_t i = 0; i < count; i++) list[i] = id_of(ids[i]);
	struct vaultbody body = { .type = VAULTBODY_FORGET,
		.forget = { .rows = span_of(list, count * HASH_SIZE) } };
	draft(&body, ENTRYPUBLIC_NONE);
}

static void draft_keep(uint8_t id, uint8_t first, size_t indexes) {
	struct buf rows;
	struct vaultbody body = {
		.type = VAULTBODY_KEEP, .snapshot = id_of(id), .added = locations(&rows, first, indexes)
	};
	draft(&body, ENTRYPUBLIC_NONE);
	buf_free(&rows);
}

static void draft_keep_intent(uint64_t sequence) {
	draft(&(struct vaultbody){ .type = VAULTBODY_KEEP, .keep_intent = true, .intent = sequence },
		ENTRYPUBLIC_NONE);
}

static void draft_index(uint8_t add, size_t added, uint8_t remove, size_t removed) {
	struct buf a, r;
	struct vaultbody body = { .type = VAULTBODY_INDEX };
	body.added = locations(&a, add, added);
	body.removed = locations(&r, remove, removed);
	draft(&body, ENTRYPUBLIC_NONE);
	buf_free(&a);
	buf_free(&r);
}

static void draft_tag(uint8_t id, const char *tag) {
	struct bytelist_build tags;
	bytelist_build_init(&tags);
	assert_int_equal(bytelist_build_add(&tags, span_text(tag)), OK);
	struct vaultbody body = {
		.type = VAULTBODY_TAG, .snapshot = id_of(id), .tags = bytelist_build_list(&tags)
	};
	draft(&body, ENTRYPUBLIC_NONE);
	bytelist_build_done(&tags);
}

/* Packs ${first} and on, in the public part; by a list object if ${count} is over 1,024. */
static struct entrypublic packs(uint8_t kind, struct hash *names, uint8_t first, uint64_t count) {
	struct entrypublic pub = forge_public_of(kind);
	pub.packs.listed = count > LIMIT_PACK_NAMES;
	pub.packs.count = count;
	pub.packs.list = id_of(first);
	if (pub.packs.listed) return pub;
	for (size_t i = 0; i < count; i++) names[i] = id_of((uint8_t)(first + i));
	pub.packs.names.rows = span_of(names, count * HASH_SIZE);
	return pub;
}

static void draft_intent(uint8_t first, uint64_t count) {
	struct hash names[16];
	struct entrypublic pub = packs(ENTRYPUBLIC_INTENT, names, first, count);
	forge_vault(&f, &d, &(struct vaultbody){ .type = VAULTBODY_INTENT }, &pub);
}

static void draft_purge(uint64_t intent, uint8_t first, uint64_t count) {
	struct hash names[16];
	struct entrypublic pub = packs(ENTRYPUBLIC_PURGE, names, first, count);
	pub.intent = intent;
	forge_vault(&f, &d, &(struct vaultbody){ .type = VAULTBODY_PURGE }, &pub);
}

/* --- giving them */

static void take(void) {
	uint64_t count = f.vault.count, voids = f.vault.void_count, unknown = f.vault.unknown_count;
	assert_int_equal(forge_give(&f, &d), OK);
	assert_int_equal(f.vault.count, count + 1);
	assert_int_equal(f.vault.void_count, voids);
	assert_int_equal(f.vault.unknown_count, unknown);
}

/* A void data entry keeps its place, is reported, and changes nothing. A void control entry stops. */
static void refuse(void) {
	struct hash before = forge_vault_sum(&f.vault);
	bool control = d.outer.class == ENTRY_CONTROL;
	uint64_t count = f.vault.count, voids = f.vault.void_count, sequence = d.outer.sequence;
	assert_int_equal(forge_give(&f, &d), control ? E_FORGED : OK);
	struct hash after = forge_vault_sum(&f.vault);
	assert_memory_equal(before.b, after.b, HASH_SIZE);
	assert_int_equal(f.vault.count, count + !control);
	assert_int_equal(f.vault.void_count, voids + 1);
	assert_int_equal(f.vault.newest_void, sequence);
}

static void no_effect(void) {
	size_t snapshots = f.vault.snapshot_count, indexes = f.vault.index_count;
	size_t intents = f.vault.intent_count, purges = f.vault.purge_count;
	take();
	assert_int_equal(f.vault.snapshot_count, snapshots);
	assert_int_equal(f.vault.index_count, indexes);
	assert_int_equal(f.vault.intent_count, intents);
	assert_int_equal(f.vault.purge_count, purges);
}

/* --- effects */

static void first_entry(void **state) {
	(void)state;
	assert_int_equal(f.vault.count, 1);
	assert_memory_equal(f.vault.owner.b, f.account.id.b, HASH_SIZE);
	assert_int_equal(f.vault.chunk_min, 4096);
	assert_int_equal(vaultstate_hold(&f.vault, FORGE_START), FORGE_HOLD * 86400);
	assert_memory_equal(f.vault.id.b, f.chains[CHAIN_VAULT].link.id.b, HASH_SIZE);
}

static void snapshots_and_indexes(void **state) {
	(void)state;
	draft_snapshot(1, 10, 3);
	take();
	draft_snapshot(2, 20, 1);
	take();
	assert_int_equal(f.vault.snapshot_count, 2);
	assert_int_equal(f.vault.index_count, 4);
	struct hash id = id_of(1), none = id_of(9);
	const struct vault_snapshot *v = vaultstate_snapshot(&f.vault, &id);
	assert_int_equal(v->sequence, 1);
	assert_true(span_equal(v->stamp.host, span_text("host")));
	assert_null(vaultstate_snapshot(&f.vault, &none));
	draft_index(30, 2, 11, 2);
	take();
	assert_int_equal(f.vault.index_count, 4);
	assert_int_equal(f.vault.indexes[3].sequence, 3);
	assert_int_equal(f.vault.indexes[3].location.pack.b[0], 31);
	draft_index(30, 1, 30, 1); /* removed first, then added */
	take();
	assert_int_equal(f.vault.index_count, 4);
	draft_index(0, 0, 99, 5);
	no_effect();
	draft_plain(VAULTBODY_ACCOUNT);
	no_effect();
}

/* In any order, also twice: in force once. */
static void an_index_named_twice(void **state) {
	(void)state;
	struct buf rows;
	struct vaultbody body = { .type = VAULTBODY_INDEX };
	body.added = locations(&rows, 40, 1);
	uint8_t again[SIZE_LOCATION];
	memcpy(again, rows.ptr, sizeof again);
	assert_int_equal(buf_add(&rows, span_of(again, sizeof again)), OK);
	body.added.rows = buf_span(&rows);
	draft(&body, ENTRYPUBLIC_NONE);
	buf_free(&rows);
	take();
	assert_int_equal(f.vault.index_count, 1);
}

static void forget_keep_and_tag(void **state) {
	(void)state;
	struct hash one = id_of(1), two = id_of(2);
	draft_snapshot(1, 0, 0);
	take();
	draft_snapshot(2, 0, 0);
	take();
	draft_forget((uint8_t[]){ 2, 9, 2 }, 3);
	take();
	assert_false(vaultstate_snapshot(&f.vault, &one)->forgotten);
	assert_true(vaultstate_snapshot(&f.vault, &two)->forgotten);
	draft_keep(2, 50, 2);
	take();
	assert_false(vaultstate_snapshot(&f.vault, &two)->forgotten);
	assert_int_equal(vaultstate_snapshot(&f.vault, &two)->touched, 4);
	assert_int_equal(f.vault.index_count, 2);
	draft_tag(1, "good");
	take();
	draft_tag(1, "better");
	take();
	const struct vault_snapshot *v = vaultstate_snapshot(&f.vault, &one);
	struct span rest = v->stamp.tags.items, tag;
	assert_int_equal(v->stamp.tags.count, 1);
	assert_true(bytelist_next(&rest, &tag));
	assert_true(span_equal(tag, span_text("better")));
	assert_true(span_equal(v->stamp.branch, span_text("branch")));
	/* of a snapshot that does not exist */
	draft_forget((uint8_t[]){ 8 }, 1);
	no_effect();
	draft_tag(8, "x");
	no_effect();
	draft_keep(8, 60, 2);
	no_effect();
	draft_keep_intent(1);
	no_effect();
	draft_keep_intent(UINT64_MAX);
	no_effect();
}

/* Who can write can enter a snapshot twice: forgetting it forgets both, or its data would be held for ever. */
static void a_snapshot_entered_twice(void **state) {
	(void)state;
	draft_snapshot(1, 0, 0);
	take();
	draft_snapshot(1, 0, 0);
	take();
	draft_forget((uint8_t[]){ 1 }, 1);
	take();
	for (size_t i = 0; i < f.vault.snapshot_count; i++) assert_true(f.vault.snapshots[i].forgotten);
	draft_keep(1, 0, 0);
	take();
	for (size_t i = 0; i < f.vault.snapshot_count; i++)
		assert_false(f.vault.snapshots[i].forgotten);
}

static void home_and_rotate(void **state) {
	(void)state;
	struct accountbody vault = {
		.type = ACCOUNTBODY_VAULT,
		.vault = { .vault = f.vault.id, .role = ROLE_ADMIN, .name = span_text("main") },
	};
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	assert_true(hash_is_zero(&f.vault.home));
	draft(&(struct vaultbody){ .type = VAULTBODY_HOME }, ENTRYPUBLIC_HOME);
	take();
	assert_int_equal(f.vault.home.b[0], 0x77);
	forge_account(&f, &d, &vault, &none);
	assert_int_equal(forge_give(&f, &d), OK);
	assert_int_equal(f.vault.keys_sequence, 0);
	draft(&(struct vaultbody){ .type = VAULTBODY_ROTATE }, ENTRYPUBLIC_ROTATE);
	take();
	assert_int_equal(f.vault.keys_sequence, 1);
	draft_snapshot(1, 0, 0);
	take();
}

/* --- void entries */

static void bad_sealing(void **state) {
	(void)state;
	static const enum forge_fault faults[] = { FORGE_AUTHOR, FORGE_SEALED, FORGE_PADDING,
		FORGE_LONGER };
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		draft_snapshot(1, 1, 1);
		d.fault = faults[i];
		refuse();
		draft_policy(7);
		d.fault = faults[i];
		refuse();
	}
	draft_snapshot(1, 1, 1);
	d.sealing = &f.chains[CHAIN_ACCOUNT].secrets[0];
	refuse();
	draft_snapshot(1, 1, 1);
	take();
}

static void wrong_authors(void **state) {
	(void)state;
	struct accountbody add = forge_add_body(&f, &room, &f.second, DEVICERECORD_WRITE_ONLY);
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	for (int control = 0; control < 2; control++) {
		const struct forge_device *others[] = { &f.second, &f.kit, &f.new_kit };
		for (size_t i = 0; i < 3; i++) {
			if (control) draft_policy(7);
			else draft_snapshot(1, 1, 1);
			forge_by(&f, &d, others[i]);
			refuse();
		}
		if (control) draft_policy(7);
		else draft_snapshot(1, 1, 1);
		d.author = &f.second; /* another's signature */
		refuse();
	}
	/* a write-only device of the account has no right in this version, however it seals */
	forge_account(&f, &d, &add, &none);
	assert_int_equal(forge_give(&f, &d), OK);
	draft_snapshot(1, 1, 1);
	forge_by(&f, &d, &f.second);
	refuse();
	draft_snapshot(1, 1, 1);
	forge_by(&f, &d, &f.second);
	d.outer.seal = SEAL_HPKE;
	refuse();
	draft_policy(7);
	forge_by(&f, &d, &f.second);
	refuse();
}

static void wrong_account_heads(void **state) {
	(void)state;
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	draft_snapshot(1, 0, 0);
	d.inner.account.b[0] ^= 1;
	refuse();
	draft_snapshot(1, 0, 0);
	d.inner.account_head.b[0] ^= 1;
	refuse();
	draft_snapshot(1, 0, 0);
	memset(&d.inner.account, 0, HASH_SIZE);
	refuse();
	/* a device that joined after the head it names */
	struct accountbody add = forge_add_body(&f, &room, &f.second, DEVICERECORD_FULL);
	forge_account(&f, &d, &add, &none);
	assert_int_equal(forge_give(&f, &d), OK);
	draft_snapshot(1, 0, 0);
	forge_by(&f, &d, &f.second);
	d.inner.account_sequence = 0;
	d.inner.account_head = f.account.hashes[0];
	refuse();
	/* an old head is good until a newer one was named */
	draft_snapshot(2, 0, 0);
	d.inner.account_sequence = 0;
	d.inner.account_head = f.account.hashes[0];
	take();
	draft_snapshot(3, 0, 0);
	forge_by(&f, &d, &f.second);
	take();
	draft_snapshot(4, 0, 0);
	d.inner.account_sequence = 0;
	d.inner.account_head = f.account.hashes[0];
	refuse();
	draft_policy(7);
	d.inner.account_sequence = 0;
	d.inner.account_head = f.account.hashes[0];
	refuse();
	/* a void entry names nothing */
	draft_snapshot(4, 0, 0);
	take();
}

/* A head beyond the reader's copy: it must read the account again, then the same entry is taken. */
static void newer_account_head(void **state) {
	(void)state;
	struct buf bytes;
	struct hash before = forge_vault_sum(&f.vault);
	buf_init(&bytes, LIMIT_ENTRY);
	struct accountbody add = forge_add_body(&f, &room, &f.second, DEVICERECORD_FULL);
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	struct buf account;
	buf_init(&account, LIMIT_ENTRY);
	forge_account(&f, &d, &add, &none);
	forge_make(&f, &d, &account);
	draft_snapshot(1, 1, 1);
	forge_by(&f, &d, &f.second);
	hash_label(&d.inner.account_head, "broch 1 entry", buf_span(&account));
	d.inner.account_sequence = 1;
	forge_make(&f, &d, &bytes);
	assert_int_equal(forge_take(&f, CHAIN_VAULT, buf_span(&bytes)), E_ROLLBACK);
	struct hash after = forge_vault_sum(&f.vault);
	assert_memory_equal(before.b, after.b, HASH_SIZE);
	assert_int_equal(f.vault.void_count, 0);
	assert_int_equal(forge_take(&f, CHAIN_ACCOUNT, buf_span(&account)), OK);
	assert_int_equal(forge_take(&f, CHAIN_VAULT, buf_span(&bytes)), OK);
	assert_int_equal(f.vault.snapshot_count, 1);
	buf_free(&account);
	buf_free(&bytes);
}

static void wrong_threads(void **state) {
	(void)state;
	draft_snapshot(1, 0, 0);
	d.inner.own_sequence = ENTRYINNER_NONE;
	memset(&d.inner.own_hash, 0, HASH_SIZE);
	refuse(); /* entry 1 */
	draft_snapshot(1, 0, 0);
	d.inner.own_hash.b[0] ^= 1;
	refuse();
	draft_snapshot(1, 0, 0);
	d.inner.own_sequence = 1; /* a void entry of its own */
	refuse();
	draft_snapshot(1, 0, 0);
	take();
	draft_snapshot(2, 0, 0);
	d.inner.own_sequence = 0;
	d.inner.own_hash = f.vault.id;
	refuse();
	/* an entry of unknown type counts */
	draft_plain(VAULTBODY_ACCOUNT);
	d.inner.type = 200;
	assert_int_equal(forge_give(&f, &d), OK);
	assert_int_equal(f.vault.unknown_count, 1);
	assert_int_equal(vaultstate_thread(&f.vault, &f.device.pub.id)->sequence, f.vault.count - 1);
	draft_snapshot(2, 0, 0);
	take();
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
	(void)state;
	static const uint8_t publics[] = { ENTRYPUBLIC_NONE, ENTRYPUBLIC_ROTATE, ENTRYPUBLIC_HOME,
		ENTRYPUBLIC_INTENT, ENTRYPUBLIC_PURGE };
	static const uint8_t types[] = { VAULTBODY_CREATE, VAULTBODY_ROTATE, VAULTBODY_POLICY,
		VAULTBODY_HOME, VAULTBODY_INTENT, VAULTBODY_PURGE, VAULTBODY_ACCOUNT, ACCOUNTBODY_HOME };
	for (size_t p = 0; p < 5; p++) {
		for (size_t t = 0; t < sizeof types; t++) {
			struct vaultbody body = { .type = VAULTBODY_ACCOUNT };
			bool control = publics[p] == ENTRYPUBLIC_ROTATE || publics[p] == ENTRYPUBLIC_HOME;
			if (publics[p] == ENTRYPUBLIC_NONE) control = types[t] == VAULTBODY_POLICY;
			if (types[t] == VAULTBODY_CREATE) body = forge_vault_create_body(&f);
			else if (types[t] != ACCOUNTBODY_HOME) body.type = types[t];
			draft(&body, publics[p]);
			d.inner.type = types[t];
			d.outer.class = control ? ENTRY_CONTROL : ENTRY_DATA;
			d.outer.role = control ? ROLE_ADMIN : ROLE_WRITER;
			d.access_role = (enum role)d.outer.role;
			if (!fits(types[t], publics[p])) refuse();
			else forge_drop(&d);
		}
	}
	/* data in a control entry, control in a data entry */
	draft_snapshot(1, 1, 1);
	d.outer.class = ENTRY_CONTROL;
	d.outer.role = d.access_role = ROLE_ADMIN;
	refuse();
	draft_policy(0);
	d.outer.class = ENTRY_DATA;
	d.outer.role = d.access_role = ROLE_WRITER;
	refuse();
}

/* Right is checked before type. */
static void unknown_types(void **state) {
	(void)state;
	static const uint8_t control[] = { VAULTBODY_MEMBER, VAULTBODY_GRANT, VAULTBODY_VERSION, 40,
		63 };
	static const uint8_t data[] = { 72, 128, 255 };
	for (size_t i = 0; i < sizeof control; i++) {
		draft_policy(7);
		d.inner.type = control[i];
		struct hash before = forge_vault_sum(&f.vault);
		assert_int_equal(forge_give(&f, &d), E_UNSUPPORTED);
		struct hash after = forge_vault_sum(&f.vault);
		assert_memory_equal(before.b, after.b, HASH_SIZE);
		assert_int_equal(f.vault.count, 1);
		draft_policy(7);
		d.inner.type = control[i];
		forge_by(&f, &d, &f.second);
		refuse();
		draft_policy(7);
		d.inner.type = control[i];
		d.fault = FORGE_AUTHOR;
		refuse();
	}
	for (size_t i = 0; i < sizeof data; i++) {
		draft_plain(VAULTBODY_ACCOUNT);
		d.inner.type = data[i];
		assert_int_equal(forge_give(&f, &d), OK);
		assert_int_equal(f.vault.unknown_count, i + 1);
		draft_plain(VAULTBODY_ACCOUNT);
		d.inner.type = data[i];
		forge_by(&f, &d, &f.second);
		refuse();
		assert_int_equal(f.vault.unknown_count, i + 1);
	}
}

static void malformed_bodies(void **state) {
	(void)state;
	static const uint8_t types[] = { VAULTBODY_SNAPSHOT, VAULTBODY_INDEX, VAULTBODY_TAG,
		VAULTBODY_FORGET, VAULTBODY_KEEP, VAULTBODY_ACCOUNT };
	for (size_t i = 0; i < sizeof types; i++) {
		draft_plain(VAULTBODY_ACCOUNT);
		d.inner.type = types[i];
		forge_raw(&d.body, "\377\377\377", 3);
		refuse();
	}
	draft_snapshot(1, 1, 1);
	assert_int_equal(buf_add_zero(&d.body, 1), OK);
	refuse();
	draft_snapshot(1, 1, 1);
	d.body.len--;
	refuse();
}

static void first_entries(void **state) {
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct entrypublic pub = forge_public_of(ENTRYPUBLIC_CREATE);
		struct vaultstate was = f.vault;
		struct forge_chain chain = f.chains[CHAIN_VAULT];
		vaultstate_init(&f.vault);
		f.chains[CHAIN_VAULT].ring = NULL;
		chainlink_init(&f.chains[CHAIN_VAULT].link, CHAIN_VAULT);
		struct vaultbody body = forge_vault_create_body(&f);
		forge_vault(&f, &d, &body, &pub);
		switch (i) {
		case 0: forge_by(&f, &d, &f.kit); break; /* not a full device */
		case 1: forge_by(&f, &d, &f.second); break;
		case 2: d.inner.account.b[0] ^= 1; break;
		case 3: d.inner.account_head.b[0] ^= 1; break;
		case 4:
			body.owner.b[0] ^= 1;
			forge_vault_body(&d, &body);
			break;
		case 5: d.inner.type = VAULTBODY_POLICY; break;
		case 6:
			d.inner.own_sequence = 0;
			d.inner.own_hash.b[0] = 1;
			break;
		case 7: d.fault = FORGE_AUTHOR; break;
		}
		assert_int_equal(forge_give(&f, &d), E_FORGED);
		assert_int_equal(f.vault.count, 0);
		assert_int_equal(f.vault.policy_count, 0);
		assert_int_equal(f.vault.thread_count, 0);
		vaultstate_done(&f.vault);
		epochring_free(f.chains[CHAIN_VAULT].ring);
		f.vault = was;
		f.chains[CHAIN_VAULT] = chain;
	}
}

/* --- intents, purges, the hold */

static void intents_and_keeps(void **state) {
	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		draft_intent((uint8_t)(10 * i), 3);
		take();
	}
	assert_int_equal(f.vault.intent_count, 4);
	assert_int_equal(f.vault.purge_events, 4);
	assert_non_null(vaultstate_intent(&f.vault, 2));
	draft_keep_intent(2);
	take();
	assert_null(vaultstate_intent(&f.vault, 2));
	assert_int_equal(f.vault.intent_count, 3);
	for (size_t i = 1; i < 3; i++)
		assert_true(f.vault.intents[i - 1].sequence < f.vault.intents[i].sequence);
	draft_keep_intent(2);
	no_effect();
	f.now += 8 * FORGE_DAY;
	draft_purge(2, 10, 3);
	refuse();
	draft_keep_intent(4);
	take();
	draft_keep_intent(1);
	take();
	assert_int_equal(f.vault.intents[0].sequence, 3);
	assert_int_equal(f.vault.intents[0].packs.names.rows.ptr[0], 20);
}

static void purges(void **state) {
	(void)state;
	draft_intent(10, 3);
	take();
	f.now += FORGE_HOLD * FORGE_DAY - 1;
	draft_purge(1, 10, 3);
	refuse();
	f.now = FORGE_START + FORGE_HOLD * FORGE_DAY;
	/* of nothing, of no intent, of what it did not name */
	draft_purge(0, 10, 3);
	refuse();
	draft_purge(2, 10, 3);
	refuse();
	draft_purge(UINT64_MAX, 10, 3);
	refuse();
	draft_purge(1, 10, 4);
	refuse();
	draft_purge(1, 9, 2);
	refuse();
	draft_purge(1, 50, 1);
	refuse();
	draft_purge(1, 10, 2000); /* a list is longer than what it must be part of */
	refuse();
	draft_purge(1, 11, 2);
	take();
	assert_int_equal(f.vault.purge_count, 1);
	assert_int_equal(f.vault.purge_events, 2);
	assert_true(hash_is_zero(&f.vault.purges[0].intended));
	assert_int_equal(f.vault.intent_count, 0);
	draft_purge(1, 10, 1); /* once only */
	refuse();
}

static void purges_of_lists(void **state) {
	(void)state;
	draft_intent(10, 2000);
	take();
	draft_intent(11, 3000);
	take();
	f.now += FORGE_HOLD * FORGE_DAY;
	draft_purge(1, 10, 2001);
	refuse();
	draft_purge(1, 10, 1999);
	take();
	assert_int_equal(f.vault.purges[0].intended.b[0], 10);
	draft_purge(2, 77, 1);
	take();
	assert_int_equal(f.vault.purges[1].intended.b[0], 11);
}

/* The hold of the intent's time and of the purge's: the longer. */
static void the_hold_changes(void **state) {
	(void)state;
	draft_intent(10, 1);
	take(); /* 1, at day 0 */
	f.now += FORGE_DAY;
	draft_policy(1);
	take(); /* shorter from day 8 on */
	assert_int_equal(vaultstate_hold(&f.vault, f.now), 7 * 86400);
	assert_int_equal(vaultstate_hold(&f.vault, FORGE_START + 8 * FORGE_DAY - 1), 7 * 86400);
	assert_int_equal(vaultstate_hold(&f.vault, FORGE_START + 8 * FORGE_DAY), 86400);
	f.now = FORGE_START + 7 * FORGE_DAY;
	draft_intent(20, 1);
	take(); /* 3, at day 7: seven days still */
	f.now = FORGE_START + 8 * FORGE_DAY;
	draft_intent(30, 1);
	take(); /* 4 */
	f.now = FORGE_START + 9 * FORGE_DAY;
	draft_purge(4, 30, 1);
	take();
	draft_purge(3, 20, 1);
	refuse();
	f.now = FORGE_START + 10 * FORGE_DAY;
	draft_policy(20); /* longer at once, for intents that wait too */
	take();
	f.now = FORGE_START + 14 * FORGE_DAY;
	draft_purge(3, 20, 1);
	refuse();
	f.now = FORGE_START + 20 * FORGE_DAY;
	draft_purge(1, 10, 1);
	take();
	f.now = FORGE_START + 27 * FORGE_DAY;
	draft_purge(3, 20, 1);
	take();
}

/* A hold can't be made short in steps sooner than at once. */
static void shorter_in_steps(void **state) {
	(void)state;
	draft_policy(3);
	take(); /* day 0: from day 7 on */
	f.now += 6 * FORGE_DAY;
	draft_policy(1);
	take(); /* day 6, seven days in force: from day 13 on, instead */
	for (int day = 0; day < 13; day++)
		assert_int_equal(vaultstate_hold(&f.vault, FORGE_START + day * FORGE_DAY), 7 * 86400);
	assert_int_equal(vaultstate_hold(&f.vault, FORGE_START + 13 * FORGE_DAY), 86400);
	/* a longer one takes back a shorter one that waits */
	draft_policy(7);
	take();
	assert_int_equal(vaultstate_hold(&f.vault, INT64_MAX), 7 * 86400);
	draft_policy(0);
	take();
	draft_policy(UINT32_MAX / 86400);
	take();
	assert_int_equal(vaultstate_hold(&f.vault, f.now), UINT64_C(86400) * (UINT32_MAX / 86400));
	draft_policy(0);
	take(); /* in a hundred years */
	assert_int_equal(vaultstate_hold(&f.vault, f.now + 40000 * FORGE_DAY),
		UINT64_C(86400) * (UINT32_MAX / 86400));
}

/* At the end of time nothing comes due by an overflow. */
static void the_end_of_time(void **state) {
	(void)state;
	f.now = INT64_MAX - 5;
	draft_intent(10, 1);
	take();
	draft_policy(0);
	take();
	f.now = INT64_MAX;
	draft_purge(1, 10, 1);
	refuse();
	assert_int_equal(vaultstate_hold(&f.vault, INT64_MAX), 7 * 86400);
}

static void no_hold(void **state) {
	(void)state;
	draft_policy(0);
	take();
	f.now += FORGE_HOLD * FORGE_DAY;
	draft_intent(10, 1);
	take();
	draft_purge(2, 10, 1);
	take();
}

/* --- memory */

static void epoch_that_is_not_open(void **state) {
	(void)state;
	struct buf bytes;
	struct entry entry;
	struct epochring *ring;
	struct hash hash = { { 1 } };
	buf_init(&bytes, LIMIT_ENTRY);
	draft_snapshot(1, 0, 0);
	forge_make(&f, &d, &bytes);
	assert_int_equal(entry_decode(&entry, buf_span(&bytes)), OK);
	assert_int_equal(epochring_new(&ring, CHAIN_VAULT, &f.chains[CHAIN_VAULT].birth), OK);
	assert_int_equal(
		vaultstate_apply(&f.vault, &entry, buf_span(&bytes), &hash, ring, &f.account), E_DENIED);
	epochring_free(ring);
	buf_free(&bytes);
}

static void draft_number(int i) {
	switch (i % 10) {
	case 0: draft_snapshot((uint8_t)(i + 1), (uint8_t)(i + 1), 5); break;
	case 1: draft_tag((uint8_t)i, "tag"); break;
	case 2: draft_forget((uint8_t[]){ (uint8_t)(i - 1) }, 1); break;
	case 3: draft_keep((uint8_t)(i - 2), (uint8_t)i, 5); break;
	case 4: draft_intent((uint8_t)i, 3); break;
	case 5: draft_index((uint8_t)i, 5, (uint8_t)(i - 4), 2); break;
	case 6: draft_intent((uint8_t)i, 2000); break;
	case 7: draft_keep_intent((uint64_t)i - 1); break;
	case 8: draft_purge((uint64_t)i, 1, 10); break;
	default: draft_policy((uint64_t)i); break;
	}
}

/* Whatever allocation fails, nothing has changed, and the same entry is taken afterwards. */
static void memory_runs_out(void **state) {
	(void)state;
	struct chainlink *c = &f.chains[CHAIN_VAULT].link;
	uint64_t failures = 0;
	draft_policy(0);
	take();
	f.now += 2000 * FORGE_DAY;
	for (int i = 0; i < 60; i++) {
		struct buf bytes;
		struct entry entry;
		struct entrypublic pub;
		buf_init(&bytes, LIMIT_ENTRY);
		f.now += 100 * FORGE_DAY;
		draft_number(i);
		forge_make(&f, &d, &bytes);
		assert_int_equal(chainlink_next(c, buf_span(&bytes), &entry, &pub), OK);
		struct hash before = forge_vault_sum(&f.vault);
		for (uint64_t nth = 1;; nth++) {
			mem_fail_at(nth);
			enum err e = vaultstate_apply(&f.vault, &entry, buf_span(&bytes), &c->head,
				f.chains[CHAIN_VAULT].ring, &f.account);
			mem_fail_at(0);
			if (e == OK) break;
			assert_int_equal(e, E_NOMEM);
			struct hash after = forge_vault_sum(&f.vault);
			assert_memory_equal(before.b, after.b, HASH_SIZE);
			assert_true(nth < 100);
			failures++;
		}
		buf_free(&bytes);
	}
	assert_int_equal(f.vault.void_count, 0);
	assert_int_equal(f.vault.snapshot_count, 6);
	assert_int_equal(f.vault.purge_count, 6);
	assert_true(failures > 100);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, done)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(first_entry),
		EACH(snapshots_and_indexes),
		EACH(an_index_named_twice),
		EACH(forget_keep_and_tag),
		EACH(a_snapshot_entered_twice),
		EACH(home_and_rotate),
		EACH(bad_sealing),
		EACH(wrong_authors),
		EACH(wrong_account_heads),
		EACH(newer_account_head),
		EACH(wrong_threads),
		EACH(wrong_types),
		EACH(unknown_types),
		EACH(malformed_bodies),
		EACH(first_entries),
		EACH(intents_and_keeps),
		EACH(purges),
		EACH(purges_of_lists),
		EACH(the_hold_changes),
		EACH(shorter_in_steps),
		EACH(the_end_of_time),
		EACH(no_hold),
		EACH(epoch_that_is_not_open),
		EACH(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
