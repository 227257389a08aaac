/*
 * Making and opening whole chain entries: the public part is format/'s and chain/'s business, the sealed part and both
 * signatures are put together and taken apart here (doc/spec/formats.md section 8, crypto.md section 5).
 */
#ifndef CORE_ENTRYCRAFT_H
#define CORE_ENTRYCRAFT_H

#include "base/buf.h"
#include "format/entry.h"
#include "format/entryinner.h"
#include "secret/epochkeys.h"
#include "secret/signer.h"

struct entrycraft {
	const struct signer *author;         /* the device's (or the kit's) entry key */
	struct entryinner inner;             /* all but signature; body is encoded already */
	const struct epoch_secrets *sealing; /* of the entry's epoch */
	const struct epoch_secrets
		*access; /* of the epoch in force before it: its key of the entry's role signs */
	struct fresh *fresh;
};

/*
 * Makes the entry: ${draft} has everything but nonce, sealed and signature. Appends to ${out}, which is empty,
 * and is again after an error. E_DENIED without the access key; E_USAGE (decode would refuse it, or seal 1); E_LIMIT,
 * E_NOMEM, E_IO.
 */
MUST_USE enum err entrycraft_make(
	const struct entrycraft *c, const struct entry *draft, struct buf *out);

/*
 * Opens the inner part of ${entry}, decoded from ${bytes}, into ${plain} (cleared first), into which ${inner} points.
 * ${outer} gets the outer hash, for the author's signature. E_FORGED: does not open; E_FORMAT: no inner part.
 */
MUST_USE enum err entrycraft_open(const struct entry *entry, struct span bytes,
	const struct epoch_secrets *secrets, struct buf *plain, struct entryinner *inner,
	struct hash *outer);

/* Checks the author's signature over what entrycraft_open gave. E_FORGED. */
MUST_USE enum err entrycraft_check_author(const struct entryinner *inner, struct span plain,
	const struct hash *outer, const uint8_t entry_key[SIGN_PUBLIC]);

#endif
