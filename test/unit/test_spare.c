/* client/spare: of packs that are to go, those stay that a snapshot came to need since, and an index names them again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/spare.h"
#include "clientbox.h"
#include "falseplaces.h"
#include "prunebox.h"

static struct spare begin(struct prunebox *p, struct span names) {
	struct spare s;
	spare_init(&s, &p->t.vault);
	s.pack_limit = TESTVAULT_PACK;
	assert_int_equal(buf_add(&s.names, names), OK);
	return s;
}

static void look(struct spare *s, uint64_t since) {
	struct why why = { OK, "" };
	clientbox_ok(spare_look(s, since, &why), &why);
	assert_int_equal(s->looked, s->v->state.count);
}

static bool any_of(struct span names, struct span of) {
	for (size_t at = 0; at < of.len; at += HASH_SIZE) {
		struct hash name = hash_from(of.ptr + at);
		if (intents_has(names, &name)) return true;
	}
	return false;
}

/* Names that are in ${a} and not in ${b}. */
static struct buf minus(struct span a, struct span b) {
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t at = 0; at < a.len; at += HASH_SIZE) {
		struct hash name = hash_from(a.ptr + at);
		if (!intents_has(b, &name)) assert_int_equal(buf_add(&out, hash_span(&name)), OK);
	}
	return out;
}

/* The entry that was the newest. */
static uint64_t now(const struct prunebox *p) {
	return p->t.vault.state.count - 1;
}

static void nothing_came(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 100000, 1);
	(void)prunebox_backup(p);
	struct buf packs = prunebox_packs(p);
	uint64_t entries = p->t.vault.state.count;
	struct spare s = begin(p, buf_span(&packs));
	look(&s, now(p));
	prunebox_same(buf_span(&s.names), buf_span(&packs));
	assert_int_equal(s.spared.len, 0);
	assert_int_equal(p->t.vault.state.count, entries);
	spare_done(&s);
	buf_free(&packs);
}

/* Only what the newer snapshot needs, and all of that. */
static void a_snapshot_that_came_since(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 100000, 1);
	prunebox_file(p, "b", 150000, 2);
	(void)prunebox_backup(p);
	uint64_t since = now(p);
	prunebox_remove(p, "b");
	struct hash second = prunebox_backup(p);
	struct buf packs = prunebox_packs(p), needs = prunebox_needs(p, &second);
	struct buf rest = minus(buf_span(&packs), buf_span(&needs));
	assert_true(rest.len > 0);
	struct spare s = begin(p, buf_span(&packs));
	look(&s, since);
	prunebox_same(buf_span(&s.names), buf_span(&rest));
	prunebox_same(buf_span(&s.spared), buf_span(&needs));
	spare_done(&s);
	/* one that is forgotten by now needs nothing, beside one that does */
	prunebox_file(p, "c", 1000, 3);
	struct hash third = prunebox_backup(p);
	struct buf needs_third = prunebox_needs(p, &third);
	struct buf but_third = minus(buf_span(&packs), buf_span(&needs_third));
	prunebox_forget(p, &second);
	s = begin(p, buf_span(&packs));
	look(&s, since);
	prunebox_same(buf_span(&s.names), buf_span(&but_third));
	assert_true(but_third.len > rest.len);
	spare_done(&s);
	buf_free(&needs_third);
	buf_free(&but_third);
	prunebox_forget(p, &third);
	s = begin(p, buf_span(&packs));
	look(&s, since);
	prunebox_same(buf_span(&s.names), buf_span(&packs));
	spare_done(&s);
	/* and one that is kept after that counts from its keep */
	since = now(p);
	s = begin(p, buf_span(&packs));
	prunebox_keep(p, &second);
	look(&s, since);
	prunebox_same(buf_span(&s.names), buf_span(&rest));
	spare_done(&s);
	buf_free(&packs);
	buf_free(&needs);
	buf_free(&rest);
}

/* Takes the packs out of the indexes, as a prune does after its intent. */
static void unname(struct prunebox *p, struct span names) {
	struct why why = { OK, "" };
	clientbox_ok(indexmerge_without(&p->t.vault, names, TESTVAULT_PACK, &why), &why);
}

