/* client/repacking: what gains by being stored again is chosen, worst first; what would only become the same again is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/repacking.h"

enum { MIB = 1 << 20, LIMIT = 16 * MIB, MAX = 8 };

/* Packs of ${size} of which ${data} and ${meta} bytes are needed; a size of 0 ends them. */
struct given {
	uint64_t size, data, meta;
	bool has_waste;
};

/* Which are chosen: a bit for each. */
static unsigned choose(const struct given *given, uint64_t may_stay) {
	struct repacking_pack packs[MAX];
	struct repacking_pack *list[MAX];
	struct repacking r = { .packs = list, .may_stay = may_stay, .limit = LIMIT };
	unsigned chosen = 0;
	for (; given[r.count].size; r.count++) {
		const struct given *g = &given[r.count];
		packs[r.count] = (struct repacking_pack){
			.size = g->size, .used = g->data + g->meta, .data = g->data, .has_waste = g->has_waste
		};
		list[r.count] = &packs[r.count];
	}
	repacking_choose(&r);
	for (size_t i = 0; i < r.count; i++) chosen |= (unsigned)packs[i].chosen << i;
	return chosen;
}

static void those_with_the_most_waste(void **state) {
	(void)state;
	const struct given packs[] = {
		{ LIMIT, 12 * MIB, 0, true },
		{ LIMIT, 2 * MIB, 0, true },
		{ LIMIT, 8 * MIB, 0, true },
		{ LIMIT, LIMIT - MIB / 2, 0, true }, /* full */
		{ .size = 0 },
	};
	const uint64_t all = 4 * MIB + 14 * MIB + 8 * MIB + MIB / 2;
	assert_int_equal(choose(packs, UINT64_MAX), 0);
	assert_int_equal(choose(packs, all), 0);
	assert_int_equal(choose(packs, all - 1), 2);
	assert_int_equal(choose(packs, all - 14 * MIB), 2);
	assert_int_equal(choose(packs, all - 14 * MIB - 1), 2 | 4);
	assert_int_equal(choose(packs, 0), 1 | 2 | 4);
	const struct given none[] = { { .size = 0 } };
	assert_int_equal(choose(none, 0), 0);
}

/* One for data and one for metadata is what a run leaves. */
static void ends_of_runs_where_they_become_fewer(void **state) {
	(void)state;
	struct given packs[] = {
		{ MIB, MIB / 2, 0, false },
		{ MIB, 0, MIB / 2, false },
		{ .size = 0 },
		{ .size = 0 },
		{ .size = 0 },
	};
	assert_int_equal(choose(packs, 0), 0);
	assert_int_equal(choose(packs + 1, 0), 0);
	packs[2] = packs[0];
	assert_int_equal(choose(packs, 0), 1 | 2 | 4);
	assert_int_equal(choose(packs, UINT64_MAX), 0);
	/* with something that is stored again anyway they fit in */
	packs[2] = (struct given){ LIMIT, MIB, 0, true };
	assert_int_equal(choose(packs, 0), 1 | 2 | 4);
	/* two of data, too large for one */
	packs[0] = packs[1] = (struct given){ LIMIT, 9 * MIB, 0, false };
	packs[2] = (struct given){ .size = 0 };
	assert_int_equal(choose(packs, 0), 0);
}

/* Pieces of blocks that lie elsewhere by now are no reason: else a pack after the other would be stored again. */
static void a_pack_that_lost_pieces_of_cut_blocks(void **state) {
	(void)state;
	const struct given packs[] = {
		{ LIMIT, LIMIT - 2 * MIB, 0, false },
		{ MIB, MIB / 2, 0, false },
		{ MIB, 0, MIB / 2, false },
		{ .size = 0 },
	};
	assert_int_equal(choose(packs, 0), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_with_the_most_waste),
		cmocka_unit_test(ends_of_runs_where_they_become_fewer),
		cmocka_unit_test(a_pack_that_lost_pieces_of_cut_blocks),
	};
	return cmocka_run_group_tests_name("repacking", tests, NULL, NULL);
}
