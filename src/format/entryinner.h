/* The inner part of a chain entry, after opening (doc/spec/formats.md section 8). Points into its input. */
#ifndef FORMAT_ENTRYINNER_H
#define FORMAT_ENTRYINNER_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"

#define ENTRYINNER_NONE UINT64_MAX /* own_sequence: no entry of this device before */

struct entryinner {
	uint8_t type; /* enum accountbody_type or enum vaultbody_type */
	struct hash
		account; /* zero in an account chain (types below 32), as are account_sequence and account_head */
	struct hash device;
	uint64_t account_sequence;
	struct hash account_head;
	uint64_t own_sequence; /* ENTRYINNER_NONE with own_hash zero: none */
	struct hash own_hash;
	struct span body;
	struct span signature; /* author's, 64 bytes */

	size_t signed_len; /* bytes before the signature; set by decode */
};

/* ${in}: the padded plaintext. E_FORMAT. */
MUST_USE enum err entryinner_decode(struct entryinner *out, struct span in);

/*
 * Two steps, appending to one buf that is empty at the beginning: begin writes what the author signs (with the outer hash
 * before it), end adds the signature and the padding. E_USAGE, E_LIMIT, E_NOMEM.
 */
MUST_USE enum err entryinner_begin(const struct entryinner *i, struct buf *out);
MUST_USE enum err entryinner_end(const uint8_t signature[64], struct buf *out);
MUST_USE enum err entryinner_encode(
	const struct entryinner *i, struct buf *out); /* both; appends */

/* Length of the sealed form of an inner part with a body of ${body_len} bytes; ${hpke}: seal 1. */
size_t entryinner_sealed_len(size_t body_len, bool hpke);

#endif
