/*
 * client/purge: packs are deleted when their hold is over and not before, only those that were announced, and none that is needed
 * after all.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/intents.h"
#include "client/purge.h"
#include "clientbox.h"
#include "ownclock.h"
#include "prunebox.h"
#include "storesuite.h"

/* Time goes on by ${seconds}. */
static void pass(int64_t seconds) {
	ownclock_ahead += seconds;
}

/* The file in which this device keeps when it first saw the only intent. */
static char *seen_path(char *out, const struct prunebox *p) {
	char folder[SCRATCH_MAX];
	DIR *d = opendir(scratch_join(folder, p->folder, "home/intents"));
	assert_non_null(d);
	out[0] = '\0';
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.') (void)scratch_join(out, folder, e->d_name);
	(void)closedir(d);
	assert_true(out[0] != '\0');
	return out;
}

static int seen_count(const struct prunebox *p) {
	char folder[SCRATCH_MAX];
	return scratch_count(scratch_join(folder, p->folder, "home/intents"));
}

static void not_before_the_hold_is_over(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	int64_t time = vaultstate_intent(&p->t.vault.state, s.intent)->time;
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	assert_true(r.waiting_until >= time + (int64_t)PRUNEBOX_HOLD * OWNCLOCK_NS);
	assert_int_equal(r.purged_packs, 0);
	pass(PRUNEBOX_HOLD - 60);
	r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), s.gone.len / HASH_SIZE);
	pass(61);
	uint64_t bytes = 0;
	for (size_t at = 0; at < s.gone.len; at += HASH_SIZE) {
		struct hash name = hash_from(s.gone.ptr + at);
		bytes += rawstore_find(p->raw, RAWSTORE_PACK, &p->t.vault.id, &name, 0)->len;
	}
	r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 0);
	assert_int_equal(r.waiting_until, 0);
	assert_int_equal(r.purged_packs, s.gone.len / HASH_SIZE);
	assert_int_equal(r.purged_bytes, bytes);
	assert_int_equal(r.rescued_packs, 0);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 0);
	assert_null(vaultstate_intent(&p->t.vault.state, s.intent));
	assert_int_equal(seen_count(p), 0);
	prunebox_check(p, &s.second);
	/* nothing is left to do */
	uint64_t entries = p->t.vault.state.count;
	r = prunebox_purge(p);
	assert_int_equal(r.purged_packs + r.waiting_intents, 0);
	assert_int_equal(p->t.vault.state.count, entries);
	buf_free(&s.gone);
}

/* Whoever writes entries could date one back: without a server each device counts from when it saw it. */
static void the_hold_counts_from_when_it_was_seen(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	char path[SCRATCH_MAX];
	uint8_t when[8];
	pass(2 * PRUNEBOX_HOLD);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	pass(PRUNEBOX_HOLD - 60);
	r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	/* a record that is damaged counts from now */
	scratch_write(seen_path(path, p), "x", 1);
	pass(120);
	r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	scratch_write(seen_path(path, p), "too many bytes", 14);
	r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	assert_int_equal(r.purged_packs, 0);
	/* one from before the entry does not make it older */
	memset(when, 0, sizeof when);
	scratch_write(path, when, sizeof when);
	ownclock_ahead -= 3 * PRUNEBOX_HOLD + 120;
	r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), s.gone.len / HASH_SIZE);
	pass(PRUNEBOX_HOLD + 70);
	r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, s.gone.len / HASH_SIZE);
	/* no entry of ours came too early */
	assert_int_equal(p->t.vault.state.void_count, 0);
	buf_free(&s.gone);
}

/* Made longer while it waits. */
static void the_longer_hold_counts(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct vault_entry policy = { .body = { .type = VAULTBODY_POLICY, .hold = 3 * PRUNEBOX_HOLD } };
	(void)prunebox_purge(p);
	(void)prunebox_append(p, &policy);
	pass(PRUNEBOX_HOLD + 1);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.waiting_intents, 1);
	assert_int_equal(r.purged_packs, 0);
	pass(2 * PRUNEBOX_HOLD);
	r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, s.gone.len / HASH_SIZE);
	assert_int_equal(p->t.vault.state.void_count, 0);
	buf_free(&s.gone);
}

static void a_dry_run_writes_nothing(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct prune_options o = prunebox_options();
	struct prune_result out = { .packs = 0 };
	struct why why = { OK, "" };
	size_t objects = rawstore_count(p->raw);
	o.dry_run = true;
	pass(2 * PRUNEBOX_HOLD);
	clientbox_ok(purge_due(&p->t.vault, &o, &out, &why), &why);
	assert_int_equal(out.waiting_intents, 1);
	assert_int_equal(out.purged_packs, 0);
	assert_int_equal(rawstore_count(p->raw), objects);
	assert_int_equal(seen_count(p), -1);
	buf_free(&s.gone);
}

