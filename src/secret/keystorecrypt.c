#include "secret/keystorecrypt.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/reader.h"
#include "base/writer.h"
#include "crypto/ct.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "secret/aead.h"
#include "secret/argon.h"

/* formats.md section 10 */
enum {
	KEYSTORE_PAYLOAD = 4096,
	KEYSTORE_HEADER = 29, /* magic, protection, t, m, salt */
	KEYSTORE_VERSION = 1,
	PROTECTION_NONE = 0,
	PROTECTION_PASSPHRASE = 1,
};

static const uint8_t magic[4] = { 0x62, 0x72, 0x6b, 0x01 };

static_assert(
	KEYSTORE_SIZE == KEYSTORE_HEADER + HASH_SIZE + AEAD_NONCE + KEYSTORE_PAYLOAD + AEAD_TAG,
	"the parts of a key store");

struct header {
	bool is_protected;
	struct argon_cost cost;
	uint8_t salt[ARGON_SALT];
};

/* What the passphrase and the header give. */
struct wrap {
	struct passphrase_key k;
	struct aead_key key;
	struct hash commitment;
};

static enum err encode_header(struct buf *out, const struct header *h) {
	struct writer w = writer_to(out);
	writer_raw(&w, span_of(magic, sizeof magic));
	writer_u8(&w, h->is_protected ? PROTECTION_PASSPHRASE : PROTECTION_NONE);
	writer_u32(&w, h->cost.t);
	writer_u32(&w, h->cost.m_kib);
	writer_raw(&w, span_of(h->salt, sizeof h->salt));
	return writer_finish(&w);
}

static enum err check_cost(const struct header *h) {
	if (h->is_protected) return argon_accepts(h->cost) ? OK : E_LIMIT;
	bool none = h->cost.t == 0 && h->cost.m_kib == 0 && ct_is_zero(h->salt, sizeof h->salt);
	return none ? OK : E_FORMAT;
}

static enum err decode_header(struct header *out, struct span in) {
	struct header h;
	if (in.len < sizeof magic || !ct_equal(in.ptr, magic, sizeof magic - 1)) return E_FORMAT;
	if (in.ptr[3] != magic[3]) return E_UNSUPPORTED;
	if (in.len != KEYSTORE_SIZE) return E_FORMAT;
	struct reader r = reader_over(span_of(in.ptr + sizeof magic, KEYSTORE_HEADER - sizeof magic));
	uint8_t protection = reader_u8(&r);
	h.is_protected = protection == PROTECTION_PASSPHRASE;
	h.cost.t = reader_u32(&r);
	h.cost.m_kib = reader_u32(&r);
	reader_copy(&r, h.salt, sizeof h.salt);
	if (reader_finish(&r) || protection > PROTECTION_PASSPHRASE) return E_FORMAT;
	enum err e = check_cost(&h);
	if (!e) *out = h;
	return e;
}

static void from_k(
	uint8_t out[KEY_SIZE], const char *label, const struct passphrase_key *k, struct span header) {
	struct derive d;
	derive_start(&d, label, span_of(k->b, KEY_SIZE));
	derive_bytes(&d, header);
	derive_done(&d, out, KEY_SIZE);
}

static enum err wrap_of(
	struct wrap *out, const struct header *h, struct span header, const struct span *passphrase) {
	memset(&out->k, 0, sizeof out->k);
	if (h->is_protected) {
		enum err e = argon_key(&out->k, *passphrase, h->salt, h->cost);
		if (e) return e;
	}
	from_k(out->key.b, LABEL_KEY_STORE, &out->k, header);
	from_k(out->commitment.b, LABEL_KEY_STORE_COMMITMENT, &out->k, header);
	return OK;
}

static enum err encode_payload(struct buf *out, const struct keystore *s) {
	struct writer w = writer_to(out);
	writer_u8(&w, KEYSTORE_VERSION);
	writer_raw(&w, hash_span(&s->account));
	writer_raw(&w, hash_span(&s->device));
	writer_raw(&w, span_of(s->keys.kem.b, KEY_SIZE));
	writer_raw(&w, span_of(s->keys.entry.b, KEY_SIZE));
	writer_raw(&w, span_of(s->keys.request.b, KEY_SIZE));
	writer_raw(&w, span_of(s->keys.secret.b, KEY_SIZE));
	writer_bytes(&w, span_of(s->name, s->name_len));
	writer_u64(&w, s->anchor_sequence);
	writer_raw(&w, hash_span(&s->anchor_head));
	if (!w.e) writer_zero(&w, KEYSTORE_PAYLOAD - out->len);
	return writer_finish(&w);
}

/* Keys under another device's id would be a mix-up that shows only much later. */
static bool id_is_of_keys(const struct keystore *s) {
	struct device_public p;
	devicekeys_public(&p, &s->keys);
	return hash_equal(&p.id, &s->device);
}

