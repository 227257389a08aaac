/* The vectors of test/vector/crypto/ of epochs: their keys, boxes, wraps, and what entries seal with them. */
#include <stdio.h>
#include <string.h>

#include "casefile.h"
#include "crypto/crypto.h"
#include "secret/box.h"
#include "secret/entryseal.h"
#include "secret/xwing.h"
#include "secretcase.h"

#define TAKE(to, c, field) casefile_copy(&(to), (c), (field), sizeof(to))
#define IS(c, field, value) casefile_is((c), (field), &(value), sizeof(value))

/* --- epoch.txt */

static void reader_secrets(struct epoch_secrets *x, const struct casefile_case *c) {
	struct hash birth = secretcase_hash(c, "birth");
	struct epoch_secret s;
	TAKE(s, c, "s");
	epochkeys_reader(x, &birth, (uint32_t)casefile_number(c, "epoch"), &s);
}

static void all_secrets(struct epoch_secrets *x, const struct casefile_case *c) {
	reader_secrets(x, c);
	x->role = (enum role)casefile_number(c, "role");
	if (x->role >= ROLE_WRITER) TAKE(x->w, c, "w");
	if (x->role >= ROLE_ADMIN) TAKE(x->a, c, "a");
}

static void stated_public(struct epoch_public *p, const struct casefile_case *c) {
	TAKE(p->kem, c, "kem_public");
	TAKE(p->reader, c, "reader");
	TAKE(p->writer, c, "writer");
	TAKE(p->admin, c, "admin");
	TAKE(p->commitment, c, "commitment");
}

static bool is_epoch_public(const struct casefile_case *c, const struct epoch_public *p) {
	return IS(c, "kem_public", p->kem) && IS(c, "reader", p->reader) &&
		IS(c, "writer", p->writer) && IS(c, "admin", p->admin) &&
		IS(c, "commitment", p->commitment);
}

/* Exactly the access keys of the role and of those below it. */
static bool access_keys(const struct casefile_case *c, const struct epoch_secrets *x) {
	static const char *const fields[] = {
		[ROLE_READER] = "reader", [ROLE_WRITER] = "writer", [ROLE_ADMIN] = "admin"
	};
	struct signer signer;
	uint8_t key[SIGN_PUBLIC];
	if (epochkeys_access(&signer, x, ROLE_GRANT) != E_DENIED) return false;
	for (enum role r = ROLE_READER; r <= ROLE_ADMIN; r++) {
		enum err e = epochkeys_access(&signer, x, r);
		if (e != (r <= x->role ? OK : E_DENIED)) return false;
		if (e) continue;
		signer_public(key, &signer);
		if (!IS(c, fields[r], key)) return false;
	}
	return true;
}

static enum err make_epoch(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct epoch_public p;
	struct kem_seed kem;
	struct aead_key body, contact;
	all_secrets(&x, c);
	enum err e = epochkeys_public(&p, &x);
	if (e != (x.role == ROLE_ADMIN ? OK : E_DENIED)) return E_COUNT;
	epochkeys_kem(&kem, &x);
	epochkeys_body(&body, &x, SEAL_BODY);
	epochkeys_body(&contact, &x, SEAL_CONTACT);
	return secretcase_matches((e || is_epoch_public(c, &p)) && access_keys(c, &x) &&
		IS(c, "kem", kem) && IS(c, "body", body) && IS(c, "contact", contact));
}

static enum err open_epoch(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct epoch_public p;
	all_secrets(&x, c);
	stated_public(&p, c);
	return epochkeys_check(&x, &p);
}

static enum err make_box_tag(const struct casefile_case *c) {
	struct hash birth = secretcase_hash(c, "birth"), recipient = secretcase_hash(c, "recipient"),
				tag[2];
	struct epoch_secret previous;
	struct box_tag_key key[2];
	TAKE(previous, c, "previous");
	epochkeys_first_box_tag(&key[0], &birth);
	epochkeys_box_tag(&key[1], &previous, &birth, (uint32_t)casefile_number(c, "epoch"));
	box_tag(&tag[0], &key[0], &recipient);
	box_tag(&tag[1], &key[1], &recipient);
	return secretcase_matches(IS(c, "first_key", key[0]) && IS(c, "first_tag", tag[0]) &&
		IS(c, "key", key[1]) && IS(c, "tag", tag[1]));
}

static enum err make_wrap(const struct casefile_case *c) {
	struct fresh f;
	struct epoch_secrets x;
	struct epoch_secret previous;
	uint8_t wrap[EPOCHKEYS_WRAP];
	secretcase_fresh(&f, c);
	reader_secrets(&x, c);
	TAKE(previous, c, "previous");
	enum err e = epochkeys_wrap(wrap, &x, &previous, &f);
	return e ? e : secretcase_matches(IS(c, "wrap", wrap));
}

