/*
 * secret/locator, for the kit of the first of test/vector/crypto/locator.txt. The first byte says how the rest is taken: 0,
 * as a locator object; else as its plaintext, which is sealed here.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/label.h"
#include "fixedrandom.h"
#include "secret/hpke.h"
#include "secret/hpkeinfo.h"
#include "secret/locator.h"

enum { MAGIC = 4, PLAIN = LOCATOR_SIZE - MAGIC - HPKE_OVERHEAD };

static struct fresh fresh;
static struct kit_keys kit;
static struct device_public pub;
static struct hpke_info info;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void) {
	static const struct kit_secret secret = { { 0x4a, 0x56, 0x2e, 0xb4, 0xd1, 0x2c, 0x25, 0x49,
		0x70, 0x05, 0x13, 0x1d, 0x87, 0xd1, 0x39, 0x8f } };
	static bool started;
	if (started) return;
	started = true;
	if (crypto_start() != OK) abort();
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	kitkeys_derive(&kit, &secret);
	kitkeys_public(&pub, &kit);
	hpkeinfo_start(&info, LABEL_LOCATOR);
	hpkeinfo_hash(&info, &kit.locator);
}

static void try_plain(const uint8_t plain[PLAIN]) {
	static const uint8_t magic[MAGIC] = { 0x62, 0x72, 0x6f, 0x01 };
	uint8_t object[LOCATOR_SIZE], again[PLAIN];
	struct locator_content c;
	memcpy(object, magic, sizeof magic);
	assert(hpke_seal(
			   object + MAGIC, pub.kem, hpkeinfo_span(&info), span_of(plain, PLAIN), &fresh) == OK);
	enum err e = locator_open(&c, &kit, span_of(object, sizeof object));
	assert(e == OK || e == E_FORMAT || e == E_UNSUPPORTED);
	if (e) return;
	assert(locator_seal(object, pub.kem, &kit.locator, &c, &fresh) == OK);
	assert(hpke_open(again, &kit.kem, hpkeinfo_span(&info),
			   span_of(object + MAGIC, sizeof object - MAGIC)) == OK);
	assert(memcmp(again, plain, PLAIN) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t plain[PLAIN] = { 0 };
	start();
	if (size == 0) return 0;
	struct span rest = span_of(data + 1, size - 1);
	if (data[0] == 0) {
		struct locator_content c;
		enum err e = locator_open(&c, &kit, rest);
		assert(e == OK || e == E_FORMAT || e == E_UNSUPPORTED || e == E_FORGED);
		return 0;
	}
	if (rest.len) memcpy(plain, rest.ptr, rest.len < PLAIN ? rest.len : PLAIN);
	try_plain(plain);
	return 0;
}
