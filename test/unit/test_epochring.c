/* core/boxmake and core/epochring: the keys of epochs, handed out and opened (doc/spec/crypto.md section 5, formats.md 8.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/boxmake.h"
#include "core/epochring.h"
#include "crypto/crypto.h"
#include "fixedrandom.h"
#include "format/boxes.h"
#include "guarded.h"
#include "os/thread.h"
#include "secret/devicekeys.h"

enum { EPOCHS = 3, PEOPLE = 5, ENC_POINT_TOP = SIZE_HASH + SIZE_KEM_ENC - 1 };

static struct fresh fresh;
static struct hash birth = { { 1 } };
static struct epochring_recipient people[PEOPLE];
static uint8_t keys[PEOPLE][KEM_PUBLIC];
static struct boxmake_recipient recipients[PEOPLE];
static struct box_content content[EPOCHS];
static struct epoch_public stated[EPOCHS];
static struct buf objects[EPOCHS];
static struct guarded memory;

static enum err make(int epoch, size_t count, struct buf *out) {
	return boxmake_object(&content[epoch], recipients, count,
		epoch ? &content[epoch - 1].secrets.s : NULL, &fresh, out);
}

static void make_chain(enum chain_kind kind) {
	for (int i = 0; i < EPOCHS; i++) {
		memset(&content[i], 0, sizeof content[i]);
		content[i].kind = kind;
		memset(content[i].root.b, 9, KEY_SIZE);
		assert_int_equal(
			epochkeys_generate(&content[i].secrets, kind, &birth, (uint32_t)i + 1, &fresh), OK);
		assert_int_equal(epochkeys_public(&stated[i], &content[i].secrets), OK);
		buf_free(&objects[i]);
		assert_int_equal(make(i, 2, &objects[i]), OK);
	}
}

static int start(void **state) {
	(void)state;
	if (crypto_start()) return 1;
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	guarded_init(&memory, 1 << 16);
	for (int i = 0; i < PEOPLE; i++) {
		struct device_keys k;
		struct device_public p;
		if (devicekeys_generate(&k, &fresh)) return 1;
		devicekeys_public(&p, &k);
		memcpy(keys[i], p.kem, KEM_PUBLIC);
		people[i] = (struct epochring_recipient){ .id = p.id, .kem = k.kem };
		recipients[i] = (struct boxmake_recipient){ .id = p.id, .kem_key = keys[i] };
	}
	for (int i = 0; i < EPOCHS; i++) buf_init(&objects[i], LIMIT_OBJECT);
	return 0;
}

static int done(void **state) {
	(void)state;
	for (int i = 0; i < EPOCHS; i++) buf_free(&objects[i]);
	guarded_done(&memory);
	return 0;
}

static struct epochring *ring_of(enum chain_kind kind, int epochs) {
	struct epochring *r;
	assert_int_equal(epochring_new(&r, kind, &birth), OK);
	for (int i = 0; i < epochs; i++) {
		struct entrypublic_keys k = {
			.kem = span_of(stated[i].kem, KEM_PUBLIC),
			.reader = span_of(stated[i].reader, SIGN_PUBLIC),
			.writer = span_of(stated[i].writer, SIGN_PUBLIC),
			.admin = span_of(stated[i].admin, SIGN_PUBLIC),
			.commitment = stated[i].commitment,
			.boxes = { { (uint8_t)i } },
		};
		assert_int_equal(epochring_add(r, &k), OK);
	}
	return r;
}

static enum err open_newest(
	struct epochring *r, struct span object, int who, struct root_key *root) {
	return epochring_open(r, guarded_copy(&memory, object, object.len), &people[who], 1, root);
}

static void all_epochs_from_one_box(void **state) {
	(void)state;
	for (int kind = CHAIN_ACCOUNT; kind <= CHAIN_VAULT; kind++) {
		make_chain((enum chain_kind)kind);
		for (int who = 0; who < 3; who++) {
			struct epochring *r = ring_of((enum chain_kind)kind, EPOCHS);
			struct root_key root = { { 0 } };
			struct kem_seed seed;
			assert_int_equal(epochring_newest(r), EPOCHS);
			assert_int_equal(epochring_oldest_open(r), 0);
			assert_null(epochring_secrets(r, EPOCHS));
			assert_int_equal(epochring_kem(r, EPOCHS, &seed), E_DENIED);
			enum err e = open_newest(r, buf_span(&objects[EPOCHS - 1]), who, &root);
			if (who == 2) {
				assert_int_equal(e, E_DENIED);
				assert_null(epochring_secrets(r, EPOCHS));
				assert_int_equal(
					epochring_open_previous(r, buf_span(&objects[EPOCHS - 1])), E_NOTFOUND);
				epochring_free(r);
				continue;
			}
			assert_int_equal(e, OK);
			if (kind == CHAIN_VAULT) assert_memory_equal(root.b, content[0].root.b, KEY_SIZE);
			assert_int_equal(epochring_oldest_open(r), EPOCHS);
			for (int i = EPOCHS - 1; i > 0; i--)
				assert_int_equal(epochring_open_previous(r, buf_span(&objects[i])), OK);
			assert_int_equal(epochring_oldest_open(r), 1);
			assert_int_equal(epochring_open_previous(r, buf_span(&objects[0])), E_NOTFOUND);
			for (uint32_t i = 1; i <= EPOCHS; i++) {
				const struct epoch_secrets *s = epochring_secrets(r, i);
				assert_memory_equal(s->s.b, content[i - 1].secrets.s.b, KEY_SIZE);
				bool admin = kind == CHAIN_ACCOUNT || i == EPOCHS;
				assert_int_equal(s->role, admin ? ROLE_ADMIN : ROLE_READER);
			}
			assert_null(epochring_secrets(r, 0));
			assert_null(epochring_secrets(r, EPOCHS + 1));
			epochring_free(r);
		}
	}
}

/* What the entry states is what the box holds, or nothing of it is used. */
static void not_what_the_entry_states(void **state) {
	(void)state;
	make_chain(CHAIN_VAULT);
	uint8_t *parts[] = { stated[0].commitment.b, stated[0].kem, stated[0].reader, stated[0].writer,
		stated[0].admin };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct root_key root = { { 5 } };
		parts[i][3] ^= 1;
		struct epochring *r = ring_of(CHAIN_VAULT, 1);
		assert_int_equal(open_newest(r, buf_span(&objects[0]), 0, &root), E_FORGED);
		assert_null(epochring_secrets(r, 1));
		assert_int_equal(root.b[0], 5);
		parts[i][3] ^= 1;
		epochring_free(r);
	}
	/* of an epoch before, what its S gives: its commitment, its KEM key, its reader key */
	uint8_t *before[] = { stated[1].commitment.b, stated[1].kem, stated[1].reader };
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		before[i][3] ^= 1;
		struct epochring *r = ring_of(CHAIN_VAULT, EPOCHS);
		assert_int_equal(open_newest(r, buf_span(&objects[2]), 0, NULL), OK);
		assert_int_equal(epochring_open_previous(r, buf_span(&objects[2])), E_FORGED);
		assert_null(epochring_secrets(r, 2));
		assert_int_equal(epochring_oldest_open(r), 3);
		before[i][3] ^= 1;
		epochring_free(r);
	}
}

