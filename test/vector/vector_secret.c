/*
 * The vectors of test/vector/crypto/ that need secrets. Of each case the program first makes what
 * the case says, from the same random bytes, and then opens it; of the bad variants it only
 * opens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "casefile.h"
#include "crypto/crypto.h"
#include "fixedrandom.h"
#include "secret/argon.h"
#include "secret/box.h"
#include "secret/entryseal.h"
#include "secret/keystorecrypt.h"
#include "secret/locator.h"
#include "secret/packkeys.h"
#include "secret/vaultkeys.h"
#include "secret/xwing.h"

enum { OUT_MAX = 8192 };

#define TAKE(to, c, field) casefile_copy(&(to), (c), (field), sizeof(to))
#define IS(c, field, value) casefile_is((c), (field), &(value), sizeof(value))

static struct hash hash_field(const struct casefile_case *c, const char *field) {
	struct hash h;
	TAKE(h, c, field);
	return h;
}

static const uint8_t *public_field(const struct casefile_case *c) {
	return casefile_fixed(c, "public", KEM_PUBLIC).ptr;
}

static enum err matches(bool good) {
	return good ? OK : E_COUNT;
}

static void start_fresh(struct fresh *f, const struct casefile_case *c) {
	struct device_secret device;
	TAKE(device, c, "device");
	fixedrandom_install(casefile_fixed(c, "random", KEY_SIZE).ptr);
	fixedrandom_set_clock(casefile_number(c, "clock"));
	fresh_init(f, &device, fixedrandom_clock, casefile_number(c, "process"));
}

/* --- hash.txt, sign.txt */

static enum err make_fresh(const struct casefile_case *c) {
	struct fresh f;
	uint8_t out[128];
	size_t n = casefile_bytes(c, "out").len;
	if (n > sizeof out) return E_LIMIT;
	start_fresh(&f, c);
	enum err e = fresh_bytes(&f, out, n);
	return e ? e : matches(casefile_is(c, "out", out, n) && casefile_number(c, "counter") == 1);
}

static enum err make_sign(const struct casefile_case *c) {
	struct sign_seed seed;
	struct signer signer;
	uint8_t key[SIGN_PUBLIC], signature[SIGN_SIGNATURE];
	struct span message = casefile_bytes(c, "message");
	TAKE(seed, c, "seed");
	signer_init(&signer, &seed);
	signer_public(key, &signer);
	enum err e = signer_sign(signature, &signer, casefile_text(c, "context"), &message, 1);
	return e ? e : matches(IS(c, "public", key) && IS(c, "signature", signature));
}

static enum err make_entry_signatures(const struct casefile_case *c) {
	struct sign_seed seed;
	struct signer access, author;
	struct hash outer = hash_field(c, "outer");
	uint8_t a[SIGN_SIGNATURE], b[SIGN_SIGNATURE];
	TAKE(seed, c, "access");
	signer_init(&access, &seed);
	TAKE(seed, c, "author");
	signer_init(&author, &seed);
	enum err e = entryseal_sign_access(a, &access, casefile_bytes(c, "before"));
	if (!e) e = entryseal_sign_author(b, &author, &outer, casefile_bytes(c, "inner"));
	return e ? e : matches(IS(c, "access_signature", a) && IS(c, "author_signature", b));
}

static bool is_public(const struct casefile_case *c, const struct device_public *p) {
	return IS(c, "entry_public", p->entry) && IS(c, "request_public", p->request) &&
		IS(c, "kem_public", p->kem) && IS(c, "id", p->id);
}

static enum err make_device(const struct casefile_case *c) {
	struct device_keys keys = { .secret = { { 0 } } };
	struct device_public p;
	struct hash account = hash_field(c, "account");
	uint8_t joined[SIGN_SIGNATURE];
	TAKE(keys.kem, c, "kem");
	TAKE(keys.entry, c, "entry");
	TAKE(keys.request, c, "request");
	devicekeys_public(&p, &keys);
	enum err e = devicekeys_join(joined, &keys, &account, casefile_bytes(c, "record"));
	return e ? e : matches(is_public(c, &p) && IS(c, "joined", joined));
}

