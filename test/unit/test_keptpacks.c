/* What was to go and is kept after all: snapshots and announcements taken back, also where packs share a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/check.h"
#include "client/forget.h"
#include "client/intents.h"
#include "client/prune.h"
#include "clientbox.h"
#include "falseplaces.h"

enum { MIB = 1 << 20, HOLD = 1000, FILES = 12 };

struct fixture {
	struct clientbox t;
	struct backup_options o;
	struct hash first, second; /* snapshots: with all files, and with every other one */
};

/* Half of the files go: so packs that stay and packs that go lie beside one another, and have blocks in common. */
static void make(struct fixture *f, uint64_t hold) {
	char name[32], path[SCRATCH_MAX];
	clientbox_new(&f->t, &clientbox_chunks, hold);
	f->o = clientbox_options(&f->t);
	f->o.pack_limit = CLIENTBOX_PACK;
	f->o.threads = 1;
	for (int i = 0; i < FILES; i++) {
		uint8_t *bytes = clientbox_random(MIB / 4, (uint64_t)i);
		(void)snprintf(name, sizeof name, "file%02d", i);
		clientbox_file(&f->t, name, bytes, MIB / 4);
		free(bytes);
	}
	f->first = clientbox_backup(&f->t, &f->o).snapshot;
	for (int i = 0; i < FILES; i += 2) {
		(void)snprintf(name, sizeof name, "file%02d", i);
		assert_int_equal(unlink(clientbox_src(path, &f->t, name)), 0);
	}
	f->second = clientbox_backup(&f->t, &f->o).snapshot;
}

static int setup(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	if (!f) return -1;
	make(f, HOLD);
	*state = f;
	return 0;
}

static int setup_no_hold(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	if (!f) return -1;
	make(f, 1);
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;
	clientbox_done(&f->t);
	free(f);
	return 0;
}

static struct prune_result prune(struct fixture *f) {
	struct prune_options o = { .pack_limit = CLIENTBOX_PACK, .max_unused = PRUNE_ANY_UNUSED };
	struct prune_result r;
	struct why why = { OK, "" };
	clientbox_ok(prune_run(&f->t.vault, &o, &r, &why), &why);
	return r;
}

static void forget(struct fixture *f) {
	struct why why = { OK, "" };
	clientbox_ok(forget_snapshots(&f->t.vault, &f->first, 1, &why), &why);
}

static void keep(struct fixture *f) {
	struct why why = { OK, "" };
	clientbox_ok(forget_undo(&f->t.vault, &f->first, &why), &why);
}

static void report(void *ctx, const struct checkreport_item *item) {
	(void)ctx;
	print_message("%s\n", item->text);
}

/* All packs read, and everything that the snapshots need found. */
static void is_whole(struct fixture *f) {
	struct checkreport r = { .found = report };
	struct check_options o = { .part = CHECKDATA_ALL, .threads = 1 };
	struct why why = { OK, "" };
	clientbox_reopen(&f->t);
	checkreport_init(&r);
	clientbox_ok(check_vault(&r, &f->t.vault, &o, &why), &why);
	checkreport_done(&r);
	assert_int_equal(r.counts.damaged, 0);
	assert_int_equal(r.counts.snapshots_lost, 0);
}

/* The indexes in force find everything: a backup of the same files stores nothing anew. */
static void is_indexed(struct fixture *f) {
	char name[32];
	for (int i = 0; i < FILES; i++) {
		uint8_t *bytes = clientbox_random(MIB / 4, (uint64_t)i);
		(void)snprintf(name, sizeof name, "file%02d", i);
		clientbox_file(&f->t, name, bytes, MIB / 4);
		free(bytes);
	}
	f->o.force = true;
	struct backup_result r = clientbox_backup(&f->t, &f->o);
	assert_in_range(r.counts.bytes_new, 0, 10000); /* folders: times differ */
	clientbox_compare(&f->t, &r.snapshot);
}

/* Kept in time: a prune before the hold is over knows that the packs stay, and one after it spares them. */
static void a_snapshot_kept_in_time(void **state) {
	struct fixture *f = *state;
	forget(f);
	assert_true(prune(f).named_packs > 0);
	keep(f);
	struct prune_result r = prune(f);
	assert_int_equal(r.waiting_intents, 1);
	assert_int_equal(r.purged_packs, 0);
	is_whole(f);
}

static void a_snapshot_kept_is_spared(void **state) {
	struct fixture *f = *state;
	forget(f);
	assert_true(prune(f).named_packs > 0);
	keep(f);
	(void)sleep(2);
	(void)prune(f);
	is_whole(f);
	(void)prune(f);
	is_whole(f);
	is_indexed(f);
}

/* However many false places stand before the true ones in the index: neither keeping nor pruning stops at them. */
static void a_snapshot_kept_behind_false_places(void **state) {
	struct fixture *f = *state;
	forget(f);
	assert_true(prune(f).named_packs > 0);
	falseplaces_add(&f->t.vault);
	keep(f);
	falseplaces_add(&f->t.vault);
	(void)prune(f);
	is_whole(f);
}

