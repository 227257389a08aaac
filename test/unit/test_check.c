/* client/check: beside a purge; and folders made to fill the memory of who reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/check.h"
#include "client/checkheld.h"
#include "client/prune.h"
#include "client/treelist.h"
#include "client/treewalk.h"
#include "clientbox.h"
#include "prunebox.h"
#include "rawbox.h"

enum { PIECES = 256, TARGET = 4000, PIECE_ENTRIES = 256, MEMORY_MIB = 96, TEXT = 512 };

/* What a check said. */
struct heard {
	struct checkreport report;
	unsigned damaged, lost;
	char last[TEXT];
	void (*act)(struct heard *h); /* when indexes are read for the first time; NULL */
	struct prunebox *p;
	struct hash first;
	struct prune_result purged;
};

static void found(void *ctx, const struct checkreport_item *item) {
	struct heard *h = ctx;
	if (item->is_warning) return;
	h->damaged++;
	(void)snprintf(h->last, sizeof h->last, "%s", item->text);
}

static void lost(void *ctx, const struct checkreport_loss *loss) {
	struct heard *h = ctx;
	h->lost++;
	for (size_t i = 0; i < loss->path_count; i++) assert_true(loss->paths[i].len > 0);
}

static void ticked(void *ctx, const struct checkreport_progress *p) {
	struct heard *h = ctx;
	void (*act)(struct heard * h) = h->act;
	if (!act || strcmp(p->step, "reading indexes") != 0) return;
	h->act = NULL;
	act(h);
}

static void check(struct heard *h, struct vault *v) {
	struct check_options o = { .part = CHECKDATA_ALL, .threads = 2 };
	struct why why = { OK, "" };
	checkreport_init(&h->report);
	h->report.found = found;
	h->report.lost = lost;
	h->report.ticked = ticked;
	h->report.ctx = h;
	clientbox_ok(check_vault(&h->report, v, &o, &why), &why);
	assert_int_equal(h->report.counts.damaged, h->damaged);
	assert_int_equal(h->report.counts.snapshots_lost, h->lost);
	assert_int_equal(h->report.counts.vaults, 1);
	checkreport_done(&h->report);
}

/* --- beside a purge */

/* Another process gives the first snapshot up, and what only it needs is announced and deleted. */
static void purge_first(struct heard *h) {
	struct testvault *other = prunebox_other(h->p);
	struct prune_options o = prunebox_options();
	struct why why = { OK, "" };
	clientbox_ok(testvault_forget(other, &h->first, &why), &why);
	for (int runs = 0; runs < 3 && !h->purged.purged_packs; runs++)
		clientbox_ok(prune_run(&other->vault, &o, &h->purged, &why), &why);
}

static void two_snapshots(struct prunebox *p, struct heard *h) {
	prunebox_file(p, "a", 200000, 1);
	h->p = p;
	h->first = prunebox_backup(p);
	prunebox_remove(p, "a");
	prunebox_file(p, "b", 20000, 2);
	(void)prunebox_backup(p);
	(void)prunebox_other(p);
}

static void what_a_purge_took_is_no_damage(void **state) {
	struct heard h = { .act = purge_first };
	two_snapshots(*state, &h);
	check(&h, &h.p->t.vault);
	assert_true(h.purged.purged_packs >= 3);
	if (h.damaged) fail_msg("%s", h.last);
	assert_int_equal(h.lost, 0);
	assert_int_equal(h.report.counts.snapshots, 1);
}

static void purge_first_and_lose_all(struct heard *h) {
	purge_first(h);
	struct buf packs = prunebox_packs(h->p);
	for (size_t at = 0; at < packs.len; at += HASH_SIZE) {
		struct hash pack = hash_from(packs.ptr + at);
		prunebox_lose(h->p, &pack);
	}
	buf_free(&packs);
}

static void damage_beside_a_purge_is_said(void **state) {
	struct heard h = { .act = purge_first_and_lose_all };
	two_snapshots(*state, &h);
	check(&h, &h.p->t.vault);
	assert_true(h.damaged > 0);
	assert_int_equal(h.lost, 1); /* the one that nobody gave up */
	assert_int_equal(h.report.counts.snapshots, 1);
}

/* --- what is held back */

static void hold_begin(struct heard *h, struct checkheld *held) {
	checkreport_init(&h->report);
	h->report.found = found;
	h->report.lost = lost;
	h->report.ctx = h;
	checkheld_init(held, &h->report);
}

static void hold_end(struct heard *h, struct checkheld *held) {
	checkheld_done(held);
	checkreport_done(&h->report);
}