static enum err make_kit(const struct casefile_case *c) {
	struct kit_secret secret;
	struct kit_keys k;
	struct device_public p;
	TAKE(secret, c, "secret");
	kitkeys_derive(&k, &secret);
	kitkeys_public(&p, &k);
	return matches(IS(c, "kem", k.kem) && IS(c, "entry", k.entry) && IS(c, "request", k.request) &&
		IS(c, "locator", k.locator) && is_public(c, &p));
}

static enum err skip(const struct casefile_case *c) {
	(void)c;
	return OK;
}

/* --- aead.txt */

static enum err make_aead(const struct casefile_case *c) {
	struct aead_key key;
	struct aead_nonce nonce;
	uint8_t out[OUT_MAX];
	struct span x = casefile_bytes(c, "plain"), aad = casefile_bytes(c, "aad");
	TAKE(key, c, "key");
	TAKE(nonce, c, "nonce");
	if (x.len + AEAD_TAG > sizeof out) return E_LIMIT;
	aead_seal(out, &key, &nonce, aad, x);
	if (!casefile_is(c, "sealed", out, x.len + AEAD_TAG)) return E_COUNT;
	memset(out, 0x55, sizeof out);
	if (x.len) memcpy(out, x.ptr, x.len);
	aead_seal(out, &key, &nonce, aad, span_of(out, x.len)); /* in place */
	return matches(casefile_is(c, "sealed", out, x.len + AEAD_TAG));
}

static bool all_zero(const uint8_t *p, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (p[i]) return false;
	return true;
}

/* What was refused must leave nothing behind. */
static enum err opened(const struct casefile_case *c, enum err e, const uint8_t *out, size_t n) {
	if (e == E_FORGED) return all_zero(out, n) ? e : E_COUNT;
	return e ? e : matches(casefile_is(c, "plain", out, n));
}

static enum err open_aead(const struct casefile_case *c) {
	struct aead_key key;
	struct aead_nonce nonce;
	uint8_t out[OUT_MAX], place[OUT_MAX];
	struct span sealed = casefile_bytes(c, "sealed"), aad = casefile_bytes(c, "aad");
	size_t n = sealed.len < AEAD_TAG ? 0 : sealed.len - AEAD_TAG;
	TAKE(key, c, "key");
	TAKE(nonce, c, "nonce");
	if (sealed.len > sizeof out) return E_LIMIT;
	memset(out, 0x55, sizeof out);
	enum err e = opened(c, aead_open(out, &key, &nonce, aad, sealed), out, n);
	if (sealed.len) memcpy(place, sealed.ptr, sealed.len);
	struct span in_place = span_of(place, sealed.len);
	enum err again = opened(c, aead_open(place, &key, &nonce, aad, in_place), place, n);
	return e == again ? e : E_COUNT;
}

/* --- hpke.txt */

static enum err run_xwing(const struct casefile_case *c) {
	struct kem_seed seed;
	struct xwing_coins coins;
	struct xwing_shared sent, received;
	uint8_t enc[KEM_ENC], own[KEM_PUBLIC];
	TAKE(seed, c, "seed");
	TAKE(coins, c, "coins");
	enum err e = xwing_encapsulate(enc, &sent, public_field(c), &coins);
	if (e) return all_zero(enc, sizeof enc) && all_zero(sent.b, sizeof sent) ? e : E_COUNT;
	xwing_public(own, &seed);
	if (!IS(c, "enc", enc) || !IS(c, "public", own)) return E_COUNT;
	e = xwing_decapsulate(&received, casefile_fixed(c, "enc", KEM_ENC).ptr, &seed);
	return e ? e : matches(IS(c, "shared", sent) && IS(c, "shared", received));
}

