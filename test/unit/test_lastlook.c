/* client/backuplook and what follows from it: what others do to a vault while a backup runs, looked at before its entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/packread.h"
#include "clientbox.h"
#include "falseplaces.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "storesuite.h"

enum { LEN = 300000 };

static int setup(void **state) {
	struct clientbox *t = calloc(1, sizeof *t);
	if (!t) return -1;
	clientbox_new(t, &clientbox_chunks, 0);
	*state = t;
	return 0;
}

static int teardown(void **state) {
	clientbox_done(*state);
	free(*state);
	return 0;
}

static void put_random(struct clientbox *t, const char *name, uint64_t seed) {
	uint8_t *bytes = clientbox_random(LEN, seed);
	clientbox_file(t, name, bytes, LEN);
	free(bytes);
}

struct listing {
	struct clientbox *t;
	struct fetch *fetch;
	struct buf *names;
};

static enum err add_contents(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct listing *l = ctx;
	struct packtable table;
	struct packtable_block block;
	struct buf bytes;
	bool is_content = true;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(fetch_packs(l->fetch), name, (uint32_t)size, &table, &bytes, why);
	for (struct span rest = table.blocks; !e && packtable_next(&rest, &block);)
		is_content = is_content && block.type == CHUNKTYPE_CONTENT;
	buf_free(&bytes);
	return e || !is_content ? e : why_err(why, buf_add(l->names, hash_span(name)), "listing");
}

/* Packs with nothing but contents, ascending. */
static struct buf content_packs(struct clientbox *t) {
	struct buf names;
	struct why why = { OK, "" };
	struct listing l = { .t = t, .fetch = clientbox_fetch(t), .names = &names };
	buf_init(&names, 1 << 20);
	clientbox_ok(store_pack_list(t->inner, &t->vault.id, add_contents, &l, &why), &why);
	fetch_free(l.fetch);
	intents_sort(&names);
	return names;
}

static struct hash pack_not_in(const struct buf *packs, const struct buf *before) {
	for (size_t i = 0; i < packs->len; i += HASH_SIZE) {
		struct hash name = hash_from(packs->ptr + i);
		if (!intents_has(buf_span(before), &name)) return name;
	}
	fail_msg("no pack is new");
	return hash_from(packs->ptr);
}

struct purging {
	struct buf names;
	uint64_t intent; /* 0: the intent is to be made */
};

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct purging *p = ctx;
	out->body.type = p->intent ? VAULTBODY_PURGE : VAULTBODY_INTENT;
	out->public_part.kind = p->intent ? ENTRYPUBLIC_PURGE : ENTRYPUBLIC_INTENT;
	out->public_part.intent = p->intent;
	return intents_make(v, buf_span(&p->names), &out->public_part.packs, why);
}

/* What another process does once this backup has said that packs are missing, and so has loaded its indexes. */
struct other {
	struct clientbox *t;
	struct purging purge;
	bool whole;                 /* not the intent alone */
	const struct hash *deletes; /* at once; NULL: none */
	unsigned times;
};

static void act(void *ctx, enum backup_note what, const char *path, const char *text) {
	struct other *o = ctx;
	struct clientbox other;
	struct why why = { OK, "" };
	(void)path;
	(void)text;
	if (what != BACKUP_WARNING || o->times++ > 0) return;
	clientbox_again(&other, o->t);
	clientbox_ok(vault_append(&other.vault, decide, &o->purge, &why), &why);
	o->purge.intent = other.vault.state.count - 1;
	if (o->whole) {
		clientbox_ok(
			indexmerge_without(&other.vault, buf_span(&o->purge.names), CLIENTBOX_PACK, &why),
			&why);
		clientbox_ok(vault_append(&other.vault, decide, &o->purge, &why), &why);
	}
	if (o->deletes)
		clientbox_ok(store_pack_delete(o->t->inner, &o->t->vault.id, o->deletes, &why), &why);
	clientbox_again_done(&other);
}

static struct other another(struct clientbox *t, struct backup_options *o) {
	struct other out = { .t = t };
	buf_init(&out.purge.names, 1 << 20);
	o->pack_limit = CLIENTBOX_PACK;
	o->noted = act;
	return out;
}

/* Places that are none, more than one look takes, stand before the good one of each chunk: it is seen, and nothing is stored again. */
static void the_look_sees_behind_false_places(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct other other = another(t, &o);
	struct hash nothing = storesuite_id(5);
	put_random(t, "file", 1);
	o.ctx = &other;
	(void)clientbox_backup(t, &o);
	assert_int_equal(other.times, 0);
	falseplaces_add(&t->vault);
	clientbox_reopen(t);
	assert_int_equal(buf_add(&other.purge.names, hash_span(&nothing)), OK);
	uint64_t events = t->vault.state.purge_events;
	struct backup_result r = clientbox_backup(t, &o);
	assert_true(other.times > 0 && t->vault.state.purge_events > events);
	assert_true(r.chunks_reused > LEN / 32768);
	if (r.counts.stored > LEN / 2)
		fail_msg("%llu bytes stored again", (unsigned long long)r.counts.stored);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
	buf_free(&other.purge.names);
}

/*
 * A pack is missing, so what it held is stored again; then others purge another, and the run begins again. By now no index names
 * either: nothing tells that the parent is not whole but that the run did.
 */
static void what_began_again_is_no_unchanged_one(void **state) {
	struct clientbox *t = *state;
	struct backup_options o = clientbox_options(t);
	struct other other = another(t, &o);
	struct why why = { OK, "" };
	o.ctx = &other;
	put_random(t, "missing", 1);
	(void)clientbox_backup(t, &o);
	struct buf first = content_packs(t);
	put_random(t, "purged", 2);
	clientbox_settle(t);
	(void)clientbox_backup(t, &o);
	struct buf both = content_packs(t);
	assert_int_equal(other.times, 0);
	struct hash missing = hash_from(first.ptr), purged = pack_not_in(&both, &first);
	clientbox_ok(store_pack_delete(t->inner, &t->vault.id, &missing, &why), &why);
	clientbox_reopen(t);
	assert_int_equal(buf_add(&other.purge.names, hash_span(&missing)), OK);
	assert_int_equal(buf_add(&other.purge.names, hash_span(&purged)), OK);
	intents_sort(&other.purge.names);
	other.whole = true;
	other.deletes = &purged;
	o.skip_unchanged = true;
	size_t snapshots = t->vault.state.snapshot_count;
	struct backup_result r = clientbox_backup(t, &o);
	assert_int_equal(other.times, 1); /* the second time nothing was missing */
	assert_false(r.unchanged);
	assert_int_equal(t->vault.state.snapshot_count, snapshots + 1);
	clientbox_reopen(t);
	clientbox_compare(t, &r.snapshot);
	o.noted = NULL;
	assert_true(clientbox_backup(t, &o).unchanged); /* and now it is */
	buf_free(&first);
	buf_free(&both);
	buf_free(&other.purge.names);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_look_sees_behind_false_places, setup, teardown),
		cmocka_unit_test_setup_teardown(what_began_again_is_no_unchanged_one, setup, teardown),
	};
	return cmocka_run_group_tests_name("lastlook", tests, NULL, NULL);
}
