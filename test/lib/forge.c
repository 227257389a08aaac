#include "forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/writer.h"
#include "crypto/crypto.h"
#include "crypto/entryproof.h"
#include "fixedrandom.h"
#include "format/limits.h"
#include "secret/entryseal.h"
#include "secret/vaultkeys.h"

void forge_check(bool true_, const char *what) {
	if (true_) return;
	(void)fprintf(stderr, "forge: %s\n", what);
	abort();
}

static void make_device(struct forge *f, struct forge_device *d) {
	forge_check(devicekeys_generate(&d->keys, &f->fresh) == OK, "device keys");
	devicekeys_public(&d->pub, &d->keys);
	signer_init(&d->entry, &d->keys.entry);
}

void forge_keys(struct forge *f) {
	memset(f, 0, sizeof *f);
	forge_check(crypto_start() == OK, "crypto");
	fresh_init(&f->fresh, NULL, fixedrandom_clock, 1);
	make_device(f, &f->device);
	make_device(f, &f->second);
	make_device(f, &f->kit);
	make_device(f, &f->new_kit);
	forge_check(vaultkeys_generate_root(&f->root, &f->fresh) == OK, "root");
	memset(f->store.b, 0x51, sizeof f->store.b);
	f->now = FORGE_START;
	for (int k = CHAIN_ACCOUNT; k <= CHAIN_VAULT; k++)
		chainlink_init(&f->chains[k].link, (enum chain_kind)k);
	accountstate_init(&f->account);
	vaultstate_init(&f->vault);
	guarded_init(&f->memory, LIMIT_ENTRY);
}

void forge_done(struct forge *f) {
	accountstate_done(&f->account);
	vaultstate_done(&f->vault);
	epochring_free(f->chains[CHAIN_ACCOUNT].ring);
	epochring_free(f->chains[CHAIN_VAULT].ring);
	guarded_done(&f->memory);
}

struct entrypublic forge_public_of(uint8_t kind) {
	return (struct entrypublic){ .kind = kind };
}

static struct devicerecord record_of(const struct forge_device *d, uint8_t kind, const char *name) {
	return (struct devicerecord){
		.kind = kind,
		.entry_key = span_of(d->pub.entry, SIGN_PUBLIC),
		.request_key = span_of(d->pub.request, SIGN_PUBLIC),
		.kem_key = span_of(d->pub.kem, KEM_PUBLIC),
		.name = span_text(name),
		.created = FORGE_START,
	};
}

struct accountbody forge_add_body(
	struct forge *f, struct forge_room *room, const struct forge_device *who, uint8_t kind) {
	struct accountbody b = {
		.type = ACCOUNTBODY_ADD_DEVICE,
		.device = record_of(who, kind, "laptop"),
		.joined = span_of(room->joined, SIGN_SIGNATURE),
	};
	struct hash none = { { 0 } };
	struct buf record;
	buf_init(&record, 4096);
	forge_check(devicerecord_encode(&b.device, &record) == OK, "device record");
	forge_check(devicekeys_join(room->joined, &who->keys, f->account.count ? &f->account.id : &none,
					buf_span(&record)) == OK,
		"joined");
	buf_free(&record);
	return b;
}

struct accountbody forge_create_body(struct forge *f, struct forge_room *room) {
	struct accountbody b = forge_add_body(f, room, &f->device, DEVICERECORD_FULL);
	b.type = ACCOUNTBODY_CREATE;
	b.kit = record_of(&f->kit, DEVICERECORD_KIT, "kit");
	b.home = f->store;
	return b;
}

struct accountbody forge_recovery_body(const struct forge_device *kit) {
	return (struct accountbody){
		.type = ACCOUNTBODY_RECOVERY,
		.kit = record_of(kit, DEVICERECORD_KIT, "new kit"),
	};
}

struct vaultbody forge_vault_create_body(const struct forge *f) {
	struct vaultbody b = {
		.type = VAULTBODY_CREATE,
		.chunk_min = 4096,
		.chunk_max = 65536,
		.mask_bits = 13,
		.owner = f->account.id,
		.hold = FORGE_HOLD * 86400,
	};
	vaultkeys_root_commitment(&b.root_commitment, &f->root, &f->chains[CHAIN_VAULT].birth);
	return b;
}

