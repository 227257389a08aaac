/*
 * The public rules of a chain: how an entry follows its predecessor, and which access key signs it
 * (doc/spec/chains.md section 1). No key is needed: a store checks the same.
 */
#ifndef CHAIN_CHAINLINK_H
#define CHAIN_CHAINLINK_H

#include "base/span.h"
#include "crypto/hash.h"
#include "crypto/public.h"
#include "format/entry.h"
#include "format/entrypublic.h"

/* Where a chain stands after the entries that were checked. All zero but kind: before the first. */
struct chainlink {
	uint8_t kind; /* enum chain_kind */
	struct hash id;
	struct hash birth;
	uint64_t count;   /* entries so far: the next sequence */
	struct hash head; /* hash of the newest */
	int64_t time;     /* of the newest */
	uint64_t control_sequence;
	struct hash control_hash;
	uint32_t epoch;
	uint8_t reader[SIGN_PUBLIC], writer[SIGN_PUBLIC], admin[SIGN_PUBLIC]; /* access keys in force */
};

void chainlink_init(struct chainlink *c, enum chain_kind kind);

/*
 * Checks that ${bytes} are the next entry and moves ${c} on. ${entry} and ${public_part} (pointing into ${bytes}) are the
 * decoded entry. E_FORGED if it does not follow or its access signature is wrong; E_FORMAT; E_UNSUPPORTED for another format
 * version, or a public part of a kind that this version does not have, if all else is good. E_NOMEM. ${c} is unchanged
 * unless OK.
 */
MUST_USE enum err chainlink_next(
	struct chainlink *c, struct span bytes, struct entry *entry, struct entrypublic *public_part);

/* The fields of an entry that is to follow: all but class, role, seal, public part and what is sealed. ${now} in ns. */
struct entry chainlink_draft(const struct chainlink *c, int64_t now);

#endif
