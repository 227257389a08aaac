/* client/chainread: chains of a hostile store, of a mirror that is behind, and from where this device stood before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/chainread.h"
#include "crypto/entryproof.h"
#include "rawbox.h"
#include "store/storeverbs.h"
#include "storesuite.h"

enum { ENTRIES = 8, ROOM = 64 };

static struct rawbox *box;
static struct hash chain; /* the account's */
static const struct hash none;

static struct rawstore_item *entry_at(uint64_t seq) {
	return rawstore_find(box->raw, RAWSTORE_ENTRY, &chain, NULL, seq);
}

static size_t number_of(const struct rawstore_item *item) {
	return (size_t)(item - rawstore_at(box->raw, 0));
}

static uint64_t length(void) {
	uint64_t n = 0;
	assert_int_equal(store_chain_length(box->raw, &chain, &n, NULL), OK);
	return n;
}

/* One more entry: a vault that is not there. */
static void append(uint64_t seed) {
	struct why why = { OK, "" };
	char name[32];
	(void)snprintf(name, sizeof name, "vault %u", (unsigned)seed);
	struct accountbody body = {
		.type = ACCOUNTBODY_VAULT,
		.vault = {
			.vault = storesuite_id(seed),
			.store = *store_id(box->store),
			.role = ROLE_ADMIN,
			.name = span_text(name),
			.anchor_hash = storesuite_id(seed),
		},
	};
	rawbox_ok(account_append(&box->t.session.account, &body, &why), &why);
}

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	chain = box->t.session.account.id;
	for (uint64_t i = length(); i < ENTRIES; i++) append(i);
	return 0;
}

static int teardown(void **state) {
	return rawbox_teardown(state);
}

static struct hash hash_at(uint64_t seq) {
	struct hash h;
	const struct rawstore_item *item = entry_at(seq);
	assert_non_null(item);
	entryproof_hash(&h, span_of(item->bytes, item->len));
	return h;
}

static struct head head_at(uint64_t seq) {
	return (struct head){ .seq = seq, .hash = hash_at(seq) };
}

/* Takes what was read; fails unless it is the chain's entries ${from} on. How many. */
static uint64_t take(struct chainread *c, uint64_t from) {
	struct chainread_entry *e;
	uint64_t n = 0;
	for (; (e = chainread_take(c)); n++) {
		struct hash h = hash_at(from + n);
		assert_true(hash_equal(&e->hash, &h));
		const struct rawstore_item *item = entry_at(from + n);
		assert_true(span_equal(e->bytes, span_of(item->bytes, item->len)));
		chainread_entry_free(e);
	}
	return n;
}

struct reading {
	struct chainread c;
	struct why why;
};

static enum err read_on(struct reading *r, struct store *s) {
	r->why = (struct why){ OK, "" };
	enum err e = chainread_on(&r->c, s, &chain, &r->why);
	if (e) assert_int_equal(r->why.code, e);
	return e;
}

/* Reads the chain anew, with ${seen} held against it (NULL: nothing). */
static enum err read_anew(struct reading *r, const struct head *seen, bool may_lag) {
	chainread_init(&r->c, CHAIN_ACCOUNT);
	if (seen) {
		r->c.seen = *seen;
		r->c.has_seen = true;
	}
	r->c.may_lag = may_lag;
	return read_on(r, box->store);
}

static enum err result(const struct head *seen, bool may_lag) {
	struct reading r;
	enum err e = read_anew(&r, seen, may_lag);
	chainread_done(&r.c);
	return e;
}

static void says(const struct reading *r, const char *text) {
	if (!strstr(r->why.msg, text)) fail_msg("\"%s\" does not say \"%s\"", r->why.msg, text);
}

/* --- reading */

static void entries_come_in_order(void **state) {
	(void)state;
	struct reading r;
	rawbox_ok(read_anew(&r, NULL, false), &r.why);
	assert_int_equal(r.c.link.count, ENTRIES);
	assert_true(hash_equal(&r.c.link.id, &chain));
	assert_int_equal(take(&r.c, 0), ENTRIES);
	assert_null(chainread_take(&r.c));
	assert_non_null(r.c.ring);
	assert_int_equal(epochring_newest(r.c.ring), 1);
	/* on from there: only what is new */
	rawbox_ok(read_on(&r, box->store), &r.why);
	assert_null(chainread_take(&r.c));
	append(100);
	append(101);
	rawbox_ok(read_on(&r, box->store), &r.why);
	assert_int_equal(take(&r.c, ENTRIES), 2);
	/* what nobody took is freed at the end */
	append(102);
	rawbox_ok(read_on(&r, box->store), &r.why);
	chainread_done(&r.c);
	assert_null(r.c.ring);
}

