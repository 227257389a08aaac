/* core/vaultstate: intents, keeps, purges, and the hold between them (doc/spec/chains.md section 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge.h"
#include "vaultbox.h"

static void intents_and_keeps(void **state) {
	struct vaultbox *b = *state;
	for (uint8_t i = 0; i < 4; i++) {
		vaultbox_intent(b, (uint8_t)(10 * i), 3);
		vaultbox_take(b);
	}
	assert_int_equal(b->f.vault.intent_count, 4);
	assert_int_equal(b->f.vault.purge_events, 4);
	assert_non_null(vaultstate_intent(&b->f.vault, 2));
	vaultbox_keep_intent(b, 2);
	vaultbox_take(b);
	assert_null(vaultstate_intent(&b->f.vault, 2));
	assert_int_equal(b->f.vault.intent_count, 3);
	for (size_t i = 1; i < 3; i++)
		assert_true(b->f.vault.intents[i - 1].sequence < b->f.vault.intents[i].sequence);
	vaultbox_keep_intent(b, 2);
	vaultbox_no_effect(b);
	b->f.now += 8 * FORGE_DAY;
	vaultbox_purge(b, 2, 10, 3);
	vaultbox_refuse(b);
	vaultbox_keep_intent(b, 4);
	vaultbox_take(b);
	vaultbox_keep_intent(b, 1);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.intents[0].sequence, 3);
	assert_int_equal(b->f.vault.intents[0].packs.names.rows.ptr[0], 20);
}

static void purges(void **state) {
	struct vaultbox *b = *state;
	vaultbox_intent(b, 10, 3);
	vaultbox_take(b);
	b->f.now += FORGE_HOLD * FORGE_DAY - 1;
	vaultbox_purge(b, 1, 10, 3);
	vaultbox_refuse(b);
	b->f.now = FORGE_START + FORGE_HOLD * FORGE_DAY;
	/* of nothing, of no intent, of what it did not name */
	vaultbox_purge(b, 0, 10, 3);
	vaultbox_refuse(b);
	vaultbox_purge(b, 2, 10, 3);
	vaultbox_refuse(b);
	vaultbox_purge(b, UINT64_MAX, 10, 3);
	vaultbox_refuse(b);
	vaultbox_purge(b, 1, 10, 4);
	vaultbox_refuse(b);
	vaultbox_purge(b, 1, 9, 2);
	vaultbox_refuse(b);
	vaultbox_purge(b, 1, 50, 1);
	vaultbox_refuse(b);
	vaultbox_purge(b, 1, 10, 2000); /* a list is longer than what it must be part of */
	vaultbox_refuse(b);
	vaultbox_purge(b, 1, 11, 2);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.purge_count, 1);
	assert_int_equal(b->f.vault.purge_events, 2);
	assert_true(hash_is_zero(&b->f.vault.purges[0].intended));
	assert_int_equal(b->f.vault.intent_count, 0);
	vaultbox_purge(b, 1, 10, 1); /* once only */
	vaultbox_refuse(b);
}

static void purges_of_lists(void **state) {
	struct vaultbox *b = *state;
	vaultbox_intent(b, 10, 2000);
	vaultbox_take(b);
	vaultbox_intent(b, 11, 3000);
	vaultbox_take(b);
	b->f.now += FORGE_HOLD * FORGE_DAY;
	vaultbox_purge(b, 1, 10, 2001);
	vaultbox_refuse(b);
	vaultbox_purge(b, 1, 10, 1999);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.purges[0].intended.b[0], 10);
	vaultbox_purge(b, 2, 77, 1);
	vaultbox_take(b);
	assert_int_equal(b->f.vault.purges[1].intended.b[0], 11);
}

