#include "store/store.h"

#include "os/clock.h"
#include "os/signals.h"
#include "store/storeverbs.h"

enum { WATCH_FIRST_MS = 50, WATCH_LAST_MS = 1000, NS_IN_MS = 1000000 };

void store_free(struct store *s) {
	if (s) s->verbs->free(s);
}

const struct hash *store_id(const struct store *s) {
	return &s->id;
}

const char *store_address(const struct store *s) {
	return s->address;
}

/*
 * Bytes that are stored under their own hash. A wrong pair is the caller's mistake, and would stay
 * for ever.
 */
static enum err check_named(
	const struct hash *name, struct span bytes, size_t max, struct why *why) {
	if (bytes.len > max) return why_set(why, E_LIMIT, "more than %zu bytes to store as one", max);
	struct hash real;
	hash_of(&real, bytes);
	if (!hash_equal(&real, name))
		return why_set(why, E_USAGE, "bytes to store under a name that is not theirs");
	return OK;
}

enum err store_pack_put(struct store *s, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why) {
	enum err e = check_named(name, bytes, STORE_PACK_MAX, why);
	if (e != OK) return e;
	return s->verbs->pack_put(s, vault, name, bytes, why);
}

enum err store_pack_add(struct store *s, const struct hash *vault, struct span bytes,
	struct hash *name, store_pack_named *named, void *ctx, struct why *why) {
	if (bytes.len > STORE_PACK_MAX)
		return why_set(why, E_LIMIT, "more than %d bytes to store as one", STORE_PACK_MAX);
	hash_of(name, bytes);
	if (named) named(ctx, name, (uint32_t)bytes.len);
	return s->verbs->pack_put(s, vault, name, bytes, why);
}

enum err store_pack_get(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why) {
	if (offset > STORE_PACK_MAX || length > STORE_PACK_MAX - offset)
		return why_set(why, E_FORMAT, "a place beyond the end of any pack");
	return s->verbs->pack_get(s, vault, name, offset, length, out, why);
}

enum err store_pack_size(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why) {
	return s->verbs->pack_size(s, vault, name, size, why);
}

enum err store_pack_list(struct store *s, const struct hash *vault, store_pack_visit *visit,
	void *ctx, struct why *why) {
	return s->verbs->pack_list(s, vault, visit, ctx, why);
}

enum err store_pack_delete(
	struct store *s, const struct hash *vault, const struct hash *name, struct why *why) {
	return s->verbs->pack_delete(s, vault, name, why);
}

enum err store_flush(struct store *s, const struct hash *vault, struct why *why) {
	return s->verbs->flush(s, vault, why);
}

enum err store_chain_append(
	struct store *s, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why) {
	if (bytes.len == 0) return why_set(why, E_USAGE, "an empty chain entry");
	if (bytes.len > STORE_ENTRY_MAX || seq >= INT64_MAX)
		return why_set(why, E_LIMIT, "a chain entry beyond the maximum");
	return s->verbs->chain_append(s, chain, seq, bytes, why);
}

enum err store_chain_read(struct store *s, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why) {
	return s->verbs->chain_read(s, chain, from, how, visit, ctx, why);
}

enum err store_chain_length(
	struct store *s, const struct hash *chain, uint64_t *length, struct why *why) {
	return s->verbs->chain_length(s, chain, length, why);
}

enum err store_chain_check(struct store *s, const struct hash *chain, store_copy_visit *visit,
	void *ctx, struct why *why) {
	if (!s->verbs->chain_check) return OK;
	return s->verbs->chain_check(s, chain, visit, ctx, why);
}

enum err store_chain_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	return s->verbs->chain_list(s, visit, ctx, why);
}

/* Asks again and again, ever less often. */
static enum err poll_chain(struct store *s, const struct hash *chain, uint64_t known,
	unsigned timeout_ms, uint64_t *length, struct why *why) {
	uint64_t end = clock_mono_ns() + (uint64_t)timeout_ms * NS_IN_MS;
	uint64_t pause = (uint64_t)WATCH_FIRST_MS * NS_IN_MS;
	for (;;) {
		uint64_t found;
		enum err e = s->verbs->chain_length(s, chain, &found, why);
		if (e != OK) return e;
		uint64_t now = clock_mono_ns();
		if (found > known || now >= end || interrupt_asked()) {
			*length = found;
			return OK;
		}
		clock_sleep_ns(pause < end - now ? pause : end - now);
		pause += pause / 2;
		if (pause > (uint64_t)WATCH_LAST_MS * NS_IN_MS) pause = (uint64_t)WATCH_LAST_MS * NS_IN_MS;
	}
}

enum err store_chain_watch(struct store *s, const struct hash *chain, uint64_t known,
	unsigned timeout_ms, uint64_t *length, struct why *why) {
	if (!s->verbs->chain_watch) return poll_chain(s, chain, known, timeout_ms, length, why);
	return s->verbs->chain_watch(s, chain, known, timeout_ms, length, why);
}

enum err store_object_put(
	struct store *s, const struct hash *name, struct span bytes, struct why *why) {
	enum err e = check_named(name, bytes, STORE_OBJECT_MAX, why);
	if (e != OK) return e;
	return s->verbs->thing_put(s, STORE_OBJECTS, name, bytes, why);
}

enum err store_object_get(
	struct store *s, const struct hash *name, struct buf *out, struct why *why) {
	size_t start = out->len;
	enum err e = s->verbs->thing_get(s, STORE_OBJECTS, name, out, why);
	if (e != OK) return e;
	struct hash real;
	hash_of(&real, span_of(out->ptr + start, out->len - start));
	if (hash_equal(&real, name)) return OK;
	out->len = start;
	char hex[HASH_HEX];
	hash_hex(hex, name);
	return why_set(why, E_FORMAT, "object %s of the store is damaged", hex);
}

enum err store_object_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	return s->verbs->thing_list(s, STORE_OBJECTS, visit, ctx, why);
}

enum err store_object_delete(struct store *s, const struct hash *name, struct why *why) {
	return s->verbs->thing_delete(s, STORE_OBJECTS, name, why);
}

enum err store_locator_put(
	struct store *s, const struct hash *locator, struct span bytes, struct why *why) {
	if (bytes.len > STORE_LOCATOR_MAX)
		return why_set(why, E_LIMIT, "a locator object beyond the maximum");
	return s->verbs->thing_put(s, STORE_LOCATORS, locator, bytes, why);
}

enum err store_locator_get(
	struct store *s, const struct hash *locator, struct buf *out, struct why *why) {
	return s->verbs->thing_get(s, STORE_LOCATORS, locator, out, why);
}

enum err store_locator_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	return s->verbs->thing_list(s, STORE_LOCATORS, visit, ctx, why);
}

enum err store_locator_delete(struct store *s, const struct hash *locator, struct why *why) {
	return s->verbs->thing_delete(s, STORE_LOCATORS, locator, why);
}
