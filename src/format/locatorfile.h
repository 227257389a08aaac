/* The locator object, which leads from a recovery kit to its account (doc/spec/formats.md section 11). */
#ifndef FORMAT_LOCATORFILE_H
#define FORMAT_LOCATORFILE_H

#include "base/buf.h"
#include "base/span.h"
#include "crypto/hash.h"
#include "format/limits.h"

enum {
	LOCATORFILE_SEALED = SIZE_LOCATOR_PLAIN + SIZE_HPKE_OVERHEAD,
	LOCATORFILE_SIZE = 4 + LOCATORFILE_SEALED,
};

/* ${sealed}: LOCATORFILE_SEALED bytes, of ${in} in decode. E_FORMAT, E_UNSUPPORTED / E_USAGE, E_LIMIT, E_NOMEM. */
MUST_USE enum err locatorfile_decode(struct span *sealed, struct span in);
MUST_USE enum err locatorfile_encode(struct span sealed, struct buf *out);

struct locatorfile_plain {
	struct hash account;
	struct hash store;   /* home */
	struct span address; /* of the home, at most 255 bytes; empty if unknown */
};

/* ${in}: 512 bytes, into which ${out} points. E_FORMAT, E_UNSUPPORTED. */
MUST_USE enum err locatorfile_plain_decode(struct locatorfile_plain *out, struct span in);
MUST_USE enum err locatorfile_plain_encode(const struct locatorfile_plain *p, uint8_t out[SIZE_LOCATOR_PLAIN]); /* E_USAGE */

#endif
