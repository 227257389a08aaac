/* client/purge: beside others: who keeps or purges at the last moment, and runs whose packs were purged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/forget.h"
#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/purge.h"
#include "clientbox.h"
#include "prunebox.h"

/* What another process does right before an entry of ours. */
struct rival {
	struct prunebox *p;
	enum err (*act)(struct rival *r, struct vault *v);
	struct hash snapshot;
	bool acted;
	struct why why;
	enum err failed;
};

static enum err before_ours(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct rival *r = ctx;
	(void)seq;
	(void)bytes;
	if (r->acted || !hash_equal(chain, &r->p->t.vault.id)) return OK;
	r->acted = true;
	r->failed = r->act(r, &prunebox_other(r->p)->vault);
	return OK;
}

static enum err keeps(struct rival *r, struct vault *v) {
	return forget_undo(v, &r->snapshot, &r->why);
}

static enum err purges(struct rival *r, struct vault *v) {
	struct prune_options o = prunebox_options();
	struct prune_result out = { .packs = 0 };
	return purge_due(v, &o, &out, &r->why);
}

static struct prune_result purge_beside(struct prunebox *p, struct rival *r) {
	(void)prunebox_other(p);
	rawstore_on_append(p->raw, before_ours, r);
	struct prune_result out = prunebox_purge(p);
	rawstore_on_append(p->raw, NULL, NULL);
	assert_true(r->acted);
	clientbox_ok(r->failed, &r->why);
	return out;
}

/* Between the look and the entry: the look is taken again. */
static void a_keep_at_the_last_moment(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct rival r = { .p = p, .act = keeps, .snapshot = s.first };
	struct why why = { OK, "" };
	/* no index names them by now, so that the purge is the first entry */
	clientbox_ok(indexmerge_without(&p->t.vault, buf_span(&s.gone), TESTVAULT_PACK, &why), &why);
	struct prune_result out = purge_beside(p, &r);
	assert_int_equal(out.purged_packs, 0);
	prunebox_check(p, &s.first);
	prunebox_check(p, &s.second);
	buf_free(&s.gone);
}

static void another_purges_first(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct rival r = { .p = p, .act = purges };
	(void)purge_beside(p, &r);
	assert_int_equal(p->t.vault.state.purge_count, 1);
	assert_int_equal(p->t.vault.state.void_count, 0);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 0);
	prunebox_check(p, &s.second);
	buf_free(&s.gone);
}

static void refuse(struct prunebox *p, enum faulty_verb verb) {
	faulty_order(p->store,
		(struct faulty_order){
			.verb = verb, .nth = 1, .forever = true, .way = FAULTY_BEFORE, .error = E_IO });
}

/* A prune that appends its purge and dies before it deletes anything. */
static enum err purge_and_die(struct prunebox *p, struct vault *v, struct why *why) {
	struct prune_options o = prunebox_options();
	struct prune_result out = { .packs = 0 };
	refuse(p, FAULTY_PACK_DELETE);
	enum err e = purge_due(v, &o, &out, why);
	faulty_clear(p->store);
	assert_int_equal(out.purged_packs, 0);
	return e == E_IO ? OK : E_USAGE;
}

/* What the chain says is deleted is not relied on, though it is there for a moment still: a purger would delete it after all. */
static void a_keep_comes_too_late(void **state) {
	struct prunebox *p = *state;
	struct prunebox_announced s = prunebox_announce(p);
	struct why why = { OK, "" };
	clientbox_ok(purge_and_die(p, &p->t.vault, &why), &why);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), s.gone.len / HASH_SIZE);
	assert_int_equal(p->t.vault.state.purge_count, 1);
	assert_int_equal(forget_undo(&p->t.vault, &s.first, &why), E_FORGED);
	assert_true(vaultstate_snapshot(&p->t.vault.state, &s.first)->forgotten);
	(void)prunebox_purge(p);
	assert_int_equal(prunebox_present(p, buf_span(&s.gone)), 0);
	prunebox_check(p, &s.second);
	buf_free(&s.gone);
}

/* Nor does a run take over what a dead one left. */
static void a_dead_runs_packs_were_purged(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct hash id;
	prunebox_file(p, "a", 200000, 1);
	refuse(p, FAULTY_CHAIN_APPEND);
	assert_int_equal(testvault_backup(&p->t, p->tree, NULL, &id, &why), E_IO);
	faulty_clear(p->store);
	struct buf left = prunebox_packs(p);
	assert_true(left.len / HASH_SIZE >= 3);
	(void)prunebox_intend(p, buf_span(&left));
	clientbox_ok(purge_and_die(p, &p->t.vault, &why), &why);
	struct hash snapshot = prunebox_backup(p);
	(void)prunebox_purge(p);
	assert_int_equal(prunebox_present(p, buf_span(&left)), 0);
	prunebox_check(p, &snapshot);
	buf_free(&left);
}

static enum err given(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	(void)v;
	(void)why;
	*out = *(const struct vault_entry *)ctx;
	return OK;
}

/* All packs that are there: those of a run that has not named them yet. */
static enum err purges_all(struct rival *r, struct vault *v) {
	struct vault_entry intent = {
		.body = { .type = VAULTBODY_INTENT },
		.public_part = { .kind = ENTRYPUBLIC_INTENT },
	};
	struct buf packs = prunebox_packs(r->p);
	enum err e = intents_make(v, buf_span(&packs), &intent.public_part.packs, &r->why);
	if (!e) e = vault_append(v, given, &intent, &r->why);
	if (!e) e = purge_and_die(r->p, v, &r->why);
	buf_free(&packs);
	return e;
}

/* Nor on what it put itself, before it has named it. */
static void a_runs_own_packs_are_purged(void **state) {
	struct prunebox *p = *state;
	struct rival r = { .p = p, .act = purges_all };
	(void)prunebox_other(p);
	prunebox_file(p, "a", 200000, 1);
	rawstore_on_append(p->raw, before_ours, &r);
	struct hash snapshot = prunebox_backup(p);
	rawstore_on_append(p->raw, NULL, NULL);
	assert_true(r.acted);
	clientbox_ok(r.failed, &r.why);
	struct prune_result out = prunebox_purge(p);
	assert_true(out.purged_packs >= 3);
	prunebox_check(p, &snapshot);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_keep_at_the_last_moment, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(another_purges_first, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_keep_comes_too_late, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_dead_runs_packs_were_purged, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_runs_own_packs_are_purged, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("purgerival", tests, NULL, NULL);
}
