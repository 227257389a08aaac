#include "client/mirrorchain.h"

#include "os/signals.h"

static const size_t hashes_max = (size_t)1 << 32;

struct reading {
	const struct mirrorchain *m;
	struct store *store;
	struct chainlink link;
	struct buf *hashes; /* of the mirror's entries, HASH_SIZE each */
	bool to_mirror;     /* the source is read, and goes to the mirror */
	uint64_t copied;
};

static enum err damaged(const struct reading *r, uint64_t seq, struct why *why) {
	char hex[HASH_HEX];
	hash_hex(hex, &r->m->chain);
	return why_set(why, E_FORGED, "%.200s: chain %s, entry %llu is damaged or forged",
		store_address(r->store), hex, (unsigned long long)seq);
}

static enum err forked(const struct reading *r, uint64_t seq, struct why *why) {
	char hex[HASH_HEX];
	hash_hex(hex, &r->m->chain);
	return why_set(why, E_ROLLBACK,
		"chain %.16s: the mirror has another entry %llu than the store it is copied from: one of them was forked or set back",
		hex, (unsigned long long)seq);
}

static enum err give(struct reading *r, uint64_t seq, struct span bytes, struct why *why) {
	uint64_t there = r->hashes->len / HASH_SIZE;
	if (seq < there) {
		struct hash known = hash_from(r->hashes->ptr + seq * HASH_SIZE);
		return hash_equal(&known, &r->link.head) ? OK : forked(r, seq, why);
	}
	if (seq >= r->m->count) return E_CANCELLED; /* enough */
	enum err e = store_chain_append(r->m->to, &r->m->chain, seq, bytes, why);
	if (e == E_BUSY) return forked(r, seq, why);
	if (!e) r->copied++;
	return e;
}

static enum err visit(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct reading *r = ctx;
	struct entry entry;
	struct entrypublic pub;
	if (signals_asked()) return why_set(why, E_CANCELLED, "interrupted");
	enum err e = chainlink_next(&r->link, bytes, &entry, &pub);
	if (!e && seq == 0 && !hash_equal(&r->link.id, &r->m->chain)) {
		chainlink_init(&r->link, r->m->kind); /* nothing that follows it is taken either */
		e = E_FORGED;
	}
	if (e == E_FORGED || e == E_FORMAT) return damaged(r, seq, why);
	if (e) return why_err(why, e, "reading a chain");
	if (r->to_mirror) return give(r, seq, bytes, why);
	return why_err(why, buf_add(r->hashes, hash_span(&r->link.head)), "reading a chain");
}

static enum err read_all(struct reading *r, struct why *why) {
	chainlink_init(&r->link, r->m->kind);
	enum err e = store_chain_read(r->store, &r->m->chain, 0, STORE_READ_FAST, visit, r, why);
	/* a segment may be damaged while the entries are not */
	if (e == E_FORGED || e == E_FORMAT)
		e = store_chain_read(
			r->store, &r->m->chain, r->link.count, STORE_READ_SINGLE, visit, r, why);
	return e;
}

enum err mirrorchain_copy(const struct mirrorchain *m, uint64_t *copied, struct why *why) {
	struct buf hashes;
	buf_init(&hashes, hashes_max);
	struct reading mirror = { .m = m, .store = m->to, .hashes = &hashes };
	struct reading source = { .m = m, .store = m->from, .hashes = &hashes, .to_mirror = true };
	enum err e = read_all(&mirror, why);
	if (!e) e = read_all(&source, why);
	if (e == E_CANCELLED && !signals_asked()) e = OK;
	if (!e && source.link.count < mirror.link.count)
		e = why_set(why, E_ROLLBACK,
			"the mirror has entry %llu of a chain that ends at entry %llu in %.200s: that store was set back",
			(unsigned long long)(mirror.link.count - 1),
			(unsigned long long)(source.link.count - 1), store_address(m->from));
	*copied += source.copied;
	buf_free(&hashes);
	return e;
}