/* As much damage as is held. */
static void hold_most(struct checkheld *held, const struct hash *name) {
	for (unsigned i = 0; i < CHECKHELD_MOST; i++)
		checkreport_damage(&held->report, CHECKREPORT_CHUNK, name, 0, "is missing");
}

static void nothing_held_is_told_before_its_time(void **state) {
	struct heard h = { .damaged = 0 };
	struct checkheld held;
	struct hash name = { { 1 } };
	(void)state;
	hold_begin(&h, &held);
	hold_most(&held, &name);
	assert_int_equal(h.damaged, 0);
	assert_false(held.passes);
	checkheld_drop(&held);
	checkreport_damage(&held.report, CHECKREPORT_CHUNK, &name, 0, "is missing");
	checkheld_tell(&held);
	assert_int_equal(h.damaged, 1);
	hold_end(&h, &held);
}

/* A store that is damaged all over fills no memory: beyond so many, all is told, in order, and counted once. */
static void more_than_is_held_is_told(void **state) {
	struct heard h = { .damaged = 0 };
	struct checkheld held;
	struct hash name = { { 1 } };
	(void)state;
	hold_begin(&h, &held);
	hold_most(&held, &name);
	checkreport_damage(&held.report, CHECKREPORT_CHUNK, &name, 0, "is one more");
	assert_int_equal(h.damaged, CHECKHELD_MOST + 1);
	assert_non_null(strstr(h.last, "is one more"));
	checkreport_damage(&held.report, CHECKREPORT_CHUNK, &name, 0, "is another");
	assert_int_equal(h.damaged, CHECKHELD_MOST + 2);
	assert_true(held.passes);
	held.report.counts.files = 7;
	checkheld_tell(&held);
	assert_int_equal(h.damaged, CHECKHELD_MOST + 2);
	assert_int_equal(h.report.counts.damaged, CHECKHELD_MOST + 2);
	assert_int_equal(h.report.counts.files, 7);
	hold_end(&h, &held);
}

/* Nor do paths that are long. */
static void long_paths_are_told_too(void **state) {
	enum { LONG = 1 << 20 };
	struct heard h = { .damaged = 0 };
	struct checkheld held;
	uint8_t *bytes = calloc(1, LONG);
	struct span paths[5];
	struct checkreport_loss loss = { .paths = paths, .path_count = 5 };
	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 5; i++) paths[i] = span_of(bytes, LONG);
	hold_begin(&h, &held);
	unsigned most = CHECKHELD_BYTES / LONG / 5;
	for (unsigned i = 0; i < most; i++) held.report.lost(held.report.ctx, &loss);
	assert_int_equal(h.lost, 0);
	held.report.lost(held.report.ctx, &loss);
	assert_int_equal(h.lost, most + 1);
	hold_end(&h, &held);
	free(bytes);
}

/* --- folders that are large, and folders that only say so */

/* The most memory that was in use since peak_begin, in KiB. */
static long peak(void) {
	char line[TEXT];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "re");
	assert_non_null(f);
	while (kib < 0 && fgets(line, sizeof line, f))
		if (strncmp(line, "VmHWM:", 6) == 0) kib = strtol(line + 6, NULL, 10);
	assert_int_equal(fclose(f), 0);
	assert_true(kib > 0);
	return kib;
}

static long peak_begin(void) {
	FILE *f = fopen("/proc/self/clear_refs", "we");
	if (f) {
		(void)fputs("5", f); /* where it cannot be, the test sees less */
		(void)fclose(f);
	}
	return peak();
}

/* A piece of a folder: links, each with a long target, whose names go on from piece ${number}. */
static struct streamref_item piece(struct craft *c, unsigned number) {
	char target[TARGET + 1], name[16];
	struct streamref_item item;
	struct buf entries;
	struct why why = { OK, "" };
	memset(target, 'x', TARGET);
	target[TARGET] = '\0';
	buf_init(&entries, LIMIT_CHUNK);
	for (unsigned i = 0; i < PIECE_ENTRIES; i++) {
		(void)snprintf(name, sizeof name, "%06u", number * PIECE_ENTRIES + i);
		struct direntry d = craft_link(name, target);
		craft_add(&entries, &d);
	}
	item.length = (uint32_t)entries.len;
	rawbox_ok(
		storing_chunk(c->storing, CHUNKTYPE_DIRECTORY, buf_span(&entries), &item.id, &why), &why);
	buf_free(&entries);
	return item;
}