static void other_objects(void **state) {
	(void)state;
	make_chain(CHAIN_VAULT);
	struct epochring *r = ring_of(CHAIN_VAULT, EPOCHS);
	assert_int_equal(open_newest(r, buf_span(&objects[1]), 0, NULL), E_FORGED);
	objects[1].ptr[4]++; /* which now says that it is of epoch 3 */
	assert_int_equal(open_newest(r, buf_span(&objects[1]), 0, NULL), E_DENIED);
	objects[1].ptr[4]--;
	assert_int_equal(open_newest(r, buf_span(&objects[2]), 0, NULL), OK);
	assert_int_equal(epochring_open_previous(r, buf_span(&objects[1])), E_FORGED);
	objects[2].ptr[objects[2].len - 1] ^= 1; /* of the wrap */
	assert_int_equal(epochring_open_previous(r, buf_span(&objects[2])), E_FORGED);
	assert_null(epochring_secrets(r, 2));
	objects[2].ptr[objects[2].len - 1] ^= 1;
	for (size_t n = 0; n < objects[2].len; n += 97) {
		struct span cut = guarded_copy(&memory, buf_span(&objects[2]), n);
		assert_int_equal(epochring_open_previous(r, cut), E_FORMAT);
	}
	epochring_free(r);
	r = ring_of(CHAIN_VAULT, 0); /* no epoch yet */
	assert_int_equal(open_newest(r, buf_span(&objects[0]), 0, NULL), E_FORGED);
	epochring_free(r);
	/* a box of the other kind of chain, a chain born otherwise */
	r = ring_of(CHAIN_ACCOUNT, 1);
	assert_int_equal(open_newest(r, buf_span(&objects[0]), 0, NULL), E_FORGED);
	epochring_free(r);
	birth.b[0]++;
	r = ring_of(CHAIN_VAULT, 1);
	assert_int_equal(open_newest(r, buf_span(&objects[0]), 0, NULL), E_DENIED);
	birth.b[0]--;
	epochring_free(r);
}

