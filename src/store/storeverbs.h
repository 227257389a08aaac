/*
 * For those who make a store: the table of what it can do. store.c checks the arguments that all
 * stores have in common (sizes, names against bytes) before it calls one of these, so they need
 * not; each has the contract of its namesake in store.h.
 */
#ifndef STORE_STOREVERBS_H
#define STORE_STOREVERBS_H

#include "store/store.h"

enum store_kind { STORE_OBJECTS, STORE_LOCATORS };

struct store_verbs {
	void (*free)(struct store *s);
	enum err (*pack_put)(struct store *s, const struct hash *vault, const struct hash *name,
		struct span bytes, struct why *why);
	enum err (*pack_get)(struct store *s, const struct hash *vault, const struct hash *name,
		uint64_t offset, size_t length, uint8_t *out, struct why *why);
	enum err (*pack_size)(struct store *s, const struct hash *vault, const struct hash *name,
		uint64_t *size, struct why *why);
	enum err (*pack_list)(struct store *s, const struct hash *vault, store_pack_visit *visit,
		void *ctx, struct why *why);
	enum err (*pack_delete)(
		struct store *s, const struct hash *vault, const struct hash *name, struct why *why);
	enum err (*flush)(struct store *s, const struct hash *vault, struct why *why);
	enum err (*chain_append)(struct store *s, const struct hash *chain, uint64_t seq,
		struct span bytes, struct why *why);
	enum err (*chain_read)(struct store *s, const struct hash *chain, uint64_t from,
		enum store_read how, store_chain_visit *visit, void *ctx, struct why *why);
	enum err (*chain_length)(
		struct store *s, const struct hash *chain, uint64_t *length, struct why *why);
	enum err (*chain_list)(struct store *s, store_name_visit *visit, void *ctx, struct why *why);
	/* NULL: it keeps no copies. */
	enum err (*chain_check)(struct store *s, const struct hash *chain, store_copy_visit *visit,
		void *ctx, struct why *why);
	/* NULL: store.c asks chain_length again and again. */
	enum err (*chain_watch)(struct store *s, const struct hash *chain, uint64_t known,
		unsigned timeout_ms, uint64_t *length, struct why *why);
	/* Objects and locators. put: E_EXISTS if other bytes are there (of an object: damaged ones). */
	enum err (*thing_put)(struct store *s, enum store_kind kind, const struct hash *name,
		struct span bytes, struct why *why);
	enum err (*thing_get)(struct store *s, enum store_kind kind, const struct hash *name,
		struct buf *out, struct why *why);
	enum err (*thing_list)(
		struct store *s, enum store_kind kind, store_name_visit *visit, void *ctx, struct why *why);
	enum err (*thing_delete)(
		struct store *s, enum store_kind kind, const struct hash *name, struct why *why);
};

/* First member of every store. */
struct store {
	const struct store_verbs *verbs;
	struct hash id;
	char address[STORE_ADDRESS_MAX];
};

#endif
