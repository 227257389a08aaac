/* The small parts that many objects share: hashes, magics, zero padding. For the files of this folder. */
#ifndef FORMAT_FIELD_H
#define FORMAT_FIELD_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/hash.h"

struct hash field_hash(struct reader *r);
void field_put_hash(struct writer *w, const struct hash *h);

bool field_is_zero(struct span bytes);

/* "br", ${letter}, format version 1. E_FORMAT; E_UNSUPPORTED for another version. */
MUST_USE enum err field_magic(struct reader *r, char letter);
void field_put_magic(struct writer *w, char letter);

/* What is left must be zero bytes; takes it. */
void field_zero_rest(struct reader *r);

/* What ${r} has read since its rest was ${before}; empty if it is bad. */
struct span field_taken(struct span before, const struct reader *r);

/* A value that is 0 or 1. */
bool field_bool(struct reader *r);

/*
 * The end of every encoder: ${e} if it failed, else E_USAGE if ${decoded}, the result of decoding what was appended to
 * ${out} since ${start}, is not OK. In both cases ${out} is cut back to ${start}. So no encoder ever leaves bytes that
 * its decoder refuses.
 */
MUST_USE enum err field_encoded(struct buf *out, size_t start, enum err e, enum err decoded);

#endif
