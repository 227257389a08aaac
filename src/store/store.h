/*
 * A store: where packs, chains, write-once objects and locator objects are kept
 * (doc/spec/formats.md, section 12). It is not trusted: what comes out of it is believed for what
 * it proves by itself. All functions may be called from several threads at once.
 *
 * What is durable when: a chain entry, an object and a locator are durable when their put has
 * returned OK. A pack is durable only after a store_flush of its vault that began after its put: so
 * a run puts its packs, flushes once, and then appends the entry that names them. After a sync that
 * failed, a store takes nothing more (E_IO) until it is opened anew: what was put since the last
 * flush is to be taken for lost.
 *
 * Common results: E_NOTFOUND there is none; E_IO the store cannot be reached or fails; E_DENIED it
 * refuses; E_NOMEM; E_LIMIT larger than a maximum. A reader that finds bytes which no store of ours
 * keeps gets E_FORMAT.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "crypto/hash.h"
#include "os/why.h"

enum {
	STORE_PACK_MAX = 16777216,
	STORE_ENTRY_MAX = 262144,
	STORE_OBJECT_MAX = 16777216,
	STORE_LOCATOR_MAX = 4096,
	STORE_ADDRESS_MAX = 4096,
};

struct store;

/* NULL is fine. No call may be under way. */
void store_free(struct store *s);

/* The store's id, and its address for messages (a path, a URL). Both live as long as the store. */
const struct hash *store_id(const struct store *s);
const char *store_address(const struct store *s);

/*
 * Packs. The name is the BLAKE3 hash of the bytes; a put of other bytes is E_USAGE. A pack that is
 * there already with the same size is OK and not written again; with another size (it was damaged)
 * E_EXISTS.
 */
MUST_USE enum err store_pack_put(struct store *s, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why);

/*
 * The same for bytes whose name nobody has computed yet: it goes to ${name}. ${named} (or NULL) is
 * told it before anything is stored.
 */
typedef void store_pack_named(void *ctx, const struct hash *name, uint32_t size);
MUST_USE enum err store_pack_add(struct store *s, const struct hash *vault, struct span bytes,
	struct hash *name, store_pack_named *named, void *ctx, struct why *why);

/*
 * Exactly ${length} bytes from ${offset} on to ${out}; the bytes are not checked. E_FORMAT if the
 * pack ends before. Of a pack that was deleted by somebody else meanwhile, bytes may still come.
 */
MUST_USE enum err store_pack_get(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why);

MUST_USE enum err store_pack_size(struct store *s, const struct hash *vault,
	const struct hash *name, uint64_t *size, struct why *why);

/*
 * Calls ${visit} for every pack of the vault, in no order; what it returns other than OK ends the
 * list and is returned.
 */
typedef enum err store_pack_visit(
	void *ctx, const struct hash *name, uint64_t size, struct why *why);
MUST_USE enum err store_pack_list(
	struct store *s, const struct hash *vault, store_pack_visit *visit, void *ctx, struct why *why);

/* E_NOTFOUND if it is gone already. */
MUST_USE enum err store_pack_delete(
	struct store *s, const struct hash *vault, const struct hash *name, struct why *why);

/*
 * The barrier: afterwards every pack of the vault whose put returned OK before this call is
 * durable, and so is every one that a list or a size has shown: a run that was killed may have left
 * packs that can be seen and used again, and would still be lost in a power cut.
 */
MUST_USE enum err store_flush(struct store *s, const struct hash *vault, struct why *why);

/*
 * Chains. Appending is compare-and-swap: entry ${seq} is made only if there is none and there is
 * one before it. E_BUSY if another entry is there: read it and try again. The very same bytes there
 * already are OK: a caller whose reply was lost may simply repeat. E_NOTFOUND if entry ${seq} - 1
 * is not there (the caller knows more than this store).
 */
MUST_USE enum err store_chain_append(
	struct store *s, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why);

/*
 * Calls ${visit} for each entry from ${from} on, in order, until there are no more; ${bytes} are
 * valid during the call. What it returns other than OK ends the reading and is returned. A chain
 * that is not there, or is not that long, has none: OK. Entries may come from copies of many
 * entries (segments), which can be damaged while the entries are not: who finds an entry wrong
 * reads again from it on with STORE_READ_SINGLE, before calling it damaged.
 */
enum store_read { STORE_READ_FAST, STORE_READ_SINGLE };
typedef enum err store_chain_visit(void *ctx, uint64_t seq, struct span bytes, struct why *why);
MUST_USE enum err store_chain_read(struct store *s, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why);

/*
 * The number of entries: newest sequence + 1; 0 if there is no such chain. Takes few steps for any
 * length.
 */
MUST_USE enum err store_chain_length(
	struct store *s, const struct hash *chain, uint64_t *length, struct why *why);

/*
 * For checks: calls ${visit} for each copy of entries that is damaged or says something else than the
 * entries, and for entries behind a gap, with the file's ${place} in the store (printable) and what is
 * wrong with it. ${seq}: the first entry that it is about. A store without copies has nothing to say.
 */
typedef enum err store_copy_visit(
	void *ctx, const char *place, uint64_t seq, const char *what, struct why *why);
MUST_USE enum err store_chain_check(
	struct store *s, const struct hash *chain, store_copy_visit *visit, void *ctx, struct why *why);

/* Names of chains, objects or locators, in no order. */
typedef enum err store_name_visit(void *ctx, const struct hash *name, struct why *why);
MUST_USE enum err store_chain_list(
	struct store *s, store_name_visit *visit, void *ctx, struct why *why);

/*
 * Waits until the chain has more than ${known} entries or ${timeout_ms} have passed, or
 * interrupt_asked(); its length then goes to ${length}.
 */
MUST_USE enum err store_chain_watch(struct store *s, const struct hash *chain, uint64_t known,
	unsigned timeout_ms, uint64_t *length, struct why *why);

/*
 * Write-once objects, named by the BLAKE3 hash of their bytes. A put of other bytes is E_USAGE; of
 * an object that is there, OK. What get appends to ${out} has been checked against the name:
 * E_FORMAT if it does not have it.
 */
MUST_USE enum err store_object_put(
	struct store *s, const struct hash *name, struct span bytes, struct why *why);
MUST_USE enum err store_object_get(
	struct store *s, const struct hash *name, struct buf *out, struct why *why);
MUST_USE enum err store_object_list(
	struct store *s, store_name_visit *visit, void *ctx, struct why *why);
MUST_USE enum err store_object_delete(struct store *s, const struct hash *name, struct why *why);

/*
 * Locator objects. Other bytes under the same locator are E_EXISTS (delete first); the same bytes
 * are OK.
 */
MUST_USE enum err store_locator_put(
	struct store *s, const struct hash *locator, struct span bytes, struct why *why);
MUST_USE enum err store_locator_get(
	struct store *s, const struct hash *locator, struct buf *out, struct why *why);
MUST_USE enum err store_locator_list(
	struct store *s, store_name_visit *visit, void *ctx, struct why *why);
MUST_USE enum err store_locator_delete(
	struct store *s, const struct hash *locator, struct why *why);

#endif
