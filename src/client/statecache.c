#include "client/statecache.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/reader.h"
#include "base/writer.h"
#include "core/vaultsummary.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "format/limits.h"
#include "os/file.h"

enum { NAME = 32, ITEMS_MAX = 1 << 26 };

static const size_t cache_max = (size_t)1 << 31;
static const uint8_t magic[8] = { 'b', 'r', 'o', 's', 't', 'a', 't', 2 };

static void file_name(char out[NAME], const struct hash *vault) {
	char hex[HASH_HEX];
	hash_hex(hex, vault);
	(void)snprintf(out, NAME, "state-%.16s", hex);
}

static void make_key(uint8_t key[HASH_SIZE], const struct vault *v) {
	struct derive d;
	derive_start(
		&d, LABEL_LOCAL_STATE_CACHE, span_of(v->session->secrets->keys.keys.secret.b, KEY_SIZE));
	derive_hash(&d, &v->id);
	derive_done(&d, key, HASH_SIZE);
}

static void write_hash(struct writer *w, const struct hash *h) {
	writer_raw(w, hash_span(h));
}

static struct hash read_hash(struct reader *r) {
	struct hash h;
	reader_copy(r, h.b, HASH_SIZE);
	return h;
}

static void write_link(struct writer *w, const struct chainlink *c) {
	write_hash(w, &c->id);
	write_hash(w, &c->birth);
	writer_u64(w, c->count);
	write_hash(w, &c->head);
	writer_i64(w, c->time);
	writer_u64(w, c->control_sequence);
	write_hash(w, &c->control_hash);
	writer_u32(w, c->epoch);
	writer_raw(w, span_of(c->reader, SIGN_PUBLIC));
	writer_raw(w, span_of(c->writer, SIGN_PUBLIC));
	writer_raw(w, span_of(c->admin, SIGN_PUBLIC));
}

static void read_link(struct reader *r, struct chainlink *c) {
	chainlink_init(c, CHAIN_VAULT);
	c->id = read_hash(r);
	c->birth = read_hash(r);
	c->count = reader_u64(r);
	c->head = read_hash(r);
	c->time = reader_i64(r);
	c->control_sequence = reader_u64(r);
	c->control_hash = read_hash(r);
	c->epoch = reader_u32(r);
	reader_copy(r, c->reader, SIGN_PUBLIC);
	reader_copy(r, c->writer, SIGN_PUBLIC);
	reader_copy(r, c->admin, SIGN_PUBLIC);
}

static void write_ring(struct writer *w, const struct epochring *ring) {
	writer_u32(w, epochring_newest(ring));
	for (uint32_t i = 1; i <= epochring_newest(ring); i++) {
		const struct epoch_public *p = epochring_stated(ring, i);
		struct hash boxes = epochring_boxes(ring, i);
		writer_raw(w, span_of(p->kem, KEM_PUBLIC));
		writer_raw(w, span_of(p->reader, SIGN_PUBLIC));
		writer_raw(w, span_of(p->writer, SIGN_PUBLIC));
		writer_raw(w, span_of(p->admin, SIGN_PUBLIC));
		write_hash(w, &p->commitment);
		write_hash(w, &boxes);
	}
}

static enum err read_ring(struct reader *r, struct epochring *ring) {
	uint32_t count = reader_u32(r);
	enum err e = count > EPOCHRING_MAX ? E_FORMAT : OK;
	for (uint32_t i = 0; i < count && !e; i++) {
		struct entrypublic_keys k = {
			.kem = reader_raw(r, KEM_PUBLIC),
			.reader = reader_raw(r, SIGN_PUBLIC),
			.writer = reader_raw(r, SIGN_PUBLIC),
			.admin = reader_raw(r, SIGN_PUBLIC),
		};
		k.commitment = read_hash(r);
		k.boxes = read_hash(r);
		e = r->bad ? E_FORMAT : epochring_add(ring, &k);
	}
	return e;
}

/* What only control entries say, and what a summary leaves out. */
static void write_rest(struct writer *w, const struct vaultstate *s) {
	write_hash(w, &s->id);
	write_hash(w, &s->root_commitment);
	writer_u32(w, s->chunk_min);
	writer_u32(w, s->chunk_max);
	writer_u8(w, s->mask_bits);
	write_hash(w, &s->owner);
	writer_u64(w, s->keys_sequence);
	write_hash(w, &s->home);
	writer_u64(w, s->purge_events);
	writer_u64(w, s->summary_sequence);
	streamref_write(w, &s->summary);
	write_hash(w, &s->summary_index.pack);
	writer_u32(w, s->summary_index.offset);
	writer_u32(w, s->summary_index.length);
	writer_u64(w, s->void_count);
	writer_u64(w, s->unknown_count);
	writer_u64(w, s->newest_void);
	writer_u64(w, s->policy_count);
	for (size_t i = 0; i < s->policy_count; i++) {
		writer_i64(w, s->policies[i].time);
		writer_u64(w, s->policies[i].hold);
	}
	writer_u64(w, s->count);
	for (size_t i = 0; i < s->count; i++) writer_i64(w, s->times[i]);
	writer_u64(w, s->purge_count);
	for (size_t i = 0; i < s->purge_count; i++) {
		writer_u64(w, s->purges[i].sequence);
		write_hash(w, &s->purges[i].intended);
		entrypublic_write_packs(w, &s->purges[i].packs);
	}
	writer_u64(w, s->snapshot_count);
	for (size_t i = 0; i < s->snapshot_count; i++) writer_u64(w, s->snapshots[i].touched);
}

