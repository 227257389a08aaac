/* A list object: names of packs, strictly ascending (doc/spec/formats.md section 8.3). */
#ifndef FORMAT_NAMELIST_H
#define FORMAT_NAMELIST_H

#include "base/buf.h"
#include "format/hashlist.h"

MUST_USE enum err namelist_decode(
	struct hashlist *out, struct span in); /* E_FORMAT, E_UNSUPPORTED; points into ${in} */
MUST_USE enum err namelist_encode(
	const struct hashlist *names, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

#endif
