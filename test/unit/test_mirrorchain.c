/* client/mirrorchain and client/mirrorpacks: a copy that a hostile or dying store can't spoil, and that can be made again. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/intents.h"
#include "client/mirrorchain.h"
#include "client/mirrorpacks.h"
#include "os/signals.h"
#include "rawbox.h"
#include "storesuite.h"

enum { ENTRIES = 6, PACKS = 12 };

static struct rawbox *box;
static struct store *inner, *mirror; /* mirror: faulty, around inner */
static struct hash chain;            /* the vault's */

static enum err decide(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const uint64_t *seed = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = storesuite_id(*seed),
		.stamp = { .host = span_text("host"), .branch = span_text("branch") },
	};
	return OK;
}

static void append(uint64_t seed) {
	struct why why = { OK, "" };
	rawbox_ok(vault_append(&box->t.vault, decide, &seed, &why), &why);
}

static int setup(void **state) {
	struct hash id = storesuite_id(88);
	if (rawbox_setup(state)) return -1;
	box = *state;
	chain = box->t.vault.id;
	for (uint64_t i = box->t.vault.state.count; i < ENTRIES; i++) append(i);
	inner = rawstore_new(&id);
	mirror = faulty_new(inner);
	return mirror ? 0 : -1;
}

static int teardown(void **state) {
	signals_forget();
	store_free(mirror);
	store_free(inner);
	return rawbox_teardown(state);
}

static struct rawstore_item *entry_at(struct store *s, const struct hash *id, uint64_t seq) {
	return rawstore_find(s, RAWSTORE_ENTRY, id, NULL, seq);
}

static uint64_t length_in(struct store *s) {
	uint64_t n = 0;
	assert_int_equal(store_chain_length(s, &chain, &n, NULL), OK);
	return n;
}

static size_t number_in(struct store *s, const struct rawstore_item *item) {
	return (size_t)(item - rawstore_at(s, 0));
}

/* Every entry of the mirror is the source's. */
static void compare_chains(void) {
	for (uint64_t seq = 0; seq < length_in(inner); seq++) {
		const struct rawstore_item *a = entry_at(inner, &chain, seq);
		const struct rawstore_item *b = entry_at(box->raw, &chain, seq);
		assert_non_null(b);
		assert_true(span_equal(span_of(a->bytes, a->len), span_of(b->bytes, b->len)));
	}
}