/* A prune that dies while it deletes leaves the rest to the next. */
static void deleting_goes_on_where_it_ended(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct prune_options o = prunebox_options();
	struct prune_result out = { .packs = 0 };
	struct why why;
	size_t count = s.gone.len / HASH_SIZE;
	faulty_order(p->store,
		(struct faulty_order){ .verb = FAULTY_PACK_DELETE,
			.nth = 2,
			.forever = true,
			.way = FAULTY_BEFORE,
			.error = E_IO });
	assert_int_equal(purge_due(&p->t.vault, &o, &out, &why), E_IO);
	faulty_clear(p->store);
	assert_int_equal(out.purged_packs, 1);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), count - 1);
	uint64_t entries = p->t.vault.state.count;
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, count - 1);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 0);
	assert_int_equal(p->t.vault.state.count, entries);
	buf_free(&s.gone);
}

/* However much was purged before: what is not in the store any more is not asked for one by one. */
static void what_was_purged_long_ago_costs_nothing(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	assert_int_equal(prunebox_purge(p).purged_packs, s.gone.len / HASH_SIZE);
	uint64_t sizes = faulty_count(p->store, FAULTY_PACK_SIZE);
	uint64_t lists = faulty_count(p->store, FAULTY_PACK_LIST);
	uint64_t deletes = faulty_count(p->store, FAULTY_PACK_DELETE);
	assert_int_equal(prunebox_purge(p).purged_packs, 0);
	assert_int_equal(faulty_count(p->store, FAULTY_PACK_SIZE), sizes);
	assert_int_equal(faulty_count(p->store, FAULTY_PACK_DELETE), deletes);
	assert_true(faulty_count(p->store, FAULTY_PACK_LIST) <= lists + 1);
	buf_free(&s.gone);
}

/* One that comes back, as from a copy of the store's files, is deleted again: what was seen gone is not believed to stay so. */
static void what_comes_back_goes_again(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct rawstore_copy *before = rawstore_copy(p->raw);
	struct hash name = hash_from(s.gone.ptr);
	assert_int_equal(prunebox_purge(p).purged_packs, s.gone.len / HASH_SIZE);
	struct store *other = rawstore_new(store_id(p->raw));
	rawstore_set(other, before);
	rawstore_add(p->raw, rawstore_find(other, RAWSTORE_PACK, &p->t.vault.id, &name, 0));
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 1);
	assert_int_equal(prunebox_purge(p).purged_packs, 1);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 0);
	prunebox_check(p, &s.second);
	store_free(other);
	rawstore_copy_free(before);
	buf_free(&s.gone);
}

/* Who has one pack taken away by somebody else deletes the others. */
static void what_is_gone_already_is_no_error(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	/* one that no index lies in */
	struct hash name = hash_from(s.gone.ptr);
	for (size_t i = 0; i < p->t.vault.state.index_count; i++)
		if (hash_equal(&p->t.vault.state.indexes[i].location.pack, &name))
			name = hash_from(s.gone.ptr + HASH_SIZE);
	prunebox_lose(p, &name);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, s.gone.len / HASH_SIZE - 1);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 0);
	buf_free(&s.gone);
}

/*
 * A purge entry may name any packs where its intent has a list object: the chain doesn't show what is in it. Nothing is deleted
 * that was not announced.
 */
static void what_was_not_announced_stays(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct buf many;
	prunebox_file(p, "a", 100000, 1);
	struct hash snapshot = prunebox_backup(p);
	struct buf packs = prunebox_packs(p);
	buf_init(&many, 1 << 20);
	for (uint64_t i = 0; i < LIMIT_PACK_NAMES + 1; i++) {
		struct hash name = storesuite_id(5000 + i);
		assert_int_equal(buf_add(&many, hash_span(&name)), OK);
	}
	intents_sort(&many);
	uint64_t intent = prunebox_intend(p, buf_span(&many));
	struct vault_entry purged = {
		.body = { .type = VAULTBODY_PURGE },
		.public_part = { .kind = ENTRYPUBLIC_PURGE, .intent = intent },
	};
	clientbox_ok(
		intents_make(&p->t.vault, buf_span(&packs), &purged.public_part.packs, &why), &why);
	(void)prunebox_append(p, &purged);
	assert_int_equal(p->t.vault.state.purge_count, 1);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, 0);
	prunebox_check(p, &snapshot);
	buf_free(&packs);
	buf_free(&many);
}

/* An intent whose list can't be read: nothing is guessed. */
static void a_list_that_is_gone_stops_it(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	struct prune_result out = { .packs = 0 };
	struct why why = { OK, "" };
	struct buf many;
	buf_init(&many, 1 << 20);
	for (uint64_t i = 0; i < LIMIT_PACK_NAMES + 1; i++) {
		struct hash name = storesuite_id(5000 + i);
		assert_int_equal(buf_add(&many, hash_span(&name)), OK);
	}
	intents_sort(&many);
	uint64_t intent = prunebox_intend(p, buf_span(&many));
	struct hash list = vaultstate_intent(&p->t.vault.state, intent)->packs.list;
	clientbox_ok(store_object_delete(p->raw, &list, &why), &why);
	uint64_t entries = p->t.vault.state.count;
	assert_int_equal(purge_due(&p->t.vault, &o, &out, &why), E_FORGED);
	assert_int_equal(p->t.vault.state.count, entries);
	buf_free(&many);
}