static enum err open_wrap(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct epoch_secret previous;
	reader_secrets(&x, c);
	enum err e = epochkeys_unwrap(&previous, &x, casefile_fixed(c, "wrap", EPOCHKEYS_WRAP).ptr);
	if (e) return secretcase_all_zero(previous.b, KEY_SIZE) ? e : E_COUNT;
	return secretcase_matches(IS(c, "previous", previous));
}

static enum err make_inner(const struct casefile_case *c) {
	struct fresh f;
	struct epoch_secrets x;
	struct aead_nonce nonce;
	struct hash outer = secretcase_hash(c, "outer");
	struct kem_seed kem;
	uint8_t out[SECRETCASE_OUT], key[KEM_PUBLIC];
	enum seal seal = (enum seal)casefile_number(c, "seal");
	struct span padded = casefile_bytes(c, "padded");
	enum err e = OK;
	secretcase_fresh(&f, c);
	reader_secrets(&x, c);
	TAKE(nonce, c, "nonce");
	epochkeys_kem(&kem, &x);
	xwing_public(key, &kem);
	if (seal == SEAL_HPKE) e = entryseal_seal_to(out, key, &outer, padded, &f);
	else entryseal_seal(out, seal, &x, &nonce, &outer, padded);
	return e
		? e
		: secretcase_matches(casefile_is(c, "sealed", out, padded.len + entryseal_overhead(seal)));
}

static enum err open_inner(const struct casefile_case *c) {
	struct epoch_secrets x;
	struct aead_nonce nonce;
	struct hash outer = secretcase_hash(c, "outer");
	uint8_t out[SECRETCASE_OUT] = { 0 };
	enum seal seal = (enum seal)casefile_number(c, "seal");
	struct span sealed = casefile_bytes(c, "sealed");
	size_t over = entryseal_overhead(seal);
	reader_secrets(&x, c);
	TAKE(nonce, c, "nonce");
	enum err e = entryseal_open(out, seal, &x, &nonce, &outer, sealed);
	if (e) return secretcase_all_zero(out, sizeof out) ? e : E_COUNT;
	return secretcase_matches(casefile_is(c, "padded", out, sealed.len - over));
}

/* --- box.txt */

static enum err make_box(const struct casefile_case *c) {
	struct fresh f;
	struct box_content content = { .kind = (enum chain_kind)casefile_number(c, "kind") };
	struct hash recipient = secretcase_hash(c, "recipient");
	uint8_t box[BOX_SIZE];
	secretcase_fresh(&f, c);
	all_secrets(&content.secrets, c);
	TAKE(content.root, c, "root");
	enum err e = box_seal(box, secretcase_public(c), &recipient, &content, &f);
	return e ? e : secretcase_matches(IS(c, "box", box));
}

static bool is_content(const struct casefile_case *c, const struct box_content *x) {
	const struct epoch_secrets *s = &x->secrets;
	return s->role == casefile_number(c, "role") && s->epoch == casefile_number(c, "epoch") &&
		x->kind == casefile_number(c, "kind") && IS(c, "birth", s->birth) && IS(c, "s", s->s) &&
		(s->role < ROLE_WRITER || IS(c, "w", s->w)) && (s->role < ROLE_ADMIN || IS(c, "a", s->a)) &&
		(x->kind != CHAIN_VAULT || IS(c, "root", x->root));
}

static enum err open_box(const struct casefile_case *c) {
	struct box_content out;
	struct kem_seed seed;
	struct hash recipient = secretcase_hash(c, "recipient"), birth = secretcase_hash(c, "birth");
	TAKE(seed, c, "seed");
	memset(&out, 0x55, sizeof out);
	enum err e = box_open(&out, &seed, &recipient, (enum chain_kind)casefile_number(c, "kind"),
		&birth, (uint32_t)casefile_number(c, "epoch"), casefile_fixed(c, "box", BOX_SIZE).ptr);
	return e ? e : secretcase_matches(is_content(c, &out));
}

static const struct casefile_kind kinds[] = {
	{ "epoch", make_epoch, true },
	{ "epoch", open_epoch, false },
	{ "box_tag", make_box_tag, true },
	{ "wrap", make_wrap, true },
	{ "wrap", open_wrap, false },
	{ "inner", make_inner, true },
	{ "inner", open_inner, false },
	{ "box", make_box, true },
	{ "box", open_box, false },
	{ NULL, NULL, false },
};

int main(void) {
	static const char *const files[] = { "epoch", "box" };
	unsigned passed = 0, failed = 0;
	if (crypto_start()) return 2;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[64];
		snprintf(path, sizeof path, "test/vector/crypto/%s.txt", files[i]);
		failed += casefile_run(path, kinds, &passed);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0 || passed == 0;
}
