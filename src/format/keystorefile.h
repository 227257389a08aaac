/* The key store of a device, as bytes: the file and the layout of its payload (doc/spec/formats.md section 10). No key is used here. */
#ifndef FORMAT_KEYSTOREFILE_H
#define FORMAT_KEYSTOREFILE_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"
#include "format/limits.h"

enum keystorefile_protection {
	KEYSTOREFILE_OPEN = 0,
	KEYSTOREFILE_PASSPHRASE = 1,
};

enum {
	KEYSTOREFILE_HEADER = 29, /* bytes before the commitment: what it and the seal cover */
	KEYSTOREFILE_SEALED = SIZE_KEYSTORE_PAYLOAD + SIZE_TAG,
	KEYSTOREFILE_SIZE = KEYSTOREFILE_HEADER + SIZE_HASH + SIZE_NONCE + KEYSTOREFILE_SEALED,
};

struct keystorefile {
	uint8_t protection;     /* enum keystorefile_protection */
	uint32_t t, m;          /* Argon2id, within the bounds of crypto.md section 8; 0 if open */
	uint8_t salt[16];       /* zero if open */
	struct hash commitment;
	struct hash nonce;
	struct span sealed;     /* KEYSTOREFILE_SEALED bytes; into the input */
};

/* E_FORMAT (also parameters out of bounds), E_UNSUPPORTED. */
MUST_USE enum err keystorefile_decode(struct keystorefile *out, struct span in);
MUST_USE enum err keystorefile_encode(const struct keystorefile *k, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

/* The first KEYSTOREFILE_HEADER bytes, for who makes a new one. E_USAGE; then ${out} is not written. */
MUST_USE enum err keystorefile_header(const struct keystorefile *k, uint8_t out[KEYSTOREFILE_HEADER]);

/* The payload: secrets. The caller wipes it. */
struct keystorefile_payload {
	struct hash account;
	struct hash device;
	uint8_t kem_seed[32];
	uint8_t entry_seed[32];
	uint8_t request_seed[32];
	uint8_t device_secret[32];
	uint8_t name_len; /* at most 64 */
	uint8_t name[LIMIT_DEVICE_NAME];
	uint64_t anchor_sequence;
	struct hash anchor_hash;
};

/* ${in}: 4,096 bytes. E_FORMAT, E_UNSUPPORTED; then ${out} is not written. */
MUST_USE enum err keystorefile_payload_decode(struct keystorefile_payload *out, struct span in);
/* E_USAGE; then ${out} is not written. */
MUST_USE enum err keystorefile_payload_encode(const struct keystorefile_payload *p, uint8_t out[SIZE_KEYSTORE_PAYLOAD]);

#endif
