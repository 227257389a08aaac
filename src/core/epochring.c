#include "core/epochring.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "format/boxes.h"
#include "secret/secretmem.h"

/* more epochs than chains have: readers on other threads are not disturbed by a new one */
enum { ROOM_FIRST = 32 };

struct epoch {
	struct epoch_public stated;
	struct hash boxes;
	bool open;
	struct epoch_secrets secrets;
};

struct epochring {
	enum chain_kind kind;
	struct hash birth;
	uint32_t count, room;
	struct epoch *epochs; /* secretmem; epoch n at n - 1 */
};

enum err epochring_new(struct epochring **out, enum chain_kind kind, const struct hash *birth) {
	struct epochring *r = mem_zalloc(sizeof *r);
	if (!r) return E_NOMEM;
	r->kind = kind;
	r->birth = *birth;
	*out = r;
	return OK;
}

void epochring_free(struct epochring *r) {
	if (!r) return;
	secretmem_free(r->epochs);
	mem_free(r);
}

static enum err grow(struct epochring *r) {
	if (r->count < r->room) return OK;
	uint32_t room = r->room ? r->room * 2 : ROOM_FIRST;
	if (room > EPOCHRING_MAX) return E_LIMIT;
	struct epoch *wider = secretmem_alloc(room * sizeof *wider);
	if (!wider) return E_NOMEM;
	if (r->count) memcpy(wider, r->epochs, r->count * sizeof *wider);
	secretmem_free(r->epochs);
	r->epochs = wider;
	r->room = room;
	return OK;
}

enum err epochring_add(struct epochring *r, const struct entrypublic_keys *keys) {
	enum err e = grow(r);
	if (e) return e;
	struct epoch *n = &r->epochs[r->count];
	memset(n, 0, sizeof *n);
	memcpy(n->stated.kem, keys->kem.ptr, KEM_PUBLIC);
	memcpy(n->stated.reader, keys->reader.ptr, SIGN_PUBLIC);
	memcpy(n->stated.writer, keys->writer.ptr, SIGN_PUBLIC);
	memcpy(n->stated.admin, keys->admin.ptr, SIGN_PUBLIC);
	n->stated.commitment = keys->commitment;
	n->boxes = keys->boxes;
	r->count++;
	return OK;
}

uint32_t epochring_newest(const struct epochring *r) {
	return r->count;
}

struct hash epochring_boxes(const struct epochring *r, uint32_t epoch) {
	assert(epoch >= 1 && epoch <= r->count);
	return r->epochs[epoch - 1].boxes;
}

const struct epoch_public *epochring_stated(const struct epochring *r, uint32_t epoch) {
	assert(epoch >= 1 && epoch <= r->count);
	return &r->epochs[epoch - 1].stated;
}

const uint8_t *epochring_kem_public(const struct epochring *r, uint32_t epoch) {
	assert(epoch >= 1 && epoch <= r->count);
	return r->epochs[epoch - 1].stated.kem;
}

/* Tries one box with one recipient, and believes it only if it is what the entry states. */
static enum err try_box(struct epochring *r, const struct epochring_recipient *who, struct span box,
	struct root_key *root) {
	struct box_content content;
	struct epoch *newest = &r->epochs[r->count - 1];
	enum err e = box_open(&content, &who->kem, &who->id, r->kind, &r->birth, r->count, box.ptr);
	if (!e && epochkeys_check(&content.secrets, &newest->stated)) e = E_FORMAT;
	if (!e) {
		newest->secrets = content.secrets;
		newest->open = true;
		if (root) *root = content.root;
	}
	mem_wipe(&content, sizeof content);
	return e;
}

enum err epochring_open(struct epochring *r, struct span object,
	const struct epochring_recipient *recipients, size_t count, struct root_key *root) {
	struct boxes boxes;
	enum err e = boxes_decode(&boxes, object);
	if (e) return e;
	if (boxes.epoch != r->count) return E_FORGED;
	bool wrong = false;
	for (uint16_t i = 0; i < boxes.count; i++) {
		struct span tag, box;
		boxes_at(&boxes, i, &tag, &box);
		for (size_t k = 0; k < count; k++) {
			e = try_box(r, &recipients[k], box, root);
			if (e == OK || e == E_NOMEM) return e;
			if (e != E_FORGED) wrong = true; /* it opened, but is not what the chain says */
		}
	}
	return wrong ? E_FORGED : E_DENIED;
}

uint32_t epochring_oldest_open(const struct epochring *r) {
	uint32_t oldest = 0;
	for (uint32_t i = r->count; i > 0 && r->epochs[i - 1].open; i--) oldest = i;
	return oldest;
}

enum err epochring_open_previous(struct epochring *r, struct span object) {
	struct boxes boxes;
	struct epoch_secret previous;
	uint32_t oldest = epochring_oldest_open(r);
	if (oldest <= 1) return E_NOTFOUND;
	enum err e = boxes_decode(&boxes, object);
	if (e) return e;
	if (boxes.epoch != oldest) return E_FORGED;
	struct epoch *before = &r->epochs[oldest - 2];
	e = epochkeys_unwrap(&previous, &r->epochs[oldest - 1].secrets, boxes.wrap.ptr);
	if (!e) {
		if (r->kind == CHAIN_ACCOUNT)
			epochkeys_account(&before->secrets, &r->birth, oldest - 1, &previous);
		else epochkeys_reader(&before->secrets, &r->birth, oldest - 1, &previous);
		e = epochkeys_check(&before->secrets, &before->stated);
		if (!e) before->open = true;
		else mem_wipe(&before->secrets, sizeof before->secrets);
	}
	mem_wipe(&previous, sizeof previous);
	return e;
}

const struct epoch_secrets *epochring_secrets(const struct epochring *r, uint32_t epoch) {
	if (epoch < 1 || epoch > r->count || !r->epochs[epoch - 1].open) return NULL;
	return &r->epochs[epoch - 1].secrets;
}

void epochring_set(struct epochring *r, const struct epoch_secrets *secrets) {
	assert(secrets->epoch == r->count);
	r->epochs[r->count - 1].secrets = *secrets;
	r->epochs[r->count - 1].open = true;
}

enum err epochring_kem(const struct epochring *r, uint32_t epoch, struct kem_seed *out) {
	const struct epoch_secrets *s = epochring_secrets(r, epoch);
	if (!s) return E_DENIED;
	epochkeys_kem(out, s);
	return OK;
}
