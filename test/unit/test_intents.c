/* client/intents: names of packs in entries and in list objects: all of them, or an error; and of purges none that was not announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/intents.h"
#include "clientbox.h"
#include "format/namelist.h"
#include "prunebox.h"
#include "storesuite.h"

enum { MANY = LIMIT_PACK_NAMES + 1 };

/* Names of seeds from ${first} on, ascending. Free them. */
static struct buf names_of(uint64_t first, size_t count) {
	struct buf b;
	buf_init(&b, (size_t)1 << 26);
	for (size_t i = 0; i < count; i++) {
		struct hash name = storesuite_id(first + i);
		assert_int_equal(buf_add(&b, hash_span(&name)), OK);
	}
	intents_sort(&b);
	assert_int_equal(b.len, count * HASH_SIZE);
	return b;
}

static struct buf none(void) {
	struct buf b;
	buf_init(&b, (size_t)1 << 26);
	return b;
}

static void sorted_and_each_once(void **state) {
	static const uint8_t given[] = { 9, 2, 255, 2, 0, 9, 9, 128 },
						 expected[] = { 0, 2, 9, 128, 255 };
	struct buf b = none();
	(void)state;
	intents_sort(&b);
	assert_int_equal(b.len, 0);
	for (size_t i = 0; i < sizeof given; i++) {
		struct hash h = { { given[i] } };
		assert_int_equal(buf_add(&b, hash_span(&h)), OK);
	}
	intents_sort(&b);
	assert_int_equal(b.len, sizeof expected * HASH_SIZE);
	for (size_t i = 0; i < sizeof expected; i++)
		assert_int_equal(b.ptr[i * HASH_SIZE], expected[i]);
	for (unsigned i = 0; i < 256; i++) {
		struct hash h = { { (uint8_t)i } };
		bool is_one = memchr(expected, (int)i, sizeof expected) != NULL;
		assert_int_equal(intents_has(buf_span(&b), &h), is_one);
		h.b[31] = 1;
		assert_false(intents_has(buf_span(&b), &h));
	}
	struct hash h = { { 0 } };
	assert_false(intents_has(span_of(NULL, 0), &h));
	buf_free(&b);
}

/* What is made of names gives them back; only a long list takes an object. */
static void names_come_back(void **state) {
	struct prunebox *p = *state;
	static const size_t counts[] = { 1, LIMIT_PACK_NAMES, MANY, 5000 };
	struct why why = { OK, "" };
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct buf names = names_of(1, counts[i]), back = none();
		struct entrypublic_packs packs;
		size_t before = rawstore_count(p->raw);
		clientbox_ok(intents_make(&p->t.vault, buf_span(&names), &packs, &why), &why);
		assert_int_equal(packs.listed, counts[i] > LIMIT_PACK_NAMES);
		assert_int_equal(rawstore_count(p->raw) - before, packs.listed);
		if (packs.listed) assert_int_equal(packs.count, counts[i]);
		/* appended: what was there stays */
		assert_int_equal(buf_add_zero(&back, HASH_SIZE), OK);
		clientbox_ok(intents_packs(&p->t.vault, &packs, &back, &why), &why);
		prunebox_same(span_skip(buf_span(&back), HASH_SIZE), buf_span(&names));
		buf_free(&names);
		buf_free(&back);
	}
}