static enum err decode_payload(struct keystore *s, const uint8_t payload[KEYSTORE_PAYLOAD]) {
	struct reader r = reader_over(span_of(payload, KEYSTORE_PAYLOAD));
	if (reader_u8(&r) != KEYSTORE_VERSION) return E_UNSUPPORTED;
	reader_copy(&r, s->account.b, HASH_SIZE);
	reader_copy(&r, s->device.b, HASH_SIZE);
	reader_copy(&r, s->keys.kem.b, KEY_SIZE);
	reader_copy(&r, s->keys.entry.b, KEY_SIZE);
	reader_copy(&r, s->keys.request.b, KEY_SIZE);
	reader_copy(&r, s->keys.secret.b, KEY_SIZE);
	struct span name = reader_bytes(&r, KEYSTORE_NAME_MAX);
	s->anchor_sequence = reader_u64(&r);
	reader_copy(&r, s->anchor_head.b, HASH_SIZE);
	if (r.bad || !ct_is_zero(r.rest.ptr, r.rest.len)) return E_FORMAT;
	if (name.len) memcpy(s->name, name.ptr, name.len);
	s->name_len = (uint8_t)name.len;
	return id_is_of_keys(s) ? OK : E_FORMAT;
}

static enum err seal_all(uint8_t out[KEYSTORE_SIZE], const struct header *h, struct span payload,
	const struct span *passphrase, struct fresh *fresh) {
	struct buf header;
	struct aead_nonce nonce;
	struct wrap wrap;
	buf_init(&header, KEYSTORE_HEADER);
	enum err e = encode_header(&header, h);
	if (e) goto out;
	e = fresh_bytes(fresh, &nonce, sizeof nonce);
	if (e) goto out;
	e = wrap_of(&wrap, h, buf_span(&header), passphrase);
	if (e) goto out;
	memcpy(out, header.ptr, KEYSTORE_HEADER);
	memcpy(out + KEYSTORE_HEADER, wrap.commitment.b, HASH_SIZE);
	memcpy(out + KEYSTORE_HEADER + HASH_SIZE, nonce.b, AEAD_NONCE);
	aead_seal(out + KEYSTORE_HEADER + HASH_SIZE + AEAD_NONCE, &wrap.key, &nonce, buf_span(&header),
		payload);
out:
	mem_wipe(&wrap, sizeof wrap);
	buf_free(&header);
	return e;
}

enum err keystorecrypt_seal(uint8_t out[KEYSTORE_SIZE], const struct keystore *store,
	const struct span *passphrase, struct fresh *fresh) {
	struct buf payload;
	struct header h = { .is_protected = passphrase != NULL };
	if ((passphrase && passphrase->len == 0) || store->name_len > KEYSTORE_NAME_MAX) return E_USAGE;
	if (!id_is_of_keys(store)) return E_USAGE;
	buf_init(&payload, KEYSTORE_PAYLOAD);
	enum err e = OK;
	if (h.is_protected) {
		h.cost = (struct argon_cost){ .t = ARGON_T, .m_kib = ARGON_M };
		e = fresh_bytes(fresh, h.salt, sizeof h.salt);
	}
	if (!e) e = encode_payload(&payload, store);
	if (!e) e = seal_all(out, &h, buf_span(&payload), passphrase, fresh);
	buf_wipe_free(&payload);
	return e;
}

enum err keystorecrypt_is_protected(bool *out, struct span in) {
	struct header h;
	enum err e = decode_header(&h, in);
	if (!e) *out = h.is_protected;
	return e;
}

enum err keystorecrypt_open(struct keystore *out, struct span in, const struct span *passphrase) {
	struct {
		struct wrap wrap;
		uint8_t payload[KEYSTORE_PAYLOAD];
		struct keystore store;
	} s = { .payload = { 0 } };
	struct header h;
	struct aead_nonce nonce;
	enum err e = decode_header(&h, in);
	if (e) return e;
	if (h.is_protected && !passphrase) return E_DENIED;
	struct span header = span_of(in.ptr, KEYSTORE_HEADER);
	e = wrap_of(&s.wrap, &h, header, passphrase);
	if (e) goto out;
	const uint8_t *at = in.ptr + KEYSTORE_HEADER;
	if (!ct_equal(s.wrap.commitment.b, at, HASH_SIZE)) {
		e = h.is_protected ? E_DENIED : E_FORGED;
		goto out;
	}
	memcpy(nonce.b, at + HASH_SIZE, AEAD_NONCE);
	e = aead_open(s.payload, &s.wrap.key, &nonce, header,
		span_of(at + HASH_SIZE + AEAD_NONCE, KEYSTORE_PAYLOAD + AEAD_TAG));
	if (!e) e = decode_payload(&s.store, s.payload);
	if (!e) *out = s.store;
out:
	mem_wipe(&s, sizeof s);
	return e;
}