static void read_fixed(struct reader *r, struct vaultstate *s) {
	s->id = read_hash(r);
	s->root_commitment = read_hash(r);
	s->chunk_min = reader_u32(r);
	s->chunk_max = reader_u32(r);
	s->mask_bits = reader_u8(r);
	s->owner = read_hash(r);
	s->keys_sequence = reader_u64(r);
	s->home = read_hash(r);
	s->purge_events = reader_u64(r);
	s->summary_sequence = reader_u64(r);
	streamref_read(r, &s->summary);
	s->summary_index.pack = read_hash(r);
	s->summary_index.offset = reader_u32(r);
	s->summary_index.length = reader_u32(r);
	s->void_count = reader_u64(r);
	s->unknown_count = reader_u64(r);
	s->newest_void = reader_u64(r);
}

static uint64_t read_count(struct reader *r) {
	uint64_t n = reader_u64(r);
	if (n > ITEMS_MAX) reader_fail(r);
	return r->bad ? 0 : n;
}

static enum err read_lists(struct reader *r, struct vaultstate *s, uint64_t count) {
	enum err e = OK;
	for (uint64_t n = read_count(r); n > 0 && !e && !r->bad; n--) {
		int64_t time = reader_i64(r);
		e = vaultstate_add_policy(s, time, reader_u64(r));
	}
	uint64_t times = read_count(r);
	if (times != count || s->policy_count == 0) reader_fail(r);
	for (uint64_t i = 0; i < times && !e && !r->bad; i++)
		e = vaultstate_add_time(s, i, reader_i64(r));
	for (uint64_t n = read_count(r); n > 0 && !e && !r->bad; n--) {
		struct vault_purge purge = { .sequence = reader_u64(r) };
		purge.intended = read_hash(r);
		entrypublic_read_packs(r, &purge.packs);
		if (!r->bad) e = vaultstate_add_purge(s, &purge);
	}
	return e;
}

static enum err read_state(struct reader *r, struct vaultstate *s, uint64_t count) {
	read_fixed(r, s);
	enum err e = read_lists(r, s, count);
	uint64_t touched = read_count(r);
	struct span marks = reader_raw(r, (size_t)touched * 8);
	if (e || r->bad) return e ? e : E_FORMAT;
	e = vaultsummary_decode(s, r->rest);
	if (e) return e;
	if (s->count != count || s->snapshot_count != touched) return E_FORMAT;
	struct reader m = reader_over(marks);
	for (size_t i = 0; i < s->snapshot_count; i++) s->snapshots[i].touched = reader_u64(&m);
	return OK;
}

void statecache_save(const struct vault *v) {
	uint8_t key[HASH_SIZE];
	struct hash sum;
	struct buf b;
	char name[NAME];
	if (v->session->folder.cache < 0) return;
	buf_init(&b, cache_max);
	struct writer w = writer_to(&b);
	writer_raw(&w, span_of(magic, sizeof magic));
	write_link(&w, &v->chain.link);
	write_ring(&w, v->chain.ring);
	write_rest(&w, &v->state);
	enum err e = writer_finish(&w);
	if (!e) e = vaultsummary_encode(&v->state, &b);
	make_key(key, v);
	hash_keyed(&sum, key, buf_span(&b));
	mem_wipe(key, sizeof key);
	if (!e) e = buf_add(&b, hash_span(&sum));
	file_name(name, &v->id);
	if (!e) e = file_replace(v->session->folder.cache, name, buf_span(&b), FILE_PRIVATE, NULL);
	err_ignore(e); /* a cache: the chain is there to be read */
	buf_free(&b);
}

static bool is_authentic(const struct vault *v, struct span in) {
	uint8_t key[HASH_SIZE];
	struct hash sum, stated;
	if (in.len < sizeof magic + HASH_SIZE) return false;
	make_key(key, v);
	hash_keyed(&sum, key, span_of(in.ptr, in.len - HASH_SIZE));
	mem_wipe(key, sizeof key);
	stated = hash_from(in.ptr + in.len - HASH_SIZE);
	return hash_equal(&sum, &stated) &&
		span_equal(span_of(in.ptr, sizeof magic), span_of(magic, sizeof magic));
}

static enum err take(struct vault *v, struct span in) {
	struct reader r =
		reader_over(span_of(in.ptr + sizeof magic, in.len - sizeof magic - HASH_SIZE));
	struct chainlink link;
	read_link(&r, &link);
	if (r.bad || !hash_equal(&link.id, &v->id) || !link.count) return E_FORMAT;
	enum err e = epochring_new(&v->chain.ring, CHAIN_VAULT, &link.birth);
	if (!e) e = read_ring(&r, v->chain.ring);
	if (!e && epochring_newest(v->chain.ring) != link.epoch) e = E_FORMAT;
	if (!e) e = read_state(&r, &v->state, link.count);
	if (!e) chainread_resume(&v->chain, &link);
	return e;
}

bool statecache_load(struct vault *v) {
	struct buf b;
	char name[NAME];
	if (v->session->folder.cache < 0) return false;
	buf_init(&b, cache_max);
	file_name(name, &v->id);
	enum err e = file_read_whole(v->session->folder.cache, name, cache_max, &b, NULL);
	if (!e && !is_authentic(v, buf_span(&b))) e = E_FORGED;
	if (!e) e = take(v, buf_span(&b));
	buf_free(&b);
	if (!e) return true;
	vaultstate_done(&v->state);
	struct head seen = v->chain.seen;
	bool has_seen = v->chain.has_seen;
	chainread_done(&v->chain);
	chainread_init(&v->chain, CHAIN_VAULT);
	v->chain.seen = seen;
	v->chain.has_seen = has_seen;
	return false;
}

void statecache_drop(const struct statefolder *f, const struct hash *vault) {
	char name[NAME];
	if (f->cache < 0) return;
	file_name(name, vault);
	err_ignore(file_remove(f->cache, name, NULL));
}
