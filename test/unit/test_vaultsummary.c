/* core/vaultsummary: one state, one string; and the string gives the state again, or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/vaultsummary.h"
#include "crypto/crypto.h"
#include "crypto/label.h"
#include "format/limits.h"
#include "format/summarystate.h"
#include "guarded.h"
#include "storesuite.h"

enum { SNAPSHOTS = 3, INDEXES = 4, INTENTS = 2, THREADS = 3, PACKS = 5 };

static struct vaultstate s; /* the one that a test begins with */

static void add_snapshots(void) {
	struct bytelist_build tags;
	bytelist_build_init(&tags);
	assert_int_equal(bytelist_build_add(&tags, span_text("good")), OK);
	for (uint64_t i = 0; i < SNAPSHOTS; i++) {
		struct vault_snapshot v = { .sequence = 2 + i,
			.touched = 2 + i,
			.id = storesuite_id(10 + i),
			.device = storesuite_id(1),
			.forgotten = i == 1 };
		struct stamp stamp = { .time = { .seconds = 5, .nanos = 6 },
			.host = span_text("host"),
			.branch = span_text("branch"),
			.parent = storesuite_id(9 + i),
			.files = i,
			.bytes = 1000 * i,
			.added = 7 };
		if (i == 2) stamp.tags = bytelist_build_list(&tags);
		assert_int_equal(vaultstate_add_snapshot(&s, &v, &stamp), OK);
	}
	bytelist_build_done(&tags);
}

static void add_intents(void) {
	uint8_t rows[PACKS * HASH_SIZE] = { 0 };
	for (size_t i = 0; i < PACKS; i++) rows[i * HASH_SIZE] = (uint8_t)(i + 1);
	struct vault_intent few = { .sequence = 7, .time = -5 };
	few.packs.names.rows = span_of(rows, sizeof rows);
	few.packs.count = PACKS;
	struct vault_intent many = { .sequence = 8, .time = 9 };
	many.packs =
		(struct entrypublic_packs){ .listed = true, .count = 2000, .list = storesuite_id(4) };
	assert_int_equal(vaultstate_add_intent(&s, &few), OK);
	assert_int_equal(vaultstate_add_intent(&s, &many), OK);
}

static int start(void **state) {
	(void)state;
	if (crypto_start() != OK) return -1;
	vaultstate_init(&s);
	s.count = 10;
	s.head = storesuite_id(2);
	s.owner = storesuite_id(3);
	s.trust = VAULTBODY_TRUST_MEMBERS;
	s.account_sequence = 4;
	s.account_head = storesuite_id(5);
	assert_int_equal(vaultstate_add_policy(&s, 0, 1), OK);
	assert_int_equal(vaultstate_add_policy(&s, 100, 86400), OK);
	add_snapshots();
	add_intents();
	for (uint64_t i = 0; i < INDEXES; i++) {
		struct vault_index v = { .sequence = 2 + i / 2,
			.location = { .pack = storesuite_id(20 + i), .offset = 1160, .length = 100 } };
		assert_int_equal(vaultstate_add_index(&s, &v), OK);
	}
	for (uint64_t i = 0; i < THREADS; i++) {
		struct vault_thread v = {
			.device = storesuite_id(40 + i), .sequence = i, .hash = storesuite_id(50 + i)
		};
		assert_int_equal(vaultstate_add_thread(&s, &v), OK);
	}
	return 0;
}

static int done(void **state) {
	(void)state;
	vaultstate_done(&s);
	return 0;
}

static struct buf encoded(const struct vaultstate *v) {
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_int_equal(vaultsummary_encode(v, &b), OK);
	return b;
}

static struct hash sum(void) {
	struct hash h;
	assert_int_equal(vaultsummary_hash(&s, &h), OK);
	return h;
}

/* What only control entries say is the caller's. */
static void prepare(struct vaultstate *v) {
	vaultstate_init(v);
	v->owner = s.owner;
	assert_int_equal(vaultstate_add_policy(v, 0, 86400), OK);
}

