/* client/prune: what no snapshot needs goes, what is mostly waste is stored again, and nothing that is needed depends on what goes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/indexmerge.h"
#include "client/intents.h"
#include "clientbox.h"
#include "falseplaces.h"
#include "os/signals.h"
#include "ownclock.h"
#include "prunebox.h"
#include "storesuite.h"

enum { DAYS_UNNAMED = 30 };

/* Two snapshots: only the first has the file "a"; both have "b". The first is forgotten. */
struct scene {
	struct hash first, second;
};

static struct scene make_scene(struct prunebox *p) {
	struct scene s;
	prunebox_file(p, "a", 200000, 1);
	prunebox_file(p, "b", 30000, 2);
	s.first = prunebox_backup(p);
	prunebox_remove(p, "a");
	s.second = prunebox_backup(p);
	prunebox_forget(p, &s.first);
	return s;
}

static struct prune_options unlimited(void) {
	struct prune_options o = prunebox_options();
	o.max_unused = PRUNE_ANY_UNUSED;
	return o;
}

static uint64_t bytes_of(const struct prunebox *p) {
	uint64_t bytes = 0;
	for (size_t i = 0; i < rawstore_count(p->raw); i++)
		if (rawstore_at(p->raw, i)->kind == RAWSTORE_PACK) bytes += rawstore_at(p->raw, i)->len;
	return bytes;
}

static size_t pack_count(const struct prunebox *p) {
	struct buf packs = prunebox_packs(p);
	size_t count = packs.len / HASH_SIZE;
	buf_free(&packs);
	return count;
}

static void what_nothing_needs_goes(void **state) {
	struct prunebox *p = *state;
	struct scene s = make_scene(p);
	struct prune_options o = unlimited();
	uint64_t bytes = bytes_of(p), packs = pack_count(p);
	struct prune_result r = prunebox_prune(p, &o);
	assert_int_equal(r.packs, packs);
	assert_int_equal(r.bytes, bytes);
	assert_true(r.chunks_used > 0 && r.chunks_used < r.chunks);
	assert_int_equal(r.repacked_packs, 0);
	assert_true(r.named_packs >= 3);
	assert_int_equal(r.purged_packs, r.named_packs);
	assert_int_equal(r.purged_bytes, r.named_bytes);
	assert_int_equal(r.waiting_intents, 0);
	/* what it deleted is gone; an index was written anew */
	assert_true(bytes_of(p) <= bytes - r.purged_bytes + TESTVAULT_PACK);
	prunebox_check(p, &s.second);
	/* nothing is left to do */
	uint64_t entries = p->t.vault.state.count;
	r = prunebox_prune(p, &o);
	assert_int_equal(r.named_packs + r.purged_packs + r.repacked_packs, 0);
	assert_int_equal(p->t.vault.state.count, entries);
}

/* Everything of everybody's snapshots: also of those of another branch, and of the same content twice. */
static void what_any_snapshot_needs_stays(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	struct hash snapshots[4];
	char name[16];
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "f%zu", i);
		prunebox_file(p, name, 20000 + 9000 * i, i);
		prunebox_file(p, "changing", 50000, 10 + i);
		if (i > 1) {
			(void)snprintf(name, sizeof name, "f%zu", i - 2);
			prunebox_remove(p, name);
		}
		snapshots[i] = prunebox_backup(p);
	}
	for (size_t gone = 0; gone < 3; gone++) {
		prunebox_forget(p, &snapshots[gone]);
		(void)prunebox_prune(p, &o);
		for (size_t i = gone + 1; i < 4; i++) prunebox_check(p, &snapshots[i]);
	}
}

static void a_dry_run_changes_nothing(void **state) {
	struct prunebox *p = *state;
	(void)make_scene(p);
	struct prune_options o = prunebox_options();
	char path[SCRATCH_MAX];
	uint64_t packs = pack_count(p), bytes = bytes_of(p);
	size_t objects = rawstore_count(p->raw);
	o.dry_run = true;
	struct prune_result dry = prunebox_prune(p, &o);
	assert_int_equal(rawstore_count(p->raw), objects);
	assert_int_equal(bytes_of(p), bytes);
	assert_int_equal(access(scratch_join(path, p->folder, "home/intents"), F_OK), -1);
	assert_true(dry.named_packs > 0);
	assert_true(dry.repacked_packs > 0);
	assert_int_equal(dry.purged_packs, 0);
	assert_int_equal(dry.packs, packs);
	/* and says what a prune then does */
	o.dry_run = false;
	struct prune_result r = prunebox_prune(p, &o);
	assert_int_equal(r.named_packs, dry.named_packs);
	assert_int_equal(r.named_bytes, dry.named_bytes);
	assert_int_equal(r.repacked_packs, dry.repacked_packs);
	assert_int_equal(r.repacked_bytes, dry.repacked_bytes);
	assert_int_equal(r.used, dry.used);
	assert_int_equal(r.chunks_used, dry.chunks_used);
}

