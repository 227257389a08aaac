#include "client/chainread.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/entryproof.h"
#include "format/limits.h"

void chainread_init(struct chainread *c, enum chain_kind kind) {
	memset(c, 0, sizeof *c);
	chainlink_init(&c->link, kind);
	c->end = &c->first;
}

void chainread_done(struct chainread *c) {
	for (struct chainread_entry *e; (e = chainread_take(c));) chainread_entry_free(e);
	epochring_free(c->ring);
	c->ring = NULL;
}

struct chainread_entry *chainread_take(struct chainread *c) {
	struct chainread_entry *e = c->first;
	if (!e) return NULL;
	c->first = e->next;
	if (!c->first) c->end = &c->first;
	return e;
}

void chainread_entry_free(struct chainread_entry *e) {
	mem_free(e);
}

static enum err keep_epoch(struct chainread *c, const struct entrypublic *pub) {
	enum err e = OK;
	if (pub->kind != ENTRYPUBLIC_CREATE && pub->kind != ENTRYPUBLIC_ROTATE) return OK;
	if (!c->ring) e = epochring_new(&c->ring, (enum chain_kind)c->link.kind, &pub->birth);
	if (!e) e = epochring_add(c->ring, &pub->keys);
	return e;
}

static enum err keep(struct chainread *c, const struct entrypublic *pub, struct span bytes) {
	struct chainread_entry *n = mem_alloc(sizeof *n + bytes.len);
	enum err e = n ? keep_epoch(c, pub) : E_NOMEM;
	if (e) {
		mem_free(n);
		return e;
	}
	memcpy(n + 1, bytes.ptr, bytes.len);
	*n = (struct chainread_entry){ .hash = c->link.head, .bytes = span_of(n + 1, bytes.len) };
	*c->end = n;
	c->end = &n->next;
	return OK;
}

void chainread_resume(struct chainread *c, const struct chainlink *link) {
	c->link = *link;
	c->unconfirmed = true;
}

/* The newest entry that was verified before, met again: is it the same? */
static enum err confirm(struct chainread *c, const char *hex, struct span bytes, struct why *why) {
	struct hash hash;
	struct entry entry;
	uint64_t seq = c->link.count - 1;
	entryproof_hash(&hash, bytes);
	if (hash_equal(&hash, &c->link.head)) {
		c->unconfirmed = false;
		return OK;
	}
	bool signed_well = entry_decode(&entry, bytes) == OK &&
		entryproof_access(entry.class == ENTRY_CONTROL ? c->link.admin : c->link.writer,
			span_of(bytes.ptr, entry.access_len), entry.access_signature.ptr) == OK;
	if (signed_well)
		return why_set(why, E_ROLLBACK,
			"chain %.16s: entry %llu is another one than this device saw there: the store was forked or set back",
			hex, (unsigned long long)seq);
	return why_set(why, E_FORGED, "chain %.16s: entry %llu is damaged or forged", hex,
		(unsigned long long)seq);
}

struct reading {
	struct chainread *c;
	const struct hash *id;
};

static enum err follow(struct reading *r, uint64_t seq, struct span bytes, struct why *why) {
	struct chainread *c = r->c;
	struct entry entry;
	struct entrypublic pub;
	char hex[HASH_HEX];
	hash_hex(hex, r->id);
	if (c->unconfirmed && seq + 1 == c->link.count) return confirm(c, hex, bytes, why);
	enum err e = chainlink_next(&c->link, bytes, &entry, &pub);
	if (!e && seq == 0 && !hash_equal(&c->link.id, r->id)) e = E_FORGED;
	if (e == E_FORGED || e == E_FORMAT)
		return why_set(why, E_FORGED, "chain %.16s: entry %llu is damaged or forged", hex,
			(unsigned long long)seq);
	if (e == E_UNSUPPORTED)
		return why_set(
			why, e, "chain %.16s: entry %llu needs a newer program", hex, (unsigned long long)seq);
	if (!e && c->has_seen && c->seen.seq == seq && !hash_equal(&c->seen.hash, &c->link.head))
		return why_set(why, E_ROLLBACK,
			"chain %.16s: entry %llu is another one than this device saw there: the store was forked or set back",
			hex, (unsigned long long)seq);
	if (!e) e = keep(c, &pub, bytes);
	return why_err(why, e, "reading a chain");
}