/* Boxes of nobody can't be told from others: an X25519 point never has its top bit set, as random bytes have. */
static void empty_boxes_look_alike(void **state) {
	(void)state;
	make_chain(CHAIN_VAULT);
	for (int round = 0; round < 8; round++) {
		struct buf out;
		struct boxes b;
		buf_init(&out, LIMIT_OBJECT);
		assert_int_equal(make(0, 1, &out), OK);
		assert_int_equal(boxes_decode(&b, buf_span(&out)), OK);
		assert_int_equal(b.count, 4);
		for (uint16_t i = 0; i < b.count; i++)
			assert_int_equal(
				b.rows.ptr[(size_t)i * (SIZE_HASH + SIZE_BOX) + ENC_POINT_TOP] & 0x80, 0);
		buf_free(&out);
	}
}

static void sizes_and_places(void **state) {
	(void)state;
	unsigned places = 0;
	make_chain(CHAIN_VAULT);
	for (size_t count = 0; count <= PEOPLE; count++) {
		struct buf out;
		struct boxes b;
		buf_init(&out, LIMIT_OBJECT);
		assert_int_equal(make(1, count, &out), OK);
		assert_int_equal(boxes_decode(&b, buf_span(&out)), OK);
		assert_int_equal(b.count, count <= 4 ? 4 : 8);
		assert_int_equal(b.wrap.len, EPOCHKEYS_WRAP);
		/* each recipient's tag is there, as who knows the epoch before finds it */
		for (size_t i = 0; i < PEOPLE; i++) {
			struct box_tag_key key;
			struct hash tag;
			struct span box;
			epochkeys_box_tag(&key, &content[0].secrets.s, &birth, 2);
			box_tag(&tag, &key, &recipients[i].id);
			assert_int_equal(boxes_find(&b, hash_span(&tag), &box), i < count);
		}
		buf_free(&out);
	}
	for (int round = 0; round < 40; round++) {
		struct buf out;
		struct boxes b;
		struct box_tag_key key;
		struct hash tag;
		struct span box;
		buf_init(&out, LIMIT_OBJECT);
		assert_int_equal(make(0, 1, &out), OK);
		assert_int_equal(boxes_decode(&b, buf_span(&out)), OK);
		epochkeys_first_box_tag(&key, &birth);
		box_tag(&tag, &key, &recipients[0].id);
		assert_true(boxes_find(&b, hash_span(&tag), &box));
		places |= 1u << ((size_t)(box.ptr - b.rows.ptr) / (SIZE_HASH + SIZE_BOX));
		buf_free(&out);
	}
	assert_int_equal(places, 15);
}

