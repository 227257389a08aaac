/* The boxes object of an epoch (doc/spec/formats.md section 8.3). What is in a box is secret/box.h's. */
#ifndef FORMAT_BOXES_H
#define FORMAT_BOXES_H

#include "base/buf.h"
#include "base/span.h"
#include "format/limits.h"

struct boxes {
	uint32_t epoch;   /* at least 1 */
	uint16_t count;   /* 4 to 1,024, a power of two */
	struct span rows; /* tag 32 and box 1,392 each; into the input */
	struct span wrap; /* previous wrap, 96 bytes; empty in epoch 1 */
};

MUST_USE enum err boxes_decode(struct boxes *out, struct span in); /* E_FORMAT, E_UNSUPPORTED */
MUST_USE enum err boxes_encode(
	const struct boxes *b, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

void boxes_at(
	const struct boxes *b, uint16_t i, struct span *tag, struct span *box); /* i < count */

/* The box with ${tag} (32 bytes); false if there is none. */
bool boxes_find(const struct boxes *b, struct span tag, struct span *box);

#endif
