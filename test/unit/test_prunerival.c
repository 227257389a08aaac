/* client/prune: entries that others write between those of a prune. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "clientbox.h"
#include "prunebox.h"

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
	struct prunebox_scene s = prunebox_scene(p);
	struct rival r = { .p = p, .act = tags, .left = SIZE_MAX, .snapshot = s.second };
	struct prune_options o = prunebox_unlimited();
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

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(others_without_end, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(a_backup_beside_it, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("prunerival", tests, NULL, NULL);
}
