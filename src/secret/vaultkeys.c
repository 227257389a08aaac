#include "secret/vaultkeys.h"

#include <assert.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "crypto/derive.h"
#include "crypto/label.h"

enum err vaultkeys_generate_root(struct root_key *out, struct fresh *fresh) {
	return fresh_bytes(fresh, out, sizeof *out);
}

void vaultkeys_root_commitment(
	struct hash *out, const struct root_key *root, const struct hash *birth) {
	struct derive d;
	derive_start(&d, LABEL_ROOT_COMMITMENT, span_of(root->b, KEY_SIZE));
	derive_hash(&d, birth);
	derive_done(&d, out->b, HASH_SIZE);
}

enum err vaultkeys_check_root(
	const struct root_key *root, const struct hash *birth, const struct hash *stated) {
	struct hash own;
	vaultkeys_root_commitment(&own, root, birth);
	return hash_equal(&own, stated) ? OK : E_FORGED;
}

static void origin_root(struct origin_root *out, const struct root_key *root,
	const struct hash *vault, enum origin origin, const struct hash *origin_id) {
	assert((origin == ORIGIN_OWN) == (origin_id == NULL));
	if (origin == ORIGIN_OWN) {
		memcpy(out->b, root->b, KEY_SIZE);
		return;
	}
	struct derive d;
	derive_start(&d, LABEL_ORIGIN_ROOT, span_of(root->b, KEY_SIZE));
	derive_hash(&d, vault);
	derive_u8(&d, (uint8_t)origin);
	derive_hash(&d, origin_id);
	derive_done(&d, out->b, KEY_SIZE);
}

static void start(
	struct derive *d, const char *label, const struct origin_root *from, const struct hash *vault) {
	derive_start(d, label, span_of(from->b, KEY_SIZE));
	derive_hash(d, vault);
}

void vaultkeys_derive(struct vault_keys *out, const struct root_key *root, const struct hash *vault,
	enum origin origin, const struct hash *origin_id) {
	struct origin_root from;
	struct derive d;
	origin_root(&from, root, vault, origin, origin_id);
	memset(&out->ids[0], 0, sizeof out->ids[0]);
	for (uint8_t type = 1; type <= VAULTKEYS_TYPES; type++) {
		start(&d, LABEL_CHUNK_ID_KEY, &from, vault);
		derive_u8(&d, type);
		derive_done(&d, out->ids[type].b, KEY_SIZE);
	}
	start(&d, LABEL_HARD_LINK, &from, vault);
	derive_done(&d, out->hard_link.b, KEY_SIZE);
	start(&d, LABEL_CHUNKER, &from, vault);
	derive_done(&d, out->chunker, VAULTKEYS_CHUNKER);
	mem_wipe(&from, sizeof from);
}

void vaultkeys_chunk_id(
	struct hash *out, const struct vault_keys *keys, uint8_t type, struct span chunk) {
	assert(type >= 1 && type <= VAULTKEYS_TYPES);
	hash_keyed(out, keys->ids[type].b, chunk);
}

void vaultkeys_group(
	uint8_t out[VAULTKEYS_GROUP], const struct vault_keys *keys, uint64_t device, uint64_t inode) {
	uint8_t place[16];
	struct hash mac;
	little_put64(place, device);
	little_put64(place + 8, inode);
	hash_keyed(&mac, keys->hard_link.b, span_of(place, sizeof place));
	memcpy(out, mac.b, VAULTKEYS_GROUP);
}
