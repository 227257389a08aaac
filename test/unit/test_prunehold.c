/*
 * client/prune: when packs go. What is announced waits for the hold, what no index names until its run is surely dead, and a
 * snapshot that is kept in time stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/indexmerge.h"
#include "client/intents.h"
#include "clientbox.h"
#include "falseplaces.h"
#include "ownclock.h"
#include "prunebox.h"

enum { DAYS_UNNAMED = 30 };

/* A run that could not name what it had stored: the packs that it left. */
static struct buf abandon(struct prunebox *p) {
	struct why why;
	struct hash id;
	struct buf left, before = prunebox_packs(p);
	prunebox_file(p, "c", 100000, 3);
	faulty_order(p->store,
		(struct faulty_order){ .verb = FAULTY_CHAIN_APPEND,
			.nth = 1,
			.forever = true,
			.way = FAULTY_BEFORE,
			.error = E_IO });
	assert_int_equal(testvault_backup(&p->t, p->tree, NULL, &id, &why), E_IO);
	faulty_clear(p->store);
	prunebox_remove(p, "c");
	struct buf after = prunebox_packs(p);
	buf_init(&left, 1 << 20);
	for (size_t at = 0; at < after.len; at += HASH_SIZE) {
		struct hash name = hash_from(after.ptr + at);
		if (!intents_has(buf_span(&before), &name))
			assert_int_equal(buf_add(&left, hash_span(&name)), OK);
	}
	assert_true(left.len > 0);
	buf_free(&before);
	buf_free(&after);
	return left;
}

/* Its run may be under way still, for weeks: until it is surely dead its packs are left alone. */
static void packs_that_no_index_names(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_unlimited();
	prunebox_file(p, "a", 50000, 1);
	struct hash snapshot = prunebox_backup(p);
	struct buf left = abandon(p);
	size_t count = left.len / HASH_SIZE;
	struct prune_result r = prunebox_prune(p, &o);
	assert_int_equal(r.named_packs, 0);
	ownclock_ahead += (DAYS_UNNAMED * (int64_t)OWNCLOCK_DAY) - 60;
	r = prunebox_prune(p, &o);
	assert_int_equal(r.named_packs, 0);
	assert_int_equal(prunebox_present(p, buf_span(&left)), count);
	ownclock_ahead += 120;
	/* one that can't be read says nothing of its run: it is left alone for good */
	struct hash damaged = hash_from(left.ptr);
	size_t end = rawstore_find(p->raw, RAWSTORE_PACK, &p->t.vault.id, &damaged, 0)->len - 1;
	prunebox_damage(p, &damaged, end);
	r = prunebox_prune(p, &o);
	assert_int_equal(r.purged_packs, r.named_packs);
	assert_int_equal(prunebox_present(p, buf_span(&left)), 1);
	assert_int_equal(prunebox_present(p, hash_span(&damaged)), 1);
	prunebox_check(p, &snapshot);
	buf_free(&left);
}

/* And until the hold has passed, if that is longer. */
static void packs_that_no_index_names_are_held_too(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_unlimited();
	struct vault_entry policy = {
		.body = { .type = VAULTBODY_POLICY, .hold = 2 * DAYS_UNNAMED * OWNCLOCK_DAY },
	};
	prunebox_file(p, "a", 50000, 1);
	(void)prunebox_backup(p);
	(void)prunebox_append(p, &policy);
	struct buf left = abandon(p);
	ownclock_ahead += (DAYS_UNNAMED + 1) * (int64_t)OWNCLOCK_DAY;
	assert_int_equal(prunebox_prune(p, &o).named_packs, 0);
	ownclock_ahead += DAYS_UNNAMED * (int64_t)OWNCLOCK_DAY;
	struct prune_result r = prunebox_prune(p, &o);
	assert_true(r.named_packs >= left.len / HASH_SIZE);
	assert_int_equal(r.waiting_intents, 1);
	assert_int_equal(prunebox_present(p, buf_span(&left)), left.len / HASH_SIZE);
	buf_free(&left);
}

/* With a hold nothing is deleted, and nothing that is announced is announced again. */
static void what_is_announced_waits(void **state) {
	struct prunebox *p = *state;
	struct prunebox_scene s = prunebox_scene(p);
	struct prune_options o = prunebox_unlimited();
	uint64_t packs = prunebox_pack_count(p);
	struct prune_result r = prunebox_prune(p, &o);
	assert_true(r.named_packs > 0);
	assert_int_equal(r.purged_packs, 0);
	assert_int_equal(r.waiting_intents, 1);
	assert_true(prunebox_pack_count(p) >= packs);
	prunebox_check(p, &s.second);
	r = prunebox_prune(p, &o);
	assert_int_equal(r.named_packs, 0);
	assert_int_equal(r.waiting_intents, 1);
	/* more is announced, and nothing twice */
	prunebox_file(p, "c", 100000, 3);
	struct hash third = prunebox_backup(p);
	prunebox_remove(p, "c");
	prunebox_forget(p, &third);
	r = prunebox_prune(p, &o);
	assert_true(r.named_packs > 0);
	assert_int_equal(r.waiting_intents, 2);
	const struct vault_intent *all = p->t.vault.state.intents;
	for (size_t i = 0; i < hashlist_count(&all[0].packs.names); i++) {
		struct hash name = hashlist_at(&all[0].packs.names, i);
		assert_false(hashlist_has(&all[1].packs.names, &name));
	}
	ownclock_ahead += PRUNEBOX_HOLD + 1;
	r = prunebox_prune(p, &o);
	assert_true(r.purged_packs > 0);
	assert_int_equal(r.waiting_intents, 0);
	prunebox_check(p, &s.second);
}

