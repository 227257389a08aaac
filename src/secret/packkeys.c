#include "secret/packkeys.h"

#include <assert.h>
#include <sodium.h>

#include "base/mem.h"
#include "crypto/label.h"
#include "secret/hpkeinfo.h"

static void info_of(struct hpke_info *info, const struct hash *vault, uint32_t epoch) {
	hpkeinfo_start(info, LABEL_PACK);
	hpkeinfo_hash(info, vault);
	hpkeinfo_u32(info, epoch);
}

static void export_all(struct pack_keys *out, struct hpke_context *context) {
	hpke_export(out->record.b, context, "record");
	hpke_export(out->table.b, context, "table");
	hpke_export(out->trailer.b, context, "trailer");
	hpke_export(out->commitment.b, context, "commitment");
	mem_wipe(context, sizeof *context);
}

enum err packkeys_sender(struct pack_keys *out, uint8_t enc[KEM_ENC],
	const uint8_t epoch_public[KEM_PUBLIC], const struct hash *vault, uint32_t epoch,
	struct fresh *fresh) {
	struct hpke_info info;
	struct hpke_context context;
	info_of(&info, vault, epoch);
	enum err e = hpke_export_sender(&context, enc, epoch_public, hpkeinfo_span(&info), fresh);
	if (!e) export_all(out, &context);
	return e;
}

enum err packkeys_receiver(struct pack_keys *out, const struct kem_seed *epoch_kem,
	const struct hash *vault, uint32_t epoch, const uint8_t enc[KEM_ENC],
	const struct hash *commitment) {
	struct hpke_info info;
	struct hpke_context context;
	info_of(&info, vault, epoch);
	enum err e = hpke_export_receiver(&context, epoch_kem, hpkeinfo_span(&info), enc);
	if (!e) {
		export_all(out, &context);
		if (!hash_equal(&out->commitment, commitment)) e = E_FORGED;
	}
	if (e) mem_wipe(out, sizeof *out);
	return e;
}

static const struct aead_key *key_of(const struct pack_keys *keys, enum pack_part part) {
	assert(part == PACK_RECORD || part == PACK_TABLE || part == PACK_TRAILER);
	if (part == PACK_RECORD) return &keys->record;
	return part == PACK_TABLE ? &keys->table : &keys->trailer;
}

void packkeys_seal(uint8_t *out, const struct pack_keys *keys, enum pack_part part, uint64_t offset,
	struct span x) {
	struct aead_nonce nonce = aead_nonce_at(offset);
	aead_seal(out, key_of(keys, part), &nonce, span_of(NULL, 0), x);
}

enum err packkeys_open(uint8_t *out, const struct pack_keys *keys, enum pack_part part,
	uint64_t offset, struct span sealed) {
	struct aead_nonce nonce = aead_nonce_at(offset);
	return aead_open(out, key_of(keys, part), &nonce, span_of(NULL, 0), sealed);
}

enum err packkeys_padding(uint8_t *out, size_t n, struct fresh *fresh) {
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	enum err e = fresh_bytes(fresh, key, sizeof key);
	if (!e && n) (void)crypto_stream_chacha20(out, n, nonce, key);
	mem_wipe(key, sizeof key);
	return e;
}
