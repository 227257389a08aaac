#include "client/packread.h"

#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "format/limits.h"
#include "format/packhead.h"
#include "os/mutex.h"
#include "secret/packkeys.h"

struct opened {
	struct hash name;
	struct pack_keys keys;
};

struct packread {
	struct store *store;
	struct hash vault;
	const struct epochring *ring;
	struct mutex lock;
	struct opened **slots; /* by name; open addressing */
	size_t slot_count, count;
};

enum err packread_new(struct packread **out, struct store *store, const struct hash *vault,
	const struct epochring *ring, struct why *why) {
	struct packread *p = mem_zalloc(sizeof *p);
	if (!p) return why_err(why, E_NOMEM, "reading packs");
	p->store = store;
	p->vault = *vault;
	p->ring = ring;
	p->slot_count = 64;
	p->slots = mem_array(p->slot_count, sizeof(struct opened *));
	mutex_init(&p->lock);
	if (!p->slots) {
		packread_free(p);
		return why_err(why, E_NOMEM, "reading packs");
	}
	*out = p;
	return OK;
}

static void opened_free(struct opened *o) {
	if (o) mem_wipe(o, sizeof *o);
	mem_free(o);
}

void packread_free(struct packread *p) {
	if (!p) return;
	for (size_t i = 0; p->slots && i < p->slot_count; i++) opened_free(p->slots[i]);
	mem_free(p->slots);
	mutex_done(&p->lock);
	mem_free(p);
}

static enum err damaged(struct why *why, const struct hash *pack, const char *what) {
	char hex[HASH_HEX];
	hash_hex(hex, pack);
	return why_set(why, E_FORGED, "pack %s: %s is damaged or forged", hex, what);
}

/* A pack that is missing or shorter than it should be. */
static enum err unreadable(enum err e, const struct hash *pack, struct why *why) {
	char hex[HASH_HEX];
	hash_hex(hex, pack);
	if (e == E_NOTFOUND) return why_set(why, e, "pack %s is missing", hex);
	if (e == E_FORMAT) return why_set(why, E_FORGED, "pack %s is shorter than it was", hex);
	return e;
}

static enum err derive(struct packread *p, const struct hash *pack, struct span header,
	struct pack_keys *keys, struct why *why) {
	struct packhead head;
	struct kem_seed kem;
	enum err e = packhead_decode(&head, header);
	if (e) return damaged(why, pack, "its header");
	if (head.epoch > epochring_newest(p->ring)) return damaged(why, pack, "its header");
	e = epochring_kem(p->ring, head.epoch, &kem);
	if (e) return why_set(why, e, "the keys of epoch %u are not open", head.epoch);
	e = packkeys_receiver(keys, &kem, &p->vault, head.epoch, head.enc.ptr, &head.commitment);
	mem_wipe(&kem, sizeof kem);
	return e ? damaged(why, pack, "its header") : OK;
}

static struct opened **slot_of(struct packread *p, const struct hash *pack) {
	size_t mask = p->slot_count - 1;
	size_t i = little_get64(pack->b) & mask;
	while (p->slots[i] && hash_order(&p->slots[i]->name, pack) != 0) i = (i + 1) & mask;
	return &p->slots[i];
}

static bool grow(struct packread *p) {
	size_t old_count = p->slot_count;
	struct opened **old = p->slots, **wider = mem_array(old_count * 2, sizeof(struct opened *));
	if (!wider) return false;
	p->slots = wider;
	p->slot_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++)
		if (old[i]) *slot_of(p, &old[i]->name) = old[i];
	mem_free(old);
	return true;
}

/* Keeps the keys of a pack; if another thread was first, its copy stays. */
static const struct opened *remember(struct packread *p, struct opened *o) {
	mutex_lock(&p->lock);
	if ((p->count + 1) * 2 > p->slot_count && !grow(p)) {
		mutex_unlock(&p->lock);
		return NULL;
	}
	struct opened **slot = slot_of(p, &o->name);
	if (*slot) {
		opened_free(o);
	} else {
		*slot = o;
		p->count++;
	}
	const struct opened *kept = *slot;
	mutex_unlock(&p->lock);
	return kept;
}

static enum err keys_of(
	struct packread *p, const struct hash *pack, const struct pack_keys **keys, struct why *why) {
	uint8_t header[SIZE_PACK_HEADER];
	mutex_lock(&p->lock);
	const struct opened *known = *slot_of(p, pack);
	mutex_unlock(&p->lock);
	if (known) {
		*keys = &known->keys;
		return OK;
	}
	enum err e = store_pack_get(p->store, &p->vault, pack, 0, sizeof header, header, why);
	if (e) return unreadable(e, pack, why);
	struct opened *o = mem_zalloc(sizeof *o);
	if (!o) return why_err(why, E_NOMEM, "reading packs");
	o->name = *pack;
	e = derive(p, pack, span_of(header, sizeof header), &o->keys, why);
	if (e) {
		opened_free(o);
		return e;
	}
	known = remember(p, o);
	if (!known) {
		opened_free(o);
		return why_err(why, E_NOMEM, "reading packs");
	}
	*keys = &known->keys;
	return OK;
}

