/* client/indexmerge: fewer indexes that say the same, or that no more name packs that go; and never less than that for a race or damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/packrun.h"
#include "client/placesexport.h"
#include "clientbox.h"
#include "format/limits.h"
#include "prunebox.h"

/* MANY: indexes that are merged. RIVALS: more than a try is repeated. COPIES: more than one entry replaces. */
enum { MANY = 16, RIVALS = 40, COPIES = LIMIT_INDEXES_REMOVED + 6, PLACE = 2 * HASH_SIZE + 8 };

/* Backups of a new small file each, until there are ${count} indexes. */
static void make_indexes(struct prunebox *p, struct hash *snapshots, size_t count) {
	char name[16];
	for (size_t i = p->t.vault.state.index_count; i < count; i++) {
		(void)snprintf(name, sizeof name, "f%zu", i);
		prunebox_file(p, name, 3000, i);
		snapshots[i] = prunebox_backup(p);
	}
}

/* What the indexes in force say: a row of id, pack and place for each. Each once, ascending. */
static enum err add_row(
	void *ctx, const struct hash *id, const struct place *place, struct why *why) {
	uint8_t row[PLACE] = { 0 };
	memcpy(row, id->b, HASH_SIZE);
	memcpy(row + HASH_SIZE, place->pack.b, HASH_SIZE);
	memcpy(row + 2 * HASH_SIZE, &place->offset, 4);
	memcpy(row + 2 * HASH_SIZE + 4, &place->slot, 2);
	row[PLACE - 1] = place->cut;
	return why_err(why, buf_add(ctx, span_of(row, sizeof row)), "rows");
}

static int by_row(const void *a, const void *b) {
	return memcmp(a, b, PLACE);
}

static struct buf rows_of(struct prunebox *p) {
	struct why why = { OK, "" };
	struct fetch_params fp = { .vault = &p->t.vault, .threads = 1 };
	struct fetch *f = NULL;
	struct buf rows;
	buf_init(&rows, 1 << 24);
	clientbox_ok(vault_refresh(&p->t.vault, &why), &why);
	clientbox_ok(fetch_new(&f, &fp, &why), &why);
	clientbox_ok(places_rows(fetch_places(f), add_row, &rows, &why), &why);
	assert_int_equal(places_damaged(fetch_places(f)), 0);
	fetch_free(f);
	size_t count = rows.len / PLACE, kept = 0;
	if (count) qsort(rows.ptr, count, PLACE, by_row);
	for (size_t i = 0; i < count; i++) {
		if (kept && by_row(rows.ptr + (kept - 1) * PLACE, rows.ptr + i * PLACE) == 0) continue;
		memmove(rows.ptr + kept++ * PLACE, rows.ptr + i * PLACE, PLACE);
	}
	rows.len = kept * PLACE;
	return rows;
}

static enum err if_many(struct prunebox *p, struct why *why) {
	return indexmerge_if_many(&p->t.vault, why);
}

static enum err without(struct prunebox *p, struct span names, struct why *why) {
	return indexmerge_without(&p->t.vault, names, TESTVAULT_PACK, why);
}

/* A backup merges when it has written the index that is one too many. */
static void many_become_few_and_say_the_same(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct hash snapshots[MANY];
	make_indexes(p, snapshots, MANY - 1);
	uint64_t entries = p->t.vault.state.count;
	assert_int_equal(p->t.vault.state.index_count, MANY - 1);
	clientbox_ok(if_many(p, &why), &why);
	assert_int_equal(p->t.vault.state.count, entries);
	struct buf before = rows_of(p);
	/* the last one by hand: a backup would merge at once */
	struct location copy = p->t.vault.state.indexes[0].location;
	struct vault_entry again = { .body = { .type = VAULTBODY_INDEX } };
	struct buf twice;
	buf_init(&twice, 1 << 10);
	assert_int_equal(location_add(&twice, &copy), OK);
	again.body.added.rows = buf_span(&twice);
	(void)prunebox_append(p, &again);
	buf_free(&twice);
	assert_int_equal(p->t.vault.state.index_count, MANY);
	clientbox_ok(if_many(p, &why), &why);
	assert_true(p->t.vault.state.index_count < MANY / 2);
	struct buf after = rows_of(p);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.ptr, after.ptr, before.len);
	for (size_t i = 0; i < MANY - 1; i++) prunebox_check(p, &snapshots[i]);
	buf_free(&before);
	buf_free(&after);
}

