#include "secret/argon.h"

#include <assert.h>
#include <sodium.h>

#include "base/mem.h"

static_assert(ARGON_SALT == crypto_pwhash_argon2id_SALTBYTES, "Argon2id salt");

bool argon_accepts(struct argon_cost cost) {
	return cost.t >= ARGON_T_MIN && cost.t <= ARGON_T_MAX && cost.m_kib >= ARGON_M_MIN &&
		cost.m_kib <= ARGON_M_MAX && cost.t * cost.m_kib >= ARGON_WORK_MIN;
}

enum err argon_key(struct passphrase_key *out, struct span passphrase,
	const uint8_t salt[ARGON_SALT], struct argon_cost cost) {
	if (!argon_accepts(cost) || passphrase.len > ARGON_PASSPHRASE_MAX) return E_LIMIT;
	const char *text = passphrase.len ? (const char *)passphrase.ptr : "";
	if (crypto_pwhash_argon2id(out->b, sizeof out->b, text, passphrase.len, salt, cost.t,
			(size_t)cost.m_kib * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0)
		return OK;
	mem_wipe(out, sizeof *out);
	return E_NOMEM; /* with these bounds it fails for nothing else */
}