static void a_chain_that_is_not_there(void **state) {
	(void)state;
	struct reading r;
	struct hash real = chain;
	struct head seen = head_at(0);
	chain = storesuite_id(9);
	assert_int_equal(result(NULL, false), E_NOTFOUND);
	assert_int_equal(result(&seen, true), E_NOTFOUND);
	assert_int_equal(read_anew(&r, &seen, false), E_ROLLBACK);
	says(&r, "which this device has seen there");
	chainread_done(&r.c);
	chain = real;
	rawbox_fail(box, FAULTY_CHAIN_READ, E_IO);
	assert_int_equal(result(NULL, false), E_IO);
	assert_int_equal(result(&seen, true), E_IO);
	faulty_clear(box->store);
}

/* --- entries that are not what a device wrote */

static void an_entry_that_was_altered(void **state) {
	(void)state;
	char text[32];
	for (uint64_t seq = 0; seq < ENTRIES; seq += 3) {
		struct rawstore_item *item = entry_at(seq);
		for (size_t at = 0; at < item->len; at += 1 + item->len / 9) {
			struct reading r;
			item->bytes[at] ^= 4;
			enum err e = read_anew(&r, NULL, false);
			assert_true(e == E_FORGED || (e == E_UNSUPPORTED && at < 8));
			(void)snprintf(text, sizeof text, "entry %u", (unsigned)seq);
			says(&r, text);
			assert_true(take(&r.c, 0) <= seq);
			chainread_done(&r.c);
			item->bytes[at] ^= 4;
		}
		item->len--;
		assert_int_equal(result(NULL, false), E_FORGED);
		item->len++;
	}
	assert_int_equal(result(NULL, false), OK);
}

static void entries_that_are_moved_or_taken_out(void **state) {
	(void)state;
	struct rawstore_item *one = entry_at(3), *two = entry_at(4);
	one->sequence = 4;
	two->sequence = 3;
	assert_int_equal(result(NULL, false), E_FORGED);
	one->sequence = 3;
	two->sequence = 4;
	assert_int_equal(result(NULL, false), OK);
	/* one is left out, and those behind it move up */
	rawstore_remove(box->raw, number_of(entry_at(3)));
	for (uint64_t seq = 4; seq < ENTRIES; seq++) entry_at(seq)->sequence = seq - 1;
	assert_int_equal(result(NULL, false), E_FORGED);
}

static void the_kind_of_chain(void **state) {
	(void)state;
	struct reading r;
	chainread_init(&r.c, CHAIN_VAULT);
	assert_int_equal(read_on(&r, box->store), E_FORGED);
	chainread_done(&r.c);
}

/* Another account in the same store; its id. */
static struct hash other_account(struct store *s) {
	struct fresh *fresh = &box->t.session.secrets->fresh;
	struct device_keys keys;
	struct kit_secret kit;
	struct hash id;
	struct why why = { OK, "" };
	struct account_new n = {
		.store = s, .fresh = fresh, .keys = &keys, .device_name = span_text("other"), .kit = &kit
	};
	assert_int_equal(devicekeys_generate(&keys, fresh), OK);
	assert_int_equal(kitkeys_generate(&kit, fresh), OK);
	rawbox_ok(account_create(&n, &id, &why), &why);
	return id;
}

