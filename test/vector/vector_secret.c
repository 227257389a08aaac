/* The vectors of test/vector/crypto/ that need secrets, but for those of epochs (vector_epoch.c). */
#include <stdio.h>
#include <string.h>

#include "casefile.h"
#include "crypto/crypto.h"
#include "secret/entryseal.h"
#include "secret/keystorecrypt.h"
#include "secret/locator.h"
#include "secret/packkeys.h"
#include "secret/vaultkeys.h"
#include "secret/xwing.h"
#include "secretcase.h"

#define TAKE(to, c, field) casefile_copy(&(to), (c), (field), sizeof(to))
#define IS(c, field, value) casefile_is((c), (field), &(value), sizeof(value))

/* --- hash.txt, sign.txt */

static enum err make_fresh(const struct casefile_case *c) {
	struct fresh f;
	uint8_t out[128];
	size_t n = casefile_bytes(c, "out").len;
	if (n > sizeof out) return E_LIMIT;
	secretcase_fresh(&f, c);
	enum err e = fresh_bytes(&f, out, n);
	return e
		? e
		: secretcase_matches(casefile_is(c, "out", out, n) && casefile_number(c, "counter") == 1);
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
	return e ? e : secretcase_matches(IS(c, "public", key) && IS(c, "signature", signature));
}

static enum err make_entry_signatures(const struct casefile_case *c) {
	struct sign_seed seed;
	struct signer access, author;
	struct hash outer = secretcase_hash(c, "outer");
	uint8_t a[SIGN_SIGNATURE], b[SIGN_SIGNATURE];
	TAKE(seed, c, "access");
	signer_init(&access, &seed);
	TAKE(seed, c, "author");
	signer_init(&author, &seed);
	enum err e = entryseal_sign_access(a, &access, casefile_bytes(c, "before"));
	if (!e) e = entryseal_sign_author(b, &author, &outer, casefile_bytes(c, "inner"));
	return e ? e : secretcase_matches(IS(c, "access_signature", a) && IS(c, "author_signature", b));
}

static bool is_public(const struct casefile_case *c, const struct device_public *p) {
	return IS(c, "entry_public", p->entry) && IS(c, "request_public", p->request) &&
		IS(c, "kem_public", p->kem) && IS(c, "id", p->id);
}

static enum err make_device(const struct casefile_case *c) {
	struct device_keys keys = { .secret = { { 0 } } };
	struct device_public p;
	struct hash account = secretcase_hash(c, "account");
	uint8_t joined[SIGN_SIGNATURE];
	TAKE(keys.kem, c, "kem");
	TAKE(keys.entry, c, "entry");
	TAKE(keys.request, c, "request");
	devicekeys_public(&p, &keys);
	enum err e = devicekeys_join(joined, &keys, &account, casefile_bytes(c, "record"));
	return e ? e : secretcase_matches(is_public(c, &p) && IS(c, "joined", joined));
}

static enum err make_kit(const struct casefile_case *c) {
	struct kit_secret secret;
	struct kit_keys k;
	struct device_public p;
	TAKE(secret, c, "secret");
	kitkeys_derive(&k, &secret);
	kitkeys_public(&p, &k);
	return secretcase_matches(IS(c, "kem", k.kem) && IS(c, "entry", k.entry) &&
		IS(c, "request", k.request) && IS(c, "locator", k.locator) && is_public(c, &p));
}

static enum err skip(const struct casefile_case *c) {
	(void)c;
	return OK;
}

/* --- aead.txt */

static enum err make_aead(const struct casefile_case *c) {
	struct aead_key key;
	struct aead_nonce nonce;
	uint8_t out[SECRETCASE_OUT];
	struct span x = casefile_bytes(c, "plain"), aad = casefile_bytes(c, "aad");
	TAKE(key, c, "key");
	TAKE(nonce, c, "nonce");
	if (x.len + AEAD_TAG > sizeof out) return E_LIMIT;
	aead_seal(out, &key, &nonce, aad, x);
	if (!casefile_is(c, "sealed", out, x.len + AEAD_TAG)) return E_COUNT;
	memset(out, 0x55, sizeof out);
	if (x.len) memcpy(out, x.ptr, x.len);
	aead_seal(out, &key, &nonce, aad, span_of(out, x.len)); /* in place */
	return secretcase_matches(casefile_is(c, "sealed", out, x.len + AEAD_TAG));
}

/* What was refused must leave nothing behind. */
static enum err opened(const struct casefile_case *c, enum err e, const uint8_t *out, size_t n) {
	if (e == E_FORGED) return secretcase_all_zero(out, n) ? e : E_COUNT;
	return e ? e : secretcase_matches(casefile_is(c, "plain", out, n));
}

