#include "rawbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/indexplan.h"
#include "crypto/crypto.h"
#include "storesuite.h"

int rawbox_setup(void **state) {
	struct hash id = storesuite_id(77);
	struct rawbox *b = calloc(1, sizeof *b);
	if (!b || crypto_start()) return -1;
	scratch_make(b->folder);
	testvault_home(scratch_join(b->home, b->folder, "home"));
	b->raw = rawstore_new(&id);
	b->store = faulty_new(b->raw);
	if (!b->store) return -1;
	testvault_make(b->store, 0, &b->kit);
	testvault_must_open(&b->t, b->store);
	*state = b;
	return 0;
}

int rawbox_teardown(void **state) {
	struct rawbox *b = *state;
	testvault_close(&b->t);
	store_free(b->store);
	store_free(b->raw);
	scratch_remove(b->folder);
	free(b);
	return 0;
}

void rawbox_reopen(struct rawbox *b) {
	testvault_close(&b->t);
	testvault_must_open(&b->t, b->store);
}

enum err rawbox_open(struct rawbox *b, struct vault *v, const char *name, struct why *why) {
	*why = (struct why){ OK, "" };
	enum err e = vault_open(v, &b->t.session, name, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

enum err rawbox_result(struct rawbox *b, const char *name) {
	struct vault v;
	struct why why;
	enum err e = rawbox_open(b, &v, name, &why);
	if (!e) vault_close(&v);
	return e;
}

uint64_t rawbox_length(struct rawbox *b) {
	uint64_t n = 0;
	assert_int_equal(store_chain_length(b->raw, &b->t.vault.id, &n, NULL), OK);
	return n;
}

static void warned(void *ctx, const struct why *why) {
	struct rawbox *b = ctx;
	(void)why;
	atomic_fetch_add(&b->warnings, 1);
}

struct fetch *rawbox_fetch(struct rawbox *b, unsigned threads) {
	struct fetch *f = NULL;
	struct why why = { OK, "" };
	struct fetch_params p = { .vault = &b->t.vault, .threads = threads, .warn = warned, .ctx = b };
	rawbox_ok(fetch_new(&f, &p, &why), &why);
	return f;
}

struct rawstore_item *rawbox_pack(struct rawbox *b, const struct hash *name) {
	return rawstore_find(b->raw, RAWSTORE_PACK, &b->t.vault.id, name, 0);
}

size_t rawbox_pack_at(struct rawbox *b, const struct hash *name) {
	struct rawstore_item *item = rawbox_pack(b, name);
	assert_non_null(item);
	return (size_t)(item - rawstore_at(b->raw, 0));
}

void rawbox_flip(struct rawbox *b, const struct hash *pack, size_t at) {
	struct rawstore_item *item = rawbox_pack(b, pack);
	assert_non_null(item);
	assert_true(at < item->len);
	item->bytes[at] ^= 2;
}

size_t rawbox_places(struct fetch *f, const struct hash *id, struct place out[PLACES_EACH]) {
	size_t count = 0;
	struct why why = { OK, "" };
	rawbox_ok(places_find(fetch_places(f), id, out, &count, &why), &why);
	return count;
}

void rawbox_end_unnamed(struct craft *c) {
	struct buf locations;
	struct why why = { OK, "" };
	buf_init(&locations, 1 << 16);
	rawbox_ok(storing_flush(c->storing, &why), &why);
	rawbox_ok(packrun_index(c->run, NULL, &locations, &why), &why);
	buf_free(&locations);
	craft_drop(c);
}

struct rawbox_stored rawbox_store(struct rawbox *b, uint64_t seed, bool named) {
	struct craft c;
	struct rawbox_stored out;
	struct streamref none = { .length = 0 };
	storesuite_bytes(out.bytes, RAWBOX_SMALL, seed);
	craft_begin(&c, &b->t);
	struct streamref ref = craft_content(&c, span_of(out.bytes, RAWBOX_SMALL));
	assert_int_equal(ref.depth, 0);
	out.id = ref.id;
	if (named) (void)craft_end(&c, &none, 0, 0);
	else rawbox_end_unnamed(&c);
	return out;
}

struct vault_index rawbox_index(
	struct rawbox *b, const struct hash *id, const struct place *place, size_t count) {
	struct craft c;
	struct buf rows;
	struct indexplan *plan = NULL;
	struct why why = { OK, "" };
	uint32_t number;
	assert_int_equal(indexplan_new(&plan), OK);
	assert_int_equal(indexplan_pack(plan, &place->pack, place->pack_size, &number), OK);
	for (uint32_t i = 0; i < count; i++) {
		struct indexleaf_row row = {
			.id = *id,
			.pack = number,
			.offset = place->offset + 64 * i,
			.length = place->length,
		};
		assert_int_equal(indexplan_row(plan, &row), OK);
	}
	buf_init(&rows, 1 << 16);
	craft_begin(&c, &b->t);
	rawbox_ok(packrun_index(c.run, plan, &rows, &why), &why);
	craft_drop(&c);
	struct locationlist list = { .rows = buf_span(&rows) };
	assert_int_equal(location_count(&list), 1);
	struct vault_index out = { .location = location_at(&list, 0) };
	buf_free(&rows);
	indexplan_free(plan);
	return out;
}

uint64_t rawbox_reads(struct rawbox *b) {
	return faulty_count(b->store, FAULTY_PACK_GET);
}

void rawbox_fail(struct rawbox *b, enum faulty_verb verb, enum err e) {
	struct faulty_order o = {
		.verb = verb, .nth = 1, .forever = true, .way = FAULTY_BEFORE, .error = e
	};
	faulty_order(b->store, o);
}

void rawbox_ok(enum err e, const struct why *why) {
	if (e) fail_msg("%s: %s", err_text(e), why->msg);
}