static void a_backup_merges(void **state) {
	struct prunebox *p = *state;
	struct hash snapshots[MANY];
	make_indexes(p, snapshots, MANY - 1);
	struct buf before = rows_of(p);
	prunebox_file(p, "last", 3000, 99);
	snapshots[MANY - 1] = prunebox_backup(p);
	assert_true(p->t.vault.state.index_count < MANY / 2);
	struct buf after = rows_of(p);
	assert_true(after.len > before.len);
	for (size_t i = 0; i < before.len; i += PLACE)
		assert_non_null(bsearch(before.ptr + i, after.ptr, after.len / PLACE, PLACE, by_row));
	for (size_t i = 0; i < MANY; i++) prunebox_check(p, &snapshots[i]);
	buf_free(&before);
	buf_free(&after);
}

/* Whether an index in force names one of them, or lies in one. */
static bool is_named(struct prunebox *p, struct span names) {
	struct why why = { OK, "" };
	struct fetch_params fp = { .vault = &p->t.vault, .threads = 1 };
	struct fetch *f = NULL;
	bool found = false;
	clientbox_ok(vault_refresh(&p->t.vault, &why), &why);
	clientbox_ok(fetch_new(&f, &fp, &why), &why);
	for (size_t i = 0; i < p->t.vault.state.index_count; i++)
		found |= places_index_names(fetch_places(f), i, names);
	fetch_free(f);
	return found;
}

/* All rows but those of ${names}: a block that goes on in one of them is gone with it. */
static void expect_without(const struct buf *before, const struct buf *after, struct span names) {
	size_t left = 0;
	for (size_t i = 0; i < before->len; i += PLACE) {
		struct hash pack = hash_from(before->ptr + i + HASH_SIZE);
		bool stays =
			bsearch(before->ptr + i, after->ptr, after->len / PLACE, PLACE, by_row) != NULL;
		if (intents_has(names, &pack)) assert_false(stays);
		else if (!before->ptr[i + PLACE - 1]) assert_true(stays);
		left += stays;
	}
	assert_int_equal(left * PLACE, after->len);
}

static void packs_that_go_are_named_no_more(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	prunebox_file(p, "large", 300000, 1);
	(void)prunebox_backup(p);
	prunebox_file(p, "other", 30000, 2);
	(void)prunebox_backup(p);
	struct buf packs = prunebox_packs(p), before = rows_of(p);
	/* none of ours: nothing is written */
	uint64_t entries = p->t.vault.state.count;
	struct hash none = { { 1 } };
	clientbox_ok(without(p, hash_span(&none), &why), &why);
	clientbox_ok(without(p, span_of(NULL, 0), &why), &why);
	assert_int_equal(p->t.vault.state.count, entries);
	assert_true(packs.len / HASH_SIZE >= 6);
	/* each alone, beginning with the same state */
	for (size_t i = 0; i < packs.len; i += HASH_SIZE) {
		struct hash name = hash_from(packs.ptr + i);
		struct rawstore_copy *copy = rawstore_copy(p->raw);
		struct testvault *t = &p->t;
		assert_true(is_named(p, hash_span(&name)));
		clientbox_ok(without(p, hash_span(&name), &why), &why);
		assert_false(is_named(p, hash_span(&name)));
		struct buf after = rows_of(p);
		expect_without(&before, &after, hash_span(&name));
		buf_free(&after);
		/* back, as another device that has seen none of it */
		char path[SCRATCH_MAX];
		testvault_close(t);
		rawstore_set(p->raw, copy);
		rawstore_copy_free(copy);
		scratch_remove(scratch_join(path, p->folder, "home/heads"));
		scratch_remove(scratch_join(path, p->folder, "home/cache"));
		testvault_must_open(t, p->store);
	}
	/* all at once: then there is no index */
	clientbox_ok(without(p, buf_span(&packs), &why), &why);
	assert_int_equal(p->t.vault.state.index_count, 0);
	buf_free(&packs);
	buf_free(&before);
}

/* Rows that can't be read are not left out in silence. */
static void damage_stops_it(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct hash snapshots[MANY];
	make_indexes(p, snapshots, 3);
	struct location l = p->t.vault.state.indexes[1].location;
	struct hash first = p->t.vault.state.indexes[0].location.pack;
	prunebox_damage(p, &l.pack, l.offset + 3);
	uint64_t entries = p->t.vault.state.count;
	assert_int_equal(without(p, hash_span(&first), &why), E_FORGED);
	assert_non_null(strstr(why.msg, "repair"));
	assert_int_equal(p->t.vault.state.count, entries);
	/* a leaf */
	prunebox_damage(p, &l.pack, l.offset + 3);
	struct location leaf = l;
	prunebox_damage(p, &leaf.pack, l.offset - 40);
	assert_int_equal(without(p, hash_span(&l.pack), &why), E_FORGED);
	assert_int_equal(p->t.vault.state.count, entries);
	prunebox_damage(p, &leaf.pack, l.offset - 40);
	clientbox_ok(without(p, hash_span(&l.pack), &why), &why);
}

