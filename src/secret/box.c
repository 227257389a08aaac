#include "secret/box.h"

#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "base/reader.h"
#include "crypto/ct.h"
#include "crypto/label.h"
#include "secret/hpkeinfo.h"

enum {
	BOX_VERSION = 1,
	BOX_AT_EPOCH = 3,
	BOX_AT_S = 7,
};

void box_tag(struct hash *out, const struct box_tag_key *key, const struct hash *recipient) {
	hash_keyed(out, key->b, hash_span(recipient));
}

static void info_of(struct hpke_info *info, const struct hash *birth, uint32_t epoch,
	const struct hash *recipient) {
	hpkeinfo_start(info, LABEL_BOX);
	hpkeinfo_hash(info, birth);
	hpkeinfo_u32(info, epoch);
	hpkeinfo_hash(info, recipient);
}

static bool kind_and_role(enum chain_kind kind, enum role role) {
	if (kind == CHAIN_ACCOUNT) return role == ROLE_ADMIN;
	return kind == CHAIN_VAULT && role >= ROLE_READER && role <= ROLE_ADMIN;
}

/* formats.md section 8.3. In account chains W and A are S and so are not said. */
static void encode(uint8_t out[BOX_PLAIN], const struct box_content *content) {
	const struct epoch_secrets *x = &content->secrets;
	memset(out, 0, BOX_PLAIN);
	out[0] = BOX_VERSION;
	out[1] = (uint8_t)content->kind;
	out[2] = (uint8_t)x->role;
	little_put32(out + BOX_AT_EPOCH, x->epoch);
	uint8_t *at = out + BOX_AT_S;
	memcpy(at, x->s.b, KEY_SIZE);
	if (content->kind != CHAIN_VAULT) return;
	memcpy(at += KEY_SIZE, content->root.b, KEY_SIZE);
	if (x->role >= ROLE_WRITER) memcpy(at += KEY_SIZE, x->w.b, KEY_SIZE);
	if (x->role >= ROLE_ADMIN) memcpy(at + KEY_SIZE, x->a.b, KEY_SIZE);
}

static void read_secrets(struct box_content *c, struct reader *r) {
	struct epoch_secrets *x = &c->secrets;
	reader_copy(r, x->s.b, KEY_SIZE);
	if (c->kind == CHAIN_VAULT) {
		reader_copy(r, c->root.b, KEY_SIZE);
		if (x->role >= ROLE_WRITER) reader_copy(r, x->w.b, KEY_SIZE);
		if (x->role >= ROLE_ADMIN) reader_copy(r, x->a.b, KEY_SIZE);
	} else {
		memcpy(x->w.b, x->s.b, KEY_SIZE);
		memcpy(x->a.b, x->s.b, KEY_SIZE);
	}
}

static enum err decode(struct box_content *c, enum chain_kind kind, const struct hash *birth,
	uint32_t epoch, const uint8_t plain[BOX_PLAIN]) {
	struct reader r = reader_over(span_of(plain, BOX_PLAIN));
	if (reader_u8(&r) != BOX_VERSION) return E_UNSUPPORTED;
	c->kind = (enum chain_kind)reader_u8(&r);
	c->secrets.role = (enum role)reader_u8(&r);
	c->secrets.epoch = reader_u32(&r);
	c->secrets.birth = *birth;
	if (c->kind != kind || c->secrets.epoch != epoch) return E_FORMAT;
	if (!kind_and_role(c->kind, c->secrets.role)) return E_FORMAT;
	read_secrets(c, &r);
	return ct_is_zero(r.rest.ptr, r.rest.len) ? OK : E_FORMAT;
}

enum err box_seal(uint8_t out[BOX_SIZE], const uint8_t public_key[KEM_PUBLIC],
	const struct hash *recipient, const struct box_content *content, struct fresh *fresh) {
	const struct epoch_secrets *x = &content->secrets;
	if (!kind_and_role(content->kind, x->role) || x->epoch == 0) return E_USAGE;
	struct hpke_info info;
	uint8_t plain[BOX_PLAIN];
	info_of(&info, &x->birth, x->epoch, recipient);
	encode(plain, content);
	enum err e = hpke_seal(out, public_key, hpkeinfo_span(&info), span_of(plain, BOX_PLAIN), fresh);
	mem_wipe(plain, sizeof plain);
	return e;
}

enum err box_open(struct box_content *out, const struct kem_seed *seed,
	const struct hash *recipient, enum chain_kind kind, const struct hash *birth, uint32_t epoch,
	const uint8_t box[BOX_SIZE]) {
	struct {
		uint8_t plain[BOX_PLAIN];
		struct box_content content;
	} s = { .plain = { 0 } };
	struct hpke_info info;
	info_of(&info, birth, epoch, recipient);
	enum err e = hpke_open(s.plain, seed, hpkeinfo_span(&info), span_of(box, BOX_SIZE));
	if (!e) e = decode(&s.content, kind, birth, epoch, s.plain);
	if (!e) *out = s.content;
	mem_wipe(&s, sizeof s);
	return e;
}