/* Of a purge it lets nothing be deleted, and stops nobody: what it named is long gone, or is announced again some day. */
static void a_purges_list_that_is_gone_stops_nothing(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct prunebox_announced s = prunebox_announce(p);
	struct buf many;
	buf_init(&many, 1 << 20);
	for (uint64_t i = 0; i < LIMIT_PACK_NAMES + 1; i++) {
		struct hash name = storesuite_id(5000 + i);
		assert_int_equal(buf_add(&many, hash_span(&name)), OK);
	}
	intents_sort(&many);
	struct vault_entry purged = {
		.body = { .type = VAULTBODY_PURGE },
		.public_part = { .kind = ENTRYPUBLIC_PURGE },
	};
	purged.public_part.intent = prunebox_intend(p, buf_span(&many));
	clientbox_ok(intents_make(&p->t.vault, buf_span(&many), &purged.public_part.packs, &why), &why);
	(void)prunebox_append(p, &purged);
	assert_int_equal(p->t.vault.state.purge_count, 1);
	struct hash list = p->t.vault.state.purges[0].packs.list;
	clientbox_ok(store_object_delete(p->raw, &list, &why), &why);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, s.gone.len / HASH_SIZE);
	prunebox_check(p, &s.second);
	buf_free(&many);
	buf_free(&s.gone);
}

/* What a snapshot that was kept needs is left out; the rest goes. */
static void what_is_needed_again_stays(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct hash none = storesuite_id(77);
	struct vault_entry undo = {
		.body = { .type = VAULTBODY_KEEP, .keep_intent = true, .intent = s.intent },
	};
	(void)prunebox_append(p, &undo);
	/* packs of which one is of no use to anybody */
	struct buf names;
	buf_init(&names, 1 << 20);
	assert_int_equal(buf_add(&names, buf_span(&s.gone)), OK);
	assert_int_equal(buf_add(&names, hash_span(&none)), OK);
	intents_sort(&names);
	uint64_t intent = prunebox_intend(p, buf_span(&names));
	(void)prunebox_purge(p);
	prunebox_keep(p, &s.first);
	pass(PRUNEBOX_HOLD + 1);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, 0);
	assert_int_equal(r.rescued_packs, s.gone.len / HASH_SIZE);
	assert_int_equal(r.waiting_intents, 0);
	assert_null(vaultstate_intent(&p->t.vault.state, intent));
	assert_int_equal(p->t.vault.state.purge_count, 1);
	assert_int_equal(hashlist_count(&p->t.vault.state.purges[0].packs.names), 1);
	prunebox_check(p, &s.first);
	prunebox_check(p, &s.second);
	buf_free(&names);
	buf_free(&s.gone);
}

/*
 * Where all is needed again, the intent is taken back: were it to stay, the packs would go the moment the snapshot is forgotten
 * again, without a hold.
 */
static void an_intent_of_which_all_is_needed_is_taken_back(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	(void)prunebox_purge(p);
	prunebox_keep(p, &s.first);
	pass(PRUNEBOX_HOLD + 1);
	struct prune_result r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, 0);
	assert_int_equal(r.rescued_packs, s.gone.len / HASH_SIZE);
	assert_int_equal(r.waiting_intents, 0);
	assert_int_equal(p->t.vault.state.intent_count, 0);
	assert_int_equal(p->t.vault.state.purge_count, 0);
	assert_int_equal(seen_count(p), 0);
	prunebox_forget(p, &s.first);
	pass(1);
	r = prunebox_purge(p);
	assert_int_equal(r.purged_packs, 0);
	prunebox_keep(p, &s.first);
	prunebox_check(p, &s.first);
	buf_free(&s.gone);
}

static void reset_clock(void) {
	ownclock_ahead = 0;
}

static int setup(void **state) {
	reset_clock();
	return prunebox_setup(state);
}

static int setup_held(void **state) {
	reset_clock();
	return prunebox_setup_held(state);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(not_before_the_hold_is_over, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			the_hold_counts_from_when_it_was_seen, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(the_longer_hold_counts, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_dry_run_writes_nothing, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(deleting_goes_on_where_it_ended, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_purged_long_ago_costs_nothing, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_comes_back_goes_again, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_already_is_no_error, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_was_not_announced_stays, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_list_that_is_gone_stops_it, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_purges_list_that_is_gone_stops_nothing, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_is_needed_again_stays, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			an_intent_of_which_all_is_needed_is_taken_back, setup_held, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("purge", tests, NULL, NULL);
}
