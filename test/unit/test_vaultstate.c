/* core/vaultstate: what entries do to a vault (doc/spec/chains.md sections 2, 4 and 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "forge.h"
#include "format/limits.h"
#include "vaultbox.h"

static void first_entry(void **state) {
	struct vaultbox *b = *state;
	assert_int_equal(b->f.vault.count, 1);
	assert_memory_equal(b->f.vault.owner.b, b->f.account.id.b, HASH_SIZE);
	assert_int_equal(b->f.vault.chunk_min, 4096);
	assert_int_equal(vaultstate_hold(&b->f.vault, FORGE_START), FORGE_HOLD * 86400);
	assert_memory_equal(b->f.vault.id.b, b->f.chains[CHAIN_VAULT].link.id.b, HASH_SIZE);
}

static void snapshots_and_indexes(void **state) {
	struct vaultbox *b = *state;
	vaultbox_snapshot(b, 1, 10, 3);
	vaultbox_take(b);
	vaultbox_snapshot(b, 2, 20, 1);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.snapshot_count, 2);
	assert_int_equal(b->f.vault.index_count, 4);
	struct hash id = vaultbox_id(1), none = vaultbox_id(9);
	const struct vault_snapshot *v = vaultstate_snapshot(&b->f.vault, &id);
	assert_int_equal(v->sequence, 1);
	assert_true(span_equal(v->stamp.host, span_text("host")));
	assert_null(vaultstate_snapshot(&b->f.vault, &none));
	vaultbox_index(b, 30, 2, 11, 2);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.index_count, 4);
	assert_int_equal(b->f.vault.indexes[3].sequence, 3);
	assert_int_equal(b->f.vault.indexes[3].location.pack.b[0], 31);
	vaultbox_index(b, 30, 1, 30, 1); /* removed first, then added */
	vaultbox_take(b);
	assert_int_equal(b->f.vault.index_count, 4);
	vaultbox_index(b, 0, 0, 99, 5);
	vaultbox_no_effect(b);
	vaultbox_plain(b, VAULTBODY_ACCOUNT);
	vaultbox_no_effect(b);
}

/* In any order, also twice: in force once. */
static void an_index_named_twice(void **state) {
	struct vaultbox *b = *state;
	struct buf rows;
	struct vaultbody body = { .type = VAULTBODY_INDEX };
	body.added = vaultbox_locations(&rows, 40, 1);
	uint8_t again[SIZE_LOCATION];
	memcpy(again, rows.ptr, sizeof again);
	assert_int_equal(buf_add(&rows, span_of(again, sizeof again)), OK);
	body.added.rows = buf_span(&rows);
	vaultbox_draft(b, &body, ENTRYPUBLIC_NONE);
	buf_free(&rows);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.index_count, 1);
}

static void forget_keep_and_tag(void **state) {
	struct vaultbox *b = *state;
	struct hash one = vaultbox_id(1), two = vaultbox_id(2);
	vaultbox_snapshot(b, 1, 0, 0);
	vaultbox_take(b);
	vaultbox_snapshot(b, 2, 0, 0);
	vaultbox_take(b);
	vaultbox_forget(b, (uint8_t[]){ 2, 9, 2 }, 3);
	vaultbox_take(b);
	assert_false(vaultstate_snapshot(&b->f.vault, &one)->forgotten);
	assert_true(vaultstate_snapshot(&b->f.vault, &two)->forgotten);
	vaultbox_keep(b, 2, 50, 2);
	vaultbox_take(b);
	assert_false(vaultstate_snapshot(&b->f.vault, &two)->forgotten);
	assert_int_equal(vaultstate_snapshot(&b->f.vault, &two)->touched, 4);
	assert_int_equal(b->f.vault.index_count, 2);
	vaultbox_tag(b, 1, "good");
	vaultbox_take(b);
	vaultbox_tag(b, 1, "better");
	vaultbox_take(b);
	const struct vault_snapshot *v = vaultstate_snapshot(&b->f.vault, &one);
	struct span rest = v->stamp.tags.items, tag;
	assert_int_equal(v->stamp.tags.count, 1);
	assert_true(bytelist_next(&rest, &tag));
	assert_true(span_equal(tag, span_text("better")));
	assert_true(span_equal(v->stamp.branch, span_text("branch")));
	/* of a snapshot that does not exist */
	vaultbox_forget(b, (uint8_t[]){ 8 }, 1);
	vaultbox_no_effect(b);
	vaultbox_tag(b, 8, "x");
	vaultbox_no_effect(b);
	vaultbox_keep(b, 8, 60, 2);
	vaultbox_no_effect(b);
	vaultbox_keep_intent(b, 1);
	vaultbox_no_effect(b);
	vaultbox_keep_intent(b, UINT64_MAX);
	vaultbox_no_effect(b);
}

/* Who can write can enter a snapshot twice: forgetting it forgets both, or its data would be held for ever. */
static void a_snapshot_entered_twice(void **state) {
	struct vaultbox *b = *state;
	vaultbox_snapshot(b, 1, 0, 0);
	vaultbox_take(b);
	vaultbox_snapshot(b, 1, 0, 0);
	vaultbox_take(b);
	vaultbox_forget(b, (uint8_t[]){ 1 }, 1);
	vaultbox_take(b);
	for (size_t i = 0; i < b->f.vault.snapshot_count; i++)
		assert_true(b->f.vault.snapshots[i].forgotten);
	vaultbox_keep(b, 1, 0, 0);
	vaultbox_take(b);
	for (size_t i = 0; i < b->f.vault.snapshot_count; i++)
		assert_false(b->f.vault.snapshots[i].forgotten);
}