/* The secrets of an epoch that begins, and what its entry says of them. */
static void begin_epoch(struct forge *f, struct forge_draft *d, struct entrypublic *p) {
	struct forge_chain *c = &f->chains[d->kind];
	uint32_t n = c->link.epoch;
	forge_check(n < FORGE_EPOCHS, "too many epochs");
	if (p->kind == ENTRYPUBLIC_CREATE) {
		forge_check(fresh_bytes(&f->fresh, c->birth.b, HASH_SIZE) == OK, "birth");
		p->birth = c->birth;
	}
	forge_check(
		epochkeys_generate(&c->secrets[n], d->kind, &c->birth, n + 1, &f->fresh) == OK, "epoch");
	forge_check(epochkeys_public(&c->stated[n], &c->secrets[n]) == OK, "epoch");
	memset(c->boxes[n].b, 0x30 + (int)n, HASH_SIZE);
	const struct epoch_public *s = &c->stated[n];
	p->keys = (struct entrypublic_keys){
		.kem = span_of(s->kem, KEM_PUBLIC),
		.reader = span_of(s->reader, SIGN_PUBLIC),
		.writer = span_of(s->writer, SIGN_PUBLIC),
		.admin = span_of(s->admin, SIGN_PUBLIC),
		.commitment = s->commitment,
		.boxes = c->boxes[n],
	};
	d->outer.epoch = n + 1;
	d->sealing = &c->secrets[n];
	if (p->kind == ENTRYPUBLIC_CREATE) d->access = d->sealing;
}

void forge_raw(struct buf *b, const void *bytes, size_t len) {
	buf_clear(b);
	forge_check(buf_add(b, span_of(bytes, len)) == OK, "raw bytes");
}

void forge_public(struct forge_draft *d, const struct entrypublic *p) {
	buf_clear(&d->public_part);
	forge_check(entrypublic_encode(p, &d->public_part) == OK, "public part");
}

void forge_account_body(struct forge_draft *d, const struct accountbody *body) {
	buf_clear(&d->body);
	d->inner.type = body->type;
	forge_check(accountbody_encode(body, &d->body) == OK, "account body");
}

void forge_vault_body(struct forge_draft *d, const struct vaultbody *body) {
	buf_clear(&d->body);
	d->inner.type = body->type;
	forge_check(vaultbody_encode(body, &d->body) == OK, "vault body");
}

void forge_by(struct forge *f, struct forge_draft *d, const struct forge_device *author) {
	d->author = author;
	d->inner.device = author->pub.id;
	d->inner.own_sequence = ENTRYINNER_NONE;
	memset(&d->inner.own_hash, 0, HASH_SIZE);
	if (d->kind == CHAIN_ACCOUNT) {
		const struct account_device *own = accountstate_device(&f->account, &author->pub.id);
		if (!own) return;
		d->inner.own_sequence = own->own_sequence;
		d->inner.own_hash = own->own_hash;
	} else {
		const struct vault_thread *own = vaultstate_thread(&f->vault, &author->pub.id);
		if (!own) return;
		d->inner.own_sequence = own->sequence;
		d->inner.own_hash = own->hash;
	}
}

static void draft(
	struct forge *f, struct forge_draft *d, enum chain_kind kind, struct entrypublic *p) {
	struct forge_chain *c = &f->chains[kind];
	memset(d, 0, sizeof *d);
	d->kind = kind;
	buf_init(&d->public_part, LIMIT_ENTRY_PUBLIC);
	buf_init(&d->body, LIMIT_ENTRY_BODY);
	d->outer = chainlink_draft(&c->link, f->now);
	if (c->link.epoch) d->sealing = d->access = &c->secrets[c->link.epoch - 1];
	if (p->kind == ENTRYPUBLIC_CREATE || p->kind == ENTRYPUBLIC_ROTATE) begin_epoch(f, d, p);
	forge_public(d, p);
	forge_by(f, d, &f->device);
}

