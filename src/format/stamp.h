/* What a snapshot entry says of its snapshot (doc/spec/formats.md section 8.2). Points into its input. */
#ifndef FORMAT_STAMP_H
#define FORMAT_STAMP_H

#include "crypto/hash.h"
#include "format/bytelist.h"
#include "format/moment.h"

struct stamp {
	struct moment time;
	struct span host, branch;
	struct bytelist tags;
	struct hash parent; /* zero: none */
	uint64_t files, bytes;
	uint64_t added; /* new bytes stored */
};

void stamp_read(struct reader *r, struct stamp *out);
void stamp_write(struct writer *w, const struct stamp *s);

#endif