/* A pack of which little is needed: that is stored again, and the pack goes. */
static void waste_is_stored_again(void **state) {
	struct prunebox *p = *state;
	struct scene s = make_scene(p);
	struct prune_options o = prunebox_options();
	struct buf before = prunebox_needs(p, &s.second);
	uint64_t bytes = bytes_of(p);
	struct prune_result r = prunebox_prune(p, &o);
	assert_true(r.repacked_packs > 0);
	assert_true(r.repacked_bytes > 0 && r.repacked_bytes <= r.used);
	assert_true(bytes_of(p) < bytes);
	prunebox_check(p, &s.second);
	/* none of what it needs lies where it lay */
	assert_int_equal(prunebox_present(p, buf_span(&before)), 0);
	buf_free(&before);
}

/* The pack at the end of a run is never full: storing it again would only make another like it. */
static void a_second_prune_finds_nothing(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	for (int full = 0; full < 2; full++) {
		struct scene s = make_scene(p);
		o.pack_limit = full ? 0 : TESTVAULT_PACK;
		assert_true(prunebox_prune(p, &o).repacked_packs > 0);
		prunebox_check(p, &s.second);
		uint64_t entries = p->t.vault.state.count;
		struct prune_result r = prunebox_prune(p, &o);
		assert_int_equal(r.repacked_packs, 0);
		assert_int_equal(r.named_packs, 0);
		assert_int_equal(p->t.vault.state.count, entries);
		prunebox_file(p, "b", 30000, 9);
	}
}

/* Where chunks are tiny, a good part of a pack is its table: that is no waste, however often it would be stored again. */
static void the_tables_of_tiny_chunks_are_no_waste(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = { .pack_limit = 4 * TESTVAULT_PACK };
	struct hash snapshot;
	char name[16];
	for (size_t i = 0; i < 12000; i++) {
		(void)snprintf(name, sizeof name, "f%zu", i);
		prunebox_file(p, name, 40, i);
		if (i % 1000 == 999) snapshot = prunebox_backup(p);
	}
	assert_true(prunebox_prune(p, &o).repacked_packs > 0); /* into larger ones */
	struct prune_result r = prunebox_prune(p, &o);
	assert_int_equal(r.repacked_packs, 0);
	assert_int_equal(r.named_packs, 0);
	prunebox_check(p, &snapshot);
}

/* Several of them become one. */
static void small_packs_are_put_together(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	struct hash snapshots[4];
	char name[16];
	o.pack_limit = 0;
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "f%zu", i);
		prunebox_file(p, name, 3000, i);
		snapshots[i] = prunebox_backup(p);
	}
	size_t packs = pack_count(p);
	assert_true(packs > 4);
	assert_true(prunebox_prune(p, &o).repacked_packs > 4);
	assert_true(pack_count(p) < packs);
	for (size_t i = 0; i < 4; i++) prunebox_check(p, &snapshots[i]);
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 0);
}

/* As much waste as may stay, to the byte; and by share, to a millionth. */
static void waste_may_stay(void **state) {
	struct prunebox *p = *state;
	(void)make_scene(p);
	struct prune_options o = unlimited();
	o.dry_run = true;
	struct prune_result all = prunebox_prune(p, &o);
	assert_int_equal(all.repacked_packs, 0);
	/* of the packs that stay, what nothing needs */
	uint64_t waste = all.bytes - all.named_bytes - all.used;
	assert_true(waste > 0 && waste < all.bytes);
	o.max_unused = waste;
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 0);
	o.max_unused = waste - 1;
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 1);
	o.max_unused = 0;
	uint64_t most = prunebox_prune(p, &o).repacked_packs;
	assert_true(most > 1);
	o.max_unused_is_share = true;
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, most);
	double share = (double)waste * 1e6 / (double)all.used;
	o.max_unused = (uint64_t)share + 1;
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 0);
	o.max_unused = (uint64_t)share - 1;
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 1);
	o.max_unused = PRUNE_ANY_UNUSED;
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 0);
}