/* An announcement that is taken back: its packs are in an index again, as if there had been none. */
static void an_announcement_taken_back(void **state) {
	struct fixture *f = *state;
	struct why why = { OK, "" };
	forget(f);
	assert_true(prune(f).named_packs > 0);
	assert_int_equal(f->t.vault.state.intent_count, 1);
	clientbox_ok(forget_undo_intent(&f->t.vault, f->t.vault.state.intents[0].sequence, &why), &why);
	assert_int_equal(f->t.vault.state.intent_count, 0);
	keep(f);
	struct prune_result r = prune(f);
	assert_int_equal(r.named_packs, 0);
	is_whole(f);
	is_indexed(f);
}

/* The same with the snapshot given up for good: what nobody needs is announced again. */
static void what_nobody_needs_goes_all_the_same(void **state) {
	struct fixture *f = *state;
	struct why why = { OK, "" };
	forget(f);
	uint64_t named = prune(f).named_packs;
	clientbox_ok(forget_undo_intent(&f->t.vault, f->t.vault.state.intents[0].sequence, &why), &why);
	struct prune_result r = prune(f);
	assert_in_range(r.named_packs, named - 2, named + 2); /* but for packs of indexes */
	is_whole(f);
}

static enum err decide_purge(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct vault_intent *intent = &v->state.intents[0];
	(void)ctx;
	(void)why;
	out->body.type = VAULTBODY_PURGE;
	out->public_part.kind = ENTRYPUBLIC_PURGE;
	out->public_part.intent = intent->sequence;
	out->public_part.packs = intent->packs;
	return OK;
}

/* A purge was appended, and its packs are there yet: a snapshot that needs them cannot be kept any more. */
static void what_was_purged_cannot_be_kept(void **state) {
	struct fixture *f = *state;
	struct why why = { OK, "" };
	forget(f);
	(void)prune(f);
	(void)sleep(2);
	clientbox_ok(vault_append(&f->t.vault, decide_purge, NULL, &why), &why);
	assert_int_equal(f->t.vault.state.purge_count, 1);
	assert_int_equal(forget_undo(&f->t.vault, &f->first, &why), E_FORGED);
	assert_true(vaultstate_snapshot(&f->t.vault.state, &f->first)->forgotten);
}

/* What an announcement says is gone is not needed by what was kept before it: that is an alarm, as it always was. */
static void what_is_lost_is_said(void **state) {
	struct fixture *f = *state;
	struct prune_options o = { .pack_limit = CLIENTBOX_PACK };
	struct prune_result r;
	struct why why = { OK, "" };
	char remove[2 * SCRATCH_MAX];
	forget(f);
	(void)prune(f);
	keep(f);
	(void)snprintf(remove, sizeof remove, "cd '%s'/packs/* && rm -r [0-7]*", f->t.store);
	assert_int_equal(system(remove), 0);
	assert_int_equal(prune_run(&f->t.vault, &o, &r, &why), E_FORGED);
}

/*
 * Kept in time, while its packs are announced still: the next backup of the same files has a cache that describes it, and stores
 * again what lies in them all the same. Nothing new relies on what is announced.
 */
static void a_backup_beside_what_was_kept(void **state) {
	struct fixture *f = *state;
	struct why why = { OK, "" };
	struct buf doomed;
	struct hash both[] = { f->first, f->second };
	clientbox_settle(&f->t);
	f->second = both[1] = clientbox_backup(&f->t, &f->o).snapshot;
	f->o.force = false;
	forget(f);
	for (size_t i = 0; i < f->t.vault.state.snapshot_count; i++) {
		struct hash id = f->t.vault.state.snapshots[i].id;
		if (!f->t.vault.state.snapshots[i].forgotten)
			clientbox_ok(forget_snapshots(&f->t.vault, &id, 1, &why), &why);
	}
	assert_true(prune(f).named_packs > 0);
	clientbox_ok(forget_undo(&f->t.vault, &both[1], &why), &why);
	struct hash later = clientbox_backup(&f->t, &f->o).snapshot;
	/* as if they were gone */
	buf_init(&doomed, 1 << 20);
	clientbox_ok(intents_doomed(&f->t.vault, &doomed, &why), &why);
	assert_true(doomed.len > 0);
	for (size_t at = 0; at < doomed.len; at += HASH_SIZE) {
		struct hash name = hash_from(doomed.ptr + at);
		clientbox_ok(store_pack_delete(f->t.inner, &f->t.vault.id, &name, &why), &why);
	}
	buf_free(&doomed);
	clientbox_compare(&f->t, &later);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_backup_beside_what_was_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_snapshot_kept_behind_false_places, setup, teardown),
		cmocka_unit_test_setup_teardown(a_snapshot_kept_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_snapshot_kept_is_spared, setup_no_hold, teardown),
		cmocka_unit_test_setup_teardown(an_announcement_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_needs_goes_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_purged_cannot_be_kept, setup_no_hold, teardown),
		cmocka_unit_test_setup_teardown(what_is_lost_is_said, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
