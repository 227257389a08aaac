/*
 * Chain entries, the part in clear (doc/spec/formats.md section 8). A decoded entry points into its input. What the
 * public part and the inner part say is in entrypublic.h and entryinner.h.
 */
#ifndef FORMAT_ENTRY_H
#define FORMAT_ENTRY_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"
#include "crypto/public.h"

enum entry_class {
	ENTRY_CONTROL = 1,
	ENTRY_DATA = 2,
};

struct entry {
	uint8_t kind; /* enum chain_kind */
	struct hash
		chain; /* zero in the first entry, as are previous, control_sequence and control_hash */
	uint64_t sequence;
	struct hash previous;
	uint64_t control_sequence;
	struct hash control_hash;
	uint32_t epoch;
	uint8_t class;     /* enum entry_class */
	uint8_t role;      /* enum role; never ROLE_READER */
	struct hash grant; /* zero unless role is grant */
	int64_t time;      /* nanoseconds since 1970 */
	uint8_t seal;      /* enum seal */
	struct span public_part;
	struct hash nonce;
	struct span sealed;
	struct span access_signature; /* 64 bytes */

	/* Set by decode, ignored by encode: */
	size_t
		outer_len; /* bytes from the start to the end of nonce: what the outer hash is taken over */
	size_t access_len; /* bytes before the access signature: what it signs */
};

/*
 * ${in}: one whole entry. E_FORMAT, E_UNSUPPORTED (format version). Checks what can be seen in one entry alone: zeros in
 * the first, role and seal against kind and class, the length of sealed. Does not look into public_part.
 */
MUST_USE enum err entry_decode(struct entry *out, struct span in);

/*
 * An entry is made in three steps, all appending to one buf that is empty at the beginning, because each part is computed
 * over the bytes before it: begin writes up to the nonce (the outer hash is over the buf's content then), sealed adds the
 * sealed inner part (the access signature is over the buf's content then), end adds the signature and checks the whole.
 * E_USAGE (decode would refuse it), E_LIMIT, E_NOMEM.
 */
MUST_USE enum err entry_begin(const struct entry *e, struct buf *out);
MUST_USE enum err entry_sealed(struct span sealed, struct buf *out);
MUST_USE enum err entry_end(const uint8_t signature[64], struct buf *out);

/* All three from a complete struct. Appends. */
MUST_USE enum err entry_encode(const struct entry *e, struct buf *out);

#endif