/* PIECES pieces, or the first one again and again. */
static struct streamref large_folder(struct craft *c, bool repeated) {
	struct streamref_item *items = calloc(PIECES, sizeof *items);
	struct streamref ref = { .depth = 1 };
	assert_non_null(items);
	for (unsigned i = 0; i < PIECES; i++) {
		items[i] = i && repeated ? items[0] : piece(c, i);
		ref.length += items[i].length;
	}
	ref.id = craft_list(c, items, PIECES);
	free(items);
	return ref;
}

static enum err any_chunk(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	(void)ctx;
	(void)type;
	(void)id;
	(void)length;
	(void)why;
	return OK;
}

static enum err list_all(struct fetch *f, const struct streamref *root, uint64_t *count) {
	struct treelist_params p = { .fetch = f, .root = root, .ahead = 2 };
	struct treelist *list = NULL;
	struct treelist_item item;
	struct why why = { OK, "" };
	bool more = true;
	rawbox_ok(treelist_new(&list, &p, &why), &why);
	enum err e = OK;
	for (*count = 0; !e && more; *count += !e && more) e = treelist_next(list, &item, &more, &why);
	treelist_free(list);
	return e;
}

static struct hash large_tree(struct rawbox *b, bool repeated, struct streamref *root) {
	struct craft c;
	struct buf entries;
	buf_init(&entries, 1 << 16);
	craft_begin(&c, &b->t);
	struct streamref large = large_folder(&c, repeated);
	struct direntry d = craft_directory("large", &large);
	craft_add(&entries, &d);
	*root = craft_folder(&c, &entries);
	buf_free(&entries);
	return craft_end(&c, root, PIECES * PIECE_ENTRIES, 0);
}

/* A tree of one large folder, and what it is read with. */
struct large {
	struct streamref root;
	struct fetch *f;
	struct treewalk walk;
	struct buf bytes; /* of the entry that was looked for */
	long before;      /* the peak, before it was read */
};

static void large_begin(struct large *l, struct rawbox *b, bool repeated) {
	(void)large_tree(b, repeated, &l->root);
	l->f = rawbox_fetch(b, 3);
	l->walk = (struct treewalk){ .fetch = l->f, .chunk = any_chunk };
	buf_init(&l->bytes, LIMIT_DIRENTRY + 3);
	l->before = peak_begin();
}

/* Then a check of the whole vault; and it must all have fitted. */
static void large_end(struct large *l, struct rawbox *b, struct heard *h) {
	fetch_free(l->f);
	check(h, &b->t.vault);
	assert_true(peak() - l->before < MEMORY_MIB * 1024L);
	buf_free(&l->bytes);
}

static enum err large_find(
	struct large *l, const char *path, struct direntry *out, struct why *why) {
	bool is_root;
	return treelist_find(l->f, &l->root, span_text(path), out, &is_root, &l->bytes, why);
}

/* One chunk of a megabyte, and a list that names it 256 times: refused at the second. */
static void a_folder_of_one_chunk_again_and_again(void **state) {
	struct rawbox *b = *state;
	struct large l;
	struct heard h = { .damaged = 0 };
	struct why why = { OK, "" };
	struct direntry d;
	uint64_t count;
	large_begin(&l, b, true);
	assert_int_equal(treewalk_run(&l.walk, &l.root, &why), E_FORGED);
	assert_int_equal(list_all(l.f, &l.root, &count), E_FORGED);
	assert_int_equal(count, PIECE_ENTRIES + 1);
	assert_int_equal(large_find(&l, "large/nothing", &d, &why), E_FORGED);
	large_end(&l, b, &h);
	assert_true(h.damaged > 0);
	assert_int_equal(h.lost, 1);
}

/* What really is so large is read, and not into memory. */
static void a_large_folder(void **state) {
	struct rawbox *b = *state;
	struct large l;
	struct heard h = { .damaged = 0 };
	struct why why = { OK, "" };
	struct direntry d;
	large_begin(&l, b, false);
	rawbox_ok(treewalk_run(&l.walk, &l.root, &why), &why);
	rawbox_ok(large_find(&l, "large/065535", &d, &why), &why);
	assert_int_equal(d.target.len, TARGET);
	large_end(&l, b, &h);
	if (h.damaged) fail_msg("%s", h.last);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_held_is_told_before_its_time),
		cmocka_unit_test(more_than_is_held_is_told),
		cmocka_unit_test(long_paths_are_told_too),
		cmocka_unit_test_setup_teardown(
			a_folder_of_one_chunk_again_and_again, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(a_large_folder, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_a_purge_took_is_no_damage, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			damage_beside_a_purge_is_said, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
