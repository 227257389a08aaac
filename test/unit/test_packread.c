/* client/packread: packs of a hostile store, read by several threads. Each part that is altered is told, by the pack's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/packread.h"
#include "core/packbuild.h"
#include "format/chunktype.h"
#include "format/limits.h"
#include "os/thread.h"
#include "rawbox.h"
#include "storesuite.h"

enum { RECORDS = 3, RECORD = 500, MANY = 100, THREADS = 4 };

struct pack {
	struct hash name;
	uint64_t size;
	uint32_t offset[RECORDS], length[RECORDS];
};

static struct rawbox *box;
static uint8_t *memory;
static struct packread *packs;

static struct packread *new_packread(const struct epochring *ring) {
	struct packread *p = NULL;
	struct why why = { OK, "" };
	rawbox_ok(packread_new(&p, box->store, &box->t.vault.id, ring, &why), &why);
	return p;
}

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	memory = calloc(1, LIMIT_PACK);
	if (!memory) return -1;
	packs = new_packread(box->t.vault.chain.ring);
	return 0;
}

static int teardown(void **state) {
	packread_free(packs);
	free(memory);
	return rawbox_teardown(state);
}

/* The bytes of record ${i} of the pack made of ${seed}. */
static void record_bytes(uint8_t out[RECORD], uint64_t seed, unsigned i) {
	storesuite_bytes(out, RECORD, seed * 16 + i);
}

static struct pack make_pack(uint64_t seed) {
	struct packbuild *b = NULL;
	struct pack out;
	struct span bytes;
	struct hash none = { { 0 } };
	struct vault *v = &box->t.vault;
	struct packbuild_params p = {
		.vault = &v->id,
		.epoch = vault_epoch(v),
		.epoch_public = epochring_kem_public(v->chain.ring, vault_epoch(v)),
		.head = { .writer = box->t.session.secrets->actor.id, .run = { 1 } },
		.fresh = &box->t.session.secrets->fresh,
		.memory = memory,
		.limit = LIMIT_PACK_LEAST,
	};
	assert_int_equal(packbuild_new(&b, &p), OK);
	for (unsigned i = 0; i < RECORDS; i++) {
		uint8_t text[RECORD];
		struct hash id = storesuite_id(seed * 16 + i);
		record_bytes(text, seed, i);
		struct packbuild_record r = {
			.type = CHUNKTYPE_CONTENT, .ids = &id, .count = 1, .bytes = span_of(text, RECORD)
		};
		assert_int_equal(packbuild_add(b, &r, &out.offset[i], &out.length[i]), OK);
	}
	assert_int_equal(packbuild_finish(b, &none, false, &bytes), OK);
	out.size = bytes.len;
	assert_int_equal(store_pack_add(box->raw, &v->id, bytes, &out.name, NULL, NULL, NULL), OK);
	packbuild_free(b);
	return out;
}

/* The record is what it was made of, and appended. */
static void read_well(struct packread *p, const struct pack *pack, uint64_t seed, unsigned i) {
	uint8_t text[RECORD];
	struct buf out;
	struct why why = { OK, "" };
	buf_init(&out, 1 << 16);
	assert_int_equal(buf_add(&out, span_text("before")), OK);
	rawbox_ok(packread_record(p, &pack->name, pack->offset[i], pack->length[i], &out, &why), &why);
	record_bytes(text, seed, i);
	assert_int_equal(out.len, 6 + RECORD);
	assert_memory_equal(out.ptr, "before", 6);
	assert_memory_equal(out.ptr + 6, text, RECORD);
	buf_free(&out);
}

/* The sentence names the pack. */
static void names(const struct why *why, const struct hash *pack) {
	char hex[HASH_HEX];
	hash_hex(hex, pack);
	if (!strstr(why->msg, hex)) fail_msg("\"%s\" does not name the pack", why->msg);
}

static struct why last; /* of refused */