/* A prune that died after its intent left the packs in the index: the next announces none of them again. */
static void a_prune_that_died_after_its_intent(void **state) {
	struct prunebox *p = *state;
	struct prunebox_scene s = prunebox_scene(p);
	struct prune_options o = prunebox_unlimited();
	struct prune_result r;
	struct why why;
	faulty_order(p->store,
		(struct faulty_order){ .verb = FAULTY_CHAIN_APPEND,
			.nth = 2,
			.forever = true,
			.way = FAULTY_BEFORE,
			.error = E_IO });
	assert_int_equal(prune_run(&p->t.vault, &o, &r, &why), E_IO);
	faulty_clear(p->store);
	assert_int_equal(p->t.vault.state.intent_count, 1);
	r = prunebox_prune(p, &o);
	assert_int_equal(r.named_packs, 0);
	assert_int_equal(p->t.vault.state.intent_count, 1);
	prunebox_check(p, &s.second);
	ownclock_ahead += PRUNEBOX_HOLD + 1;
	r = prunebox_prune(p, &o);
	assert_true(r.purged_packs >= 3);
	assert_int_equal(r.waiting_intents, 0);
	prunebox_check(p, &s.second);
}

/* A snapshot that is kept in time: prunes go on as before, and its packs stay. */
static void keep_within_the_hold(struct prunebox *p, bool lies) {
	struct prunebox_scene s = prunebox_scene(p);
	struct prune_options o = prunebox_options();
	(void)prunebox_prune(p, &o);
	prunebox_keep(p, &s.first);
	prunebox_file(p, "b", 30000, 9);
	struct hash third = prunebox_backup(p);
	prunebox_forget(p, &s.second);
	o.dry_run = true;
	(void)prunebox_prune(p, &o);
	o.dry_run = false;
	for (int i = 0; i < 4; i++) {
		if (lies) falseplaces_add(&p->t.vault);
		(void)prunebox_prune(p, &o);
		prunebox_check(p, &third);
		struct buf needs = prunebox_needs(p, &s.first); /* all there, if not yet named */
		buf_free(&needs);
		ownclock_ahead += PRUNEBOX_HOLD + 1;
	}
	prunebox_check(p, &s.first);
}

static void a_keep_within_the_hold(void **state) {
	keep_within_the_hold(*state, false);
}

static void a_keep_behind_false_places(void **state) {
	keep_within_the_hold(*state, true);
}

/* Half of what it needs lies in packs that are announced, and blocks go on from one of those in one that is not. */
static void a_keep_of_half_of_it(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	prunebox_file(p, "a", 300000, 1);
	struct hash first = prunebox_backup(p);
	prunebox_remove(p, "a");
	prunebox_file(p, "b", 1000, 2);
	struct hash second = prunebox_backup(p);
	struct buf needs = prunebox_needs(p, &first), others = prunebox_needs(p, &second), half;
	buf_init(&half, 1 << 16);
	for (size_t i = 0; i < needs.len; i += 2 * HASH_SIZE) {
		struct hash name = hash_from(needs.ptr + i);
		if (!intents_has(buf_span(&others), &name))
			assert_int_equal(buf_add(&half, hash_span(&name)), OK);
	}
	prunebox_forget(p, &first);
	(void)prunebox_intend(p, buf_span(&half));
	struct why why = { OK, "" };
	clientbox_ok(indexmerge_without(&p->t.vault, buf_span(&half), TESTVAULT_PACK, &why), &why);
	prunebox_keep(p, &first);
	for (int i = 0; i < 4; i++) {
		(void)prunebox_prune(p, &o);
		prunebox_check(p, &second);
		ownclock_ahead += PRUNEBOX_HOLD + 1;
	}
	prunebox_check(p, &first);
	buf_free(&needs);
	buf_free(&others);
	buf_free(&half);
}

/*
 * A prune that died after its intent: a block that it had stored again has two places in the indexes, the old one with its rest in
 * a pack that goes. That is no place any more, or the other would be taken for useless.
 */
static void a_piece_whose_rest_goes_is_no_place(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_unlimited();
	struct hash rest, first;
	bool found = false;
	for (size_t len = 56000; !found; len += 700) {
		assert_true(len < 90000);
		prunebox_file(p, "a", len, len);
		first = prunebox_backup(p);
		prunebox_forget(p, &first);
		found = prunebox_find_rest(p, &rest);
	}
	(void)prunebox_intend(p, hash_span(&rest));
	/* a run may not rely on it: so the block is stored again */
	struct hash again = prunebox_backup(p);
	for (int i = 0; i < 3; i++) {
		(void)prunebox_prune(p, &o);
		ownclock_ahead += PRUNEBOX_HOLD + 1;
	}
	assert_int_equal(prunebox_present(p, hash_span(&rest)), 0);
	prunebox_check(p, &again);
}

static int setup(void **state) {
	ownclock_ahead = 0;
	return prunebox_setup(state);
}

static int setup_held(void **state) {
	ownclock_ahead = 0;
	return prunebox_setup_held(state);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packs_that_no_index_names, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_that_no_index_names_are_held_too, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_is_announced_waits, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_prune_that_died_after_its_intent, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_keep_behind_false_places, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_keep_within_the_hold, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_keep_of_half_of_it, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_piece_whose_rest_goes_is_no_place, setup_held, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("prunehold", tests, NULL, NULL);
}
