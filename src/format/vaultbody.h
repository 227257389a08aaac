/* Bodies of vault chain entries (doc/spec/formats.md section 8.2). Points into its input. */
#ifndef FORMAT_VAULTBODY_H
#define FORMAT_VAULTBODY_H

#include "base/buf.h"
#include "format/hashlist.h"
#include "format/location.h"
#include "format/stamp.h"
#include "format/streamref.h"

enum vaultbody_type {
	VAULTBODY_CREATE = 32,
	VAULTBODY_MEMBER = 33, /* reserved: E_UNSUPPORTED */
	VAULTBODY_GRANT = 34,  /* reserved */
	VAULTBODY_ROTATE = 35,
	VAULTBODY_POLICY = 36,
	VAULTBODY_SUMMARY = 37,
	VAULTBODY_HOME = 38,
	VAULTBODY_VERSION = 39, /* reserved */
	VAULTBODY_SNAPSHOT = 64,
	VAULTBODY_INDEX = 65,
	VAULTBODY_TAG = 66,
	VAULTBODY_FORGET = 67,
	VAULTBODY_KEEP = 68,
	VAULTBODY_INTENT = 69,
	VAULTBODY_PURGE = 70,
	VAULTBODY_ACCOUNT = 71,
};

enum vaultbody_trust {
	VAULTBODY_TRUST_OWN = 0,
	VAULTBODY_TRUST_MEMBERS = 1,
};

struct vaultbody {
	uint8_t type;
	/* create */
	struct hash root_commitment;
	uint32_t chunk_min, chunk_max;
	uint8_t mask_bits;
	struct hash owner;
	/* create, policy */
	uint64_t hold; /* seconds */
	uint8_t trust; /* enum vaultbody_trust */
	/* summary */
	uint64_t covers;
	struct hash state_hash;
	struct streamref state;
	struct location state_index;
	/* snapshot, tag, keep (if keep_intent is false) */
	struct hash snapshot;
	struct stamp stamp;   /* snapshot */
	struct bytelist tags; /* tag */
	/* snapshot, index, keep */
	struct locationlist added;
	/* index, intent */
	struct locationlist removed;
	/* forget */
	struct hashlist forget;
	/* keep */
	bool keep_intent;
	uint64_t intent; /* sequence, if keep_intent */
};

/* E_FORMAT; E_UNSUPPORTED: reserved or unknown type. */
MUST_USE enum err vaultbody_decode(struct vaultbody *out, uint8_t type, struct span in);
MUST_USE enum err vaultbody_encode(
	const struct vaultbody *b, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

/* Whether entries of ${type} are of class control (types 32 to 63). */
bool vaultbody_is_control(uint8_t type);

#endif
