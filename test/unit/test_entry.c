/* format/entry, entryinner, entrypublic and the bodies: entries made step by step, and what encoders refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/accountbody.h"
#include "format/entry.h"
#include "format/entryinner.h"
#include "format/entrypublic.h"
#include "format/limits.h"
#include "format/summarystate.h"
#include "format/vaultbody.h"

static const uint8_t bytes[4096] = { 1, 2, 3 };
static const struct hash some = { { 9 } };

static struct entry data_entry(void) {
	return (struct entry){ .kind = CHAIN_VAULT,
		.chain = some,
		.sequence = 3,
		.previous = some,
		.control_sequence = 1,
		.control_hash = some,
		.epoch = 1,
		.class = ENTRY_DATA,
		.role = ROLE_WRITER,
		.time = 5,
		.seal = SEAL_BODY,
		.public_part = span_of("\0", 1),
		.nonce = some,
		.sealed = span_of(bytes, 1024 + SIZE_TAG),
		.access_signature = span_of(bytes, 64) };
}

static void steps_give_the_whole(void **state) {
	struct entry e = data_entry(), back;
	struct buf whole, steps;
	(void)state;
	buf_init(&whole, LIMIT_ENTRY);
	buf_init(&steps, LIMIT_ENTRY);
	assert_int_equal(entry_encode(&e, &whole), OK);
	assert_int_equal(entry_decode(&back, buf_span(&whole)), OK);
	assert_int_equal(entry_begin(&e, &steps), OK);
	assert_int_equal(steps.len, back.outer_len);
	assert_int_equal(entry_sealed(e.sealed, &steps), OK);
	assert_int_equal(steps.len, back.access_len);
	assert_int_equal(entry_end(bytes, &steps), OK);
	assert_true(span_equal(buf_span(&whole), buf_span(&steps)));
	buf_free(&whole);
	buf_free(&steps);
}

static void a_wrong_entry_is_not_made(void **state) {
	struct entry e = data_entry();
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_ENTRY);
	e.epoch = 0;
	assert_int_equal(entry_encode(&e, &out), E_USAGE);
	e = data_entry();
	e.access_signature.len = 63;
	assert_int_equal(entry_encode(&e, &out), E_USAGE);
	e = data_entry();
	e.seal = SEAL_CONTACT;
	assert_int_equal(entry_encode(&e, &out), E_USAGE);
	assert_int_equal(out.len, 0);
	assert_int_equal(entry_begin(&e, &out), OK);
	size_t begun = out.len;
	assert_int_equal(entry_sealed(span_of(bytes, LIMIT_ENTRY_SEALED + 1), &out), E_LIMIT);
	assert_int_equal(entry_end(bytes, &out), E_USAGE);
	assert_int_equal(out.len, begun);
	buf_free(&out);
}

static void inner_in_two_steps(void **state) {
	struct entryinner i = { .type = VAULTBODY_PURGE,
		.account = some,
		.device = some,
		.account_head = some,
		.own_sequence = ENTRYINNER_NONE,
		.signature = span_of(bytes, 64) };
	struct entryinner back;
	struct buf whole, steps;
	(void)state;
	buf_init(&whole, LIMIT_ENTRY_INNER);
	buf_init(&steps, LIMIT_ENTRY_INNER);
	for (size_t body = 0; body < 2000; body += 13) {
		buf_clear(&whole);
		buf_clear(&steps);
		i.body = span_of(bytes, body);
		assert_int_equal(entryinner_encode(&i, &whole), OK);
		assert_int_equal(entryinner_decode(&back, buf_span(&whole)), OK);
		assert_int_equal(entryinner_begin(&i, &steps), OK);
		assert_int_equal(steps.len, back.signed_len);
		assert_int_equal(entryinner_end(bytes, &steps), OK);
		assert_true(span_equal(buf_span(&whole), buf_span(&steps)));
		assert_int_equal(entryinner_sealed_len(body, false), whole.len + SIZE_TAG);
		assert_int_equal(entryinner_sealed_len(body, true), whole.len + SIZE_HPKE_OVERHEAD);
	}
	i.body.len = LIMIT_ENTRY_BODY + 1;
	assert_int_equal(entryinner_encode(&i, &whole), E_LIMIT);
	i.body.len = 0;
	i.own_hash = some;
	assert_int_equal(entryinner_encode(&i, &whole), E_USAGE);
	i.own_hash = (struct hash){ { 0 } };
	i.type = ACCOUNTBODY_HOME; /* of an account chain, but names an account */
	assert_int_equal(entryinner_encode(&i, &whole), E_USAGE);
	buf_free(&whole);
	buf_free(&steps);
}

