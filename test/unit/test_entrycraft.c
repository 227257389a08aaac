/* core/entrycraft: entries as writers make them are what forge.c makes by the tables; whatever is altered does not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/entrycraft.h"
#include "crypto/entryproof.h"
#include "forge.h"
#include "format/limits.h"

static struct forge f;

static int start(void **state) {
	(void)state;
	forge_start(&f);
	return 0;
}

static int done(void **state) {
	(void)state;
	forge_done(&f);
	return 0;
}

/* What forge.c drafts, made by entrycraft. */
static enum err craft(struct forge_draft *d, struct buf *out) {
	struct entrycraft c = {
		.author = &d->author->entry,
		.inner = d->inner,
		.sealing = d->sealing,
		.access = d->access,
		.fresh = &f.fresh,
	};
	c.inner.body = buf_span(&d->body);
	d->outer.public_part = buf_span(&d->public_part);
	return entrycraft_make(&c, &d->outer, out);
}

static void draft(struct forge_draft *d, uint8_t type) {
	struct entrypublic pub =
		forge_public_of(type == VAULTBODY_ROTATE ? ENTRYPUBLIC_ROTATE : ENTRYPUBLIC_NONE);
	struct vaultbody body = { .type = type, .hold = FORGE_HOLD * 86400 };
	forge_vault(&f, d, &body, &pub);
}

static void made_entries_are_taken(void **state) {
	(void)state;
	static const uint8_t types[] = { VAULTBODY_ACCOUNT, VAULTBODY_POLICY, VAULTBODY_ROTATE,
		VAULTBODY_ACCOUNT };
	for (size_t i = 0; i < sizeof types; i++) {
		struct forge_draft d;
		struct buf out;
		buf_init(&out, LIMIT_ENTRY);
		draft(&d, types[i]);
		assert_int_equal(craft(&d, &out), OK);
		assert_int_equal(forge_take(&f, CHAIN_VAULT, buf_span(&out)), OK);
		assert_int_equal(f.vault.void_count, 0);
		forge_drop(&d);
		buf_free(&out);
	}
}

static void drafts_that_are_refused(void **state) {
	(void)state;
	struct forge_draft d;
	struct buf out;
	struct epoch_secrets reader;
	buf_init(&out, LIMIT_ENTRY);
	epochkeys_reader(&reader, &f.chains[CHAIN_VAULT].birth, 1, &f.chains[CHAIN_VAULT].secrets[0].s);
	for (int i = 0; i < 9; i++) {
		draft(&d, VAULTBODY_ACCOUNT);
		switch (i) {
		case 0: d.access = &reader; break;
		case 1: d.outer.seal = SEAL_HPKE; break;
		case 2: d.outer.seal = 9; break;
		case 3: d.outer.seal = SEAL_CONTACT; break; /* not in a vault */
		case 4: d.outer.epoch = 0; break;
		case 5: d.outer.class = 3; break;
		case 6: memset(&d.inner.account, 0, HASH_SIZE); break;
		case 7: d.inner.own_sequence = ENTRYINNER_NONE; break;
		case 8: d.outer.control_sequence = d.outer.sequence; break;
		}
		assert_int_equal(craft(&d, &out), i == 0 ? E_DENIED : E_USAGE);
		assert_int_equal(out.len, 0);
		forge_drop(&d);
	}
	draft(&d, VAULTBODY_ACCOUNT);
	struct buf big;
	buf_init(&big, LIMIT_ENTRY);
	assert_int_equal(buf_add_zero(&big, LIMIT_ENTRY_BODY + 1), OK);
	buf_free(&d.body);
	d.body = big;
	assert_int_equal(craft(&d, &out), E_LIMIT);
	d.body.len--;
	assert_int_equal(craft(&d, &out), OK);
	forge_drop(&d);
	buf_free(&out);
}

/* Opens bytes as they are, whatever the chain would say. */
static enum err open(struct span bytes, enum chain_kind kind) {
	struct entry entry;
	struct entryinner inner;
	struct hash outer;
	struct buf plain;
	struct span in = guarded_copy(&f.memory, bytes, bytes.len);
	enum err e = entry_decode(&entry, in);
	if (e) return e;
	buf_init(&plain, LIMIT_ENTRY_INNER);
	e = entrycraft_open(&entry, in, &f.chains[kind].secrets[0], &plain, &inner, &outer);
	if (!e) e = entrycraft_check_author(&inner, buf_span(&plain), &outer, f.device.pub.entry);
	buf_wipe_free(&plain);
	return e;
}

/* Every bit up to the access signature is bound: the outer part by the outer hash, the rest by the tag. */
static void every_bit_is_bound(void **state) {
	(void)state;
	struct forge_draft d;
	struct buf out;
	buf_init(&out, LIMIT_ENTRY);
	draft(&d, VAULTBODY_ACCOUNT);
	assert_int_equal(craft(&d, &out), OK);
	assert_int_equal(open(buf_span(&out), CHAIN_VAULT), OK);
	assert_int_equal(open(buf_span(&out), CHAIN_ACCOUNT), E_FORGED);
	for (size_t bit = 0; bit < (out.len - SIZE_SIGNATURE) * 8; bit++) {
		out.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
		enum err e = open(buf_span(&out), CHAIN_VAULT);
		assert_true(e == E_FORGED || e == E_FORMAT || (bit / 8 == 3 && e == E_UNSUPPORTED));
		out.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	forge_drop(&d);
	buf_free(&out);
}

static void sealed_to_the_public_key(void **state) {
	(void)state;
	struct forge_draft d;
	struct buf out;
	buf_init(&out, LIMIT_ENTRY);
	draft(&d, VAULTBODY_ACCOUNT);
	d.outer.seal = SEAL_HPKE;
	forge_make(&f, &d, &out);
	assert_int_equal(open(buf_span(&out), CHAIN_VAULT), OK);
	assert_int_equal(open(buf_span(&out), CHAIN_ACCOUNT), E_FORGED);
	out.ptr[out.len - SIZE_SIGNATURE - 1] ^= 1;
	assert_int_equal(open(buf_span(&out), CHAIN_VAULT), E_FORGED);
	buf_free(&out);
}

static void memory_runs_out(void **state) {
	(void)state;
	struct forge_draft d;
	struct buf out;
	uint64_t nth;
	draft(&d, VAULTBODY_ACCOUNT);
	for (nth = 1;; nth++) {
		buf_init(&out, LIMIT_ENTRY);
		mem_fail_at(nth);
		enum err e = craft(&d, &out);
		mem_fail_at(0);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_int_equal(out.len, 0);
		assert_true(nth < 100);
		buf_free(&out);
	}
	assert_true(nth > 4);
	for (nth = 1;; nth++) {
		mem_fail_at(nth);
		enum err e = open(buf_span(&out), CHAIN_VAULT);
		mem_fail_at(0);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_true(nth < 100);
	}
	forge_drop(&d);
	buf_free(&out);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, start, done)

int main(void) {
	const struct CMUnitTest tests[] = {
		EACH(made_entries_are_taken),
		EACH(drafts_that_are_refused),
		EACH(every_bit_is_bound),
		EACH(sealed_to_the_public_key),
		EACH(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
