#include "core/epochring.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "format/boxes.h"
#include "secret/secretmem.h"

/* Epochs lie in pieces that stay where they are: the first two have room for as many, each further one for twice as many. */
enum { PIECE_FIRST = 32, PIECES = 12 };

struct epoch {
	struct epoch_public stated;
	struct hash boxes;
	atomic_bool open; /* ${secrets} are there, and change no more */
	struct epoch_secrets secrets;
};

struct epochring {
	enum chain_kind kind;
	struct hash birth;
	_Atomic uint32_t count;       /* what is below it can be read by any thread */
	struct epoch *pieces[PIECES]; /* secretmem */
};

static_assert(PIECE_FIRST << (PIECES - 1) == EPOCHRING_MAX, "pieces for all epochs");

/* The piece in which the epoch at ${index} lies, and where in it. */
static unsigned piece_of(uint32_t index, uint32_t *at) {
	unsigned piece = 0;
	uint32_t first = 0, room = PIECE_FIRST;
	while (index - first >= room) {
		first += room;
		if (piece++) room *= 2;
	}
	*at = index - first;
	return piece;
}

static uint32_t count_of(const struct epochring *r) {
	return atomic_load_explicit(&r->count, memory_order_acquire);
}

/* Epoch ${n}, which there is. */
static struct epoch *epoch_at(const struct epochring *r, uint32_t n) {
	uint32_t at;
	assert(n >= 1 && n <= count_of(r));
	unsigned piece = piece_of(n - 1, &at);
	return &r->pieces[piece][at];
}

static void set_open(struct epoch *n) {
	atomic_store_explicit(&n->open, true, memory_order_release);
}

static bool is_open(const struct epoch *n) {
	return atomic_load_explicit(&n->open, memory_order_acquire);
}

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
	for (unsigned i = 0; i < PIECES; i++) secretmem_free(r->pieces[i]);
	mem_free(r);
}

/* Room for one more, which is zero. */
static enum err next_room(struct epochring *r, struct epoch **out) {
	uint32_t at, count = count_of(r);
	if (count >= EPOCHRING_MAX) return E_LIMIT;
	unsigned piece = piece_of(count, &at);
	uint32_t room = piece < 2 ? PIECE_FIRST : (uint32_t)PIECE_FIRST << (piece - 1);
	if (!r->pieces[piece]) r->pieces[piece] = secretmem_alloc(room * sizeof **out);
	if (!r->pieces[piece]) return E_NOMEM;
	*out = &r->pieces[piece][at];
	return OK;
}

enum err epochring_add(struct epochring *r, const struct entrypublic_keys *keys) {
	struct epoch *n;
	enum err e = next_room(r, &n);
	if (e) return e;
	memcpy(n->stated.kem, keys->kem.ptr, KEM_PUBLIC);
	memcpy(n->stated.reader, keys->reader.ptr, SIGN_PUBLIC);
	memcpy(n->stated.writer, keys->writer.ptr, SIGN_PUBLIC);
	memcpy(n->stated.admin, keys->admin.ptr, SIGN_PUBLIC);
	n->stated.commitment = keys->commitment;
	n->boxes = keys->boxes;
	atomic_store_explicit(&r->count, count_of(r) + 1, memory_order_release);
	return OK;
}

uint32_t epochring_newest(const struct epochring *r) {
	return count_of(r);
}

struct hash epochring_boxes(const struct epochring *r, uint32_t epoch) {
	return epoch_at(r, epoch)->boxes;
}

const struct epoch_public *epochring_stated(const struct epochring *r, uint32_t epoch) {
	return &epoch_at(r, epoch)->stated;
}

const uint8_t *epochring_kem_public(const struct epochring *r, uint32_t epoch) {
	return epoch_at(r, epoch)->stated.kem;
}

/* Tries one box with one recipient, and believes it only if it is what the entry states. */
static enum err try_box(struct epochring *r, const struct epochring_recipient *who, struct span box,
	struct root_key *root) {
	struct box_content content;
	uint32_t count = count_of(r);
	struct epoch *newest = epoch_at(r, count);
	enum err e = box_open(&content, &who->kem, &who->id, r->kind, &r->birth, count, box.ptr);
	if (!e && epochkeys_check(&content.secrets, &newest->stated)) e = E_FORMAT;
	if (!e && !is_open(newest)) {
		newest->secrets = content.secrets;
		set_open(newest);
	}
	if (!e && root) *root = content.root;
	mem_wipe(&content, sizeof content);
	return e;
}

enum err epochring_open(struct epochring *r, struct span object,
	const struct epochring_recipient *recipients, size_t count, struct root_key *root) {
	struct boxes boxes;
	enum err e = boxes_decode(&boxes, object);
	if (e) return e;
	if (boxes.epoch != count_of(r)) return E_FORGED;
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
	for (uint32_t i = count_of(r); i > 0 && is_open(epoch_at(r, i)); i--) oldest = i;
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
	struct epoch *before = epoch_at(r, oldest - 1);
	e = epochkeys_unwrap(&previous, &epoch_at(r, oldest)->secrets, boxes.wrap.ptr);
	if (!e) {
		if (r->kind == CHAIN_ACCOUNT)
			epochkeys_account(&before->secrets, &r->birth, oldest - 1, &previous);
		else epochkeys_reader(&before->secrets, &r->birth, oldest - 1, &previous);
		e = epochkeys_check(&before->secrets, &before->stated);
		if (!e) set_open(before);
		else mem_wipe(&before->secrets, sizeof before->secrets);
	}
	mem_wipe(&previous, sizeof previous);
	return e;
}

const struct epoch_secrets *epochring_secrets(const struct epochring *r, uint32_t epoch) {
	if (epoch < 1 || epoch > count_of(r) || !is_open(epoch_at(r, epoch))) return NULL;
	return &epoch_at(r, epoch)->secrets;
}

void epochring_set(struct epochring *r, const struct epoch_secrets *secrets) {
	struct epoch *newest = epoch_at(r, count_of(r));
	assert(secrets->epoch == count_of(r));
	newest->secrets = *secrets;
	set_open(newest);
}

enum err epochring_kem(const struct epochring *r, uint32_t epoch, struct kem_seed *out) {
	const struct epoch_secrets *s = epochring_secrets(r, epoch);
	if (!s) return E_DENIED;
	epochkeys_kem(out, s);
	return OK;
}
