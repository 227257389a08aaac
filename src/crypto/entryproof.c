#include "crypto/entryproof.h"

#include "crypto/label.h"
#include "crypto/verify.h"

void entryproof_hash(struct hash *out, struct span entry) {
	hash_label(out, LABEL_ENTRY, entry);
}

void entryproof_outer(struct hash *out, struct span outer) {
	hash_label(out, LABEL_ENTRY_OUTER, outer);
}

enum err entryproof_access(const uint8_t access_key[SIGN_PUBLIC], struct span before,
	const uint8_t signature[SIGN_SIGNATURE]) {
	return verify_signature(access_key, LABEL_ENTRY_ACCESS, &before, 1, signature);
}

enum err entryproof_author(const uint8_t entry_key[SIGN_PUBLIC], const struct hash *outer,
	struct span inner, const uint8_t signature[SIGN_SIGNATURE]) {
	struct span parts[] = { hash_span(outer), inner };
	return verify_signature(entry_key, LABEL_ENTRY_AUTHOR, parts, 2, signature);
}