static enum err copy(uint64_t count, uint64_t *copied, struct why *why) {
	struct mirrorchain m = {
		.from = box->store, .to = mirror, .chain = chain, .kind = CHAIN_VAULT, .count = count
	};
	*copied = 0;
	*why = (struct why){ OK, "" };
	enum err e = mirrorchain_copy(&m, copied, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

static enum err result(uint64_t count) {
	uint64_t copied;
	struct why why;
	return copy(count, &copied, &why);
}

/* --- chains */

static void entries_are_copied_up_to_a_count(void **state) {
	(void)state;
	uint64_t copied;
	struct why why;
	/* none: the mirror is only compared */
	rawbox_ok(copy(0, &copied, &why), &why);
	assert_int_equal(copied, 0);
	assert_int_equal(length_in(inner), 0);
	rawbox_ok(copy(4, &copied, &why), &why);
	assert_int_equal(copied, 4);
	assert_int_equal(length_in(inner), 4);
	rawbox_ok(copy(4, &copied, &why), &why);
	assert_int_equal(copied, 0);
	/* fewer than are there is no harm */
	rawbox_ok(copy(2, &copied, &why), &why);
	assert_int_equal(copied, 0);
	rawbox_ok(copy(ENTRIES, &copied, &why), &why);
	assert_int_equal(copied, ENTRIES - 4);
	append(100);
	rawbox_ok(copy(ENTRIES + 100, &copied, &why), &why);
	assert_int_equal(copied, 1);
	assert_int_equal(length_in(inner), ENTRIES + 1);
	compare_chains();
}

/* A run that dies is gone on with. */
static void a_copy_that_is_interrupted(void **state) {
	(void)state;
	for (uint64_t at = 1; at <= ENTRIES; at++) {
		faulty_order(mirror,
			(struct faulty_order){
				.verb = FAULTY_CHAIN_APPEND, .nth = 2, .way = FAULTY_BEFORE, .error = E_IO });
		enum err e = result(ENTRIES);
		faulty_clear(mirror);
		assert_int_equal(e, at < ENTRIES ? E_IO : OK);
		assert_int_equal(length_in(inner), at);
		compare_chains();
	}
	static const enum faulty_verb verbs[] = { FAULTY_CHAIN_READ, FAULTY_CHAIN_READ };
	struct store *stores[] = { mirror, box->store };
	for (size_t i = 0; i < 2; i++) {
		faulty_order(stores[i],
			(struct faulty_order){
				.verb = verbs[i], .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
		assert_int_equal(result(ENTRIES), E_IO);
		faulty_clear(stores[i]);
	}
}

static void being_asked_to_stop(void **state) {
	(void)state;
	signals_install();
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(result(ENTRIES), E_CANCELLED);
	assert_int_equal(length_in(inner), 0);
	signals_forget();
	assert_int_equal(result(ENTRIES), OK);
}

static void an_entry_that_was_altered(void **state) {
	(void)state;
	for (uint64_t seq = 0; seq < ENTRIES; seq++) {
		struct rawstore_item *item = entry_at(box->raw, &chain, seq);
		uint64_t copied;
		struct why why;
		char text[32];
		item->bytes[item->len / 2] ^= 1;
		assert_int_equal(copy(ENTRIES, &copied, &why), E_FORGED);
		(void)snprintf(text, sizeof text, "entry %u is damaged", (unsigned)seq);
		assert_non_null(strstr(why.msg, text));
		assert_int_equal(length_in(inner), seq);
		item->bytes[item->len / 2] ^= 1;
		compare_chains();
	}
	assert_int_equal(result(ENTRIES), OK);
	/* and in the mirror: said of the mirror */
	struct rawstore_item *item = entry_at(inner, &chain, 2);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(result(ENTRIES), E_FORGED);
}

/* All right, and of another chain: nothing of it gets into the mirror, which has the beginning of the right one. */
static void another_chain_under_this_name(void **state) {
	(void)state;
	struct vault_new n = { .name = "other", .hold = 0, .chunks = testvault_chunks };
	struct vault v;
	struct why why = { OK, "" };
	struct hash real = chain;
	uint64_t seed = 500;
	rawbox_ok(vault_create(&box->t.session, &n, &why), &why);
	rawbox_ok(vault_open(&v, &box->t.session, "other", &why), &why);
	for (int i = 0; i < 3; i++, seed++) rawbox_ok(vault_append(&v, decide, &seed, &why), &why);
	struct hash other = v.id;
	vault_close(&v);
	for (uint64_t have = 0; have < 3; have++) {
		assert_int_equal(result(have), OK);
		assert_int_equal(length_in(inner), have);
		/* exchanged */
		for (uint64_t seq = 0; seq < 4; seq++) {
			struct rawstore_item *a = entry_at(box->raw, &real, seq);
			struct rawstore_item *b = entry_at(box->raw, &other, seq);
			a->scope = other;
			b->scope = real;
		}
		assert_int_equal(result(ENTRIES), E_FORGED);
		assert_int_equal(length_in(inner), have);
		for (uint64_t seq = 0; seq < 4; seq++) {
			struct rawstore_item *a = entry_at(box->raw, &real, seq);
			struct rawstore_item *b = entry_at(box->raw, &other, seq);
			a->scope = other;
			b->scope = real;
		}
		compare_chains();
	}
	assert_int_equal(result(ENTRIES), OK);
	/* in the mirror */
	for (uint64_t seq = 0; seq < 4; seq++) {
		struct rawstore_item item = *entry_at(box->raw, &other, seq);
		struct rawstore_item *at = entry_at(inner, &real, seq);
		rawstore_replace(inner, number_in(inner, at), span_of(item.bytes, item.len));
	}
	assert_int_equal(result(ENTRIES), E_FORGED);
}

static void a_mirror_that_has_more_or_others(void **state) {
	(void)state;
	char command[2 * SCRATCH_MAX];
	struct rawstore_copy *before = rawstore_copy(box->raw);
	append(200);
	append(201);
	assert_int_equal(result(ENTRIES + 2), OK);
	/* the source was set back */
	rawstore_set(box->raw, before);
	assert_int_equal(result(ENTRIES), E_ROLLBACK);
	assert_int_equal(result(0), E_ROLLBACK);
	/* and went on otherwise */
	(void)snprintf(command, sizeof command, "rm -rf %s/heads", box->home);
	assert_int_equal(system(command), 0); /* NOLINT: a path of our own */
	rawbox_reopen(box);
	for (uint64_t i = 0; i < 4; i++) append(300 + i);
	assert_int_equal(result(ENTRIES + 4), E_ROLLBACK);
	assert_int_equal(result(0), E_ROLLBACK);
	assert_int_equal(length_in(inner), ENTRIES + 2);
	rawstore_copy_free(before);
}

/* Another process copies too: each entry gets there once, and both are content. */
struct copying {
	bool other_entry;
	bool is_done;
};

static enum err be_first(void *ctx, const struct hash *id, uint64_t seq, struct span bytes) {
	struct copying *c = ctx;
	if (c->is_done) return OK;
	c->is_done = true;
	uint8_t *made = malloc(bytes.len);
	assert_non_null(made);
	memcpy(made, bytes.ptr, bytes.len);
	if (c->other_entry) made[bytes.len / 2] ^= 1;
	enum err e = store_chain_append(inner, id, seq, span_of(made, bytes.len), NULL);
	free(made);
	return e;
}

static void two_at_once(void **state) {
	(void)state;
	struct copying c = { .is_done = false };
	assert_int_equal(result(2), OK);
	rawstore_on_append(inner, be_first, &c);
	assert_int_equal(result(ENTRIES), OK);
	compare_chains();
	append(100);
	c = (struct copying){ .other_entry = true };
	assert_int_equal(result(ENTRIES + 1), E_ROLLBACK);
	rawstore_on_append(inner, NULL, NULL);
}

/* --- packs */

struct packs {
	struct hash names[PACKS];
	uint64_t sizes[PACKS];
	uint64_t bytes;
};

static void put_packs(struct packs *p) {
	p->bytes = 0;
	for (uint64_t i = 0; i < PACKS; i++) {
		size_t len = LIMIT_PACK_LEAST + 1000 * i;
		uint8_t *bytes = malloc(len);
		assert_non_null(bytes);
		storesuite_bytes(bytes, len, i);
		assert_int_equal(
			store_pack_add(box->raw, &chain, span_of(bytes, len), &p->names[i], NULL, NULL, NULL),
			OK);
		p->sizes[i] = len;
		p->bytes += len;
		free(bytes);
	}
}

static struct rawstore_item *pack_in(struct store *s, const struct hash *name) {
	return rawstore_find(s, RAWSTORE_PACK, &chain, name, 0);
}

struct heard {
	unsigned damaged;
	struct why why;
	struct mirror_progress last;
	unsigned ticks;
};

static void damaged(void *ctx, const struct why *why) {
	struct heard *h = ctx;
	h->damaged++;
	h->why = *why;
}

static void ticked(void *ctx, const struct mirror_progress *p) {
	struct heard *h = ctx;
	assert_true(p->packs_done >= h->last.packs_done && p->bytes_done >= h->last.bytes_done);
	assert_true(p->packs_done <= p->packs_total && p->bytes_done <= p->bytes_total);
	h->last = *p;
	h->ticks++;
}

static enum err copy_packs(struct span purged, unsigned threads, struct mirror_result *out,
	uint64_t *vanished, struct heard *h, struct why *why) {
	struct mirror_options o = {
		.ticked = ticked, .damaged = damaged, .ctx = h, .threads = threads
	};
	struct mirrorpacks m = { .from = box->store,
		.to = mirror,
		.vault = chain,
		.purged = purged,
		.options = &o,
		.result = out };
	memset(out, 0, sizeof *out);
	memset(h, 0, sizeof *h);
	*why = (struct why){ OK, "" };
	enum err e = mirrorpacks_copy(&m, why);
	if (e) assert_int_equal(why->code, e);
	*vanished = m.vanished;
	return e;
}

static enum err copy_all(struct mirror_result *out, struct heard *h) {
	uint64_t vanished;
	struct why why;
	return copy_packs(span_of(NULL, 0), 1, out, &vanished, h, &why);
}

static void compare_packs(const struct packs *p, size_t count) {
	size_t there = 0;
	for (size_t i = 0; i < PACKS; i++) {
		const struct rawstore_item *a = pack_in(inner, &p->names[i]);
		const struct rawstore_item *b = pack_in(box->raw, &p->names[i]);
		if (!a) continue;
		assert_true(span_equal(span_of(a->bytes, a->len), span_of(b->bytes, b->len)));
		there++;
	}
	assert_int_equal(there, count);
}

static void what_is_missing_is_copied(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	uint64_t vanished;
	struct why why;
	put_packs(&p);
	for (unsigned threads = 0; threads < 7; threads += 3) {
		size_t again = 0;
		for (size_t i = threads; i < PACKS && pack_in(inner, &p.names[i]); i += 2, again++)
			rawstore_remove(inner, number_in(inner, pack_in(inner, &p.names[i])));
		rawbox_ok(copy_packs(span_of(NULL, 0), threads, &r, &vanished, &h, &why), &why);
		assert_int_equal(r.packs, threads ? again : PACKS);
		if (!threads) assert_int_equal(r.bytes, p.bytes);
		assert_int_equal(vanished, 0);
		assert_int_equal(h.last.packs_done, r.packs);
		assert_int_equal(h.last.bytes_done, r.bytes);
		assert_int_equal(h.last.packs_total, r.packs);
		compare_packs(&p, PACKS);
	}
	/* nothing is missing: nothing is read or put, but what is there is made durable */
	uint64_t reads = rawbox_reads(box), puts = faulty_count(mirror, FAULTY_PACK_PUT);
	uint64_t flushes = faulty_count(mirror, FAULTY_FLUSH);
	assert_int_equal(copy_all(&r, &h), OK);
	assert_int_equal(r.packs, 0);
	assert_int_equal(rawbox_reads(box), reads);
	assert_int_equal(faulty_count(mirror, FAULTY_PACK_PUT), puts);
	assert_int_equal(faulty_count(mirror, FAULTY_FLUSH), flushes + 1);
	/* and where it can't be, that is an error */
	faulty_order(mirror,
		(struct faulty_order){
			.verb = FAULTY_FLUSH, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(copy_all(&r, &h), E_IO);
	faulty_clear(mirror);
}

/* Each damaged pack is said by its name; all others are copied; the result is an error. */
static void packs_that_are_damaged(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	char hex[HASH_HEX];
	put_packs(&p);
	pack_in(box->raw, &p.names[3])->bytes[5000] ^= 1;
	assert_int_equal(copy_all(&r, &h), E_FORGED);
	assert_int_equal(h.damaged, 1);
	assert_int_equal(r.damaged, 1);
	assert_int_equal(r.packs, PACKS - 1);
	hash_hex(hex, &p.names[3]);
	assert_non_null(strstr(h.why.msg, hex));
	assert_null(pack_in(inner, &p.names[3]));
	pack_in(box->raw, &p.names[3])->bytes[5000] ^= 1;
	/* of a length that no pack has */
	struct rawstore_item *item = pack_in(box->raw, &p.names[3]);
	item->len = LIMIT_PACK_LEAST - 1;
	assert_int_equal(copy_all(&r, &h), E_FORGED);
	assert_int_equal(r.damaged, 1);
	assert_null(pack_in(inner, &p.names[3]));
	item->len = p.sizes[3];
	assert_int_equal(copy_all(&r, &h), OK);
	assert_int_equal(r.packs, 1);
	compare_packs(&p, PACKS);
}

/* One that is damaged in the mirror is in the way of its like, and is replaced only by what has its name. */
static void packs_that_are_damaged_in_the_mirror(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	put_packs(&p);
	assert_int_equal(copy_all(&r, &h), OK);
	pack_in(inner, &p.names[2])->len -= 7;
	assert_int_equal(copy_all(&r, &h), OK);
	assert_int_equal(r.packs, 1);
	assert_int_equal(r.packs_replaced, 1);
	compare_packs(&p, PACKS);
	pack_in(inner, &p.names[2])->len -= 7;
	pack_in(box->raw, &p.names[2])->bytes[9] ^= 1;
	assert_int_equal(copy_all(&r, &h), E_FORGED);
	assert_int_equal(r.packs_replaced, 0);
	assert_int_equal(pack_in(inner, &p.names[2])->len, p.sizes[2] - 7);
}

static void packs_that_were_purged(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	struct buf purged;
	uint64_t vanished;
	struct why why = { OK, "" };
	struct mirror_options o = { .threads = 1 };
	put_packs(&p);
	buf_init(&purged, 4096);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(buf_add(&purged, hash_span(&p.names[i * 3])), OK);
	intents_sort(&purged);
	rawbox_ok(copy_packs(buf_span(&purged), 1, &r, &vanished, &h, &why), &why);
	assert_int_equal(r.packs, PACKS - 4);
	compare_packs(&p, PACKS - 4);
	/* some of them are in the mirror from before: they go last, and nothing else does */
	assert_int_equal(copy_all(&r, &h), OK);
	compare_packs(&p, PACKS);
	struct mirrorpacks m = { .from = box->store,
		.to = mirror,
		.vault = chain,
		.purged = buf_span(&purged),
		.options = &o,
		.result = &r };
	memset(&r, 0, sizeof r);
	faulty_order(mirror,
		(struct faulty_order){
			.verb = FAULTY_PACK_DELETE, .nth = 3, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(mirrorpacks_delete(&m, &why), E_IO);
	faulty_clear(mirror);
	assert_int_equal(r.packs_deleted, 2);
	rawbox_ok(mirrorpacks_delete(&m, &why), &why);
	assert_int_equal(r.packs_deleted, 4);
	uint64_t bytes = 0;
	for (size_t i = 0; i < 4; i++) {
		bytes += p.sizes[i * 3];
		assert_null(pack_in(inner, &p.names[i * 3]));
	}
	assert_int_equal(r.bytes_deleted, bytes);
	compare_packs(&p, PACKS - 4);
	m.purged = span_of(NULL, 0);
	rawbox_ok(mirrorpacks_delete(&m, &why), &why);
	compare_packs(&p, PACKS - 4);
	/* the source keeps its own */
	for (size_t i = 0; i < PACKS; i++) assert_non_null(pack_in(box->raw, &p.names[i]));
	buf_free(&purged);
}

static void packs_that_vanish(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	uint64_t vanished;
	struct why why = { OK, "" };
	put_packs(&p);
	faulty_order(box->store,
		(struct faulty_order){
			.verb = FAULTY_PACK_GET, .nth = 4, .way = FAULTY_BEFORE, .error = E_NOTFOUND });
	rawbox_ok(copy_packs(span_of(NULL, 0), 1, &r, &vanished, &h, &why), &why);
	faulty_clear(box->store);
	assert_int_equal(vanished, 1); /* no damage: a prune beside it */
	assert_int_equal(r.damaged, 0);
	assert_int_equal(r.packs, PACKS - 1);
}

static void stores_that_fail(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	put_packs(&p);
	struct {
		struct store *store;
		enum faulty_verb verb;
		uint64_t nth;
	} faults[] = { { box->store, FAULTY_PACK_LIST, 1 }, { mirror, FAULTY_PACK_LIST, 1 },
		{ box->store, FAULTY_PACK_GET, 5 }, { mirror, FAULTY_PACK_PUT, 2 } };
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		faulty_order(faults[i].store,
			(struct faulty_order){ .verb = faults[i].verb,
				.nth = faults[i].nth,
				.forever = true,
				.way = FAULTY_BEFORE,
				.error = E_IO });
		assert_int_equal(copy_all(&r, &h), E_IO);
		faulty_clear(faults[i].store);
		assert_int_equal(h.damaged, 0);
	}
	assert_int_equal(copy_all(&r, &h), OK);
	compare_packs(&p, PACKS);
}

static void copying_packs_is_stopped(void **state) {
	(void)state;
	struct packs p;
	struct mirror_result r;
	struct heard h;
	put_packs(&p);
	signals_install();
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(copy_all(&r, &h), E_CANCELLED);
	assert_int_equal(r.packs, 0);
	signals_forget();
	assert_int_equal(copy_all(&r, &h), OK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_are_copied_up_to_a_count, setup, teardown),
		cmocka_unit_test_setup_teardown(a_copy_that_is_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(being_asked_to_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_that_was_altered, setup, teardown),
		cmocka_unit_test_setup_teardown(another_chain_under_this_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mirror_that_has_more_or_others, setup, teardown),
		cmocka_unit_test_setup_teardown(two_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_copied, setup, teardown),
		cmocka_unit_test_setup_teardown(packs_that_are_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(packs_that_are_damaged_in_the_mirror, setup, teardown),
		cmocka_unit_test_setup_teardown(packs_that_were_purged, setup, teardown),
		cmocka_unit_test_setup_teardown(packs_that_vanish, setup, teardown),
		cmocka_unit_test_setup_teardown(stores_that_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(copying_packs_is_stopped, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