static enum err run_xwing_open(const struct casefile_case *c) {
	struct kem_seed seed;
	struct xwing_shared shared;
	TAKE(seed, c, "seed");
	enum err e = xwing_decapsulate(&shared, casefile_fixed(c, "enc", KEM_ENC).ptr, &seed);
	return e ? e : matches(IS(c, "shared", shared));
}

static enum err make_hpke(const struct casefile_case *c) {
	struct fresh f;
	uint8_t out[OUT_MAX];
	struct span x = casefile_bytes(c, "plain");
	start_fresh(&f, c);
	enum err e = hpke_seal(out, public_field(c), casefile_bytes(c, "info"), x, &f);
	return e ? e : matches(casefile_is(c, "sealed", out, x.len + HPKE_OVERHEAD));
}

static enum err open_hpke(const struct casefile_case *c) {
	struct kem_seed seed;
	uint8_t out[OUT_MAX];
	struct span sealed = casefile_bytes(c, "sealed");
	size_t n = sealed.len < HPKE_OVERHEAD ? 0 : sealed.len - HPKE_OVERHEAD;
	TAKE(seed, c, "seed");
	memset(out, 0x55, sizeof out);
	return opened(c, hpke_open(out, &seed, casefile_bytes(c, "info"), sealed), out, n);
}

static bool exports(const struct casefile_case *c, const struct hpke_context *context) {
	uint8_t record[KEY_SIZE], commitment[KEY_SIZE];
	hpke_export(record, context, "record");
	hpke_export(commitment, context, "commitment");
	return IS(c, "record", record) && IS(c, "commitment", commitment);
}

static enum err make_export(const struct casefile_case *c) {
	struct fresh f;
	struct hpke_context context;
	uint8_t enc[KEM_ENC];
	start_fresh(&f, c);
	enum err e = hpke_export_sender(&context, enc, public_field(c), casefile_bytes(c, "info"), &f);
	return e ? e : matches(IS(c, "enc", enc) && exports(c, &context));
}

static enum err open_export(const struct casefile_case *c) {
	struct kem_seed seed;
	struct hpke_context context;
	TAKE(seed, c, "seed");
	enum err e = hpke_export_receiver(
		&context, &seed, casefile_bytes(c, "info"), casefile_fixed(c, "enc", KEM_ENC).ptr);
	return e ? e : matches(exports(c, &context));
}

/* --- epoch.txt */

static void reader_secrets(struct epoch_secrets *x, const struct casefile_case *c) {
	struct hash birth = hash_field(c, "birth");
	struct epoch_secret s;
	TAKE(s, c, "s");
	epochkeys_reader(x, &birth, (uint32_t)casefile_number(c, "epoch"), &s);
}

static void all_secrets(struct epoch_secrets *x, const struct casefile_case *c) {
	reader_secrets(x, c);
	x->role = (enum role)casefile_number(c, "role");
	if (x->role >= ROLE_WRITER) TAKE(x->w, c, "w");
	if (x->role >= ROLE_ADMIN) TAKE(x->a, c, "a");
}

static void stated_public(struct epoch_public *p, const struct casefile_case *c) {
	TAKE(p->kem, c, "kem_public");
	TAKE(p->reader, c, "reader");
	TAKE(p->writer, c, "writer");
	TAKE(p->admin, c, "admin");
	TAKE(p->commitment, c, "commitment");
}

static bool is_epoch_public(const struct casefile_case *c, const struct epoch_public *p) {
	return IS(c, "kem_public", p->kem) && IS(c, "reader", p->reader) &&
		IS(c, "writer", p->writer) && IS(c, "admin", p->admin) &&
		IS(c, "commitment", p->commitment);
}

