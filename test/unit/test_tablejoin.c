/* client/tablejoin: chunks of tables become rows, those of cut blocks where the rest is there too; in time that grows as the packs do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "client/tablejoin.h"
#include "storesuite.h"

/* Of two numbers of packs, ten times as many: time may grow by SLACK times that. It would grow by a hundred if each looked at all. */
enum { FEW = 4000, MANY = 40000, SLACK = 4, RECORD = 100, REST = 60, SIZE = 65536 };

/* Pack ${i} of a run: the rest of the block before, a whole block, and one that goes on in the next. Each block has one chunk. */
static void add(struct tablejoin *t, uint64_t i, bool continues, uint64_t previous) {
	struct packtable head = { .continues = continues };
	struct packtable_build b;
	struct hash name = storesuite_id(3 * i), whole = storesuite_id(3 * i + 1),
				cut = storesuite_id(3 * i + 2);
	if (continues) head.previous = storesuite_id(3 * previous);
	packtable_begin(&b, &head);
	if (continues) assert_int_equal(packtable_add(&b, 0, false, REST, NULL, 0), OK);
	assert_int_equal(packtable_add(&b, 1, false, RECORD, &whole, 1), OK);
	assert_int_equal(packtable_add(&b, 1, true, RECORD, &cut, 1), OK);
	head.blocks = buf_span(&b.blocks);
	assert_int_equal(tablejoin_add(t, &name, SIZE, &head), OK);
	packtable_done(&b);
}

/* Whether the plan has the chunk in pack ${i}. */
static bool has(const struct indexplan *plan, uint64_t seed, uint64_t i) {
	struct hash id = storesuite_id(seed), pack = storesuite_id(3 * i);
	size_t at = indexplan_find(plan, &id);
	if (at == indexplan_rows(plan)) return false;
	struct indexhead_pack row = indexplan_pack_at(plan, indexplan_row_at(plan, at)->pack);
	assert_int_equal(row.size, SIZE);
	return hash_equal(&row.name, &pack);
}

static void pieces_of_a_block_are_joined(void **state) {
	(void)state;
	struct tablejoin t = { .plan = NULL };
	struct indexhead_cut cut;
	assert_int_equal(indexplan_new(&t.plan), OK);
	/* 2 goes on with 1, whatever the order; that 9 claims the same is one too many; 5 goes on with one that is not there */
	add(&t, 2, true, 1);
	add(&t, 1, false, 0);
	add(&t, 5, true, 4);
	add(&t, 9, true, 1);
	assert_int_equal(tablejoin_end(&t, NULL), OK);
	indexplan_sort(t.plan);
	assert_int_equal(indexplan_rows(t.plan), 5);
	assert_true(has(t.plan, 3 + 1, 1) && has(t.plan, 6 + 1, 2) && has(t.plan, 15 + 1, 5));
	assert_true(has(t.plan, 3 + 2, 1));
	struct hash id = storesuite_id(3 + 2);
	const struct indexleaf_row *row = indexplan_row_at(t.plan, indexplan_find(t.plan, &id));
	assert_true(indexplan_find_cut(t.plan, row->pack, row->offset, &cut));
	assert_int_equal(cut.rest_length, REST);
	assert_false(has(t.plan, 6 + 2, 2) || has(t.plan, 15 + 2, 5));
	indexplan_free(t.plan);
	tablejoin_done(&t);
	assert_int_equal(t.count, 0);
}

/* Only one pack reads. */
struct reading {
	struct hash good;
	enum err otherwise;
	unsigned asked;
};

static enum err reads(void *ctx, uint8_t type, const struct indexplan *plan,
	const struct indexleaf_row *row, const struct indexhead_cut *cut, struct why *why) {
	struct reading *r = ctx;
	struct indexhead_pack next = indexplan_pack_at(plan, cut->next_pack);
	assert_int_equal(type, 1);
	assert_int_equal(row->pack, cut->pack);
	assert_int_equal(row->offset, cut->offset);
	r->asked++;
	return hash_equal(&next.name, &r->good) ? OK : why_set(why, r->otherwise, "no");
}