/* The result of reading; nothing is appended, and the sentence names the pack. */
static enum err refused(
	struct packread *p, const struct hash *pack, uint32_t offset, uint32_t length) {
	struct buf out;
	struct why why = { OK, "" };
	buf_init(&out, 4 * LIMIT_RECORD);
	assert_int_equal(buf_add(&out, span_text("before")), OK);
	enum err e = packread_record(p, pack, offset, length, &out, &why);
	assert_int_not_equal(e, OK);
	assert_int_equal(out.len, 6);
	if (e != E_IO && e != E_DENIED) names(&why, pack);
	last = why;
	buf_free(&out);
	return e;
}

static enum err refused_first(const struct pack *pack) {
	struct packread *fresh = new_packread(box->t.vault.chain.ring);
	enum err e = refused(fresh, &pack->name, pack->offset[0], pack->length[0]);
	packread_free(fresh);
	return e;
}

static void every_record_comes_back(void **state) {
	(void)state;
	struct pack one = make_pack(1), two = make_pack(2);
	for (unsigned i = 0; i < RECORDS; i++) {
		read_well(packs, &one, 1, i);
		read_well(packs, &two, 2, RECORDS - 1 - i);
	}
}

/* The keys of a pack take a decapsulation and a read: once a pack, for more packs than the table began with. */
static void each_pack_is_opened_once(void **state) {
	(void)state;
	struct pack made[MANY];
	for (unsigned i = 0; i < MANY; i++) made[i] = make_pack(i);
	for (unsigned i = 0; i < MANY; i++) read_well(packs, &made[i], i, 0);
	uint64_t reads = rawbox_reads(box);
	assert_int_equal(reads, 2 * MANY);
	for (unsigned i = 0; i < MANY; i++) read_well(packs, &made[i], i, 1 + i % 2);
	assert_int_equal(rawbox_reads(box) - reads, MANY);
}

static void a_header_that_was_altered(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	/* format version, epoch, encapsulation, commitment */
	static const size_t places[] = { 3, 4, 7, 8, 600, 1127, 1128, 1159 };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		rawbox_flip(box, &pack.name, places[i]);
		assert_int_equal(refused_first(&pack), E_FORGED);
		assert_non_null(strstr(last.msg, "its header"));
		rawbox_flip(box, &pack.name, places[i]);
	}
	read_well(packs, &pack, 1, 0);
}

static void a_record_that_was_altered_or_moved(void **state) {
	(void)state;
	struct pack pack = make_pack(1), other = make_pack(2);
	for (size_t at = 0; at < pack.length[1]; at += 53) {
		rawbox_flip(box, &pack.name, pack.offset[1] + at);
		assert_int_equal(refused(packs, &pack.name, pack.offset[1], pack.length[1]), E_FORGED);
		rawbox_flip(box, &pack.name, pack.offset[1] + at);
	}
	read_well(packs, &pack, 1, 1);
	/* another record of the same pack, or the same of another pack, in its place */
	uint8_t *bytes = rawbox_pack(box, &pack.name)->bytes;
	uint8_t kept[RECORD + SIZE_TAG];
	memcpy(kept, bytes + pack.offset[0], sizeof kept);
	memcpy(bytes + pack.offset[0], bytes + pack.offset[1], sizeof kept);
	assert_int_equal(refused(packs, &pack.name, pack.offset[0], pack.length[0]), E_FORGED);
	memcpy(bytes + pack.offset[0], rawbox_pack(box, &other.name)->bytes + other.offset[0],
		sizeof kept);
	assert_int_equal(refused(packs, &pack.name, pack.offset[0], pack.length[0]), E_FORGED);
	memcpy(bytes + pack.offset[0], kept, sizeof kept);
	read_well(packs, &pack, 1, 0);
}

