#include "secret/locator.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/reader.h"
#include "crypto/ct.h"
#include "crypto/label.h"
#include "secret/hpke.h"
#include "secret/hpkeinfo.h"

/* formats.md section 11 */
enum {
	LOCATOR_PLAIN = 512,
	LOCATOR_VERSION = 1,
	LOCATOR_AT_ADDRESS = 1 + 2 * HASH_SIZE,
};

static const uint8_t magic[4] = { 0x62, 0x72, 0x6f, 0x01 };

static_assert(LOCATOR_SIZE == sizeof magic + HPKE_OVERHEAD + LOCATOR_PLAIN, "parts of a locator");

static void info_of(struct hpke_info *info, const struct hash *locator) {
	hpkeinfo_start(info, LABEL_LOCATOR);
	hpkeinfo_hash(info, locator);
}

/* The length is a varint: of two bytes from 128 on. */
static void encode(uint8_t out[LOCATOR_PLAIN], const struct locator_content *c) {
	memset(out, 0, LOCATOR_PLAIN);
	out[0] = LOCATOR_VERSION;
	memcpy(out + 1, c->account.b, HASH_SIZE);
	memcpy(out + 1 + HASH_SIZE, c->store.b, HASH_SIZE);
	uint8_t *at = out + LOCATOR_AT_ADDRESS;
	if (c->address_len < 0x80) {
		*at++ = c->address_len;
	} else {
		*at++ = c->address_len | 0x80;
		*at++ = 1;
	}
	memcpy(at, c->address, c->address_len);
}

static enum err decode(struct locator_content *out, const uint8_t plain[LOCATOR_PLAIN]) {
	struct locator_content c = { .address_len = 0 };
	struct reader r = reader_over(span_of(plain, LOCATOR_PLAIN));
	if (reader_u8(&r) != LOCATOR_VERSION) return E_UNSUPPORTED;
	reader_copy(&r, c.account.b, HASH_SIZE);
	reader_copy(&r, c.store.b, HASH_SIZE);
	struct span address = reader_bytes(&r, LOCATOR_ADDRESS_MAX);
	if (r.bad || !ct_is_zero(r.rest.ptr, r.rest.len)) return E_FORMAT;
	if (address.len) memcpy(c.address, address.ptr, address.len);
	c.address_len = (uint8_t)address.len;
	*out = c;
	return OK;
}

enum err locator_seal(uint8_t out[LOCATOR_SIZE], const uint8_t kem_key[KEM_PUBLIC],
	const struct hash *locator, const struct locator_content *content, struct fresh *fresh) {
	struct hpke_info info;
	uint8_t plain[LOCATOR_PLAIN];
	info_of(&info, locator);
	encode(plain, content);
	memcpy(out, magic, sizeof magic);
	enum err e = hpke_seal(
		out + sizeof magic, kem_key, hpkeinfo_span(&info), span_of(plain, sizeof plain), fresh);
	mem_wipe(plain, sizeof plain);
	return e;
}

enum err locator_open(struct locator_content *out, const struct kit_keys *kit, struct span in) {
	struct hpke_info info;
	uint8_t plain[LOCATOR_PLAIN];
	if (in.len < sizeof magic || !ct_equal(in.ptr, magic, sizeof magic - 1)) return E_FORMAT;
	if (in.ptr[3] != magic[3]) return E_UNSUPPORTED;
	if (in.len != LOCATOR_SIZE) return E_FORMAT;
	info_of(&info, &kit->locator);
	enum err e = hpke_open(plain, &kit->kem, hpkeinfo_span(&info), span_skip(in, sizeof magic));
	if (!e) e = decode(out, plain);
	mem_wipe(plain, sizeof plain);
	return e;
}