/* The hold of the intent's time and of the purge's: the longer. */
static void the_hold_changes(void **state) {
	struct vaultbox *b = *state;
	vaultbox_intent(b, 10, 1);
	vaultbox_take(b); /* 1, at day 0 */
	b->f.now += FORGE_DAY;
	vaultbox_policy(b, 1);
	vaultbox_take(b); /* shorter from day 8 on */
	assert_int_equal(vaultstate_hold(&b->f.vault, b->f.now), 7 * 86400);
	assert_int_equal(vaultstate_hold(&b->f.vault, FORGE_START + 8 * FORGE_DAY - 1), 7 * 86400);
	assert_int_equal(vaultstate_hold(&b->f.vault, FORGE_START + 8 * FORGE_DAY), 86400);
	b->f.now = FORGE_START + 7 * FORGE_DAY;
	vaultbox_intent(b, 20, 1);
	vaultbox_take(b); /* 3, at day 7: seven days still */
	b->f.now = FORGE_START + 8 * FORGE_DAY;
	vaultbox_intent(b, 30, 1);
	vaultbox_take(b); /* 4 */
	b->f.now = FORGE_START + 9 * FORGE_DAY;
	vaultbox_purge(b, 4, 30, 1);
	vaultbox_take(b);
	vaultbox_purge(b, 3, 20, 1);
	vaultbox_refuse(b);
	b->f.now = FORGE_START + 10 * FORGE_DAY;
	vaultbox_policy(b, 20); /* longer at once, for intents that wait too */
	vaultbox_take(b);
	b->f.now = FORGE_START + 14 * FORGE_DAY;
	vaultbox_purge(b, 3, 20, 1);
	vaultbox_refuse(b);
	b->f.now = FORGE_START + 20 * FORGE_DAY;
	vaultbox_purge(b, 1, 10, 1);
	vaultbox_take(b);
	b->f.now = FORGE_START + 27 * FORGE_DAY;
	vaultbox_purge(b, 3, 20, 1);
	vaultbox_take(b);
}

/* A hold can't be made short in steps sooner than at once. */
static void shorter_in_steps(void **state) {
	struct vaultbox *b = *state;
	vaultbox_policy(b, 3);
	vaultbox_take(b); /* day 0: from day 7 on */
	b->f.now += 6 * FORGE_DAY;
	vaultbox_policy(b, 1);
	vaultbox_take(b); /* day 6, seven days in force: from day 13 on, instead */
	for (int day = 0; day < 13; day++)
		assert_int_equal(vaultstate_hold(&b->f.vault, FORGE_START + day * FORGE_DAY), 7 * 86400);
	assert_int_equal(vaultstate_hold(&b->f.vault, FORGE_START + 13 * FORGE_DAY), 86400);
	/* a longer one takes back a shorter one that waits */
	vaultbox_policy(b, 7);
	vaultbox_take(b);
	assert_int_equal(vaultstate_hold(&b->f.vault, INT64_MAX), 7 * 86400);
	vaultbox_policy(b, 0);
	vaultbox_take(b);
	vaultbox_policy(b, UINT32_MAX / 86400);
	vaultbox_take(b);
	assert_int_equal(
		vaultstate_hold(&b->f.vault, b->f.now), UINT64_C(86400) * (UINT32_MAX / 86400));
	vaultbox_policy(b, 0);
	vaultbox_take(b); /* in a hundred years */
	assert_int_equal(vaultstate_hold(&b->f.vault, b->f.now + 40000 * FORGE_DAY),
		UINT64_C(86400) * (UINT32_MAX / 86400));
}

/* At the end of time nothing comes due by an overflow. */
static void the_end_of_time(void **state) {
	struct vaultbox *b = *state;
	b->f.now = INT64_MAX - 5;
	vaultbox_intent(b, 10, 1);
	vaultbox_take(b);
	vaultbox_policy(b, 0);
	vaultbox_take(b);
	b->f.now = INT64_MAX;
	vaultbox_purge(b, 1, 10, 1);
	vaultbox_refuse(b);
	assert_int_equal(vaultstate_hold(&b->f.vault, INT64_MAX), 7 * 86400);
}

static void no_hold(void **state) {
	struct vaultbox *b = *state;
	vaultbox_policy(b, 0);
	vaultbox_take(b);
	b->f.now += FORGE_HOLD * FORGE_DAY;
	vaultbox_intent(b, 10, 1);
	vaultbox_take(b);
	vaultbox_purge(b, 2, 10, 1);
	vaultbox_take(b);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, vaultbox_setup, vaultbox_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(intents_and_keeps),
		EACH(purges),
		EACH(purges_of_lists),
		EACH(the_hold_changes),
		EACH(shorter_in_steps),
		EACH(the_end_of_time),
		EACH(no_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