static void what_is_spared_is_named_again(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 200000, 1);
	struct hash first = prunebox_backup(p);
	prunebox_remove(p, "a");
	prunebox_file(p, "b", 1000, 2);
	struct hash second = prunebox_backup(p);
	struct buf all = prunebox_needs(p, &first), others = prunebox_needs(p, &second);
	struct buf packs = minus(buf_span(&all), buf_span(&others));
	assert_true(packs.len / HASH_SIZE >= 3);
	prunebox_forget(p, &first);
	unname(p, buf_span(&packs));
	uint64_t since = now(p);
	prunebox_keep(p, &first);
	struct spare s = begin(p, buf_span(&packs));
	look(&s, since);
	assert_int_equal(s.names.len, 0);
	prunebox_check(p, &first);
	prunebox_check(p, &second);
	/* once: a second look finds nothing to do */
	uint64_t entries = p->t.vault.state.count;
	look(&s, since);
	assert_int_equal(p->t.vault.state.count, entries);
	spare_done(&s);
	buf_free(&all);
	buf_free(&others);
	buf_free(&packs);
}

/* Part of a file that both have lies in packs that stay: a block goes from one that goes to one that stays, or the other way. */
static void a_block_cut_between_one_that_goes_and_one_that_stays(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 300000, 1);
	struct hash first = prunebox_backup(p);
	struct buf needs = prunebox_needs(p, &first);
	size_t count = needs.len / HASH_SIZE;
	assert_true(count >= 5);
	prunebox_forget(p, &first);
	for (size_t i = 0; i < count; i++) {
		struct hash name = hash_from(needs.ptr + i * HASH_SIZE);
		unname(p, hash_span(&name));
		uint64_t since = now(p);
		prunebox_keep(p, &first);
		struct spare s = begin(p, hash_span(&name));
		look(&s, since);
		assert_int_equal(s.names.len, 0);
		prunebox_check(p, &first);
		spare_done(&s);
		prunebox_forget(p, &first);
	}
	buf_free(&needs);
}

/* Nothing but the rest of a block lies in the pack that goes: the block needs it all the same. */
static void a_pack_with_nothing_but_a_rest(void **state) {
	struct prunebox *p = *state;
	struct hash rest, first;
	bool found = false;
	for (size_t len = 56000; !found; len += 700) {
		assert_true(len < 90000);
		prunebox_file(p, "a", len, len);
		first = prunebox_backup(p);
		prunebox_forget(p, &first);
		found = prunebox_find_rest(p, &rest);
	}
	uint64_t since = now(p);
	prunebox_keep(p, &first);
	struct spare s = begin(p, hash_span(&rest));
	look(&s, since);
	assert_int_equal(s.names.len, 0);
	assert_int_equal(s.spared.len, HASH_SIZE);
	spare_done(&s);
}

/* However many false places stand before the true one. */
static void a_snapshot_behind_false_places(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 100000, 1);
	uint64_t since = now(p);
	struct hash first = prunebox_backup(p);
	struct buf packs = prunebox_packs(p), needs = prunebox_needs(p, &first);
	falseplaces_add(&p->t.vault);
	struct spare s = begin(p, buf_span(&packs));
	look(&s, since);
	prunebox_same(buf_span(&s.spared), buf_span(&needs));
	spare_done(&s);
	buf_free(&packs);
	buf_free(&needs);
}

/* A chunk that lies elsewhere too saves no pack. */
static void another_place_is_enough(void **state) {
	struct prunebox *p = *state;
	char path[SCRATCH_MAX];
	prunebox_file(p, "a", 100000, 1);
	(void)prunebox_backup(p);
	struct buf packs = prunebox_packs(p);
	/* so that the next run stores everything again: it may not refer to them, and has no cache */
	uint64_t intent = prunebox_intend(p, buf_span(&packs));
	scratch_remove(scratch_join(path, p->folder, "home/cache"));
	prunebox_file(p, "b", 1000, 2);
	struct hash second = prunebox_backup(p);
	struct spare s = begin(p, buf_span(&packs));
	look(&s, intent);
	prunebox_same(buf_span(&s.names), buf_span(&packs));
	assert_int_equal(s.spared.len, 0);
	spare_done(&s);
	prunebox_check(p, &second);
	/* though the newer place is in one that goes */
	struct buf all = prunebox_packs(p), newer = minus(buf_span(&all), buf_span(&packs));
	s = begin(p, buf_span(&newer));
	look(&s, intent);
	assert_true(s.names.len > 0 && s.names.len < newer.len);
	spare_done(&s);
	buf_free(&all);
	buf_free(&newer);
	buf_free(&packs);
}