/* What an index says of a place is a hint: any place is refused, and the worst before a byte is read. */
static void places_that_no_record_has(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	uint32_t offset = pack.offset[1], length = pack.length[1];
	read_well(packs, &pack, 1, 0);
	assert_int_equal(refused(packs, &pack.name, offset + 1, length), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, offset, length - 1), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, offset, length + 1), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, 0, length), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, UINT32_MAX, length), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, (uint32_t)pack.size - 10, length), E_FORGED);
	uint64_t reads = rawbox_reads(box);
	assert_int_equal(refused(packs, &pack.name, offset, 0), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, offset, SIZE_TAG), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, offset, LIMIT_RECORD + 1), E_FORGED);
	assert_int_equal(refused(packs, &pack.name, offset, UINT32_MAX), E_FORGED);
	assert_int_equal(rawbox_reads(box), reads);
}

static void missing_shorter_and_of_another_vault(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	struct rawstore_item *item = rawbox_pack(box, &pack.name);
	struct rawstore_item moved = *item;
	read_well(packs, &pack, 1, 0);
	for (size_t len = 0; len < pack.offset[1] + RECORD; len += 400) {
		item->len = len;
		bool has_header = len >= SIZE_PACK_HEADER;
		assert_int_equal(has_header ? refused(packs, &pack.name, pack.offset[1], pack.length[1])
									: refused_first(&pack),
			E_FORGED);
	}
	item->len = pack.size;
	/* the same pack in the folder of another vault of this account */
	struct packread *other = NULL;
	struct hash vault = storesuite_id(5);
	moved.scope = vault;
	rawstore_add(box->raw, &moved);
	assert_int_equal(packread_new(&other, box->store, &vault, box->t.vault.chain.ring, NULL), OK);
	assert_int_equal(refused(other, &pack.name, pack.offset[0], pack.length[0]), E_FORGED);
	packread_free(other);
	rawstore_remove(box->raw, rawbox_pack_at(box, &pack.name));
	assert_int_equal(refused_first(&pack), E_NOTFOUND);
	assert_int_equal(refused(packs, &pack.name, pack.offset[0], pack.length[0]), E_NOTFOUND);
}

static void a_store_that_fails_is_no_damage(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(refused_first(&pack), E_IO);
	faulty_clear(box->store);
	read_well(packs, &pack, 1, 0);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(refused(packs, &pack.name, pack.offset[0], pack.length[0]), E_IO);
	faulty_clear(box->store);
	read_well(packs, &pack, 1, 0);
}

/* A ring that has the epoch's public side only. */
static void an_epoch_that_is_not_open(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	const struct epochring *ring = box->t.vault.chain.ring;
	const struct epoch_public *stated = epochring_stated(ring, 1);
	struct epochring *closed = NULL;
	struct entrypublic_keys keys = {
		.kem = span_of(stated->kem, KEM_PUBLIC),
		.reader = span_of(stated->reader, SIGN_PUBLIC),
		.writer = span_of(stated->writer, SIGN_PUBLIC),
		.admin = span_of(stated->admin, SIGN_PUBLIC),
		.commitment = stated->commitment,
		.boxes = epochring_boxes(ring, 1),
	};
	assert_int_equal(epochring_new(&closed, CHAIN_VAULT, &box->t.vault.chain.link.birth), OK);
	assert_int_equal(epochring_add(closed, &keys), OK);
	struct packread *p = new_packread(closed);
	assert_int_equal(refused(p, &pack.name, pack.offset[0], pack.length[0]), E_DENIED);
	packread_free(p);
	epochring_free(closed);
}

static void epochs_that_begin_later_are_seen(void **state) {
	(void)state;
	struct why why = { OK, "" };
	struct pack old = make_pack(1);
	read_well(packs, &old, 1, 0);
	rawbox_ok(vault_rotate(&box->t.vault, &why), &why);
	assert_int_equal(vault_epoch(&box->t.vault), 2);
	struct pack new = make_pack(2);
	read_well(packs, &new, 2, 0);
	read_well(packs, &old, 1, 1);
}