enum err packread_record(struct packread *p, const struct hash *pack, uint32_t offset,
	uint32_t length, struct buf *out, struct why *why) {
	const struct pack_keys *keys;
	uint8_t *at;
	size_t before = out->len;
	if (length <= SIZE_TAG || length > LIMIT_RECORD) return damaged(why, pack, "a place in it");
	enum err e = keys_of(p, pack, &keys, why);
	if (e) return e;
	e = buf_extend(out, length, &at);
	if (e) return why_err(why, e, "reading packs");
	e = store_pack_get(p->store, &p->vault, pack, offset, length, at, why);
	if (e) e = unreadable(e, pack, why);
	else if (packkeys_open(at, keys, PACK_RECORD, offset, span_of(at, length)))
		e = damaged(why, pack, "a record");
	out->len = e ? before : before + length - SIZE_TAG;
	return e;
}

static enum err open_table(const struct pack_keys *keys, const struct packhead_trailer *t,
	uint8_t *at, struct packtable *out) {
	if (packkeys_open(at, keys, PACK_TABLE, t->table_offset, span_of(at, t->table_length)))
		return E_FORGED;
	return packtable_decode(out, span_of(at, t->table_length - SIZE_TAG), t->table_offset);
}

static enum err open_trailer(const struct pack_keys *keys, const uint8_t *sealed, uint64_t size,
	struct packhead_trailer *t) {
	uint8_t trailer[SIZE_PACK_TRAILER_SEALED];
	if (packkeys_open(trailer, keys, PACK_TRAILER, size - SIZE_PACK_TRAILER_SEALED,
			span_of(sealed, SIZE_PACK_TRAILER_SEALED)))
		return E_FORGED;
	return packhead_trailer_decode(t, span_of(trailer, SIZE_PACK_TRAILER), size);
}

enum err packread_table(struct packread *p, const struct hash *pack, uint64_t size,
	struct packtable *out, struct buf *bytes, struct why *why) {
	const struct pack_keys *keys;
	uint8_t sealed[SIZE_PACK_TRAILER_SEALED];
	struct packhead_trailer t;
	uint8_t *at;
	if (size < LIMIT_PACK_LEAST || size > LIMIT_PACK) return damaged(why, pack, "its length");
	enum err e = keys_of(p, pack, &keys, why);
	if (e) return e;
	e = store_pack_get(p->store, &p->vault, pack, size - sizeof sealed, sizeof sealed, sealed, why);
	if (e) return unreadable(e, pack, why);
	if (open_trailer(keys, sealed, size, &t)) return damaged(why, pack, "its trailer");
	buf_clear(bytes);
	e = buf_extend(bytes, t.table_length, &at);
	if (e) return why_err(why, e, "reading packs");
	e = store_pack_get(p->store, &p->vault, pack, t.table_offset, t.table_length, at, why);
	if (e) return unreadable(e, pack, why);
	return open_table(keys, &t, at, out) ? damaged(why, pack, "its table") : OK;
}

enum err packread_whole_open(struct packread *p, const struct hash *pack, struct span bytes,
	struct packread_whole *out, struct why *why) {
	struct packhead_trailer t;
	uint8_t *at;
	memset(out, 0, sizeof *out);
	buf_init(&out->table_bytes, LIMIT_PACK);
	if (bytes.len < LIMIT_PACK_LEAST || bytes.len > LIMIT_PACK)
		return damaged(why, pack, "its length");
	struct pack_keys *keys = mem_zalloc(sizeof *keys);
	if (!keys) return why_err(why, E_NOMEM, "reading packs");
	out->keys = keys;
	enum err e = derive(p, pack, span_of(bytes.ptr, SIZE_PACK_HEADER), keys, why);
	if (!e && open_trailer(keys, bytes.ptr + bytes.len - SIZE_PACK_TRAILER_SEALED, bytes.len, &t))
		e = damaged(why, pack, "its trailer");
	if (!e) e = why_err(why, buf_extend(&out->table_bytes, t.table_length, &at), "reading packs");
	if (!e) {
		memcpy(at, bytes.ptr + t.table_offset, t.table_length);
		if (open_table(keys, &t, at, &out->table)) e = damaged(why, pack, "its table");
	}
	if (e) packread_whole_close(out);
	return e;
}

enum err packread_whole_record(const struct packread_whole *w, struct span bytes, uint32_t offset,
	uint32_t length, struct buf *out) {
	uint8_t *at;
	if (length <= SIZE_TAG || offset > bytes.len || length > bytes.len - offset) return E_FORGED;
	enum err e = buf_extend(out, length - SIZE_TAG, &at);
	if (!e)
		e = packkeys_open(at, w->keys, PACK_RECORD, offset, span_of(bytes.ptr + offset, length));
	return e;
}

void packread_whole_close(struct packread_whole *w) {
	if (w->keys) mem_wipe(w->keys, sizeof(struct pack_keys));
	mem_free(w->keys);
	w->keys = NULL;
	buf_free(&w->table_bytes);
}