/* Two runs that stored the same: only the second's snapshot is looked at. The packs of each. */
struct doubled {
	struct hash second;
	struct buf older, newer;
	uint64_t intent; /* of the older ones */
};

static struct doubled store_twice(struct prunebox *p) {
	struct doubled d;
	char path[SCRATCH_MAX];
	prunebox_file(p, "a", 100000, 1);
	(void)prunebox_backup(p);
	d.older = prunebox_packs(p);
	/* the second run may not refer to them, and has no cache */
	d.intent = prunebox_intend(p, buf_span(&d.older));
	scratch_remove(scratch_join(path, p->folder, "home/cache"));
	prunebox_file(p, "b", 1000, 2);
	d.second = prunebox_backup(p);
	struct buf all = prunebox_packs(p);
	d.newer = minus(buf_span(&all), buf_span(&d.older));
	buf_free(&all);
	return d;
}

static void doubled_free(struct doubled *d) {
	buf_free(&d->older);
	buf_free(&d->newer);
}

static bool holds_index(const struct prunebox *p, const struct hash *pack) {
	const struct vaultstate *v = &p->t.vault.state;
	bool holds = false;
	for (size_t i = 0; i < v->index_count; i++)
		holds |= hash_equal(&v->indexes[i].location.pack, pack);
	return holds;
}

/* An index says that a chunk lies elsewhere too, but that pack is not there, or not whole: it saves none. */
static void a_place_that_is_not_there_is_none(void **state) {
	struct prunebox *p = *state;
	struct doubled d = store_twice(p);
	struct why why = { OK, "" };
	size_t tried = 0, spared = 0;
	for (size_t at = 0; at < d.newer.len; at += HASH_SIZE) {
		struct hash name = hash_from(d.newer.ptr + at);
		if (holds_index(p, &name)) continue;
		for (size_t way = 0; way < 2; way++) {
			struct rawstore_copy *copy = rawstore_copy(p->raw);
			struct rawstore_item *pack =
				rawstore_find(p->raw, RAWSTORE_PACK, &p->t.vault.id, &name, 0);
			if (way) pack->len--;
			else prunebox_lose(p, &name);
			struct spare s = begin(p, buf_span(&d.older));
			enum err e = spare_look(&s, d.intent, &why);
			/* what lies in that one alone is an alarm, and else what its chunks' other place is stays */
			assert_true(e == E_FORGED || (e == OK && s.names.len < d.older.len));
			spared += e == OK;
			tried++;
			spare_done(&s);
			rawstore_set(p->raw, copy);
			rawstore_copy_free(copy);
		}
	}
	assert_true(tried > 0 && spared > 0);
	doubled_free(&d);
}

/* Nor does a pack that a purge named: who purged it may delete it at any moment. */
static void a_place_that_was_purged_is_none(void **state) {
	struct prunebox *p = *state;
	struct doubled d = store_twice(p);
	struct why why = { OK, "" };
	struct vault_entry purged = {
		.body = { .type = VAULTBODY_PURGE },
		.public_part = { .kind = ENTRYPUBLIC_PURGE, .intent = d.intent },
	};
	unname(p, buf_span(&d.older));
	clientbox_ok(
		intents_make(&p->t.vault, buf_span(&d.older), &purged.public_part.packs, &why), &why);
	(void)prunebox_append(p, &purged);
	assert_int_equal(p->t.vault.state.purge_count, 1);
	prunebox_forget(p, &d.second);
	unname(p, buf_span(&d.newer));
	uint64_t since = now(p);
	prunebox_keep(p, &d.second);
	struct spare s = begin(p, buf_span(&d.newer));
	look(&s, since);
	spare_done(&s);
	for (size_t at = 0; at < d.older.len; at += HASH_SIZE) {
		struct hash name = hash_from(d.older.ptr + at);
		prunebox_lose(p, &name);
	}
	prunebox_check(p, &d.second);
	doubled_free(&d);
}