static void check_table(const struct packtable *t, const struct pack *pack, uint64_t seed) {
	struct span rest = t->blocks;
	struct packtable_block b;
	assert_int_equal(t->count, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++) {
		struct hash id = storesuite_id(seed * 16 + i);
		assert_true(packtable_next(&rest, &b));
		assert_int_equal(b.offset, pack->offset[i]);
		assert_int_equal(b.length, pack->length[i]);
		struct hash first = hashlist_at(&b.ids, 0);
		assert_true(hash_equal(&first, &id));
	}
	assert_false(packtable_next(&rest, &b));
}

static enum err table_of(const struct hash *name, uint64_t size) {
	struct packtable t;
	struct buf bytes;
	struct why why = { OK, "" };
	struct packread *fresh = new_packread(box->t.vault.chain.ring);
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(fresh, name, size, &t, &bytes, &why);
	if (e && e != E_IO) names(&why, name);
	buf_free(&bytes);
	packread_free(fresh);
	return e;
}

static enum err whole_of(const struct hash *name, struct span bytes) {
	struct packread_whole w;
	struct why why = { OK, "" };
	enum err e = packread_whole_open(packs, name, bytes, &w, &why);
	if (e) names(&why, name);
	else packread_whole_close(&w);
	return e;
}

/* Both ways of reading a table refuse the pack as it lies in the store now. */
static void both_refuse(const struct pack *pack) {
	const struct rawstore_item *item = rawbox_pack(box, &pack->name);
	assert_int_equal(table_of(&pack->name, item->len), E_FORGED);
	assert_int_equal(whole_of(&pack->name, span_of(item->bytes, item->len)), E_FORGED);
}

static void the_table(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	struct packtable t;
	struct buf bytes;
	struct why why = { OK, "" };
	buf_init(&bytes, LIMIT_PACK);
	assert_int_equal(buf_add(&bytes, span_text("what was there")), OK);
	rawbox_ok(packread_table(packs, &pack.name, pack.size, &t, &bytes, &why), &why);
	check_table(&t, &pack, 1);
	buf_free(&bytes);
	/* a size that the store lies about */
	static const int64_t wrong[] = { -1, 1, -1024, 1024, 65536 };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(table_of(&pack.name, (uint64_t)((int64_t)pack.size + wrong[i])), E_FORGED);
	uint64_t reads = rawbox_reads(box);
	assert_int_equal(table_of(&pack.name, 0), E_FORGED);
	assert_int_equal(table_of(&pack.name, LIMIT_PACK_LEAST - 1), E_FORGED);
	assert_int_equal(table_of(&pack.name, LIMIT_PACK + 1), E_FORGED);
	assert_int_equal(table_of(&pack.name, UINT64_MAX), E_FORGED);
	assert_int_equal(rawbox_reads(box), reads);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(table_of(&pack.name, pack.size), E_IO);
	faulty_clear(box->store);
	rawstore_remove(box->raw, rawbox_pack_at(box, &pack.name));
	assert_int_equal(table_of(&pack.name, pack.size), E_NOTFOUND);
}

static void a_table_or_trailer_that_was_altered(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	size_t trailer = pack.size - SIZE_PACK_TRAILER_SEALED;
	size_t table = pack.offset[RECORDS - 1] + pack.length[RECORDS - 1];
	for (size_t i = 0; i < SIZE_PACK_TRAILER_SEALED; i += 7) {
		rawbox_flip(box, &pack.name, trailer + i);
		both_refuse(&pack);
		rawbox_flip(box, &pack.name, trailer + i);
	}
	for (size_t i = 0; i < 120; i += 13) {
		rawbox_flip(box, &pack.name, table + i);
		both_refuse(&pack);
		rawbox_flip(box, &pack.name, table + i);
	}
	assert_int_equal(table_of(&pack.name, pack.size), OK);
	/* cut, or with more behind it */
	rawbox_pack(box, &pack.name)->len -= 1;
	both_refuse(&pack);
	rawbox_pack(box, &pack.name)->len = LIMIT_PACK_LEAST / 2;
	both_refuse(&pack);
}