static enum err open_aead(const struct casefile_case *c) {
	struct aead_key key;
	struct aead_nonce nonce;
	uint8_t out[SECRETCASE_OUT], place[SECRETCASE_OUT];
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
	enum err e = xwing_encapsulate(enc, &sent, secretcase_public(c), &coins);
	if (e)
		return secretcase_all_zero(enc, sizeof enc) && secretcase_all_zero(sent.b, sizeof sent)
			? e
			: E_COUNT;
	xwing_public(own, &seed);
	if (!IS(c, "enc", enc) || !IS(c, "public", own)) return E_COUNT;
	e = xwing_decapsulate(&received, casefile_fixed(c, "enc", KEM_ENC).ptr, &seed);
	return e ? e : secretcase_matches(IS(c, "shared", sent) && IS(c, "shared", received));
}

static enum err run_xwing_open(const struct casefile_case *c) {
	struct kem_seed seed;
	struct xwing_shared shared;
	TAKE(seed, c, "seed");
	enum err e = xwing_decapsulate(&shared, casefile_fixed(c, "enc", KEM_ENC).ptr, &seed);
	return e ? e : secretcase_matches(IS(c, "shared", shared));
}

static enum err make_hpke(const struct casefile_case *c) {
	struct fresh f;
	uint8_t out[SECRETCASE_OUT];
	struct span x = casefile_bytes(c, "plain");
	secretcase_fresh(&f, c);
	enum err e = hpke_seal(out, secretcase_public(c), casefile_bytes(c, "info"), x, &f);
	return e ? e : secretcase_matches(casefile_is(c, "sealed", out, x.len + HPKE_OVERHEAD));
}

static enum err open_hpke(const struct casefile_case *c) {
	struct kem_seed seed;
	uint8_t out[SECRETCASE_OUT];
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
	secretcase_fresh(&f, c);
	enum err e =
		hpke_export_sender(&context, enc, secretcase_public(c), casefile_bytes(c, "info"), &f);
	return e ? e : secretcase_matches(IS(c, "enc", enc) && exports(c, &context));
}

static enum err open_export(const struct casefile_case *c) {
	struct kem_seed seed;
	struct hpke_context context;
	TAKE(seed, c, "seed");
	enum err e = hpke_export_receiver(
		&context, &seed, casefile_bytes(c, "info"), casefile_fixed(c, "enc", KEM_ENC).ptr);
	return e ? e : secretcase_matches(exports(c, &context));
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
	struct hash vault = secretcase_hash(c, "vault"), birth = secretcase_hash(c, "birth"),
				commitment;
	struct hash origin_id = secretcase_hash(c, "origin_id");
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
	return secretcase_matches(IS(c, "commitment", commitment) &&
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
	struct hash vault = secretcase_hash(c, "vault");
	uint8_t enc[KEM_ENC], out[SECRETCASE_OUT];
	struct span plain = casefile_bytes(c, "plain");
	secretcase_fresh(&f, c);
	enum err e = packkeys_sender(
		&keys, enc, secretcase_public(c), &vault, (uint32_t)casefile_number(c, "epoch"), &f);
	if (e) return e;
	bool good = IS(c, "enc", enc) && IS(c, "record_key", keys.record) &&
		IS(c, "table_key", keys.table) && IS(c, "trailer_key", keys.trailer) &&
		IS(c, "commitment", keys.commitment);
	for (unsigned i = 0; i < 3; i++) {
		packkeys_seal(out, &keys, parts[i].part, casefile_number(c, parts[i].at), plain);
		good = good && casefile_is(c, parts[i].field, out, plain.len + AEAD_TAG);
	}
	return secretcase_matches(good);
}

static enum err open_pack(const struct casefile_case *c) {
	struct kem_seed seed;
	struct pack_keys keys;
	struct hash vault = secretcase_hash(c, "vault"), commitment = secretcase_hash(c, "commitment");
	uint8_t out[SECRETCASE_OUT];
	TAKE(seed, c, "seed");
	enum err e = packkeys_receiver(&keys, &seed, &vault, (uint32_t)casefile_number(c, "epoch"),
		casefile_fixed(c, "enc", KEM_ENC).ptr, &commitment);
	if (e) return secretcase_all_zero((const uint8_t *)&keys, sizeof keys) ? e : E_COUNT;
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
	secretcase_fresh(&f, c);
	enum err e = keystorecrypt_seal(out, &s, passphrase_of(c, &room), &f);
	return e ? e : secretcase_matches(IS(c, "object", out));
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
	return e ? e : secretcase_matches(is_keystore(c, &s));
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
	secretcase_fresh(&f, c);
	enum err e = locator_seal(out, secretcase_public(c), &kit.locator, &content, &f);
	return e ? e : secretcase_matches(IS(c, "object", out));
}

static enum err open_locator(const struct casefile_case *c) {
	struct kit_keys kit;
	struct locator_content x;
	kit_of(&kit, c);
	enum err e = locator_open(&x, &kit, casefile_bytes(c, "object"));
	return e ? e
			 : secretcase_matches(IS(c, "account", x.account) && IS(c, "store", x.store) &&
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
	static const char *const files[] = { "hash", "sign", "aead", "hpke", "vault", "keystore",
		"locator" };
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