/* Whole and right, but of another id: neither its first entry nor what follows it is taken, in whatever way it is read. */
static void another_chain_under_this_name(void **state) {
	(void)state;
	struct hash other = other_account(box->raw);
	struct reading r;
	struct head seen = head_at(0), later = head_at(ENTRIES - 1);
	struct hash real = chain, apart = storesuite_id(50);
	/* its one entry */
	struct rawstore_item item = *rawstore_find(box->raw, RAWSTORE_ENTRY, &other, NULL, 0);
	for (uint64_t seq = 0; seq < ENTRIES; seq++) entry_at(seq)->scope = apart;
	item.scope = chain;
	rawstore_add(box->raw, &item);
	assert_int_equal(read_anew(&r, NULL, false), E_FORGED);
	says(&r, "entry 0");
	assert_null(chainread_take(&r.c));
	/* asked again, the answer is the same */
	assert_int_equal(read_on(&r, box->store), E_FORGED);
	assert_null(chainread_take(&r.c));
	chainread_done(&r.c);
	assert_int_equal(result(&seen, false), E_FORGED);
	assert_int_equal(result(&seen, true), E_FORGED);
	assert_int_equal(result(&later, false), E_FORGED);
	assert_int_equal(result(&later, true), E_FORGED);
	/* with more behind it: our chain under the other's name */
	rawstore_remove(box->raw, number_of(rawstore_find(box->raw, RAWSTORE_ENTRY, &other, NULL, 0)));
	chain = apart;
	for (uint64_t seq = 0; seq < ENTRIES; seq++) entry_at(seq)->scope = other;
	chain = other;
	assert_int_equal(result(NULL, false), E_FORGED);
	assert_int_equal(result(NULL, true), E_FORGED);
	chain = real;
}

/* --- what this device has seen */

static void shorter_than_was_seen(void **state) {
	(void)state;
	struct reading r;
	struct head seen = head_at(ENTRIES - 1);
	assert_int_equal(result(&seen, false), OK);
	rawstore_remove(box->raw, number_of(entry_at(ENTRIES - 1)));
	assert_int_equal(read_anew(&r, &seen, false), E_ROLLBACK);
	says(&r, "ends at entry 6");
	chainread_done(&r.c);
	/* a mirror may be, and it is known that it is */
	rawbox_ok(read_anew(&r, &seen, true), &r.why);
	assert_true(r.c.lags);
	assert_int_equal(take(&r.c, 0), ENTRIES - 1);
	chainread_done(&r.c);
	seen = head_at(ENTRIES - 2);
	rawbox_ok(read_anew(&r, &seen, true), &r.why);
	assert_false(r.c.lags);
	chainread_done(&r.c);
}

/* Both right, signed by the device: two continuations of one beginning. */
static void another_entry_than_was_seen(void **state) {
	(void)state;
	struct reading r;
	struct head seen;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	append(200);
	append(201);
	seen = head_at(ENTRIES);
	assert_int_equal(result(&seen, false), OK);
	rawstore_set(box->raw, before);
	rawstore_copy_free(before);
	char command[2 * SCRATCH_MAX];
	(void)snprintf(command, sizeof command, "rm -rf %s/heads", box->home);
	assert_int_equal(system(command), 0); /* NOLINT: a path of our own */
	rawbox_reopen(box);
	append(300);
	append(301);
	assert_int_equal(result(NULL, false), OK);
	for (int may_lag = 0; may_lag < 2; may_lag++) {
		assert_int_equal(read_anew(&r, &seen, may_lag), E_ROLLBACK);
		says(&r, "another one than this device saw");
		assert_int_equal(take(&r.c, 0), ENTRIES);
		/* asked again, the answer is the same */
		assert_int_equal(read_on(&r, box->store), E_ROLLBACK);
		assert_null(chainread_take(&r.c));
		chainread_done(&r.c);
	}
}

/* --- resuming */

static struct chainlink stand_at_end(void) {
	struct reading r;
	rawbox_ok(read_anew(&r, NULL, false), &r.why);
	struct chainlink link = r.c.link;
	chainread_done(&r.c);
	return link;
}

static enum err resume(struct reading *r, const struct chainlink *link, bool may_lag) {
	chainread_init(&r->c, CHAIN_ACCOUNT);
	chainread_resume(&r->c, link);
	r->c.may_lag = may_lag;
	return read_on(r, box->store);
}

static void going_on_from_before(void **state) {
	(void)state;
	struct chainlink link = stand_at_end();
	struct reading r;
	rawbox_ok(resume(&r, &link, false), &r.why);
	assert_null(chainread_take(&r.c));
	assert_false(r.c.unconfirmed);
	append(100);
	rawbox_ok(read_on(&r, box->store), &r.why);
	assert_int_equal(take(&r.c, ENTRIES), 1);
	chainread_done(&r.c);
	append(101);
	rawbox_ok(resume(&r, &link, false), &r.why);
	assert_int_equal(take(&r.c, ENTRIES), 2);
	chainread_done(&r.c);
}