/* Whichever of those that say they go on with 1 reads, the plan has it, and the chunk once. */
static void of_several_the_one_that_reads(void **state) {
	static const uint64_t claims[] = { 2, 9, 5, 7 };
	enum { CLAIMS = sizeof claims / sizeof *claims };
	(void)state;
	for (size_t good = 0; good < CLAIMS; good++) {
		struct reading r = { .good = storesuite_id(3 * claims[good]), .otherwise = E_FORGED };
		struct tablejoin t = { .reads = reads, .reads_ctx = &r };
		struct indexhead_cut cut;
		assert_int_equal(indexplan_new(&t.plan), OK);
		add(&t, 1, false, 0);
		for (size_t i = 0; i < CLAIMS; i++) add(&t, claims[i], true, 1);
		assert_int_equal(tablejoin_end(&t, NULL), OK);
		assert_in_range(r.asked, 1, CLAIMS);
		assert_int_equal(indexplan_rows(t.plan), CLAIMS + 2); /* before doubles go */
		indexplan_sort(t.plan);
		struct hash id = storesuite_id(3 + 2);
		const struct indexleaf_row *row = indexplan_row_at(t.plan, indexplan_find(t.plan, &id));
		assert_true(indexplan_find_cut(t.plan, row->pack, row->offset, &cut));
		struct indexhead_pack next = indexplan_pack_at(t.plan, cut.next_pack);
		assert_true(hash_equal(&next.name, &r.good));
		indexplan_free(t.plan);
		tablejoin_done(&t);
	}
}

/* Where not all packs are given, the true one may be among the others. */
static void of_some_packs_only_what_reads(void **state) {
	(void)state;
	for (int good = 0; good < 2; good++) {
		struct reading r = { .good = storesuite_id(good ? 6 : 7), .otherwise = E_FORGED };
		struct tablejoin t = { .reads = reads, .reads_ctx = &r, .partial = true };
		assert_int_equal(indexplan_new(&t.plan), OK);
		add(&t, 1, false, 0);
		add(&t, 2, true, 1);
		assert_int_equal(tablejoin_end(&t, NULL), OK);
		indexplan_sort(t.plan);
		assert_int_equal(has(t.plan, 3 + 2, 1), good);
		indexplan_free(t.plan);
		tablejoin_done(&t);
	}
}

static void a_store_that_fails_is_no_answer(void **state) {
	struct reading r = { .otherwise = E_IO };
	struct tablejoin t = { .reads = reads, .reads_ctx = &r };
	struct why why = { OK, "" };
	(void)state;
	assert_int_equal(indexplan_new(&t.plan), OK);
	add(&t, 1, false, 0);
	add(&t, 2, true, 1);
	add(&t, 3, true, 1);
	assert_int_equal(tablejoin_end(&t, &why), E_IO);
	assert_int_equal(why.code, E_IO);
	indexplan_free(t.plan);
	tablejoin_done(&t);
}

static double seconds(uint64_t packs) {
	struct tablejoin t = { .plan = NULL };
	assert_int_equal(indexplan_new(&t.plan), OK);
	clock_t begin = clock();
	for (uint64_t i = 0; i < packs; i++) add(&t, i, i > 0, i - 1);
	assert_int_equal(tablejoin_end(&t, NULL), OK);
	clock_t end = clock();
	assert_int_equal(indexplan_rows(t.plan), 2 * packs - 1);
	indexplan_free(t.plan);
	tablejoin_done(&t);
	return (double)(end - begin) / CLOCKS_PER_SEC;
}

static void many_packs_take_their_time_and_no_more(void **state) {
	(void)state;
	double few = seconds(FEW), many = seconds(MANY);
	assert_true(many < few * SLACK * MANY / FEW + 0.1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_a_block_are_joined),
		cmocka_unit_test(of_several_the_one_that_reads),
		cmocka_unit_test(of_some_packs_only_what_reads),
		cmocka_unit_test(a_store_that_fails_is_no_answer),
		cmocka_unit_test(many_packs_take_their_time_and_no_more),
	};
	return cmocka_run_group_tests_name("tablejoin", tests, NULL, NULL);
}
