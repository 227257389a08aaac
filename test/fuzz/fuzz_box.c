/*
 * secret/box, with the recipient and the chain of the first of test/vector/crypto/box.txt. The first byte says which chain
 * is asked for: an account's if it is even, else a vault's; and how the rest is taken: below 2, as a box; else as its
 * plaintext, which is sealed here.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/label.h"
#include "fixedrandom.h"
#include "secret/box.h"
#include "secret/hpkeinfo.h"
#include "secret/xwing.h"

enum { EPOCH = 1 };

static const struct kem_seed seed = { { 0xa0, 0xe7, 0xe5, 0x1b, 0x8e, 0x4b, 0xc3, 0xc6, 0xbd, 0x89,
	0x88, 0x6a, 0x20, 0x6f, 0xbf, 0x9a, 0x84, 0xab, 0x17, 0xe7, 0x1b, 0x34, 0x1c, 0x06, 0x9c, 0x89,
	0x25, 0x66, 0xbf, 0x45, 0x8c, 0xa0 } };
static const struct hash birth = { { 0x96, 0x4f, 0x36, 0x37, 0xe7, 0xa6, 0x6a, 0x28, 0xaf, 0x3d,
	0xe4, 0x7e, 0xda, 0xef, 0x4b, 0x9b, 0x4b, 0xbc, 0xf8, 0x64, 0x80, 0x2e, 0x37, 0xdc, 0xf2, 0x4a,
	0x71, 0xa5, 0x37, 0x7f, 0xde, 0x5a } };
static const struct hash recipient = { { 0xa5, 0x1e, 0x32, 0x86, 0x06, 0xab, 0x28, 0x10, 0x7e, 0x95,
	0x57, 0x8f, 0x0d, 0x2c, 0x60, 0x5a, 0xa3, 0x28, 0x3e, 0xba, 0x1b, 0x99, 0xe7, 0x33, 0x99, 0x9a,
	0x96, 0x2b, 0xed, 0xb1, 0x96, 0x2e } };

static struct fresh fresh;
static uint8_t pub[KEM_PUBLIC];
static struct hpke_info info;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void) {
	static bool started;
	if (started) return;
	started = true;
	if (crypto_start() != OK) abort();
	fresh_init(&fresh, NULL, fixedrandom_clock, 1);
	xwing_public(pub, &seed);
	hpkeinfo_start(&info, LABEL_BOX);
	hpkeinfo_hash(&info, &birth);
	hpkeinfo_u32(&info, EPOCH);
	hpkeinfo_hash(&info, &recipient);
}

static void try_plain(enum chain_kind kind, const uint8_t plain[BOX_PLAIN]) {
	uint8_t box[BOX_SIZE], again[BOX_PLAIN];
	struct box_content c;
	assert(hpke_seal(box, pub, hpkeinfo_span(&info), span_of(plain, BOX_PLAIN), &fresh) == OK);
	enum err e = box_open(&c, &seed, &recipient, kind, &birth, EPOCH, box);
	assert(e == OK || e == E_FORMAT || e == E_UNSUPPORTED);
	if (e) return;
	assert(c.kind == kind && c.secrets.epoch == EPOCH && hash_equal(&c.secrets.birth, &birth));
	assert(box_seal(box, pub, &recipient, &c, &fresh) == OK);
	assert(hpke_open(again, &seed, hpkeinfo_span(&info), span_of(box, BOX_SIZE)) == OK);
	assert(memcmp(again, plain, BOX_PLAIN) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t in[BOX_SIZE] = { 0 };
	start();
	if (size == 0) return 0;
	enum chain_kind kind = data[0] % 2 ? CHAIN_VAULT : CHAIN_ACCOUNT;
	size_t room = data[0] < 2 ? BOX_SIZE : BOX_PLAIN;
	if (size > 1) memcpy(in, data + 1, size - 1 < room ? size - 1 : room);
	if (data[0] < 2) {
		struct box_content c;
		enum err e = box_open(&c, &seed, &recipient, kind, &birth, EPOCH, in);
		assert(e == OK || e == E_FORMAT || e == E_UNSUPPORTED || e == E_FORGED);
		return 0;
	}
	try_plain(kind, in);
	return 0;
}