static void going_on_where_the_store_is_another(void **state) {
	(void)state;
	struct chainlink link;
	struct reading r;
	struct rawstore_copy *before = rawstore_copy(box->raw);
	char command[2 * SCRATCH_MAX];
	append(200);
	link = stand_at_end();
	/* damaged there */
	struct rawstore_item *item = entry_at(ENTRIES);
	item->bytes[item->len / 2] ^= 1;
	assert_int_equal(resume(&r, &link, false), E_FORGED);
	says(&r, "entry 8 is damaged");
	chainread_done(&r.c);
	/* another entry there, which is right */
	rawstore_set(box->raw, before);
	(void)snprintf(command, sizeof command, "rm -rf %s/heads", box->home);
	assert_int_equal(system(command), 0); /* NOLINT: a path of our own */
	rawbox_reopen(box);
	append(300);
	append(301);
	assert_int_equal(resume(&r, &link, false), E_ROLLBACK);
	says(&r, "forked or set back");
	assert_null(chainread_take(&r.c));
	chainread_done(&r.c);
	/* not there: set back */
	rawstore_set(box->raw, before);
	assert_int_equal(resume(&r, &link, false), E_ROLLBACK);
	chainread_done(&r.c);
	assert_int_equal(resume(&r, &link, true), E_NOTFOUND);
	chainread_done(&r.c);
	rawstore_copy_free(before);
}

/* --- copies of many entries, which may be damaged while the entries are not */

/* A store whose fast way of reading alters entry ${lie_at}, or gives another chain's first entry. */
struct fast {
	struct store base;
	struct store *inner;
	uint64_t lie_at;
	bool only_lies; /* the other way too */
	unsigned slow_reads;
};

struct lying {
	struct fast *f;
	store_chain_visit *visit;
	void *ctx;
};

static enum err visit_lie(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct lying *l = ctx;
	if (seq != l->f->lie_at) return l->visit(l->ctx, seq, bytes, why);
	uint8_t *copy = malloc(bytes.len);
	assert_non_null(copy);
	memcpy(copy, bytes.ptr, bytes.len);
	copy[bytes.len / 2] ^= 1;
	enum err e = l->visit(l->ctx, seq, span_of(copy, bytes.len), why);
	free(copy);
	return e;
}

static enum err fast_read(struct store *s, const struct hash *id, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why) {
	struct fast *f = (struct fast *)s;
	struct lying l = { .f = f, .visit = visit, .ctx = ctx };
	f->slow_reads += how == STORE_READ_SINGLE;
	if (how == STORE_READ_SINGLE && !f->only_lies)
		return store_chain_read(f->inner, id, from, how, visit, ctx, why);
	return store_chain_read(f->inner, id, from, how, visit_lie, &l, why);
}

static void damaged_copies_of_entries(void **state) {
	(void)state;
	static const struct store_verbs verbs = { .chain_read = fast_read };
	struct chainlink link = stand_at_end();
	append(100);
	for (uint64_t at = 0; at <= ENTRIES; at++) {
		struct fast f = { .inner = box->raw, .lie_at = at };
		struct reading r;
		f.base.verbs = &verbs;
		chainread_init(&r.c, CHAIN_ACCOUNT);
		rawbox_ok(read_on(&r, &f.base), &r.why);
		assert_int_equal(f.slow_reads, 1);
		assert_int_equal(take(&r.c, 0), ENTRIES + 1);
		assert_true(hash_equal(&r.c.link.id, &chain));
		chainread_done(&r.c);
		/* and where the one that is to be met again is in such a copy */
		f.slow_reads = 0;
		chainread_init(&r.c, CHAIN_ACCOUNT);
		chainread_resume(&r.c, &link);
		rawbox_ok(read_on(&r, &f.base), &r.why);
		assert_int_equal(f.slow_reads, at >= ENTRIES - 1);
		assert_int_equal(take(&r.c, ENTRIES), 1);
		chainread_done(&r.c);
		f.only_lies = true;
		chainread_init(&r.c, CHAIN_ACCOUNT);
		assert_int_equal(read_on(&r, &f.base), E_FORGED);
		chainread_done(&r.c);
	}
}

/* --- epochs */

static struct epochring_recipient me(void) {
	const struct actor *actor = &box->t.session.secrets->actor;
	return (struct epochring_recipient){ .id = actor->id, .kem = actor->kem };
}

static enum err open_epochs(struct reading *r, const struct epochring_recipient *who) {
	r->why = (struct why){ OK, "" };
	enum err e = chainread_open_epochs(&r->c, box->store, who, 1, NULL, &r->why);
	if (e) assert_int_equal(r->why.code, e);
	return e;
}