/* Exactly the access keys of the role and of those below it. */
static bool access_keys(const struct casefile_case *c, const struct epoch_secrets *x) {
	static const char *const fields[] = {
		[ROLE_READER] = "reader", [ROLE_WRITER] = "writer", [ROLE_ADMIN] = "admin"
	};
	struct signer signer;
	uint8_t key[SIGN_PUBLIC];
	if (epochkeys_access(&signer, x, ROLE_GRANT) != E_DENIED) return false;
	for (enum role r = ROLE_READER; r <= ROLE_ADMIN; r++) {
		enum err e = epochkeys_access(&signer, x, r);
		if (e != (r <= x->role ? OK : E_DENIED)) return false;
		if (e) continue;
		signer_public(key, &signer);
		if (!IS(c, fields[r], key)) return false;
	}
	return true;
}

static enum err make_epoch(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct epoch_public p;
	struct kem_seed kem;
	struct aead_key body, contact;
	all_secrets(&x, c);
	enum err e = epochkeys_public(&p, &x);
	if (e != (x.role == ROLE_ADMIN ? OK : E_DENIED)) return E_COUNT;
	epochkeys_kem(&kem, &x);
	epochkeys_body(&body, &x, SEAL_BODY);
	epochkeys_body(&contact, &x, SEAL_CONTACT);
	return matches((e || is_epoch_public(c, &p)) && access_keys(c, &x) && IS(c, "kem", kem) &&
		IS(c, "body", body) && IS(c, "contact", contact));
}

static enum err open_epoch(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct epoch_public p;
	all_secrets(&x, c);
	stated_public(&p, c);
	return epochkeys_check(&x, &p);
}

static enum err make_box_tag(const struct casefile_case *c) {
	struct hash birth = hash_field(c, "birth"), recipient = hash_field(c, "recipient"), tag[2];
	struct epoch_secret previous;
	struct box_tag_key key[2];
	TAKE(previous, c, "previous");
	epochkeys_first_box_tag(&key[0], &birth);
	epochkeys_box_tag(&key[1], &previous, &birth, (uint32_t)casefile_number(c, "epoch"));
	box_tag(&tag[0], &key[0], &recipient);
	box_tag(&tag[1], &key[1], &recipient);
	return matches(IS(c, "first_key", key[0]) && IS(c, "first_tag", tag[0]) &&
		IS(c, "key", key[1]) && IS(c, "tag", tag[1]));
}

static enum err make_wrap(const struct casefile_case *c) {
	struct fresh f;
	struct epoch_secrets x;
	struct epoch_secret previous;
	uint8_t wrap[EPOCHKEYS_WRAP];
	start_fresh(&f, c);
	reader_secrets(&x, c);
	TAKE(previous, c, "previous");
	enum err e = epochkeys_wrap(wrap, &x, &previous, &f);
	return e ? e : matches(IS(c, "wrap", wrap));
}

static enum err open_wrap(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct epoch_secret previous;
	reader_secrets(&x, c);
	enum err e = epochkeys_unwrap(&previous, &x, casefile_fixed(c, "wrap", EPOCHKEYS_WRAP).ptr);
	if (e) return all_zero(previous.b, KEY_SIZE) ? e : E_COUNT;
	return matches(IS(c, "previous", previous));
}

static enum err make_inner(const struct casefile_case *c) {
	struct fresh f;
	struct epoch_secrets x;
	struct aead_nonce nonce;
	struct hash outer = hash_field(c, "outer");
	struct kem_seed kem;
	uint8_t out[OUT_MAX], key[KEM_PUBLIC];
	enum seal seal = (enum seal)casefile_number(c, "seal");
	struct span padded = casefile_bytes(c, "padded");
	enum err e = OK;
	start_fresh(&f, c);
	reader_secrets(&x, c);
	TAKE(nonce, c, "nonce");
	epochkeys_kem(&kem, &x);
	xwing_public(key, &kem);
	if (seal == SEAL_HPKE) e = entryseal_seal_to(out, key, &outer, padded, &f);
	else entryseal_seal(out, seal, &x, &nonce, &outer, padded);
	return e ? e : matches(casefile_is(c, "sealed", out, padded.len + entryseal_overhead(seal)));
}

