#include "secret/hpkeinfo.h"

#include <assert.h>

#include "base/little.h"

void hpkeinfo_raw(struct hpke_info *info, struct span bytes) {
	assert(bytes.len <= HPKEINFO_MAX - info->len);
	memcpy(info->b + info->len, bytes.ptr, bytes.len);
	info->len += bytes.len;
}

void hpkeinfo_start(struct hpke_info *info, const char *label) {
	info->len = 0;
	struct span text = span_text(label);
	hpkeinfo_raw(info, span_of(text.ptr, text.len + 1)); /* with its final zero */
}

static void lp(struct hpke_info *info, struct span field) {
	uint8_t length[4];
	little_put32(length, (uint32_t)field.len);
	hpkeinfo_raw(info, span_of(length, sizeof length));
	hpkeinfo_raw(info, field);
}

void hpkeinfo_hash(struct hpke_info *info, const struct hash *field) {
	lp(info, hash_span(field));
}

void hpkeinfo_u32(struct hpke_info *info, uint32_t field) {
	uint8_t b[4];
	little_put32(b, field);
	lp(info, span_of(b, sizeof b));
}

struct span hpkeinfo_span(const struct hpke_info *info) {
	return span_of(info->b, info->len);
}