/* Another process keeps a snapshot while ours writes its index. */
struct keeper {
	struct prunebox *p;
	struct hash snapshot;
	bool acted;
	struct why why;
	enum err failed;
};

static enum err decide_keep(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct keeper *k = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){ .type = VAULTBODY_KEEP, .snapshot = k->snapshot };
	return OK;
}

static enum err keep_too(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct keeper *k = ctx;
	(void)seq;
	(void)bytes;
	if (k->acted || !hash_equal(chain, &k->p->t.vault.id)) return OK;
	k->acted = true;
	k->failed = vault_append(&prunebox_other(k->p)->vault, decide_keep, k, &k->why);
	return OK;
}

/* What comes while it looks is looked at too: it ends only where nothing is behind it. */
static void one_comes_while_it_looks(void **state) {
	struct prunebox *p = *state;
	prunebox_file(p, "a", 100000, 1);
	struct hash first = prunebox_backup(p);
	prunebox_remove(p, "a");
	prunebox_file(p, "b", 100000, 2);
	struct hash second = prunebox_backup(p);
	struct keeper k = { .p = p, .snapshot = second };
	struct buf packs = prunebox_packs(p);
	prunebox_forget(p, &first);
	prunebox_forget(p, &second);
	unname(p, buf_span(&packs));
	uint64_t since = now(p);
	prunebox_keep(p, &first);
	(void)prunebox_other(p);
	struct buf needs = prunebox_needs(p, &first), more = prunebox_needs(p, &second);
	assert_int_equal(buf_add(&needs, buf_span(&more)), OK);
	intents_sort(&needs);
	struct spare s = begin(p, buf_span(&packs));
	rawstore_on_append(p->raw, keep_too, &k);
	look(&s, since);
	rawstore_on_append(p->raw, NULL, NULL);
	assert_true(k.acted);
	clientbox_ok(k.failed, &k.why);
	assert_false(any_of(buf_span(&s.names), buf_span(&needs)));
	prunebox_check(p, &first);
	prunebox_check(p, &second);
	spare_done(&s);
	buf_free(&packs);
	buf_free(&needs);
	buf_free(&more);
}

/* Then nothing may go: what is left may be needed to repair it. */
static void what_is_nowhere_is_an_alarm(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	prunebox_file(p, "a", 200000, 1);
	uint64_t since = now(p);
	struct hash first = prunebox_backup(p);
	struct buf packs = prunebox_packs(p), needs = prunebox_needs(p, &first);
	uint64_t entries = p->t.vault.state.count;
	/* each alone, beginning with the same state */
	size_t forged = 0;
	for (size_t at = 0; at < needs.len; at += HASH_SIZE) {
		struct hash name = hash_from(needs.ptr + at);
		struct rawstore_copy *copy = rawstore_copy(p->raw);
		unname(p, hash_span(&name));
		prunebox_lose(p, &name);
		struct spare s = begin(p, buf_span(&packs));
		forged += spare_look(&s, since, &why) == E_FORGED;
		assert_int_equal(s.names.len, packs.len);
		spare_done(&s);
		testvault_close(&p->t);
		rawstore_set(p->raw, copy);
		rawstore_copy_free(copy);
		char path[SCRATCH_MAX];
		scratch_remove(scratch_join(path, p->folder, "home/heads"));
		scratch_remove(scratch_join(path, p->folder, "home/cache"));
		testvault_must_open(&p->t, p->store);
		assert_int_equal(p->t.vault.state.count, entries);
	}
	assert_int_equal(forged, needs.len / HASH_SIZE);
	buf_free(&packs);
	buf_free(&needs);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_came, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_snapshot_that_came_since, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_spared_is_named_again, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_block_cut_between_one_that_goes_and_one_that_stays,
			prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_pack_with_nothing_but_a_rest, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_snapshot_behind_false_places, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(another_place_is_enough, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_place_that_is_not_there_is_none, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_place_that_was_purged_is_none, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			one_comes_while_it_looks, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_nowhere_is_an_alarm, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("spare", tests, NULL, NULL);
}