static void a_state_comes_back(void **state) {
	struct vaultstate back;
	struct guarded g;
	(void)state;
	struct buf b = encoded(&s);
	guarded_init(&g, b.len);
	prepare(&back);
	assert_int_equal(vaultsummary_decode(&back, guarded_copy(&g, buf_span(&b), b.len)), OK);
	guarded_done(&g);
	assert_int_equal(back.count, 10);
	assert_true(hash_equal(&back.head, &s.head));
	assert_int_equal(back.trust, VAULTBODY_TRUST_MEMBERS);
	assert_int_equal(back.account_sequence, 4);
	assert_true(hash_equal(&back.account_head, &s.account_head));
	assert_int_equal(back.snapshot_count, SNAPSHOTS);
	assert_int_equal(back.snapshots[1].sequence, 3);
	assert_int_equal(back.snapshots[1].touched, 3);
	assert_true(back.snapshots[1].forgotten);
	assert_false(back.snapshots[2].forgotten);
	assert_true(span_equal(back.snapshots[2].stamp.branch, span_text("branch")));
	assert_int_equal(back.snapshots[2].stamp.tags.count, 1);
	assert_int_equal(back.index_count, INDEXES);
	assert_int_equal(back.intent_count, INTENTS);
	assert_true(back.intents[0].time == -5);
	assert_int_equal(hashlist_count(&back.intents[0].packs.names), PACKS);
	assert_true(back.intents[1].packs.listed);
	assert_int_equal(back.intents[1].packs.count, 2000);
	assert_int_equal(back.thread_count, THREADS);
	/* and is the same state */
	struct buf again = encoded(&back);
	assert_true(span_equal(buf_span(&again), buf_span(&b)));
	buf_free(&again);
	buf_free(&b);
	vaultstate_done(&back);
}

/* In which order a reader came to know of indexes and devices is no part of the state: all must get one hash. */
static void the_order_of_arrival_does_not_show(void **state) {
	(void)state;
	struct buf before = encoded(&s);
	for (size_t i = 0; i + 1 < INDEXES; i++) {
		struct vault_index v = s.indexes[i];
		s.indexes[i] = s.indexes[i + 1];
		s.indexes[i + 1] = v;
	}
	struct vault_thread t = s.threads[0];
	s.threads[0] = s.threads[2];
	s.threads[2] = t;
	struct buf after = encoded(&s);
	assert_true(span_equal(buf_span(&before), buf_span(&after)));
	buf_free(&before);
	buf_free(&after);
}

static void the_hash_is_of_the_string(void **state) {
	struct hash h;
	(void)state;
	struct buf b = encoded(&s);
	hash_label(&h, LABEL_SUMMARY, buf_span(&b));
	struct hash own = sum();
	assert_true(hash_equal(&h, &own));
	buf_free(&b);
}

/* Whatever is different in the live state, the hash is: else a summary could leave it out. */
static void nothing_changes_unseen(void **state) {
	struct hash sums[16];
	size_t n = 0;
	(void)state;
	sums[n++] = sum();
	s.snapshots[0].forgotten = true;
	sums[n++] = sum();
	s.snapshots[0].stamp.tags = s.snapshots[2].stamp.tags;
	sums[n++] = sum();
	s.snapshots[0].id.b[31] ^= 1;
	sums[n++] = sum();
	s.snapshots[0].device.b[31] ^= 1;
	sums[n++] = sum();
	s.indexes[3].location.offset++;
	sums[n++] = sum();
	s.indexes[3].sequence++;
	sums[n++] = sum();
	s.index_count--;
	sums[n++] = sum();
	s.intents[0].time++;
	sums[n++] = sum();
	s.intents[1].packs.count++;
	sums[n++] = sum();
	s.threads[2].hash.b[0] ^= 1;
	sums[n++] = sum();
	s.policies[1].hold++;
	sums[n++] = sum();
	s.trust = VAULTBODY_TRUST_OWN;
	sums[n++] = sum();
	s.account_head.b[0] ^= 1;
	sums[n++] = sum();
	s.count++;
	sums[n++] = sum();
	s.head.b[0] ^= 1;
	sums[n++] = sum();
	assert_int_equal(n, 16);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) assert_false(hash_equal(&sums[i], &sums[k]));
}

static void a_state_without_entries_has_none(void **state) {
	struct vaultstate empty;
	struct hash h;
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	vaultstate_init(&empty);
	assert_int_equal(vaultsummary_encode(&empty, &b), E_USAGE);
	assert_int_equal(vaultsummary_hash(&empty, &h), E_USAGE);
	assert_int_equal(vaultstate_add_policy(&empty, 0, 1), OK);
	assert_int_equal(vaultsummary_encode(&empty, &b), E_USAGE);
	empty.policy_count = 0;
	empty.count = 1; /* a first entry states a policy */
	assert_int_equal(vaultsummary_encode(&empty, &b), E_USAGE);
	assert_int_equal(b.len, 0);
	vaultstate_done(&empty);
	buf_free(&b);
}