/* What another process does in the middle of an append of ours. */
struct rival {
	struct prunebox *p;
	struct buf names;
	size_t left; /* times that it still acts */
	bool busy;
	struct why why;
	enum err failed;
};

static enum err replace_too(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct rival *r = ctx;
	(void)seq;
	(void)bytes;
	if (r->busy || !r->left || !hash_equal(chain, &r->p->t.vault.id)) return OK;
	r->busy = true;
	r->left--;
	if (!r->failed)
		r->failed = indexmerge_without(
			&prunebox_other(r->p)->vault, buf_span(&r->names), TESTVAULT_PACK, &r->why);
	r->busy = false;
	return OK;
}

/* Of two that replace the same index one does: else what the other put in its place would be named twice, or lost. */
static void another_replaces_it_first(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct rival r = { .p = p, .left = 1 };
	prunebox_file(p, "large", 200000, 1);
	(void)prunebox_backup(p);
	prunebox_file(p, "other", 30000, 2);
	(void)prunebox_backup(p);
	(void)prunebox_other(p);
	struct buf before = rows_of(p);
	buf_init(&r.names, 1 << 16);
	struct hash name = hash_from(before.ptr + HASH_SIZE);
	assert_int_equal(buf_add(&r.names, hash_span(&name)), OK);
	rawstore_on_append(p->raw, replace_too, &r);
	clientbox_ok(without(p, hash_span(&name), &why), &why);
	rawstore_on_append(p->raw, NULL, NULL);
	clientbox_ok(r.failed, &r.why);
	assert_int_equal(r.left, 0);
	struct buf after = rows_of(p);
	expect_without(&before, &after, hash_span(&name));
	assert_false(is_named(p, hash_span(&name)));
	/* by one of the two alone */
	assert_int_equal(p->t.vault.state.index_count, prunebox_other(p)->vault.state.index_count);
	buf_free(&r.names);
	buf_free(&before);
	buf_free(&after);
}

/* The merge of many is given up for that: it is only there to be quick. */
static void a_merge_gives_way(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct hash snapshots[MANY];
	struct rival r = { .p = p, .left = 1 };
	make_indexes(p, snapshots, MANY - 1);
	(void)prunebox_other(p);
	buf_init(&r.names, 1 << 16);
	/* the rival rewrites the index that lies in this pack */
	struct location l = p->t.vault.state.indexes[0].location;
	struct buf extra;
	buf_init(&extra, 1 << 10);
	assert_int_equal(buf_add(&r.names, hash_span(&l.pack)), OK);
	struct vault_entry again = { .body = { .type = VAULTBODY_INDEX } };
	assert_int_equal(location_add(&extra, &p->t.vault.state.indexes[1].location), OK);
	again.body.added.rows = buf_span(&extra);
	(void)prunebox_append(p, &again);
	buf_free(&extra);
	rawstore_on_append(p->raw, replace_too, &r);
	clientbox_ok(if_many(p, &why), &why);
	rawstore_on_append(p->raw, NULL, NULL);
	clientbox_ok(r.failed, &r.why);
	assert_int_equal(r.left, 0);
	/* what the rival took out stays out */
	assert_false(is_named(p, hash_span(&l.pack)));
	buf_free(&r.names);
}

/* A rival that puts another index that names the pack in the place of ours, again and again. */
struct usurper {
	struct prunebox *p;
	struct location places[RIVALS];
	struct buf added, removed;
	size_t next;
	bool busy;
	struct why why;
	enum err failed;
};

static enum err decide_swap(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct usurper *u = ctx;
	(void)v;
	(void)why;
	buf_clear(&u->added);
	buf_clear(&u->removed);
	if (location_add(&u->added, &u->places[u->next + 1])) return E_NOMEM;
	if (location_add(&u->removed, &u->places[u->next])) return E_NOMEM;
	out->body = (struct vaultbody){ .type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(&u->added) },
		.removed = { .rows = buf_span(&u->removed) } };
	return OK;
}

static enum err swap(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct usurper *u = ctx;
	(void)seq;
	(void)bytes;
	if (u->busy || u->next + 1 == RIVALS || !hash_equal(chain, &u->p->t.vault.id)) return OK;
	u->busy = true;
	if (!u->failed) u->failed = vault_append(&prunebox_other(u->p)->vault, decide_swap, u, &u->why);
	u->next++;
	u->busy = false;
	return OK;
}