static enum err open_inner(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct aead_nonce nonce;
	struct hash outer = hash_field(c, "outer");
	uint8_t out[OUT_MAX] = { 0 };
	enum seal seal = (enum seal)casefile_number(c, "seal");
	struct span sealed = casefile_bytes(c, "sealed");
	size_t over = entryseal_overhead(seal);
	reader_secrets(&x, c);
	TAKE(nonce, c, "nonce");
	enum err e = entryseal_open(out, seal, &x, &nonce, &outer, sealed);
	if (e) return all_zero(out, sizeof out) ? e : E_COUNT;
	return matches(casefile_is(c, "padded", out, sealed.len - over));
}

/* --- box.txt */

static enum err make_box(const struct casefile_case *c) {
	struct fresh f;
	struct box_content content = { .kind = (enum chain_kind)casefile_number(c, "kind") };
	struct hash recipient = hash_field(c, "recipient");
	uint8_t box[BOX_SIZE];
	start_fresh(&f, c);
	all_secrets(&content.secrets, c);
	TAKE(content.root, c, "root");
	enum err e = box_seal(box, public_field(c), &recipient, &content, &f);
	return e ? e : matches(IS(c, "box", box));
}

static bool is_content(const struct casefile_case *c, const struct box_content *x) {
	const struct epoch_secrets *s = &x->secrets;
	return s->role == casefile_number(c, "role") && s->epoch == casefile_number(c, "epoch") &&
		x->kind == casefile_number(c, "kind") && IS(c, "birth", s->birth) && IS(c, "s", s->s) &&
		(s->role < ROLE_WRITER || IS(c, "w", s->w)) && (s->role < ROLE_ADMIN || IS(c, "a", s->a)) &&
		(x->kind != CHAIN_VAULT || IS(c, "root", x->root));
}

static enum err open_box(const struct casefile_case *c) {
	struct box_content out;
	struct kem_seed seed;
	struct hash recipient = hash_field(c, "recipient"), birth = hash_field(c, "birth");
	TAKE(seed, c, "seed");
	memset(&out, 0x55, sizeof out);
	enum err e = box_open(&out, &seed, &recipient, (enum chain_kind)casefile_number(c, "kind"),
		&birth, (uint32_t)casefile_number(c, "epoch"), casefile_fixed(c, "box", BOX_SIZE).ptr);
	return e ? e : matches(is_content(c, &out));
}

/* --- vault.txt */

static bool is_ids(
	const struct casefile_case *c, const struct vault_keys *keys, struct span chunk) {
	static const char *const fields[] = { NULL, "id1", "id2", "id3", "id4", "id5", "id6" };
	for (uint8_t type = 1; type <= VAULTKEYS_TYPES; type++) {
		struct hash id;
		vaultkeys_chunk_id(&id, keys, type, chunk);
		if (!IS(c, fields[type], id)) return false;
	}
	return true;
}

static enum err make_vault(const struct casefile_case *c) {
	static uint8_t chunk[200000];
	struct root_key root;
	struct hash vault = hash_field(c, "vault"), birth = hash_field(c, "birth"), commitment;
	struct hash origin_id = hash_field(c, "origin_id");
	enum origin origin = (enum origin)casefile_number(c, "origin");
	struct vault_keys keys;
	uint8_t group[VAULTKEYS_GROUP];
	size_t n = casefile_number(c, "length");
	TAKE(root, c, "root");
	for (size_t i = 0; i < sizeof chunk; i++) chunk[i] = (uint8_t)(i % 251);
	if (n > sizeof chunk) return E_LIMIT;
	vaultkeys_root_commitment(&commitment, &root, &birth);
	vaultkeys_derive(&keys, &root, &vault, origin, origin == ORIGIN_OWN ? NULL : &origin_id);
	vaultkeys_group(group, &keys, casefile_number(c, "device"), casefile_number(c, "inode"));
	return matches(IS(c, "commitment", commitment) &&
		vaultkeys_check_root(&root, &birth, &commitment) == OK &&
		vaultkeys_check_root(&root, &vault, &commitment) == E_FORGED &&
		is_ids(c, &keys, span_of(chunk, n)) && IS(c, "chunker", keys.chunker) &&
		IS(c, "group", group));
}

