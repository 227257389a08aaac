/*
 * secret/keystorecrypt. The first byte says how the rest is taken: 0, as a key store's file; else as the plaintext of one
 * without a passphrase, and if that byte is even, with the device id put right, which no mutation would ever hit.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "fixedrandom.h"
#include "secret/aead.h"
#include "secret/argon.h"
#include "secret/keystorecrypt.h"

enum {
	HEADER = 29,
	AT_SEALED = HEADER + HASH_SIZE + AEAD_NONCE,
	PAYLOAD = KEYSTORE_SIZE - AT_SEALED - AEAD_TAG,
	AT_DEVICE = 1 + HASH_SIZE,
	AT_KEYS = AT_DEVICE + HASH_SIZE,
};

static struct fresh fresh;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void) {
	static bool started;
	if (!started && crypto_start() != OK) abort();
	if (!started) fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	started = true;
}

static void derive_from_nothing(uint8_t out[KEY_SIZE], const char *label, struct span header) {
	static const uint8_t none[KEY_SIZE];
	struct derive d;
	derive_start(&d, label, span_of(none, sizeof none));
	derive_bytes(&d, header);
	derive_done(&d, out, KEY_SIZE);
}

/* As a writer without a passphrase does it. */
static void seal(uint8_t out[KEYSTORE_SIZE], const uint8_t payload[PAYLOAD]) {
	static const uint8_t magic[] = { 0x62, 0x72, 0x6b, 0x01 };
	struct aead_nonce nonce = { { 0 } };
	struct aead_key key;
	memset(out, 0, KEYSTORE_SIZE);
	memcpy(out, magic, sizeof magic);
	struct span header = span_of(out, HEADER);
	derive_from_nothing(key.b, LABEL_KEY_STORE, header);
	derive_from_nothing(out + HEADER, LABEL_KEY_STORE_COMMITMENT, header);
	aead_seal(out + AT_SEALED, &key, &nonce, header, span_of(payload, PAYLOAD));
}

static void unseal(uint8_t payload[PAYLOAD], const uint8_t in[KEYSTORE_SIZE]) {
	struct aead_nonce nonce;
	struct aead_key key;
	struct span header = span_of(in, HEADER);
	memcpy(nonce.b, in + HEADER + HASH_SIZE, AEAD_NONCE);
	derive_from_nothing(key.b, LABEL_KEY_STORE, header);
	assert(aead_open(payload, &key, &nonce, header, span_of(in + AT_SEALED, PAYLOAD + AEAD_TAG)) ==
		OK);
}

static void put_id_right(uint8_t payload[PAYLOAD]) {
	struct device_keys keys;
	struct device_public pub;
	uint8_t *each[] = { keys.kem.b, keys.entry.b, keys.request.b, keys.secret.b };
	for (size_t i = 0; i < 4; i++) memcpy(each[i], payload + AT_KEYS + i * KEY_SIZE, KEY_SIZE);
	devicekeys_public(&pub, &keys);
	memcpy(payload + AT_DEVICE, pub.id.b, HASH_SIZE);
}

static void try_payload(const uint8_t payload[PAYLOAD]) {
	uint8_t file[KEYSTORE_SIZE], again[PAYLOAD];
	struct keystore s;
	seal(file, payload);
	enum err e = keystorecrypt_open(&s, span_of(file, sizeof file), NULL);
	assert(e == OK || e == E_FORMAT || e == E_UNSUPPORTED);
	if (e) return;
	assert(s.name_len <= KEYSTORE_NAME_MAX);
	assert(keystorecrypt_seal(file, &s, NULL, &fresh) == OK);
	unseal(again, file);
	assert(memcmp(again, payload, PAYLOAD) == 0);
}

/* With a passphrase only one that is too long: Argon2id would take all the time there is. */
static void try_file(struct span in) {
	static const uint8_t zeros[ARGON_PASSPHRASE_MAX + 1];
	struct span too_long = span_of(zeros, sizeof zeros);
	struct keystore s;
	bool is_protected = false;
	enum err said = keystorecrypt_is_protected(&is_protected, in);
	enum err e = keystorecrypt_open(&s, in, NULL);
	if (said) {
		assert(e == said && (e == E_FORMAT || e == E_UNSUPPORTED || e == E_LIMIT));
	} else if (is_protected) {
		assert(e == E_DENIED);
		assert(keystorecrypt_open(&s, in, &too_long) == E_LIMIT);
	} else {
		assert(e == OK || e == E_FORGED || e == E_FORMAT || e == E_UNSUPPORTED);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t payload[PAYLOAD] = { 0 };
	start();
	if (size == 0) return 0;
	struct span rest = span_of(data + 1, size - 1);
	if (data[0] == 0) {
		try_file(rest);
		return 0;
	}
	if (rest.len) memcpy(payload, rest.ptr, rest.len < PAYLOAD ? rest.len : PAYLOAD);
	if (data[0] % 2 == 0) put_id_right(payload);
	try_payload(payload);
	return 0;
}