/*
 * A block of which the rest lies in a pack that goes: its beginning is in one that stays. All ways of cutting: the packs of a
 * large file, each in turn with the least that is needed of its neighbours.
 */
static void a_cut_block_keeps_both_packs_or_is_stored_again(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	char name[16];
	for (size_t i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof name, "f%02zu", i);
		prunebox_file(p, name, 21000 + 1300 * i, i);
	}
	struct hash first = prunebox_backup(p);
	for (size_t i = 0; i < 12; i += 3) {
		struct rawstore_copy *copy = rawstore_copy(p->raw);
		char path[SCRATCH_MAX];
		(void)snprintf(name, sizeof name, "f%02zu", i);
		prunebox_remove(p, name);
		struct hash second = prunebox_backup(p);
		prunebox_forget(p, &first);
		/* only the worst pack, then all */
		o.dry_run = true;
		o.max_unused = PRUNE_ANY_UNUSED;
		struct prune_result r = prunebox_prune(p, &o);
		o.dry_run = false;
		o.max_unused = r.bytes - r.named_bytes - r.used - 1;
		(void)prunebox_prune(p, &o);
		prunebox_check(p, &second);
		o.max_unused = 0;
		(void)prunebox_prune(p, &o);
		prunebox_check(p, &second);
		prunebox_file(p, name, 21000 + 1300 * i, i);
		testvault_close(&p->t);
		rawstore_set(p->raw, copy);
		rawstore_copy_free(copy);
		scratch_remove(scratch_join(path, p->folder, "home/heads"));
		scratch_remove(scratch_join(path, p->folder, "home/cache"));
		testvault_must_open(&p->t, p->store);
	}
}

/*
 * A pack with nothing but the rest of a block is needed as long as the block lies in two; when it is stored again, the block is, though
 * the pack in which it begins stays.
 */
static void the_rest_of_a_block_goes_with_it(void **state) {
	struct prunebox *p = *state;
	struct prune_options any = unlimited(), o = unlimited();
	struct hash rest, snapshot;
	for (size_t len = 56000;; len += 700) {
		assert_true(len < 90000);
		/* another folder, so that the pack with its list has something that nothing needs */
		prunebox_file(p, "a", len, len);
		prunebox_file(p, "empty", 0, 0);
		snapshot = prunebox_backup(p);
		prunebox_forget(p, &snapshot);
		prunebox_remove(p, "empty");
		snapshot = prunebox_backup(p);
		if (prunebox_find_rest(p, &rest)) break;
		prunebox_forget(p, &snapshot);
	}
	(void)prunebox_prune(p, &any);
	assert_int_equal(prunebox_present(p, hash_span(&rest)), 1);
	prunebox_check(p, &snapshot);
	/* those with the most waste: that one, and those with the folders */
	o.dry_run = true;
	struct prune_result r = prunebox_prune(p, &o);
	uint64_t waste = r.bytes - r.named_bytes - r.used;
	for (uint64_t step = 1; r.repacked_packs < 3; step++) {
		assert_true(step <= 100);
		o.max_unused = waste - waste * step / 100;
		r = prunebox_prune(p, &o);
	}
	assert_int_equal(r.repacked_packs, 3);
	o.dry_run = false;
	(void)prunebox_prune(p, &o);
	assert_int_equal(prunebox_present(p, hash_span(&rest)), 0);
	prunebox_check(p, &snapshot);
}

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
	struct prune_options o = unlimited();
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
	struct prune_options o = unlimited();
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
	struct scene s = make_scene(p);
	struct prune_options o = unlimited();
	uint64_t packs = pack_count(p);
	struct prune_result r = prunebox_prune(p, &o);
	assert_true(r.named_packs > 0);
	assert_int_equal(r.purged_packs, 0);
	assert_int_equal(r.waiting_intents, 1);
	assert_true(pack_count(p) >= packs);
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
	struct scene s = make_scene(p);
	struct prune_options o = unlimited();
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
	struct scene s = make_scene(p);
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
	struct prune_options o = unlimited();
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

/* The store with nothing added to it and nothing taken away. */
static enum err prune_fails(struct prunebox *p, struct why *why) {
	struct prune_options o = prunebox_options();
	struct prune_result out;
	size_t objects = rawstore_count(p->raw);
	uint64_t entries = p->t.vault.state.count;
	enum err e = prune_run(&p->t.vault, &o, &out, why);
	assert_int_equal(rawstore_count(p->raw), objects);
	assert_int_equal(p->t.vault.state.count, entries);
	return e;
}

