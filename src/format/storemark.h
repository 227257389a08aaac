/* The file `broch-store`, which marks a folder as a store and names it (doc/spec/formats.md section 12). */
#ifndef FORMAT_STOREMARK_H
#define FORMAT_STOREMARK_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/hash.h"

enum { STOREMARK_SIZE = 82 };

MUST_USE enum err storemark_decode(
	struct hash *store_id, struct span in); /* E_FORMAT, E_UNSUPPORTED (another version) */
void storemark_encode(
	const struct hash *store_id, char out[STOREMARK_SIZE]); /* no terminating zero */

#endif