void forge_account(struct forge *f, struct forge_draft *d, const struct accountbody *body,
	struct entrypublic *public_part) {
	draft(f, d, CHAIN_ACCOUNT, public_part);
	d->outer.class = ENTRY_CONTROL;
	d->outer.role = ROLE_ADMIN;
	d->access_role = ROLE_ADMIN;
	d->outer.seal = body->type == ACCOUNTBODY_RECOVERY || body->type == ACCOUNTBODY_VAULT
		? SEAL_BODY
		: SEAL_CONTACT;
	forge_account_body(d, body);
}

void forge_vault(struct forge *f, struct forge_draft *d, const struct vaultbody *body,
	struct entrypublic *public_part) {
	bool control = vaultbody_is_control(body->type);
	draft(f, d, CHAIN_VAULT, public_part);
	d->outer.class = control ? ENTRY_CONTROL : ENTRY_DATA;
	d->outer.role = control ? ROLE_ADMIN : ROLE_WRITER;
	d->access_role = (enum role)d->outer.role;
	d->outer.seal = SEAL_BODY;
	d->inner.account = f->account.id;
	d->inner.account_sequence = f->account.count - 1;
	d->inner.account_head = f->account.hashes[f->account.count - 1];
	forge_vault_body(d, body);
}

void forge_drop(struct forge_draft *d) {
	buf_free(&d->public_part);
	buf_free(&d->body);
}

static void put_hash(struct writer *w, const struct hash *h) {
	writer_raw(w, hash_span(h));
}

/* The padded inner part, by the table of doc/spec/formats.md section 8. */
static void make_inner(const struct forge_draft *d, const struct hash *outer, struct buf *plain) {
	uint8_t signature[SIGN_SIGNATURE];
	const struct entryinner *i = &d->inner;
	struct writer w = writer_to(plain);
	writer_u8(&w, i->type);
	put_hash(&w, &i->account);
	put_hash(&w, &i->device);
	writer_u64(&w, i->account_sequence);
	put_hash(&w, &i->account_head);
	writer_u64(&w, i->own_sequence);
	put_hash(&w, &i->own_hash);
	writer_bytes(&w, buf_span(&d->body));
	forge_check(writer_finish(&w) == OK, "inner part");
	forge_check(entryseal_sign_author(signature, &d->author->entry, outer, buf_span(plain)) == OK,
		"author");
	if (d->fault == FORGE_AUTHOR) signature[7] ^= 1;
	writer_raw(&w, span_of(signature, sizeof signature));
	size_t over = plain->len % SIZE_ENTRY_PADDING;
	writer_zero(&w, over ? SIZE_ENTRY_PADDING - over : 0);
	if (d->fault == FORGE_LONGER) writer_zero(&w, SIZE_ENTRY_PADDING);
	forge_check(writer_finish(&w) == OK, "inner part");
	if (d->fault == FORGE_PADDING) {
		forge_check(over != 0, "no padding");
		plain->ptr[plain->len - 1] = 1;
	}
}

static void seal(struct forge *f, const struct forge_draft *d, const struct hash *outer,
	const struct aead_nonce *nonce, struct buf *sealed) {
	struct buf plain;
	uint8_t *at;
	enum seal kind = (enum seal)d->outer.seal;
	buf_init(&plain, LIMIT_ENTRY_INNER);
	make_inner(d, outer, &plain);
	forge_check(buf_extend(sealed, plain.len + entryseal_overhead(kind), &at) == OK, "sealed part");
	if (kind == SEAL_HPKE) {
		const struct forge_chain *c = &f->chains[d->kind];
		forge_check(entryseal_seal_to(at, c->stated[d->sealing->epoch - 1].kem, outer,
						buf_span(&plain), &f->fresh) == OK,
			"sealing");
	} else entryseal_seal(at, kind, d->sealing, nonce, outer, buf_span(&plain));
	if (d->fault == FORGE_SEALED) at[11] ^= 1;
	buf_free(&plain);
}

