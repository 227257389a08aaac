/* The boxes object of an epoch, and what is in a box (doc/spec/formats.md section 8.3). */
#ifndef FORMAT_BOXES_H
#define FORMAT_BOXES_H

#include "base/buf.h"
#include "base/span.h"
#include "format/limits.h"

struct boxes {
	uint32_t epoch;    /* at least 1 */
	uint16_t count;    /* 4 to 1,024, a power of two */
	struct span rows;  /* tag 32 and box 1,392 each; into the input */
	struct span wrap;  /* previous wrap, 96 bytes; empty in epoch 1 */
};

MUST_USE enum err boxes_decode(struct boxes *out, struct span in); /* E_FORMAT, E_UNSUPPORTED */
MUST_USE enum err boxes_encode(const struct boxes *b, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

void boxes_at(const struct boxes *b, uint16_t i, struct span *tag, struct span *box); /* i < count */

/* The box with ${tag} (32 bytes); false if there is none. */
bool boxes_find(const struct boxes *b, struct span tag, struct span *box);

/* A box's plaintext: secrets. The caller wipes it. Fields that kind and role don't have are zero. */
struct boxes_plain {
	uint8_t kind; /* enum chain_kind */
	uint8_t role; /* enum role: 4; of a vault also 3, 2 */
	uint32_t epoch;
	uint8_t s[32];
	uint8_t root[32];          /* vault */
	uint8_t writer_secret[32]; /* vault, role 3 and 4 */
	uint8_t admin_secret[32];  /* vault, role 4 */
};

/* ${in}: 256 bytes. E_FORMAT, E_UNSUPPORTED; then ${out} is not written. */
MUST_USE enum err boxes_plain_decode(struct boxes_plain *out, struct span in);
/* E_USAGE (kind, role, epoch); then ${out} is not written. */
MUST_USE enum err boxes_plain_encode(const struct boxes_plain *p, uint8_t out[SIZE_BOX_PLAIN]);

#endif