/* Announced by somebody who saw that it needs them: no purge will look at it. Nothing more goes before that is set right. */
static void what_is_announced_and_needed_is_an_alarm(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	prunebox_file(p, "a", 100000, 1);
	struct hash snapshot = prunebox_backup(p);
	struct buf needs = prunebox_needs(p, &snapshot);
	(void)prunebox_intend(p, buf_span(&needs));
	assert_int_equal(prune_fails(p, &why), E_FORGED);
	/* until it is kept, say */
	prunebox_keep(p, &snapshot);
	struct prune_options o = prunebox_options();
	for (int i = 0; i < 3; i++) {
		(void)prunebox_prune(p, &o);
		prunebox_check(p, &snapshot);
		ownclock_ahead += PRUNEBOX_HOLD + 1;
	}
	buf_free(&needs);
}

static void damage_stops_it(void **state) {
	struct prunebox *p = *state;
	struct scene s = make_scene(p);
	struct why why = { OK, "" };
	struct location l = p->t.vault.state.indexes[0].location;
	prunebox_damage(p, &l.pack, l.offset + 3);
	assert_int_equal(prune_fails(p, &why), E_FORGED);
	assert_non_null(strstr(why.msg, "repair"));
	prunebox_damage(p, &l.pack, l.offset + 3);
	/* a leaf of it */
	prunebox_damage(p, &l.pack, l.offset - 40);
	assert_int_equal(prune_fails(p, &why), E_FORGED);
	assert_non_null(strstr(why.msg, "repair"));
	prunebox_damage(p, &l.pack, l.offset - 40);
	faulty_order(p->store,
		(struct faulty_order){
			.verb = FAULTY_PACK_LIST, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(prune_fails(p, &why), E_IO);
	faulty_clear(p->store);
	/* each pack that is needed, one by one */
	struct buf needs = prunebox_needs(p, &s.second);
	for (size_t at = 0; at < needs.len; at += HASH_SIZE) {
		struct hash name = hash_from(needs.ptr + at);
		struct rawstore_copy *copy = rawstore_copy(p->raw);
		prunebox_lose(p, &name);
		assert_int_equal(prune_fails(p, &why), E_FORGED);
		rawstore_set(p->raw, copy);
		rawstore_copy_free(copy);
	}
	buf_free(&needs);
	/* after all that it works */
	struct prune_options o = prunebox_options();
	(void)prunebox_prune(p, &o);
	prunebox_check(p, &s.second);
}

/* An index may name packs that are gone, if nobody needs them: it is written anew without them. */
static void packs_that_are_missing_leave_the_index(void **state) {
	struct prunebox *p = *state;
	struct scene s = make_scene(p);
	struct prune_options o = unlimited();
	struct buf first = prunebox_needs(p, &s.first), second = prunebox_needs(p, &s.second), lost;
	buf_init(&lost, 1 << 16);
	for (size_t at = 0; at < first.len; at += HASH_SIZE) {
		struct hash name = hash_from(first.ptr + at);
		bool is_index = false;
		for (size_t i = 0; i < p->t.vault.state.index_count; i++)
			is_index |= hash_equal(&p->t.vault.state.indexes[i].location.pack, &name);
		if (is_index || intents_has(buf_span(&second), &name)) continue;
		prunebox_lose(p, &name);
		assert_int_equal(buf_add(&lost, hash_span(&name)), OK);
	}
	assert_true(lost.len > 0);
	(void)prunebox_prune(p, &o);
	struct fetch_params fp = { .vault = &p->t.vault, .threads = 1 };
	struct fetch *f = NULL;
	struct why why = { OK, "" };
	clientbox_ok(fetch_new(&f, &fp, &why), &why);
	for (size_t i = 0; i < p->t.vault.state.index_count; i++)
		assert_false(places_index_names(fetch_places(f), i, buf_span(&lost)));
	fetch_free(f);
	prunebox_check(p, &s.second);
	buf_free(&first);
	buf_free(&second);
	buf_free(&lost);
}

static void it_can_be_interrupted(void **state) {
	struct prunebox *p = *state;
	struct scene s = make_scene(p);
	struct why why = { OK, "" };
	struct sigaction old;
	assert_int_equal(sigaction(SIGINT, NULL, &old), 0);
	/* a program that is started with it ignored leaves it so */
	assert_true(signal(SIGINT, SIG_DFL) != SIG_ERR);
	signals_install();
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(prune_fails(p, &why), E_CANCELLED);
	signals_forget();
	assert_int_equal(sigaction(SIGINT, &old, NULL), 0);
	prunebox_check(p, &s.second);
}

/* What another process does right before entries of ours. */
struct rival {
	struct prunebox *p;
	enum err (*act)(struct rival *r, struct testvault *t);
	size_t skip; /* entries of ours before it acts */
	size_t left;
	struct hash snapshot;
	bool busy;
	struct why why;
	enum err failed;
};

static enum err before_ours(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct rival *r = ctx;
	(void)seq;
	(void)bytes;
	if (r->busy || !r->left || !hash_equal(chain, &r->p->t.vault.id)) return OK;
	if (r->skip) {
		r->skip--;
		return OK;
	}
	r->busy = true;
	r->left--;
	if (!r->failed) r->failed = r->act(r, prunebox_other(r->p));
	r->busy = false;
	return OK;
}

static enum err tag(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct rival *r = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){ .type = VAULTBODY_TAG, .snapshot = r->snapshot };
	return OK;
}

static enum err tags(struct rival *r, struct testvault *t) {
	return vault_append(&t->vault, tag, r, &r->why);
}

static enum err backs_up(struct rival *r, struct testvault *t) {
	return testvault_backup(t, r->p->tree, NULL, &r->snapshot, &r->why);
}

/* It gives up at some time, and says what to do; nothing is lost by that. */
static void others_without_end(void **state) {
	struct prunebox *p = *state;
	struct scene s = make_scene(p);
	struct rival r = { .p = p, .act = tags, .left = SIZE_MAX, .snapshot = s.second };
	struct prune_options o = unlimited();
	struct prune_result out;
	struct why why = { OK, "" };
	(void)prunebox_other(p);
	rawstore_on_append(p->raw, before_ours, &r);
	assert_int_equal(prune_run(&p->t.vault, &o, &out, &why), E_BUSY);
	assert_non_null(strstr(why.msg, "later"));
	rawstore_on_append(p->raw, NULL, NULL);
	clientbox_ok(r.failed, &r.why);
	assert_int_equal(p->t.vault.state.intent_count, 0);
	prunebox_check(p, &s.second);
	(void)prunebox_prune(p, &o);
	prunebox_check(p, &s.second);
}

/* A backup of the same content comes between the look and the announcement, or any other entry of the prune. */
static void a_backup_beside_it(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	char path[SCRATCH_MAX];
	prunebox_file(p, "a", 200000, 1);
	prunebox_file(p, "b", 30000, 2);
	struct hash first = prunebox_backup(p);
	prunebox_remove(p, "a");
	struct hash second = prunebox_backup(p);
	prunebox_forget(p, &first);
	prunebox_file(p, "a", 200000, 1);
	struct rawstore_copy *copy = rawstore_copy(p->raw);
	for (size_t nth = 0; nth < 5; nth++) {
		struct rival r = { .p = p, .act = backs_up, .skip = nth, .left = 1 };
		(void)prunebox_other(p);
		rawstore_on_append(p->raw, before_ours, &r);
		(void)prunebox_prune(p, &o);
		rawstore_on_append(p->raw, NULL, NULL);
		clientbox_ok(r.failed, &r.why);
		prunebox_check(p, &second);
		if (!r.left) prunebox_check(p, &r.snapshot);
		assert_true(nth > 2 || !r.left);
		testvault_close(&p->t);
		testvault_close(&p->other);
		p->has_other = false;
		rawstore_set(p->raw, copy);
		scratch_remove(scratch_join(path, p->folder, "home/heads"));
		scratch_remove(scratch_join(path, p->folder, "home/cache"));
		testvault_must_open(&p->t, p->store);
	}
	rawstore_copy_free(copy);
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
		cmocka_unit_test_setup_teardown(what_nothing_needs_goes, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_any_snapshot_needs_stays, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_dry_run_changes_nothing, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_second_prune_finds_nothing, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			small_packs_are_put_together, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			the_tables_of_tiny_chunks_are_no_waste, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(waste_is_stored_again, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(waste_may_stay, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_cut_block_keeps_both_packs_or_is_stored_again, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(the_rest_of_a_block_goes_with_it, setup, prunebox_teardown),
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
		cmocka_unit_test_setup_teardown(
			what_is_announced_and_needed_is_an_alarm, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(damage_stops_it, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_that_are_missing_leave_the_index, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(it_can_be_interrupted, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(others_without_end, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_backup_beside_it, setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
