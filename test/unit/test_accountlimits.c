/* client/account: as many devices as there are boxes, and as many epochs as come of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/devicerecord.h"
#include "format/limits.h"
#include "rawbox.h"

/* The entry alone: a rotation for each would take minutes. */
static enum err add_device(struct account *a, const struct device_keys *keys, struct why *why) {
	uint8_t joined[SIGN_SIGNATURE];
	struct device_public pub;
	struct buf record;
	devicekeys_public(&pub, keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_ADD_DEVICE,
		.device = account_record(&pub, DEVICERECORD_FULL, span_text("another"), 1),
		.joined = span_of(joined, sizeof joined),
	};
	buf_init(&record, 4096);
	assert_int_equal(devicerecord_encode(&body.device, &record), OK);
	assert_int_equal(devicekeys_join(joined, keys, &a->id, buf_span(&record)), OK);
	buf_free(&record);
	return account_append(a, &body, why);
}

/* There is a box for 1,024: who comes after them is refused, and the last of them opens what comes next. */
static void one_device_too_many(void **state) {
	struct rawbox *b = *state;
	struct account *a = &b->t.session.account;
	struct device_keys keys, none;
	struct actor last;
	struct account theirs;
	struct why why = { OK, "" };
	for (size_t i = a->state.device_count; i < LIMIT_BOXES; i++) {
		assert_int_equal(devicekeys_generate(&keys, &b->t.session.secrets->fresh), OK);
		rawbox_ok(add_device(a, &keys, &why), &why);
	}
	assert_int_equal(devicekeys_generate(&none, &b->t.session.secrets->fresh), OK);
	assert_int_equal(add_device(a, &none, &why), E_LIMIT);
	assert_int_equal(a->state.device_count, LIMIT_BOXES);
	rawbox_ok(account_rotate(a, &why), &why);
	account_actor_device(&last, &keys);
	struct account_open o = {
		.store = b->raw, .fresh = &b->t.session.secrets->fresh, .actor = &last, .id = a->id
	};
	rawbox_ok(account_open(&theirs, &o, &why), &why);
	account_close(&theirs);
}

/* The vault's box is of the account's first epoch: it is found however many came since. */
static void a_vault_of_an_early_epoch(void **state) {
	struct rawbox *b = *state;
	struct why why = { OK, "" };
	for (int i = 0; i < 260; i++) rawbox_ok(account_rotate(&b->t.session.account, &why), &why);
	rawbox_reopen(b);
	assert_int_equal(rawbox_result(b, "main"), OK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_device_too_many, rawbox_setup, rawbox_teardown),
		cmocka_unit_test_setup_teardown(a_vault_of_an_early_epoch, rawbox_setup, rawbox_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
