/*
 * Sizes and numbers of what is public in the suite (doc/spec/crypto.md section 1, formats.md
 * section 8).
 */
#ifndef CRYPTO_PUBLIC_H
#define CRYPTO_PUBLIC_H

enum {
	SIGN_PUBLIC = 32,    /* Ed25519 public key */
	SIGN_SIGNATURE = 64, /* Ed25519 signature */
	KEM_PUBLIC = 1216,   /* X-Wing public key */
	KEM_ENC = 1120,      /* X-Wing encapsulation */
	AEAD_NONCE = 32,
	AEAD_TAG = 32,
};

enum chain_kind {
	CHAIN_ACCOUNT = 1,
	CHAIN_VAULT = 2,
};

/* Whose access key signs an entry, and what a box gives: formats.md sections 8 and 8.3. */
enum role {
	ROLE_GRANT = 1,
	ROLE_READER = 2,
	ROLE_WRITER = 3,
	ROLE_ADMIN = 4,
};

/* How an entry's inner part is sealed. */
enum seal {
	SEAL_BODY = 0,    /* under the epoch's body key */
	SEAL_HPKE = 1,    /* to the epoch's public key, by who may write but not read */
	SEAL_CONTACT = 2, /* under the epoch's contact body key */
};

/* Who made a chunk: chooses its id and chunker keys (formats.md section 1). */
enum origin {
	ORIGIN_OWN = 0,
	ORIGIN_GRANT = 1,
	ORIGIN_DROP = 2,
	ORIGIN_RECEIVED = 3,
};

#endif