void forge_make(struct forge *f, struct forge_draft *d, struct buf *out) {
	uint8_t signature[SIGN_SIGNATURE];
	struct aead_nonce nonce;
	struct signer access;
	struct hash outer;
	struct buf sealed;
	buf_init(&sealed, LIMIT_ENTRY_SEALED);
	forge_check(entryseal_nonce(&nonce, &f->fresh) == OK, "nonce");
	d->outer.nonce = hash_from(nonce.b);
	d->outer.public_part = buf_span(&d->public_part);
	forge_check(entry_begin(&d->outer, out) == OK, "outer part");
	entryproof_outer(&outer, buf_span(out));
	seal(f, d, &outer, &nonce, &sealed);
	forge_check(entry_sealed(buf_span(&sealed), out) == OK, "sealed part");
	forge_check(epochkeys_access(&access, d->access, d->access_role) == OK, "access key");
	forge_check(entryseal_sign_access(signature, &access, buf_span(out)) == OK, "access");
	if (d->fault == FORGE_ACCESS) signature[40] ^= 1;
	forge_check(buf_add(out, span_of(signature, sizeof signature)) == OK, "access");
	signer_done(&access);
	buf_free(&sealed);
	forge_drop(d);
}

/* The ring as the chain stands: with the epochs whose secrets were made for it. */
static void make_ring(struct forge_chain *c) {
	epochring_free(c->ring);
	c->ring = NULL;
	if (!c->link.epoch) return;
	forge_check(
		epochring_new(&c->ring, (enum chain_kind)c->link.kind, &c->link.birth) == OK, "ring");
	for (uint32_t i = 0; i < c->link.epoch; i++) {
		const struct epoch_public *s = &c->stated[i];
		struct entrypublic_keys keys = {
			.kem = span_of(s->kem, KEM_PUBLIC),
			.reader = span_of(s->reader, SIGN_PUBLIC),
			.writer = span_of(s->writer, SIGN_PUBLIC),
			.admin = span_of(s->admin, SIGN_PUBLIC),
			.commitment = s->commitment,
			.boxes = c->boxes[i],
		};
		forge_check(epochring_add(c->ring, &keys) == OK, "ring");
		epochring_set(c->ring, &c->secrets[i]);
	}
}

enum err forge_take(struct forge *f, enum chain_kind kind, struct span bytes) {
	struct forge_chain *c = &f->chains[kind];
	struct chainlink before = c->link;
	struct entry entry;
	struct entrypublic pub;
	struct span in = guarded_copy(&f->memory, bytes, bytes.len);
	enum err e = chainlink_next(&c->link, in, &entry, &pub);
	if (!e && c->link.epoch != before.epoch) make_ring(c);
	if (!e)
		e = kind == CHAIN_ACCOUNT
			? accountstate_apply(&f->account, &entry, in, &c->link.head, c->ring)
			: vaultstate_apply(&f->vault, &entry, in, &c->link.head, c->ring, &f->account);
	if (!e) return OK;
	bool rotated = c->link.epoch != before.epoch;
	c->link = before;
	if (rotated) make_ring(c);
	return e;
}

enum err forge_give(struct forge *f, struct forge_draft *d) {
	struct buf bytes;
	enum chain_kind kind = d->kind;
	buf_init(&bytes, LIMIT_ENTRY);
	forge_make(f, d, &bytes);
	enum err e = forge_take(f, kind, buf_span(&bytes));
	buf_free(&bytes);
	return e;
}

void forge_start(struct forge *f) {
	struct forge_draft d;
	struct forge_room room;
	struct entrypublic pub = forge_public_of(ENTRYPUBLIC_CREATE);
	forge_keys(f);
	struct accountbody account = forge_create_body(f, &room);
	forge_account(f, &d, &account, &pub);
	forge_check(forge_give(f, &d) == OK, "the account's first entry");
	struct vaultbody vault = forge_vault_create_body(f);
	forge_vault(f, &d, &vault, &pub);
	vault = forge_vault_create_body(f); /* again: now there is a birth */
	forge_vault_body(&d, &vault);
	forge_check(forge_give(f, &d) == OK, "the vault's first entry");
}

/* --- sums */

static void add(struct buf *b, const void *p, size_t n) {
	forge_check(buf_add(b, span_of(p, n)) == OK, "sum");
}

static void add_u64(struct buf *b, uint64_t v) {
	add(b, &v, sizeof v);
}