static void a_whole_pack_in_memory(void **state) {
	(void)state;
	struct pack pack = make_pack(1);
	struct span bytes = span_of(rawbox_pack(box, &pack.name)->bytes, pack.size);
	struct packread_whole w;
	struct buf out;
	uint8_t text[RECORD];
	struct why why = { OK, "" };
	buf_init(&out, 4 * LIMIT_RECORD);
	rawbox_ok(packread_whole_open(packs, &pack.name, bytes, &w, &why), &why);
	check_table(&w.table, &pack, 1);
	for (unsigned i = 0; i < RECORDS; i++) {
		buf_clear(&out);
		assert_int_equal(
			packread_whole_record(&w, bytes, pack.offset[i], pack.length[i], &out), OK);
		record_bytes(text, 1, i);
		assert_int_equal(out.len, RECORD);
		assert_memory_equal(out.ptr, text, RECORD);
	}
	buf_clear(&out);
	static const struct {
		uint32_t offset, length;
	} wrong[] = { { 1160, SIZE_TAG }, { 1160, 0 }, { 1160, UINT32_MAX }, { UINT32_MAX, 100 },
		{ LIMIT_PACK_LEAST, 100 }, { LIMIT_PACK_LEAST - 50, 100 }, { 1161, RECORD + SIZE_TAG } };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(
			packread_whole_record(&w, bytes, wrong[i].offset, wrong[i].length, &out), E_FORGED);
	rawbox_flip(box, &pack.name, pack.offset[0]);
	assert_int_equal(
		packread_whole_record(&w, bytes, pack.offset[0], pack.length[0], &out), E_FORGED);
	packread_whole_close(&w);
	packread_whole_close(&w); /* nothing is left to close */
	rawbox_flip(box, &pack.name, pack.offset[0]);
	rawbox_flip(box, &pack.name, 700);
	assert_int_equal(whole_of(&pack.name, bytes), E_FORGED);
	assert_int_equal(whole_of(&pack.name, span_of(NULL, 0)), E_FORGED);
	assert_int_equal(whole_of(&pack.name, span_of(bytes.ptr, SIZE_PACK_HEADER)), E_FORGED);
	buf_free(&out);
}

struct worker {
	struct thread thread;
	const struct pack *made;
	unsigned number;
	unsigned wrong;
};

static void read_all(void *ctx) {
	struct worker *r = ctx;
	for (unsigned i = 0; i < MANY; i++) {
		const struct pack *pack = &r->made[(i + r->number) % MANY];
		uint8_t text[RECORD];
		struct buf out;
		unsigned k = (i + r->number) % RECORDS;
		buf_init(&out, LIMIT_RECORD);
		record_bytes(text, (i + r->number) % MANY, k);
		enum err e =
			packread_record(packs, &pack->name, pack->offset[k], pack->length[k], &out, NULL);
		r->wrong += e || out.len != RECORD || memcmp(out.ptr, text, RECORD) != 0;
		buf_free(&out);
	}
}

/* All open the same packs at once, and the table of what is open grows under them. */
static void several_threads(void **state) {
	(void)state;
	struct pack made[MANY];
	struct worker readers[THREADS];
	for (unsigned i = 0; i < MANY; i++) made[i] = make_pack(i);
	for (unsigned i = 0; i < THREADS; i++) {
		readers[i] = (struct worker){ .made = made, .number = i };
		assert_int_equal(thread_start(&readers[i].thread, read_all, &readers[i], NULL), OK);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		thread_join(&readers[i].thread);
		assert_int_equal(readers[i].wrong, 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_record_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(each_pack_is_opened_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_header_that_was_altered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_that_was_altered_or_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(places_that_no_record_has, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_shorter_and_of_another_vault, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_fails_is_no_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(an_epoch_that_is_not_open, setup, teardown),
		cmocka_unit_test_setup_teardown(epochs_that_begin_later_are_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(the_table, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_or_trailer_that_was_altered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_whole_pack_in_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(several_threads, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