static void public_parts_refused(void **state) {
	struct entrypublic p = { .kind = ENTRYPUBLIC_ROTATE };
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_ENTRY_PUBLIC);
	assert_int_equal(entrypublic_encode(&p, &out), E_USAGE); /* no keys */
	p.kind = ENTRYPUBLIC_INTENT;
	assert_int_equal(entrypublic_encode(&p, &out), E_USAGE); /* no packs */
	p.packs.listed = true;
	p.packs.count = LIMIT_PACK_NAMES;
	assert_int_equal(entrypublic_encode(&p, &out), E_USAGE); /* they would have their place here */
	p.packs.count++;
	assert_int_equal(entrypublic_encode(&p, &out), OK);
	buf_clear(&out);
	static const uint8_t reserved[] = { ENTRYPUBLIC_GRANT, ENTRYPUBLIC_VERSION,
		ENTRYPUBLIC_REVOKE_GRANT, 9 };
	for (size_t i = 0; i < sizeof reserved; i++) {
		p.kind = reserved[i];
		assert_int_equal(entrypublic_encode(&p, &out), E_USAGE);
	}
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void bodies_refused(void **state) {
	struct accountbody a = { .type = ACCOUNTBODY_ADD_DEVICE };
	struct vaultbody v = { .type = VAULTBODY_TAG };
	struct buf out;
	(void)state;
	buf_init(&out, LIMIT_ENTRY_BODY);
	assert_int_equal(accountbody_encode(&a, &out), E_USAGE); /* no device */
	a.type = ACCOUNTBODY_REMOVE_DEVICE;
	assert_int_equal(accountbody_encode(&a, &out), E_USAGE); /* reserved */
	v.tags = (struct bytelist){ .count = 1, .items = span_of("\1a\1b", 4) };
	assert_int_equal(vaultbody_encode(&v, &out), E_USAGE); /* the count is not theirs */
	v.tags.count = 2;
	assert_int_equal(vaultbody_encode(&v, &out), OK);
	buf_clear(&out);
	v.type = VAULTBODY_INDEX;
	v.added.rows = span_of(bytes, 37);
	assert_int_equal(vaultbody_encode(&v, &out), E_USAGE);
	v.type = VAULTBODY_MEMBER;
	assert_int_equal(vaultbody_encode(&v, &out), E_USAGE);
	assert_int_equal(out.len, 0);
	assert_true(vaultbody_is_control(VAULTBODY_CREATE) && vaultbody_is_control(63));
	assert_false(
		vaultbody_is_control(VAULTBODY_SNAPSHOT) || vaultbody_is_control(ACCOUNTBODY_CREATE));
	buf_free(&out);
}

/* A list with a wrong count must not pass by taking items of the next, which may look alike. */
static void lists_of_the_state_keep_apart(void **state) {
	struct summarystate s = { .hash = some };
	struct summarystate_head a = { .id = { { 1 } } }, b = { .id = { { 2 } } };
	struct buf items, out;
	(void)state;
	buf_init(&items, 1000);
	buf_init(&out, 1000);
	assert_int_equal(summarystate_add_head(&items, &a), OK);
	assert_int_equal(summarystate_add_head(&items, &b), OK);
	s.accounts = (struct summarystate_list){ .count = 2, .items = buf_span(&items) };
	assert_int_equal(summarystate_encode(&s, &out), OK);
	buf_clear(&out);
	s.accounts.count = 1;
	assert_int_equal(summarystate_encode(&s, &out), E_USAGE);
	s.accounts.count = 3;
	assert_int_equal(summarystate_encode(&s, &out), E_USAGE);
	assert_int_equal(out.len, 0);
	buf_free(&items);
	buf_free(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_give_the_whole),
		cmocka_unit_test(a_wrong_entry_is_not_made),
		cmocka_unit_test(inner_in_two_steps),
		cmocka_unit_test(public_parts_refused),
		cmocka_unit_test(bodies_refused),
		cmocka_unit_test(lists_of_the_state_keep_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
