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

#include "client/intents.h"
#include "clientbox.h"
#include "craft.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "os/signals.h"
#include "ownclock.h"
#include "prunebox.h"

static uint64_t bytes_of(const struct prunebox *p) {
	uint64_t bytes = 0;
	for (size_t i = 0; i < rawstore_count(p->raw); i++)
		if (rawstore_at(p->raw, i)->kind == RAWSTORE_PACK) bytes += rawstore_at(p->raw, i)->len;
	return bytes;
}

static void what_nothing_needs_goes(void **state) {
	struct prunebox *p = *state;
	struct prunebox_scene s = prunebox_scene(p);
	struct prune_options o = prunebox_unlimited();
	uint64_t bytes = bytes_of(p), packs = prunebox_pack_count(p);
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
	(void)prunebox_scene(p);
	struct prune_options o = prunebox_options();
	char path[SCRATCH_MAX];
	uint64_t packs = prunebox_pack_count(p), bytes = bytes_of(p);
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
	struct prunebox_scene s = prunebox_scene(p);
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
		struct prunebox_scene s = prunebox_scene(p);
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

static struct streamref_item store_piece(struct craft *c, struct span piece) {
	struct streamref_item item = { .length = (uint32_t)piece.len };
	struct why why = { OK, "" };
	clientbox_ok(storing_chunk(c->storing, CHUNKTYPE_DIRECTORY, piece, &item.id, &why), &why);
	return item;
}

/* A folder of one file with an attribute whose value is the string of a folder, which stands in it as a chunk of its own. */
static struct streamref hide_folder(struct craft *c, struct span folder) {
	struct buf attributes, entries;
	struct streamref none = { .length = 0 };
	struct direntry d = craft_file("z", &none);
	buf_init(&attributes, LIMIT_DIRENTRY);
	buf_init(&entries, LIMIT_DIRENTRY);
	assert_int_equal(direntry_add_xattr(&attributes, span_text("user.x"), folder), OK);
	d.flags |= DIRENTRY_HAS_XATTRS;
	d.xattrs = (struct direntry_items){ .count = 1, .items = buf_span(&attributes) };
	craft_add(&entries, &d);
	const uint8_t *inside = memmem(entries.ptr, entries.len, folder.ptr, folder.len);
	assert_non_null(inside);
	size_t before = (size_t)(inside - entries.ptr);
	struct streamref_item items[3] = {
		store_piece(c, span_of(entries.ptr, before)),
		store_piece(c, folder),
		store_piece(c, span_skip(buf_span(&entries), before + folder.len)),
	};
	struct streamref ref = { .length = entries.len, .depth = 1, .id = craft_list(c, items, 3) };
	buf_free(&attributes);
	buf_free(&entries);
	return ref;
}

/* The snapshot of a folder "d" with one file, and of a file beside it. */
static struct hash craft_snapshot(struct prunebox *p, const char *beside, struct buf *folder) {
	struct craft c;
	struct buf entries;
	uint8_t *bytes = clientbox_random(30000, 1);
	craft_begin(&c, &p->t);
	struct streamref content = craft_content(&c, span_of(bytes, 30000));
	struct direntry file = craft_file("file", &content), other = craft_file(beside, &content);
	buf_clear(folder);
	craft_add(folder, &file);
	struct streamref ref = craft_folder(&c, folder);
	struct direntry d = craft_directory("d", &ref);
	other.stream = (struct streamref){ .length = 0 };
	buf_init(&entries, LIMIT_DIRENTRY);
	craft_add(&entries, &d);
	craft_add(&entries, &other);
	struct streamref root = craft_folder(&c, &entries);
	struct hash id = craft_end(&c, &root, 3, 30000);
	buf_free(&entries);
	free(bytes);
	return id;
}

/*
 * Who may write can name the chunks of a folder in a folder of his own, in which they mean something else. That one was looked at
 * says nothing of the other.
 */
static void a_folder_hidden_in_another(void **state) {
	struct prunebox *p = *state;
	struct prune_options o = prunebox_options();
	struct buf folder;
	struct craft c;
	buf_init(&folder, LIMIT_DIRENTRY);
	struct hash first = craft_snapshot(p, "first", &folder);
	craft_begin(&c, &p->t);
	struct streamref hidden = hide_folder(&c, buf_span(&folder));
	(void)craft_end(&c, &hidden, 1, 0);
	struct hash last = craft_snapshot(p, "last", &folder);
	prunebox_forget(p, &first);
	(void)prunebox_prune(p, &o);
	prunebox_check(p, &last);
	buf_free(&folder);
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
	size_t packs = prunebox_pack_count(p);
	assert_true(packs > 4);
	assert_true(prunebox_prune(p, &o).repacked_packs > 4);
	assert_true(prunebox_pack_count(p) < packs);
	for (size_t i = 0; i < 4; i++) prunebox_check(p, &snapshots[i]);
	assert_int_equal(prunebox_prune(p, &o).repacked_packs, 0);
}

/* As much waste as may stay, to the byte; and by share, to a millionth. */
static void waste_may_stay(void **state) {
	struct prunebox *p = *state;
	(void)prunebox_scene(p);
	struct prune_options o = prunebox_unlimited();
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
	struct prune_options any = prunebox_unlimited(), o = prunebox_unlimited();
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
	struct prunebox_scene s = prunebox_scene(p);
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
	struct prunebox_scene s = prunebox_scene(p);
	struct prune_options o = prunebox_unlimited();
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
	struct prunebox_scene s = prunebox_scene(p);
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
		cmocka_unit_test_setup_teardown(a_folder_hidden_in_another, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(waste_is_stored_again, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(waste_may_stay, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_cut_block_keeps_both_packs_or_is_stored_again, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(the_rest_of_a_block_goes_with_it, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_announced_and_needed_is_an_alarm, setup_held, prunebox_teardown),
		cmocka_unit_test_setup_teardown(damage_stops_it, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_that_are_missing_leave_the_index, setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(it_can_be_interrupted, setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
