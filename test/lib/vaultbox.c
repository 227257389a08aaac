#include "vaultbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/limits.h"

int vaultbox_setup(void **state) {
	struct vaultbox *b = calloc(1, sizeof *b);
	if (!b) return -1;
	forge_start(&b->f);
	*state = b;
	return 0;
}

int vaultbox_teardown(void **state) {
	struct vaultbox *b = *state;
	forge_done(&b->f);
	free(b);
	return 0;
}

/* --- drafts */

void vaultbox_draft(struct vaultbox *b, const struct vaultbody *body, uint8_t public_kind) {
	struct entrypublic pub = forge_public_of(public_kind);
	struct hash name = { { 7 } };
	pub.packs.names.rows = hash_span(&name);
	pub.store.b[0] = 0x77;
	forge_vault(&b->f, &b->d, body, &pub);
}

void vaultbox_plain(struct vaultbox *b, uint8_t type) {
	vaultbox_draft(b, &(struct vaultbody){ .type = type }, ENTRYPUBLIC_NONE);
}

void vaultbox_policy(struct vaultbox *b, uint64_t days) {
	vaultbox_draft(
		b, &(struct vaultbody){ .type = VAULTBODY_POLICY, .hold = days * 86400 }, ENTRYPUBLIC_NONE);
}

struct hash vaultbox_id(uint8_t n) {
	return (struct hash){ { n } };
}

struct locationlist vaultbox_locations(struct buf *rows, uint8_t first, size_t indexes) {
	buf_init(rows, 65536);
	for (size_t i = 0; i < indexes; i++) {
		struct location l = {
			.pack = vaultbox_id((uint8_t)(first + i)), .offset = 1160, .length = 100
		};
		assert_int_equal(location_add(rows, &l), OK);
	}
	return (struct locationlist){ .rows = buf_span(rows) };
}

void vaultbox_snapshot(struct vaultbox *b, uint8_t id, uint8_t first, size_t indexes) {
	struct buf rows;
	struct vaultbody body = {
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = vaultbox_id(id),
		.stamp = { .host = span_text("host"), .branch = span_text("branch") },
		.added = vaultbox_locations(&rows, first, indexes),
	};
	vaultbox_draft(b, &body, ENTRYPUBLIC_NONE);
	buf_free(&rows);
}

void vaultbox_forget(struct vaultbox *b, const uint8_t *ids, size_t count) {
	struct hash list[8];
	for (size_t i = 0; i < count; i++) list[i] = vaultbox_id(ids[i]);
	struct vaultbody body = { .type = VAULTBODY_FORGET,
		.forget = { .rows = span_of(list, count * HASH_SIZE) } };
	vaultbox_draft(b, &body, ENTRYPUBLIC_NONE);
}

void vaultbox_keep(struct vaultbox *b, uint8_t id, uint8_t first, size_t indexes) {
	struct buf rows;
	struct vaultbody body = { .type = VAULTBODY_KEEP,
		.snapshot = vaultbox_id(id),
		.added = vaultbox_locations(&rows, first, indexes) };
	vaultbox_draft(b, &body, ENTRYPUBLIC_NONE);
	buf_free(&rows);
}

void vaultbox_keep_intent(struct vaultbox *b, uint64_t sequence) {
	vaultbox_draft(b,
		&(struct vaultbody){ .type = VAULTBODY_KEEP, .keep_intent = true, .intent = sequence },
		ENTRYPUBLIC_NONE);
}

void vaultbox_index(struct vaultbox *b, uint8_t add, size_t added, uint8_t remove, size_t removed) {
	struct buf a, r;
	struct vaultbody body = { .type = VAULTBODY_INDEX };
	body.added = vaultbox_locations(&a, add, added);
	body.removed = vaultbox_locations(&r, remove, removed);
	vaultbox_draft(b, &body, ENTRYPUBLIC_NONE);
	buf_free(&a);
	buf_free(&r);
}

void vaultbox_tag(struct vaultbox *b, uint8_t id, const char *tag) {
	struct bytelist_build tags;
	bytelist_build_init(&tags);
	assert_int_equal(bytelist_build_add(&tags, span_text(tag)), OK);
	struct vaultbody body = {
		.type = VAULTBODY_TAG, .snapshot = vaultbox_id(id), .tags = bytelist_build_list(&tags)
	};
	vaultbox_draft(b, &body, ENTRYPUBLIC_NONE);
	bytelist_build_done(&tags);
}

/* Packs ${first} and on, in the public part; by a list object if ${count} is over 1,024. */
static struct entrypublic packs(uint8_t kind, struct hash *names, uint8_t first, uint64_t count) {
	struct entrypublic pub = forge_public_of(kind);
	pub.packs.listed = count > LIMIT_PACK_NAMES;
	pub.packs.count = count;
	pub.packs.list = vaultbox_id(first);
	if (pub.packs.listed) return pub;
	for (size_t i = 0; i < count; i++) names[i] = vaultbox_id((uint8_t)(first + i));
	pub.packs.names.rows = span_of(names, count * HASH_SIZE);
	return pub;
}

void vaultbox_intent(struct vaultbox *b, uint8_t first, uint64_t count) {
	struct hash names[16];
	struct entrypublic pub = packs(ENTRYPUBLIC_INTENT, names, first, count);
	forge_vault(&b->f, &b->d, &(struct vaultbody){ .type = VAULTBODY_INTENT }, &pub);
}

void vaultbox_purge(struct vaultbox *b, uint64_t intent, uint8_t first, uint64_t count) {
	struct hash names[16];
	struct entrypublic pub = packs(ENTRYPUBLIC_PURGE, names, first, count);
	pub.intent = intent;
	forge_vault(&b->f, &b->d, &(struct vaultbody){ .type = VAULTBODY_PURGE }, &pub);
}

/* --- giving them */

void vaultbox_take(struct vaultbox *b) {
	uint64_t count = b->f.vault.count, voids = b->f.vault.void_count,
			 unknown = b->f.vault.unknown_count;
	assert_int_equal(forge_give(&b->f, &b->d), OK);
	assert_int_equal(b->f.vault.count, count + 1);
	assert_int_equal(b->f.vault.void_count, voids);
	assert_int_equal(b->f.vault.unknown_count, unknown);
}

void vaultbox_refuse(struct vaultbox *b) {
	struct hash before = forge_vault_sum(&b->f.vault);
	bool control = b->d.outer.class == ENTRY_CONTROL;
	uint64_t count = b->f.vault.count, voids = b->f.vault.void_count,
			 sequence = b->d.outer.sequence;
	assert_int_equal(forge_give(&b->f, &b->d), control ? E_FORGED : OK);
	struct hash after = forge_vault_sum(&b->f.vault);
	assert_memory_equal(before.b, after.b, HASH_SIZE);
	assert_int_equal(b->f.vault.count, count + !control);
	assert_int_equal(b->f.vault.void_count, voids + 1);
	assert_int_equal(b->f.vault.newest_void, sequence);
}

void vaultbox_no_effect(struct vaultbox *b) {
	size_t snapshots = b->f.vault.snapshot_count, indexes = b->f.vault.index_count;
	size_t intents = b->f.vault.intent_count, purges = b->f.vault.purge_count;
	vaultbox_take(b);
	assert_int_equal(b->f.vault.snapshot_count, snapshots);
	assert_int_equal(b->f.vault.index_count, indexes);
	assert_int_equal(b->f.vault.intent_count, intents);
	assert_int_equal(b->f.vault.purge_count, purges);
}