/* Indexes of the same rows, which no entry names yet. */
static void write_copies(struct prunebox *p, struct location *out, size_t count) {
	struct vault *v = &p->t.vault;
	struct why why = { OK, "" };
	struct fetch_params fp = { .vault = v, .threads = 1 };
	struct packrun_params rp = {
		.store = p->store,
		.vault = v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.writer = p->t.session.secrets->actor.id,
		.fresh = &p->t.session.secrets->fresh,
		.pack_limit = TESTVAULT_PACK,
	};
	for (size_t i = 0; i < count; i++) {
		struct fetch *f = NULL;
		struct indexplan *plan = NULL;
		struct packrun *run = NULL;
		struct buf locations;
		buf_init(&locations, 1 << 10);
		clientbox_ok(fetch_new(&f, &fp, &why), &why);
		assert_int_equal(indexplan_new(&plan), OK);
		clientbox_ok(placesexport_all(fetch_places(f), plan, NULL, NULL, &why), &why);
		clientbox_ok(packrun_new(&run, &rp, &why), &why);
		clientbox_ok(packrun_index(run, plan, &locations, &why), &why);
		struct locationlist list = { .rows = buf_span(&locations) };
		out[i] = location_at(&list, 0);
		packrun_free(run);
		indexplan_free(plan);
		fetch_free(f);
		buf_free(&locations);
	}
}

/* It says that others are at work, and leaves everything as they have it. */
static void others_without_end(void **state) {
	static struct usurper u;
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	u = (struct usurper){ .p = p };
	buf_init(&u.added, 1 << 10);
	buf_init(&u.removed, 1 << 10);
	prunebox_file(p, "file", 30000, 1);
	struct hash snapshot = prunebox_backup(p);
	u.places[0] = p->t.vault.state.indexes[0].location;
	write_copies(p, u.places + 1, RIVALS - 1);
	(void)prunebox_other(p);
	struct buf before = rows_of(p);
	struct hash name = hash_from(before.ptr + HASH_SIZE);
	rawstore_on_append(p->raw, swap, &u);
	assert_int_equal(without(p, hash_span(&name), &why), E_BUSY);
	assert_true(why.msg[0] != '\0');
	rawstore_on_append(p->raw, NULL, NULL);
	clientbox_ok(u.failed, &u.why);
	struct buf after = rows_of(p);
	assert_int_equal(before.len, after.len);
	prunebox_check(p, &snapshot);
	buf_free(&u.added);
	buf_free(&u.removed);
	buf_free(&before);
	buf_free(&after);
}

/* More than one entry can replace: it takes several, and none of them is left. */
static void more_than_one_entry_replaces(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	static struct location copies[COPIES];
	prunebox_file(p, "file", 3000, 1);
	(void)prunebox_backup(p);
	prunebox_file(p, "other", 3000, 2);
	(void)prunebox_backup(p);
	struct buf before = rows_of(p), some;
	struct hash none = { { 1 } }, gone = hash_from(before.ptr + HASH_SIZE);
	buf_init(&some, 1 << 16);
	write_copies(p, copies, COPIES);
	for (size_t i = 0; i < COPIES; i++) {
		assert_int_equal(location_add(&some, &copies[i]), OK);
		if ((i + 1) % LIMIT_INDEXES_ADDED && i + 1 < COPIES) continue;
		struct vault_entry entry = { .body = { .type = VAULTBODY_INDEX } };
		entry.body.added.rows = buf_span(&some);
		(void)prunebox_append(p, &entry);
		buf_clear(&some);
	}
	assert_int_equal(p->t.vault.state.index_count, COPIES + 2);
	uint64_t entries = p->t.vault.state.count;
	clientbox_ok(without(p, hash_span(&none), &why), &why);
	assert_int_equal(p->t.vault.state.count, entries);
	clientbox_ok(indexmerge_without(&p->t.vault, hash_span(&gone), 0, &why), &why);
	assert_int_equal(p->t.vault.state.count, entries + 2);
	assert_int_equal(p->t.vault.state.void_count, 0);
	assert_false(is_named(p, hash_span(&gone)));
	struct buf after = rows_of(p);
	expect_without(&before, &after, hash_span(&gone));
	buf_free(&before);
	buf_free(&after);
	buf_free(&some);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			many_become_few_and_say_the_same, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_backup_merges, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_that_go_are_named_no_more, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(damage_stops_it, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			another_replaces_it_first, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_merge_gives_way, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			more_than_one_entry_replaces, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(others_without_end, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("indexmerge", tests, NULL, NULL);
}
