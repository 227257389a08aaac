/*
 * The info of an HPKE encapsulation: label || 0x00 || fields, each with its length before it. For
 * this layer's files.
 */
#ifndef SECRET_HPKEINFO_H
#define SECRET_HPKEINFO_H

#include "crypto/hash.h"

enum { HPKEINFO_MAX = 128 };

struct hpke_info {
	uint8_t b[HPKEINFO_MAX];
	size_t len;
};

void hpkeinfo_start(struct hpke_info *info, const char *label);

/* Bytes as they are; LP of a hash; LP of a u32. Beyond HPKEINFO_MAX: assert. */
void hpkeinfo_raw(struct hpke_info *info, struct span bytes);
void hpkeinfo_hash(struct hpke_info *info, const struct hash *field);
void hpkeinfo_u32(struct hpke_info *info, uint32_t field);

struct span hpkeinfo_span(const struct hpke_info *info);

#endif