/* After an entry that was not taken, reading goes on before it or not at all. */
static enum err visit(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct reading *r = ctx;
	struct chainlink before = r->c->link;
	enum err e = follow(r, seq, bytes, why);
	if (e) r->c->link = before;
	return e;
}

enum err chainread_on(
	struct chainread *c, struct store *store, const struct hash *id, struct why *why) {
	struct reading r = { .c = c, .id = id };
	char hex[HASH_HEX];
	enum err e = store_chain_read(
		store, id, c->link.count - c->unconfirmed, STORE_READ_FAST, visit, &r, why);
	/* a segment may be damaged while the entries are not */
	if (e == E_FORGED || e == E_FORMAT)
		e = store_chain_read(
			store, id, c->link.count - c->unconfirmed, STORE_READ_SINGLE, visit, &r, why);
	if (e) return e;
	if (c->unconfirmed) { /* not even what was verified before is there */
		c->seen = (struct head){ .seq = c->link.count - 1, .hash = c->link.head };
		c->has_seen = true;
		c->link.count = 0;
	}
	hash_hex(hex, id);
	if (c->link.count == 0)
		return why_set(why, c->has_seen && !c->may_lag ? E_ROLLBACK : E_NOTFOUND,
			"%s has no chain %.16s%s", store_address(store), hex,
			c->has_seen && !c->may_lag ? ", which this device has seen there" : "");
	c->lags = c->has_seen && c->link.count <= c->seen.seq;
	if (c->lags && !c->may_lag)
		return why_set(why, E_ROLLBACK,
			"chain %.16s ends at entry %llu, but this device has seen entry %llu: the store was set back",
			hex, (unsigned long long)(c->link.count - 1), (unsigned long long)c->seen.seq);
	return OK;
}

static enum err get_boxes(
	struct store *store, struct epochring *ring, uint32_t epoch, struct buf *out, struct why *why) {
	struct hash name = epochring_boxes(ring, epoch);
	buf_clear(out);
	enum err e = store_object_get(store, &name, out, why);
	if (e == E_NOTFOUND || e == E_FORMAT) {
		char hex[HASH_HEX];
		hash_hex(hex, &name);
		return why_set(why, E_FORGED, "object %s (keys of epoch %u) is %s", hex, epoch,
			e == E_NOTFOUND ? "missing" : "damaged");
	}
	return e;
}

static enum err open_newest(struct epochring *ring, struct span object,
	const struct epochring_recipient *recipients, size_t count, struct root_key *root,
	struct why *why) {
	uint32_t newest = epochring_newest(ring);
	enum err e = epochring_open(ring, object, recipients, count, root);
	if (e == E_DENIED)
		e = why_set(
			why, e, "no key of this device opens epoch %u: it has no access (any more)", newest);
	else if (e == E_FORGED || e == E_FORMAT)
		e = why_set(why, E_FORGED, "the keys of epoch %u are not those of the chain", newest);
	return e;
}

enum err chainread_open_epochs(struct chainread *c, struct store *store,
	const struct epochring_recipient *recipients, size_t count, struct root_key *root,
	struct why *why) {
	struct buf object;
	uint32_t newest = epochring_newest(c->ring);
	enum err e = OK;
	buf_init(&object, STORE_OBJECT_MAX);
	if (!epochring_secrets(c->ring, newest)) {
		e = get_boxes(store, c->ring, newest, &object, why);
		if (!e) e = open_newest(c->ring, buf_span(&object), recipients, count, root, why);
	}
	for (uint32_t epoch; !e && (epoch = epochring_oldest_open(c->ring)) > 1;) {
		e = get_boxes(store, c->ring, epoch, &object, why);
		if (e) break; /* the sentence names the object */
		e = epochring_open_previous(c->ring, buf_span(&object));
		if (e == E_FORGED || e == E_FORMAT)
			e = why_set(
				why, E_FORGED, "the keys before epoch %u are not those of the chain", epoch);
	}
	buf_free(&object);
	return e;
}