static void all_epochs_are_opened(void **state) {
	(void)state;
	struct why why = { OK, "" };
	struct reading r;
	struct epochring_recipient who = me();
	for (int i = 0; i < 3; i++) rawbox_ok(account_rotate(&box->t.session.account, &why), &why);
	rawbox_ok(read_anew(&r, NULL, false), &r.why);
	assert_int_equal(epochring_newest(r.c.ring), 4);
	rawbox_ok(open_epochs(&r, &who), &r.why);
	for (uint32_t epoch = 1; epoch <= 4; epoch++)
		assert_non_null(epochring_secrets(r.c.ring, epoch));
	/* once: nothing is asked of the store again */
	uint64_t gets = faulty_count(box->store, FAULTY_OBJECT_GET);
	rawbox_ok(open_epochs(&r, &who), &r.why);
	assert_int_equal(faulty_count(box->store, FAULTY_OBJECT_GET), gets);
	/* and the next when it comes */
	rawbox_ok(account_rotate(&box->t.session.account, &why), &why);
	rawbox_ok(read_on(&r, box->store), &r.why);
	gets = faulty_count(box->store, FAULTY_OBJECT_GET);
	rawbox_ok(open_epochs(&r, &who), &r.why);
	assert_non_null(epochring_secrets(r.c.ring, 5));
	assert_int_equal(faulty_count(box->store, FAULTY_OBJECT_GET), gets + 1);
	chainread_done(&r.c);
}

static void epochs_that_cannot_be_opened(void **state) {
	(void)state;
	struct why why = { OK, "" };
	struct reading r;
	struct epochring_recipient who = me(), stranger = who;
	for (int i = 0; i < 2; i++) rawbox_ok(account_rotate(&box->t.session.account, &why), &why);
	rawbox_ok(read_anew(&r, NULL, false), &r.why);
	stranger.kem.b[0] ^= 1;
	assert_int_equal(open_epochs(&r, &stranger), E_DENIED);
	says(&r, "no access");
	stranger = who;
	stranger.id.b[0] ^= 1;
	assert_int_equal(open_epochs(&r, &stranger), E_DENIED);
	rawbox_fail(box, FAULTY_OBJECT_GET, E_IO);
	assert_int_equal(open_epochs(&r, &who), E_IO);
	faulty_clear(box->store);
	/* each boxes object in turn: missing, damaged, another's in its place */
	for (uint32_t epoch = 2; epoch <= 3; epoch++) {
		struct hash name = epochring_boxes(r.c.ring, epoch), other = epochring_boxes(r.c.ring, 1);
		struct rawstore_item *item = rawstore_find(box->raw, RAWSTORE_OBJECT, NULL, &name, 0);
		char hex[HASH_HEX];
		assert_non_null(item);
		hash_hex(hex, &name);
		item->name = none;
		assert_int_equal(open_epochs(&r, &who), E_FORGED);
		says(&r, hex);
		item->name = name;
		item->bytes[100] ^= 1;
		chainread_done(&r.c);
		rawbox_ok(read_anew(&r, NULL, false), &r.why);
		assert_int_equal(open_epochs(&r, &who), E_FORGED);
		says(&r, hex);
		item->bytes[100] ^= 1;
		struct rawstore_item *first = rawstore_find(box->raw, RAWSTORE_OBJECT, NULL, &other, 0);
		struct rawstore_item kept = *item;
		item->bytes = first->bytes;
		item->len = first->len;
		chainread_done(&r.c);
		rawbox_ok(read_anew(&r, NULL, false), &r.why);
		assert_int_equal(open_epochs(&r, &who), E_FORGED);
		*item = kept;
		chainread_done(&r.c);
		rawbox_ok(read_anew(&r, NULL, false), &r.why);
	}
	rawbox_ok(open_epochs(&r, &who), &r.why);
	chainread_done(&r.c);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_come_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chain_that_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_that_was_altered, setup, teardown),
		cmocka_unit_test_setup_teardown(entries_that_are_moved_or_taken_out, setup, teardown),
		cmocka_unit_test_setup_teardown(the_kind_of_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(another_chain_under_this_name, setup, teardown),
		cmocka_unit_test_setup_teardown(shorter_than_was_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(another_entry_than_was_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(going_on_from_before, setup, teardown),
		cmocka_unit_test_setup_teardown(going_on_where_the_store_is_another, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_copies_of_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(all_epochs_are_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(epochs_that_cannot_be_opened, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
