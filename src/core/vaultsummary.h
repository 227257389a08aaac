/*
 * The live state of a vault as one byte string: what its summaries hash and hold (doc/spec/formats.md section 9), and
 * what a device keeps of a chain that it has verified.
 */
#ifndef CORE_VAULTSUMMARY_H
#define CORE_VAULTSUMMARY_H

#include "core/vaultstate.h"

/* Appends the canonical string of ${s}, which covers its newest entry. E_USAGE for a state without entries, E_LIMIT, E_NOMEM. */
MUST_USE enum err vaultsummary_encode(const struct vaultstate *s, struct buf *out);

/* The state hash of ${s}. E_USAGE, E_LIMIT, E_NOMEM. */
MUST_USE enum err vaultsummary_hash(const struct vaultstate *s, struct hash *out);

/*
 * Fills the lists of ${s}, which has none, from a string; what only control entries say (owner, chunker, policies, home)
 * is the caller's. ${s} then stands behind the entry that the string covers. E_FORMAT, E_NOMEM, E_LIMIT.
 */
MUST_USE enum err vaultsummary_decode(struct vaultstate *s, struct span in);

#endif