static void home_and_rotate(void **state) {
	struct vaultbox *b = *state;
	struct accountbody vault = {
		.type = ACCOUNTBODY_VAULT,
		.vault = { .vault = b->f.vault.id, .role = ROLE_ADMIN, .name = span_text("main") },
	};
	struct entrypublic none = forge_public_of(ENTRYPUBLIC_NONE);
	assert_true(hash_is_zero(&b->f.vault.home));
	vaultbox_draft(b, &(struct vaultbody){ .type = VAULTBODY_HOME }, ENTRYPUBLIC_HOME);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.home.b[0], 0x77);
	forge_account(&b->f, &b->d, &vault, &none);
	assert_int_equal(forge_give(&b->f, &b->d), OK);
	assert_int_equal(b->f.vault.keys_sequence, 0);
	vaultbox_draft(b, &(struct vaultbody){ .type = VAULTBODY_ROTATE }, ENTRYPUBLIC_ROTATE);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.keys_sequence, 1);
	vaultbox_snapshot(b, 1, 0, 0);
	vaultbox_take(b);
}

static void epoch_that_is_not_open(void **state) {
	struct vaultbox *b = *state;
	struct buf bytes;
	struct entry entry;
	struct epochring *ring;
	struct hash hash = { { 1 } };
	buf_init(&bytes, LIMIT_ENTRY);
	vaultbox_snapshot(b, 1, 0, 0);
	forge_make(&b->f, &b->d, &bytes);
	assert_int_equal(entry_decode(&entry, buf_span(&bytes)), OK);
	assert_int_equal(epochring_new(&ring, CHAIN_VAULT, &b->f.chains[CHAIN_VAULT].birth), OK);
	assert_int_equal(
		vaultstate_apply(&b->f.vault, &entry, buf_span(&bytes), &hash, ring, &b->f.account),
		E_DENIED);
	epochring_free(ring);
	buf_free(&bytes);
}

static void draft_number(struct vaultbox *b, int i) {
	switch (i % 10) {
	case 0: vaultbox_snapshot(b, (uint8_t)(i + 1), (uint8_t)(i + 1), 5); break;
	case 1: vaultbox_tag(b, (uint8_t)i, "tag"); break;
	case 2: vaultbox_forget(b, (uint8_t[]){ (uint8_t)(i - 1) }, 1); break;
	case 3: vaultbox_keep(b, (uint8_t)(i - 2), (uint8_t)i, 5); break;
	case 4: vaultbox_intent(b, (uint8_t)i, 3); break;
	case 5: vaultbox_index(b, (uint8_t)i, 5, (uint8_t)(i - 4), 2); break;
	case 6: vaultbox_intent(b, (uint8_t)i, 2000); break;
	case 7: vaultbox_keep_intent(b, (uint64_t)i - 1); break;
	case 8: vaultbox_purge(b, (uint64_t)i, 1, 10); break;
	default: vaultbox_policy(b, (uint64_t)i); break;
	}
}

/* Whatever allocation fails, nothing has changed, and the same entry is taken afterwards. */
static void memory_runs_out(void **state) {
	struct vaultbox *b = *state;
	struct chainlink *c = &b->f.chains[CHAIN_VAULT].link;
	uint64_t failures = 0;
	vaultbox_policy(b, 0);
	vaultbox_take(b);
	b->f.now += 2000 * FORGE_DAY;
	for (int i = 0; i < 60; i++) {
		struct buf bytes;
		struct entry entry;
		struct entrypublic pub;
		buf_init(&bytes, LIMIT_ENTRY);
		b->f.now += 100 * FORGE_DAY;
		draft_number(b, i);
		forge_make(&b->f, &b->d, &bytes);
		assert_int_equal(chainlink_next(c, buf_span(&bytes), &entry, &pub), OK);
		struct hash before = forge_vault_sum(&b->f.vault);
		for (uint64_t nth = 1;; nth++) {
			mem_fail_at(nth);
			enum err e = vaultstate_apply(&b->f.vault, &entry, buf_span(&bytes), &c->head,
				b->f.chains[CHAIN_VAULT].ring, &b->f.account);
			mem_fail_at(0);
			if (e == OK) break;
			assert_int_equal(e, E_NOMEM);
			struct hash after = forge_vault_sum(&b->f.vault);
			assert_memory_equal(before.b, after.b, HASH_SIZE);
			assert_true(nth < 100);
			failures++;
		}
		buf_free(&bytes);
	}
	assert_int_equal(b->f.vault.void_count, 0);
	assert_int_equal(b->f.vault.snapshot_count, 6);
	assert_int_equal(b->f.vault.purge_count, 6);
	assert_true(failures > 100);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, vaultbox_setup, vaultbox_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(first_entry),
		EACH(snapshots_and_indexes),
		EACH(an_index_named_twice),
		EACH(forget_keep_and_tag),
		EACH(a_snapshot_entered_twice),
		EACH(home_and_rotate),
		EACH(epoch_that_is_not_open),
		EACH(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
