/*
 * The kinds of secret bytes, each a type of its own so that none is taken for another. A value of
 * such a type exists only if making it succeeded: there is no empty key. Public bytes are plain
 * arrays (crypto/public.h). Short-lived ones lie in one local struct that is wiped (mem_wipe);
 * long-lived ones in memory from secret/secretmem.h.
 */
#ifndef SECRET_KEYS_H
#define SECRET_KEYS_H

#include <stdint.h>

enum { KEY_SIZE = 32, KIT_SECRET = 16 };

struct aead_key {
	uint8_t b[KEY_SIZE];
}; /* AEGIS-256 */
struct kem_seed {
	uint8_t b[KEY_SIZE];
}; /* X-Wing: the seed is the secret key */
struct sign_seed {
	uint8_t b[KEY_SIZE];
}; /* Ed25519 */
struct device_secret {
	uint8_t b[KEY_SIZE];
}; /* mixed into what fresh.h makes */
struct kit_secret {
	uint8_t b[KIT_SECRET];
}; /* K, what is printed in a recovery kit */

struct epoch_secret {
	uint8_t b[KEY_SIZE];
}; /* S */
struct writer_secret {
	uint8_t b[KEY_SIZE];
}; /* W */
struct admin_secret {
	uint8_t b[KEY_SIZE];
}; /* A */
struct box_tag_key {
	uint8_t b[KEY_SIZE];
};

struct root_key {
	uint8_t b[KEY_SIZE];
}; /* R */
struct origin_root {
	uint8_t b[KEY_SIZE];
};
struct chunk_id_key {
	uint8_t b[KEY_SIZE];
};
struct hard_link_key {
	uint8_t b[KEY_SIZE];
};

struct passphrase_key {
	uint8_t b[KEY_SIZE];
}; /* k, of Argon2id */

#endif