struct part {
	enum pack_part part;
	const char *field;
	const char *at;
};

static const struct part parts[] = { { PACK_RECORD, "record", "record_at" },
	{ PACK_TABLE, "table", "table_at" }, { PACK_TRAILER, "trailer", "trailer_at" } };

static enum err make_pack(const struct casefile_case *c) {
	struct fresh f;
	struct pack_keys keys;
	struct hash vault = hash_field(c, "vault");
	uint8_t enc[KEM_ENC], out[OUT_MAX];
	struct span plain = casefile_bytes(c, "plain");
	start_fresh(&f, c);
	enum err e = packkeys_sender(
		&keys, enc, public_field(c), &vault, (uint32_t)casefile_number(c, "epoch"), &f);
	if (e) return e;
	bool good = IS(c, "enc", enc) && IS(c, "record_key", keys.record) &&
		IS(c, "table_key", keys.table) && IS(c, "trailer_key", keys.trailer) &&
		IS(c, "commitment", keys.commitment);
	for (unsigned i = 0; i < 3; i++) {
		packkeys_seal(out, &keys, parts[i].part, casefile_number(c, parts[i].at), plain);
		good = good && casefile_is(c, parts[i].field, out, plain.len + AEAD_TAG);
	}
	return matches(good);
}

static enum err open_pack(const struct casefile_case *c) {
	struct kem_seed seed;
	struct pack_keys keys;
	struct hash vault = hash_field(c, "vault"), commitment = hash_field(c, "commitment");
	uint8_t out[OUT_MAX];
	TAKE(seed, c, "seed");
	enum err e = packkeys_receiver(&keys, &seed, &vault, (uint32_t)casefile_number(c, "epoch"),
		casefile_fixed(c, "enc", KEM_ENC).ptr, &commitment);
	if (e) return all_zero((const uint8_t *)&keys, sizeof keys) ? e : E_COUNT;
	for (unsigned i = 0; i < 3; i++) {
		struct span sealed = casefile_bytes(c, parts[i].field);
		e = packkeys_open(out, &keys, parts[i].part, casefile_number(c, parts[i].at), sealed);
		e = opened(c, e, out, sealed.len - AEAD_TAG);
		if (e) return e;
	}
	return OK;
}

/* --- keystore.txt, locator.txt */

static const struct span *passphrase_of(const struct casefile_case *c, struct span *room) {
	*room = span_text(casefile_text(c, "passphrase"));
	return room->len ? room : NULL;
}

static enum err make_keystore(const struct casefile_case *c) {
	struct fresh f;
	struct keystore s;
	struct span room, name = casefile_bytes(c, "name");
	uint8_t out[KEYSTORE_SIZE];
	memset(&s, 0, sizeof s);
	TAKE(s.account, c, "account");
	TAKE(s.device, c, "device_id");
	TAKE(s.keys.kem, c, "kem");
	TAKE(s.keys.entry, c, "entry");
	TAKE(s.keys.request, c, "request");
	TAKE(s.keys.secret, c, "secret");
	TAKE(s.anchor_head, c, "anchor_head");
	s.anchor_sequence = casefile_number(c, "anchor_sequence");
	s.name_len = (uint8_t)name.len;
	if (name.len > sizeof s.name) return E_LIMIT;
	if (name.len) memcpy(s.name, name.ptr, name.len);
	start_fresh(&f, c);
	enum err e = keystorecrypt_seal(out, &s, passphrase_of(c, &room), &f);
	return e ? e : matches(IS(c, "object", out));
}