static void what_cannot_be_listed(void **state) {
	struct prunebox *p = *state;
	struct entrypublic_packs packs;
	struct why why;
	struct buf names = names_of(1, MANY);
	size_t before = rawstore_count(p->raw);
	/* out of order: no reader would take the list */
	struct hash first = hash_from(names.ptr);
	memmove(names.ptr, names.ptr + HASH_SIZE, names.len - HASH_SIZE);
	memcpy(names.ptr + names.len - HASH_SIZE, first.b, HASH_SIZE);
	assert_int_equal(intents_make(&p->t.vault, buf_span(&names), &packs, &why), E_USAGE);
	intents_sort(&names);
	faulty_order(p->store,
		(struct faulty_order){
			.verb = FAULTY_OBJECT_PUT, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(intents_make(&p->t.vault, buf_span(&names), &packs, &why), E_IO);
	faulty_clear(p->store);
	/* more than an object holds */
	assert_int_equal(buf_add_zero(&names, (size_t)LIMIT_LIST_NAMES * HASH_SIZE), OK);
	for (size_t i = MANY; i < names.len / HASH_SIZE; i++) {
		uint8_t *row = names.ptr + i * HASH_SIZE;
		memset(row, 0xff, 28);
		row[28] = (uint8_t)(i >> 24), row[29] = (uint8_t)(i >> 16);
		row[30] = (uint8_t)(i >> 8), row[31] = (uint8_t)i;
	}
	assert_int_equal(intents_make(&p->t.vault, buf_span(&names), &packs, &why), E_LIMIT);
	assert_int_equal(rawstore_count(p->raw), before);
	buf_free(&names);
}

static enum err read_packs(
	struct prunebox *p, const struct entrypublic_packs *packs, struct why *why) {
	struct buf out = none();
	enum err e = intents_packs(&p->t.vault, packs, &out, why);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	return e;
}

/* Which object it is, so that check and repair can be asked about it. */
static void expect_named(const struct why *why, const struct hash *list) {
	char hex[HASH_HEX];
	hash_hex(hex, list);
	assert_non_null(strstr(why->msg, hex));
}

static void a_list_that_is_not_there_is_an_alarm(void **state) {
	struct prunebox *p = *state;
	struct entrypublic_packs packs;
	struct why why = { OK, "" };
	struct buf names = names_of(1, MANY);
	clientbox_ok(intents_make(&p->t.vault, buf_span(&names), &packs, &why), &why);
	buf_free(&names);
	/* another number of names than the entry says */
	packs.count++;
	assert_int_equal(read_packs(p, &packs, &why), E_FORGED);
	expect_named(&why, &packs.list);
	packs.count--;
	/* a store that can't be reached is not a damaged one */
	faulty_order(p->store,
		(struct faulty_order){
			.verb = FAULTY_OBJECT_GET, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(read_packs(p, &packs, &why), E_IO);
	faulty_clear(p->store);
	struct rawstore_item *item = rawstore_find(p->raw, RAWSTORE_OBJECT, NULL, &packs.list, 0);
	assert_non_null(item);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(read_packs(p, &packs, &why), E_FORGED);
	expect_named(&why, &packs.list);
	assert_non_null(strstr(why.msg, "damaged"));
	clientbox_ok(store_object_delete(p->raw, &packs.list, &why), &why);
	assert_int_equal(read_packs(p, &packs, &why), E_FORGED);
	expect_named(&why, &packs.list);
	assert_non_null(strstr(why.msg, "missing"));
	/* bytes that have the name, and are no list */
	static const uint8_t other[1000] = { 1, 2, 3 };
	hash_of(&packs.list, span_of(other, sizeof other));
	clientbox_ok(store_object_put(p->store, &packs.list, span_of(other, sizeof other), &why), &why);
	assert_int_equal(read_packs(p, &packs, &why), E_FORGED);
	expect_named(&why, &packs.list);
}

static void all_intents_in_force(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct buf few = names_of(1, 5), more = names_of(3, 6), many = names_of(1, MANY), out = none();
	clientbox_ok(intents_doomed(&p->t.vault, &out, &why), &why);
	assert_int_equal(out.len, 0);
	(void)prunebox_intend(p, buf_span(&few));
	uint64_t second = prunebox_intend(p, buf_span(&more));
	clientbox_ok(intents_doomed(&p->t.vault, &out, &why), &why);
	struct buf both = names_of(1, 8);
	prunebox_same(buf_span(&out), buf_span(&both));
	buf_free(&both);
	buf_clear(&out);
	/* one is taken back */
	struct vault_entry keep = {
		.body = { .type = VAULTBODY_KEEP, .keep_intent = true, .intent = second }
	};
	(void)prunebox_append(p, &keep);
	clientbox_ok(intents_doomed(&p->t.vault, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&few));
	buf_clear(&out);
	(void)prunebox_intend(p, buf_span(&many));
	clientbox_ok(intents_doomed(&p->t.vault, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&many));
	/* one list that is gone: not the names of the others, as if that were all */
	buf_clear(&out);
	const struct vault_intent *last = &p->t.vault.state.intents[p->t.vault.state.intent_count - 1];
	clientbox_ok(store_object_delete(p->raw, &last->packs.list, &why), &why);
	assert_int_equal(intents_doomed(&p->t.vault, &out, &why), E_FORGED);
	buf_free(&few);
	buf_free(&more);
	buf_free(&many);
	buf_free(&out);
}

static struct entrypublic_packs make(struct prunebox *p, const struct buf *names) {
	struct entrypublic_packs packs;
	struct why why = { OK, "" };
	clientbox_ok(intents_make(&p->t.vault, buf_span(names), &packs, &why), &why);
	return packs;
}

/* A purge deletes what its intent announced: what else it names stays. Chains can't tell; who deletes must look. */
static void a_purge_names_what_was_announced(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct buf announced = names_of(10, MANY), named = names_of(1, 20), out = none();
	struct buf all = names_of(1, MANY), both = names_of(10, 11);
	struct vault_purge purge = { .packs = make(p, &named) };
	/* in the entry, both: the chain has seen to it */
	clientbox_ok(intents_purged(&p->t.vault, &purge, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&named));
	buf_clear(&out);
	purge.intended = make(p, &announced).list;
	clientbox_ok(intents_purged(&p->t.vault, &purge, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&both));
	/* appended */
	clientbox_ok(intents_purged(&p->t.vault, &purge, &out, &why), &why);
	assert_int_equal(out.len, 2 * both.len);
	buf_clear(&out);
	/* a list too */
	purge.packs = make(p, &all);
	clientbox_ok(intents_purged(&p->t.vault, &purge, &out, &why), &why);
	assert_int_equal(out.len / HASH_SIZE, MANY - 9);
	buf_clear(&out);
	struct entrypublic_packs listed = purge.packs;
	purge.packs = make(p, &named);
	clientbox_ok(store_object_delete(p->raw, &purge.intended, &why), &why);
	assert_int_equal(intents_purged(&p->t.vault, &purge, &out, &why), E_FORGED);
	assert_int_equal(out.len, 0);
	purge.intended = (struct hash){ { 0 } };
	purge.packs = listed;
	clientbox_ok(store_object_delete(p->raw, &listed.list, &why), &why);
	assert_int_equal(intents_purged(&p->t.vault, &purge, &out, &why), E_FORGED);
	assert_int_equal(out.len, 0);
	buf_free(&announced);
	buf_free(&named);
	buf_free(&all);
	buf_free(&both);
	buf_free(&out);
}

/* What any purge lets delete: who refers to packs must not rely on these. A purge of which the list is gone deletes nothing. */
static void all_purges(void **state) {
	struct prunebox *p = *state;
	struct why why = { OK, "" };
	struct buf few = names_of(1, 5), announced = names_of(3, MANY);
	struct buf out = none();
	struct vault_entry purge = {
		.body = { .type = VAULTBODY_PURGE },
		.public_part = { .kind = ENTRYPUBLIC_PURGE },
	};
	clientbox_ok(intents_gone(&p->t.vault, &out, &why), &why);
	assert_int_equal(out.len, 0);
	purge.public_part.intent = prunebox_intend(p, buf_span(&few));
	purge.public_part.packs = make(p, &few);
	(void)prunebox_append(p, &purge);
	purge.public_part.intent = prunebox_intend(p, buf_span(&announced));
	struct hash list = vaultstate_intent(&p->t.vault.state, purge.public_part.intent)->packs.list;
	struct buf others = names_of(4, 10);
	purge.public_part.packs = make(p, &others);
	(void)prunebox_append(p, &purge);
	assert_int_equal(p->t.vault.state.purge_count, 2);
	struct buf all = names_of(1, 13);
	clientbox_ok(intents_gone(&p->t.vault, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&all));
	/* each list is read once */
	uint64_t reads = faulty_count(p->store, FAULTY_OBJECT_GET);
	buf_clear(&out);
	clientbox_ok(intents_gone(&p->t.vault, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&all));
	assert_int_equal(faulty_count(p->store, FAULTY_OBJECT_GET), reads);
	testvault_close(&p->t);
	testvault_must_open(&p->t, p->store);
	/* with what is there already */
	buf_clear(&out);
	struct hash zero = { { 0 } };
	assert_int_equal(buf_add(&out, hash_span(&zero)), OK);
	clientbox_ok(store_object_delete(p->raw, &list, &why), &why);
	clientbox_ok(intents_gone(&p->t.vault, &out, &why), &why);
	prunebox_same(span_skip(buf_span(&out), HASH_SIZE), buf_span(&few));
	/* and it counts again when it is there again */
	struct entrypublic_packs again = make(p, &announced);
	assert_true(hash_equal(&again.list, &list));
	buf_clear(&out);
	clientbox_ok(intents_gone(&p->t.vault, &out, &why), &why);
	prunebox_same(buf_span(&out), buf_span(&all));
	/* a store that fails is another matter */
	purge.public_part.intent = prunebox_intend(p, buf_span(&announced));
	(void)prunebox_append(p, &purge);
	faulty_order(p->store,
		(struct faulty_order){
			.verb = FAULTY_OBJECT_GET, .nth = 1, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(intents_gone(&p->t.vault, &out, &why), E_IO);
	faulty_clear(p->store);
	buf_free(&few);
	buf_free(&announced);
	buf_free(&others);
	buf_free(&all);
	buf_free(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_each_once),
		cmocka_unit_test_setup_teardown(names_come_back, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_listed, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_list_that_is_not_there_is_an_alarm, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(all_intents_in_force, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(
			a_purge_names_what_was_announced, prunebox_setup, prunebox_teardown),
		cmocka_unit_test_setup_teardown(all_purges, prunebox_setup, prunebox_teardown),
	};
	return cmocka_run_group_tests_name("intents", tests, NULL, NULL);
}