static void what_is_no_content(void **state) {
	(void)state;
	struct buf out;
	buf_init(&out, LIMIT_OBJECT);
	make_chain(CHAIN_VAULT);
	assert_int_equal(boxmake_object(&content[1], recipients, 1, NULL, &fresh, &out), E_USAGE);
	assert_int_equal(
		boxmake_object(&content[0], recipients, 1, &content[0].secrets.s, &fresh, &out), E_USAGE);
	assert_int_equal(
		boxmake_object(&content[0], recipients, LIMIT_BOXES + 1, NULL, &fresh, &out), E_LIMIT);
	uint8_t none[KEM_PUBLIC];
	memset(none, 0xff, sizeof none);
	struct boxmake_recipient bad = { .id = people[0].id, .kem_key = none };
	assert_int_equal(boxmake_object(&content[0], &bad, 1, NULL, &fresh, &out), E_FORMAT);
	content[0].secrets.role = (enum role)7;
	assert_int_equal(make(0, 1, &out), E_USAGE);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void memory_runs_out(void **state) {
	(void)state;
	make_chain(CHAIN_VAULT);
	for (uint64_t nth = 1;; nth++) {
		struct buf out;
		struct epochring *r = NULL;
		buf_init(&out, LIMIT_OBJECT);
		mem_fail_at(nth);
		enum err e = make(2, 2, &out);
		if (!e) e = epochring_new(&r, CHAIN_VAULT, &birth);
		mem_fail_at(0);
		epochring_free(r);
		buf_free(&out);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_true(nth < 50);
	}
	struct epochring *r = ring_of(CHAIN_VAULT, EPOCHS);
	for (uint64_t nth = 1;; nth++) {
		mem_fail_at(nth);
		enum err e = epochring_open(r, buf_span(&objects[2]), people, 2, NULL);
		mem_fail_at(0);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_null(epochring_secrets(r, 3));
		assert_true(nth < 50);
	}
	for (uint64_t nth = 1;; nth++) {
		mem_fail_at(nth);
		enum err e = epochring_open_previous(r, buf_span(&objects[2]));
		mem_fail_at(0);
		if (!e) break;
		assert_int_equal(e, E_NOMEM);
		assert_null(epochring_secrets(r, 2));
		assert_true(nth < 50);
	}
	epochring_free(r);
}

/* --- more epochs than a ring has room for in the beginning */

enum { RING_MANY = 300, READERS = 3 };

static void add_numbered(struct epochring *r, uint32_t epoch) {
	uint8_t kem[KEM_PUBLIC];
	memset(kem, (int)(epoch & 0xff), sizeof kem);
	struct entrypublic_keys k = {
		.kem = span_of(kem, KEM_PUBLIC),
		.reader = span_of(kem, SIGN_PUBLIC),
		.writer = span_of(kem, SIGN_PUBLIC),
		.admin = span_of(kem, SIGN_PUBLIC),
	};
	assert_int_equal(epochring_add(r, &k), OK);
}

struct ring_reader {
	struct thread thread;
	const struct epochring *r;
	unsigned wrong;
};

static void read_ring(void *ctx) {
	struct ring_reader *j = ctx;
	for (uint32_t count = 0; count < RING_MANY;) {
		count = epochring_newest(j->r);
		for (uint32_t epoch = 1; epoch <= count; epoch += 7) {
			const struct epoch_public *stated_here = epochring_stated(j->r, epoch);
			j->wrong += stated_here->kem[0] != (uint8_t)epoch;
			j->wrong += epochring_secrets(j->r, epoch) != NULL && epoch != 1;
		}
	}
}

/* What was given out stays where it is, and other threads read on meanwhile. */
static void many_epochs_under_readers(void **state) {
	(void)state;
	struct epochring *r;
	struct ring_reader readers[READERS] = { 0 };
	const struct epoch_public *given[RING_MANY];
	make_chain(CHAIN_VAULT);
	assert_int_equal(epochring_new(&r, CHAIN_VAULT, &birth), OK);
	add_numbered(r, 1);
	epochring_set(r, &content[0].secrets);
	const struct epoch_secrets *first = epochring_secrets(r, 1);
	given[0] = epochring_stated(r, 1);
	for (size_t i = 0; i < READERS; i++) {
		readers[i].r = r;
		assert_int_equal(thread_start(&readers[i].thread, read_ring, &readers[i], NULL), OK);
	}
	for (uint32_t epoch = 2; epoch <= RING_MANY; epoch++) {
		add_numbered(r, epoch);
		given[epoch - 1] = epochring_stated(r, epoch);
	}
	for (size_t i = 0; i < READERS; i++) {
		thread_join(&readers[i].thread);
		assert_int_equal(readers[i].wrong, 0);
	}
	for (uint32_t epoch = 1; epoch <= RING_MANY; epoch++) {
		assert_ptr_equal(epochring_stated(r, epoch), given[epoch - 1]);
		assert_int_equal(given[epoch - 1]->kem[KEM_PUBLIC - 1], (uint8_t)epoch);
	}
	assert_ptr_equal(epochring_secrets(r, 1), first);
	assert_memory_equal(first->s.b, content[0].secrets.s.b, KEY_SIZE);
	epochring_free(r);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_epochs_from_one_box),
		cmocka_unit_test(not_what_the_entry_states),
		cmocka_unit_test(other_objects),
		cmocka_unit_test(empty_boxes_look_alike),
		cmocka_unit_test(sizes_and_places),
		cmocka_unit_test(what_is_no_content),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(many_epochs_under_readers),
	};
	return cmocka_run_group_tests(tests, start, done);
}
