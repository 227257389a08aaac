/*
 * The keys of one pack, and its parts sealed by where they lie in it (doc/spec/crypto.md section
 * 7). The writer needs only the epoch's public key and cannot open what others wrote.
 */
#ifndef SECRET_PACKKEYS_H
#define SECRET_PACKKEYS_H

#include "crypto/hash.h"
#include "secret/aead.h"
#include "secret/hpke.h"

struct pack_keys {
	struct aead_key record;
	struct aead_key table;
	struct aead_key trailer;
	struct hash commitment; /* stands in the pack's header */
};

enum pack_part {
	PACK_RECORD,
	PACK_TABLE,
	PACK_TRAILER,
};

/*
 * Keys for a new pack and the ${enc} of its header. E_FORMAT if ${epoch_public} is no key; E_IO
 * (fresh.h).
 */
MUST_USE enum err packkeys_sender(struct pack_keys *out, uint8_t enc[KEM_ENC],
	const uint8_t epoch_public[KEM_PUBLIC], const struct hash *vault, uint32_t epoch,
	struct fresh *fresh);

/*
 * The keys of a stored pack. E_FORGED if ${commitment}, as its header states it, is not theirs;
 * then ${out} is wiped.
 */
MUST_USE enum err packkeys_receiver(struct pack_keys *out, const struct kem_seed *epoch_kem,
	const struct hash *vault, uint32_t epoch, const uint8_t enc[KEM_ENC],
	const struct hash *commitment);

/*
 * Seals what lies at ${offset} of the pack: ${x.len} + AEAD_TAG bytes to ${out}, which may be the
 * place of ${x}. Never twice with the same keys, part and offset.
 */
void packkeys_seal(uint8_t *out, const struct pack_keys *keys, enum pack_part part, uint64_t offset,
	struct span x);

/* Opens to ${sealed.len} - AEAD_TAG bytes, in place if wanted. E_FORGED; then ${out} is wiped. */
MUST_USE enum err packkeys_open(uint8_t *out, const struct pack_keys *keys, enum pack_part part,
	uint64_t offset, struct span sealed);

/* Fills ${out} with what cannot be told from random. E_IO (fresh.h). */
MUST_USE enum err packkeys_padding(uint8_t *out, size_t n, struct fresh *fresh);

#endif