static bool is_keystore(const struct casefile_case *c, const struct keystore *s) {
	return IS(c, "account", s->account) && IS(c, "device_id", s->device) &&
		IS(c, "kem", s->keys.kem) && IS(c, "entry", s->keys.entry) &&
		IS(c, "request", s->keys.request) && IS(c, "secret", s->keys.secret) &&
		casefile_is(c, "name", s->name, s->name_len) && IS(c, "anchor_head", s->anchor_head) &&
		s->anchor_sequence == casefile_number(c, "anchor_sequence");
}

static enum err open_keystore(const struct casefile_case *c) {
	struct keystore s;
	struct span room, object = casefile_bytes(c, "object");
	bool is_protected;
	enum err e = keystorecrypt_open(&s, object, passphrase_of(c, &room));
	enum err looked = keystorecrypt_is_protected(&is_protected, object);
	/* what is found before any work is found by both */
	if (e == E_LIMIT && looked != E_LIMIT) return E_COUNT;
	return e ? e : matches(is_keystore(c, &s));
}

static void kit_of(struct kit_keys *k, const struct casefile_case *c) {
	struct kit_secret secret;
	TAKE(secret, c, "secret");
	kitkeys_derive(k, &secret);
}

static enum err make_locator(const struct casefile_case *c) {
	struct fresh f;
	struct kit_keys kit;
	struct locator_content content = { .address_len = 0 };
	struct span address = casefile_bytes(c, "address");
	uint8_t out[LOCATOR_SIZE];
	kit_of(&kit, c);
	TAKE(content.account, c, "account");
	TAKE(content.store, c, "store");
	if (address.len > sizeof content.address) return E_LIMIT;
	content.address_len = (uint8_t)address.len;
	if (address.len) memcpy(content.address, address.ptr, address.len);
	start_fresh(&f, c);
	enum err e = locator_seal(out, public_field(c), &kit.locator, &content, &f);
	return e ? e : matches(IS(c, "object", out));
}

static enum err open_locator(const struct casefile_case *c) {
	struct kit_keys kit;
	struct locator_content x;
	kit_of(&kit, c);
	enum err e = locator_open(&x, &kit, casefile_bytes(c, "object"));
	return e ? e
			 : matches(IS(c, "account", x.account) && IS(c, "store", x.store) &&
				   casefile_is(c, "address", x.address, x.address_len));
}

static const struct casefile_kind kinds[] = {
	{ "hash", skip, true },
	{ "derive", skip, true },
	{ "entry", skip, true },
	{ "fresh", make_fresh, true },
	{ "sign", make_sign, true },
	{ "entry_signatures", make_entry_signatures, true },
	{ "device", make_device, true },
	{ "kit", make_kit, true },
	{ "aead", make_aead, true },
	{ "aead", open_aead, false },
	{ "xwing", run_xwing, false },
	{ "xwing_open", run_xwing_open, false },
	{ "hpke", make_hpke, true },
	{ "hpke", open_hpke, false },
	{ "export", make_export, true },
	{ "export", open_export, false },
	{ "epoch", make_epoch, true },
	{ "epoch", open_epoch, false },
	{ "box_tag", make_box_tag, true },
	{ "wrap", make_wrap, true },
	{ "wrap", open_wrap, false },
	{ "inner", make_inner, true },
	{ "inner", open_inner, false },
	{ "box", make_box, true },
	{ "box", open_box, false },
	{ "vault", make_vault, true },
	{ "pack", make_pack, true },
	{ "pack", open_pack, false },
	{ "keystore", make_keystore, true },
	{ "keystore", open_keystore, false },
	{ "locator", make_locator, true },
	{ "locator", open_locator, false },
	{ NULL, NULL, false },
};

int main(void) {
	static const char *const files[] = { "hash", "sign", "aead", "hpke", "epoch", "box", "vault",
		"keystore", "locator" };
	unsigned passed = 0, failed = 0;
	if (crypto_start()) return 2;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[64];
		snprintf(path, sizeof path, "test/vector/crypto/%s.txt", files[i]);
		failed += casefile_run(path, kinds, &passed);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0 || passed == 0;
}