static struct hash sum_of(struct buf *b) {
	struct hash h;
	hash_of(&h, buf_span(b));
	buf_free(b);
	return h;
}

struct hash forge_account_sum(const struct accountstate *s) {
	struct buf b;
	buf_init(&b, (size_t)1 << 30);
	add(&b, s->home.b, HASH_SIZE);
	add_u64(&b, s->rotate_due);
	add_u64(&b, s->vaults_due);
	add_u64(&b, s->device_count);
	for (size_t i = 0; i < s->device_count; i++) {
		const struct account_device *d = &s->devices[i];
		add(&b, d->id.b, HASH_SIZE);
		add_u64(&b, d->kind);
		add_u64(&b, d->added);
		add_u64(&b, d->removed);
		add_u64(&b, d->own_sequence);
		add(&b, d->own_hash.b, HASH_SIZE);
		add(&b, d->name, d->name_len);
	}
	add_u64(&b, s->vault_count);
	for (size_t i = 0; i < s->vault_count; i++) {
		const struct account_vault *v = &s->vaults[i];
		add(&b, v->vault.b, HASH_SIZE);
		add(&b, v->store.b, HASH_SIZE);
		add_u64(&b, v->role);
		add(&b, v->name, v->name_len);
		add_u64(&b, v->anchor_sequence);
		add(&b, v->anchor_hash.b, HASH_SIZE);
	}
	return sum_of(&b);
}

static void add_packs(struct buf *b, const struct entrypublic_packs *p) {
	add_u64(b, p->listed);
	add_u64(b, p->count);
	add(b, p->list.b, HASH_SIZE);
	add(b, p->names.rows.ptr, p->names.rows.len);
}

static void add_snapshot(struct buf *b, const struct vault_snapshot *v) {
	add_u64(b, v->sequence);
	add_u64(b, v->touched);
	add(b, v->id.b, HASH_SIZE);
	add(b, v->device.b, HASH_SIZE);
	add_u64(b, v->forgotten);
	add(b, v->stamp.host.ptr, v->stamp.host.len);
	add(b, v->stamp.branch.ptr, v->stamp.branch.len);
	add_u64(b, v->stamp.tags.count);
	add(b, v->stamp.tags.items.ptr, v->stamp.tags.items.len);
}

struct hash forge_vault_sum(const struct vaultstate *s) {
	struct buf b;
	buf_init(&b, (size_t)1 << 30);
	add(&b, s->root_commitment.b, HASH_SIZE);
	add_u64(&b, s->trust);
	add(&b, s->owner.b, HASH_SIZE);
	add_u64(&b, s->account_sequence);
	add(&b, s->account_head.b, HASH_SIZE);
	add_u64(&b, s->keys_sequence);
	add(&b, s->home.b, HASH_SIZE);
	add_u64(&b, s->purge_events);
	for (size_t i = 0; i < s->snapshot_count; i++) add_snapshot(&b, &s->snapshots[i]);
	for (size_t i = 0; i < s->index_count; i++) {
		add(&b, s->indexes[i].location.pack.b, HASH_SIZE);
		add_u64(&b, s->indexes[i].location.offset);
		add_u64(&b, s->indexes[i].sequence);
	}
	for (size_t i = 0; i < s->intent_count; i++) {
		add_u64(&b, s->intents[i].sequence);
		add_u64(&b, (uint64_t)s->intents[i].time);
		add_packs(&b, &s->intents[i].packs);
	}
	for (size_t i = 0; i < s->purge_count; i++) {
		add_u64(&b, s->purges[i].sequence);
		add_packs(&b, &s->purges[i].packs);
	}
	for (size_t i = 0; i < s->thread_count; i++) {
		add(&b, s->threads[i].device.b, HASH_SIZE);
		add_u64(&b, s->threads[i].sequence);
		add(&b, s->threads[i].hash.b, HASH_SIZE);
	}
	for (size_t i = 0; i < s->policy_count; i++) {
		add_u64(&b, (uint64_t)s->policies[i].time);
		add_u64(&b, s->policies[i].hold);
	}
	return sum_of(&b);
}