/* It is appended; and where there is no room, what was there is as before. */
static void it_is_appended(void **state) {
	struct buf b;
	(void)state;
	struct buf alone = encoded(&s);
	buf_init(&b, alone.len + 3);
	assert_int_equal(buf_add(&b, span_of("abc", 3)), OK);
	assert_int_equal(vaultsummary_encode(&s, &b), OK);
	assert_true(span_equal(span_skip(buf_span(&b), 3), buf_span(&alone)));
	assert_int_equal(vaultsummary_encode(&s, &b), E_LIMIT);
	assert_int_equal(b.len, alone.len + 3);
	buf_free(&b);
	buf_free(&alone);
}

static enum err decode(struct span in) {
	struct vaultstate back;
	struct guarded g;
	prepare(&back);
	guarded_init(&g, in.len + 1);
	enum err e = vaultsummary_decode(&back, guarded_copy(&g, in, in.len));
	guarded_done(&g);
	vaultstate_done(&back);
	return e;
}

static void what_is_cut_or_longer_is_refused(void **state) {
	(void)state;
	struct buf b = encoded(&s);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(decode(span_of(b.ptr, len)), E_FORMAT);
	assert_int_equal(buf_add_zero(&b, 1), OK);
	assert_int_equal(decode(buf_span(&b)), E_FORMAT);
	buf_free(&b);
}

static void another_owner_is_refused(void **state) {
	struct vaultstate back;
	(void)state;
	struct buf b = encoded(&s);
	prepare(&back);
	back.owner.b[31] ^= 1;
	assert_int_equal(vaultsummary_decode(&back, buf_span(&b)), E_FORMAT);
	assert_int_equal(back.snapshot_count, 0);
	vaultstate_done(&back);
	buf_free(&b);
}

/* A string without lists but for ${accounts} heads, the first of them the owner's. */
static void make_bare(struct buf *out, size_t accounts, uint64_t sequence) {
	struct buf heads;
	struct summarystate t = { .sequence = sequence, .hash = s.head };
	buf_init(&heads, 1 << 16);
	for (size_t i = 0; i < accounts; i++) {
		struct summarystate_head h = { .id = s.owner, .sequence = i };
		if (i) memset(h.id.b, 0xff, HASH_SIZE);
		assert_int_equal(summarystate_add_head(&heads, &h), OK);
	}
	t.accounts = (struct summarystate_list){ .count = accounts, .items = buf_span(&heads) };
	assert_int_equal(summarystate_encode(&t, out), OK);
	buf_free(&heads);
}

static void states_of_no_vault_of_ours(void **state) {
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 16);
	make_bare(&b, 1, 0);
	assert_int_equal(decode(buf_span(&b)), OK);
	buf_clear(&b);
	make_bare(&b, 0, 0);
	assert_int_equal(decode(buf_span(&b)), E_FORMAT);
	buf_clear(&b);
	make_bare(&b, 2, 0);
	assert_int_equal(decode(buf_span(&b)), E_FORMAT);
	/* there is no place behind this one */
	buf_clear(&b);
	make_bare(&b, 1, UINT64_MAX);
	assert_int_equal(decode(buf_span(&b)), E_FORMAT);
	buf_free(&b);
}

static void memory_runs_out(void **state) {
	enum err e = E_NOMEM;
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	for (uint64_t n = 1; e; n++) {
		mem_fail_at(n);
		e = vaultsummary_encode(&s, &b);
		mem_fail_at(0);
		assert_true(e == OK || e == E_NOMEM);
		if (e) assert_int_equal(b.len, 0);
	}
	e = E_NOMEM;
	for (uint64_t n = 1; e; n++) {
		struct vaultstate back;
		prepare(&back);
		mem_fail_at(n);
		e = vaultsummary_decode(&back, buf_span(&b));
		mem_fail_at(0);
		assert_true(e == OK || e == E_NOMEM);
		assert_int_equal(back.count, e ? 0 : 10);
		vaultstate_done(&back);
	}
	buf_free(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_state_comes_back, start, done),
		cmocka_unit_test_setup_teardown(the_order_of_arrival_does_not_show, start, done),
		cmocka_unit_test_setup_teardown(the_hash_is_of_the_string, start, done),
		cmocka_unit_test_setup_teardown(nothing_changes_unseen, start, done),
		cmocka_unit_test_setup_teardown(a_state_without_entries_has_none, start, done),
		cmocka_unit_test_setup_teardown(it_is_appended, start, done),
		cmocka_unit_test_setup_teardown(what_is_cut_or_longer_is_refused, start, done),
		cmocka_unit_test_setup_teardown(another_owner_is_refused, start, done),
		cmocka_unit_test_setup_teardown(states_of_no_vault_of_ours, start, done),
		cmocka_unit_test_setup_teardown(memory_runs_out, start, done),
	};
	return cmocka_run_group_tests_name("vaultsummary", tests, NULL, NULL);
}
