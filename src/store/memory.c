#include "store/memory.h"

#include <stdio.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "os/mutex.h"
#include "store/storeverbs.h"

enum kind { NONE, GONE, PACK, CHAIN, ENTRY, OBJECT, LOCATOR };
enum { FIRST_SLOTS = 64 };

/* Everything is one table. ${scope} is the vault or the chain, ${name} the name or the sequence. */
struct item {
	enum kind kind;
	struct hash scope;
	struct hash name;
	uint8_t *ptr;
	uint64_t len; /* of a CHAIN: its entries */
};

struct memory {
	struct store base;
	struct mutex lock;
	struct item *items; /* open addressing; a power of two of them */
	size_t slots;
	size_t filled; /* also with GONE */
};

static const struct hash no_scope;

static struct memory *of(struct store *s) {
	return (struct memory *)s;
}

static struct hash entry_name(uint64_t seq) {
	struct hash name = { { 0 } };
	little_put64(name.b, seq);
	return name;
}

static size_t start_of(enum kind kind, const struct hash *scope, const struct hash *name) {
	uint64_t h =
		little_get64(name->b) * 0x9e3779b97f4a7c15u ^ little_get64(scope->b) ^ (uint64_t)kind;
	return (size_t)(h ^ h >> 32);
}

/* The item, or NULL. The lock is held. */
static struct item *find(
	struct memory *m, enum kind kind, const struct hash *scope, const struct hash *name) {
	for (size_t i = start_of(kind, scope, name);; i++) {
		struct item *at = &m->items[i & (m->slots - 1)];
		if (at->kind == NONE) return NULL;
		if (at->kind == kind && memcmp(&at->name, name, sizeof *name) == 0 &&
			memcmp(&at->scope, scope, sizeof *scope) == 0)
			return at;
	}
}

static struct item *free_slot(struct item *items, size_t slots, const struct item *new) {
	size_t i = start_of(new->kind, &new->scope, &new->name);
	while (items[i & (slots - 1)].kind != NONE) i++;
	return &items[i & (slots - 1)];
}

static enum err grow(struct memory *m) {
	if (m->filled < m->slots / 2) return OK;
	size_t slots = m->slots * 2;
	struct item *items = mem_array(slots, sizeof *items);
	if (!items) return E_NOMEM;
	size_t filled = 0;
	for (size_t i = 0; i < m->slots; i++) {
		if (m->items[i].kind <= GONE) continue;
		*free_slot(items, slots, &m->items[i]) = m->items[i];
		filled++;
	}
	mem_free(m->items);
	m->items = items;
	m->slots = slots;
	m->filled = filled;
	return OK;
}

/* A new item, which is not there yet, with a copy of ${bytes}. The lock is held. */
static enum err add(struct memory *m, enum kind kind, const struct hash *scope,
	const struct hash *name, struct span bytes) {
	if (grow(m) != OK) return E_NOMEM;
	uint8_t *copy = mem_alloc(bytes.len);
	if (!copy) return E_NOMEM;
	if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
	struct item new = {
		.kind = kind, .scope = *scope, .name = *name, .ptr = copy, .len = bytes.len
	};
	*free_slot(m->items, m->slots, &new) = new;
	m->filled++;
	return OK;
}

static bool same(const struct item *at, struct span bytes) {
	return at->len == bytes.len && (!bytes.len || memcmp(at->ptr, bytes.ptr, bytes.len) == 0);
}

static void discard(struct item *at) {
	mem_free(at->ptr);
	at->ptr = NULL;
	at->kind = GONE;
}

static enum err failed(enum err e, struct why *why) {
	switch (e) {
	case OK: return OK;
	case E_NOTFOUND: return why_set(why, e, "not in the store");
	case E_EXISTS: return why_set(why, e, "other bytes of that name are in the store");
	default: return why_err(why, e, "store in memory");
	}
}

static void free_memory(struct store *s) {
	struct memory *m = of(s);
	for (size_t i = 0; i < m->slots; i++) mem_free(m->items[i].ptr);
	mem_free(m->items);
	mutex_done(&m->lock);
	mem_free(m);
}

static enum err put(struct memory *m, enum kind kind, const struct hash *scope,
	const struct hash *name, struct span bytes, struct why *why) {
	enum err e = OK;
	mutex_lock(&m->lock);
	const struct item *at = find(m, kind, scope, name);
	if (!at) e = add(m, kind, scope, name, bytes);
	else if (!same(at, bytes)) e = E_EXISTS;
	mutex_unlock(&m->lock);
	return failed(e, why);
}

static enum err remove_item(struct memory *m, enum kind kind, const struct hash *scope,
	const struct hash *name, struct why *why) {
	mutex_lock(&m->lock);
	struct item *at = find(m, kind, scope, name);
	if (at) discard(at);
	mutex_unlock(&m->lock);
	return failed(at ? OK : E_NOTFOUND, why);
}

static enum err pack_put(struct store *s, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why) {
	return put(of(s), PACK, vault, name, bytes, why);
}

static enum err pack_get(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why) {
	struct memory *m = of(s);
	enum err e = OK;
	mutex_lock(&m->lock);
	const struct item *at = find(m, PACK, vault, name);
	if (!at) e = E_NOTFOUND;
	else if (offset > at->len || length > at->len - offset) e = E_FORMAT;
	else if (length) memcpy(out, at->ptr + offset, length);
	mutex_unlock(&m->lock);
	return failed(e, why);
}

static enum err pack_size(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why) {
	struct memory *m = of(s);
	mutex_lock(&m->lock);
	const struct item *at = find(m, PACK, vault, name);
	if (at) *size = at->len;
	mutex_unlock(&m->lock);
	return failed(at ? OK : E_NOTFOUND, why);
}

struct row {
	struct hash name;
	uint64_t size;
};

/* A copy of what is there, so that whoever is called with it may call the store. For mem_free. */
static enum err copy_rows(
	struct memory *m, enum kind kind, const struct hash *scope, struct row **rows, size_t *count) {
	mutex_lock(&m->lock);
	struct row *out = mem_array(m->filled, sizeof *out);
	size_t n = 0;
	for (size_t i = 0; out && i < m->slots; i++) {
		const struct item *at = &m->items[i];
		if (at->kind != kind || (scope && memcmp(&at->scope, scope, sizeof *scope) != 0)) continue;
		out[n++] = (struct row){ .name = kind == CHAIN ? at->scope : at->name, .size = at->len };
	}
	mutex_unlock(&m->lock);
	*rows = out;
	*count = n;
	return out ? OK : E_NOMEM;
}

static enum err pack_list(struct store *s, const struct hash *vault, store_pack_visit *visit,
	void *ctx, struct why *why) {
	struct row *rows;
	size_t count;
	enum err e = copy_rows(of(s), PACK, vault, &rows, &count);
	if (e != OK) return failed(e, why);
	for (size_t i = 0; e == OK && i < count; i++) e = visit(ctx, &rows[i].name, rows[i].size, why);
	mem_free(rows);
	return e;
}

static enum err pack_delete(
	struct store *s, const struct hash *vault, const struct hash *name, struct why *why) {
	return remove_item(of(s), PACK, vault, name, why);
}

static enum err flush(struct store *s, const struct hash *vault, struct why *why) {
	(void)s;
	(void)vault;
	(void)why;
	return OK;
}

/* The lock is held. */
static enum err append(
	struct memory *m, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct hash name = entry_name(seq);
	const struct item *at = find(m, ENTRY, chain, &name);
	if (at) return same(at, bytes) ? OK : E_BUSY;
	struct item *head = find(m, CHAIN, chain, &no_scope);
	if (seq != (head ? head->len : 0)) return E_NOTFOUND;
	if (!head) {
		if (add(m, CHAIN, chain, &no_scope, span_of(NULL, 0)) != OK) return E_NOMEM;
	}
	if (add(m, ENTRY, chain, &name, bytes) != OK) return E_NOMEM;
	find(m, CHAIN, chain, &no_scope)->len = seq + 1;
	return OK;
}

static enum err chain_append(
	struct store *s, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why) {
	struct memory *m = of(s);
	mutex_lock(&m->lock);
	enum err e = append(m, chain, seq, bytes);
	mutex_unlock(&m->lock);
	return failed(e, why);
}

static enum err chain_read(struct store *s, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why) {
	(void)how;
	struct memory *m = of(s);
	for (uint64_t seq = from;; seq++) {
		struct hash name = entry_name(seq);
		mutex_lock(&m->lock);
		const struct item *at = find(m, ENTRY, chain, &name);
		/* Entries never go or change: their bytes can be used outside the lock. */
		struct span bytes = at ? span_of(at->ptr, (size_t)at->len) : span_of(NULL, 0);
		mutex_unlock(&m->lock);
		if (!bytes.ptr) return OK;
		enum err e = visit(ctx, seq, bytes, why);
		if (e != OK) return e;
	}
}

static enum err chain_length(
	struct store *s, const struct hash *chain, uint64_t *length, struct why *why) {
	(void)why;
	struct memory *m = of(s);
	mutex_lock(&m->lock);
	const struct item *at = find(m, CHAIN, chain, &no_scope);
	*length = at ? at->len : 0;
	mutex_unlock(&m->lock);
	return OK;
}

static enum err list_names(
	struct memory *m, enum kind kind, store_name_visit *visit, void *ctx, struct why *why) {
	struct row *rows;
	size_t count;
	enum err e = copy_rows(m, kind, NULL, &rows, &count);
	if (e != OK) return failed(e, why);
	for (size_t i = 0; e == OK && i < count; i++)
		if (kind != CHAIN || rows[i].size > 0) e = visit(ctx, &rows[i].name, why);
	mem_free(rows);
	return e;
}

static enum err chain_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	return list_names(of(s), CHAIN, visit, ctx, why);
}

static enum kind kind_of(enum store_kind kind) {
	return kind == STORE_OBJECTS ? OBJECT : LOCATOR;
}

static enum err thing_put(struct store *s, enum store_kind kind, const struct hash *name,
	struct span bytes, struct why *why) {
	return put(of(s), kind_of(kind), &no_scope, name, bytes, why);
}

static enum err thing_get(struct store *s, enum store_kind kind, const struct hash *name,
	struct buf *out, struct why *why) {
	struct memory *m = of(s);
	mutex_lock(&m->lock);
	const struct item *at = find(m, kind_of(kind), &no_scope, name);
	enum err e = at ? buf_add(out, span_of(at->ptr, (size_t)at->len)) : E_NOTFOUND;
	mutex_unlock(&m->lock);
	return failed(e, why);
}

static enum err thing_list(
	struct store *s, enum store_kind kind, store_name_visit *visit, void *ctx, struct why *why) {
	return list_names(of(s), kind_of(kind), visit, ctx, why);
}

static enum err thing_delete(
	struct store *s, enum store_kind kind, const struct hash *name, struct why *why) {
	return remove_item(of(s), kind_of(kind), &no_scope, name, why);
}

static const struct store_verbs verbs = {
	.free = free_memory,
	.pack_put = pack_put,
	.pack_get = pack_get,
	.pack_size = pack_size,
	.pack_list = pack_list,
	.pack_delete = pack_delete,
	.flush = flush,
	.chain_append = chain_append,
	.chain_read = chain_read,
	.chain_length = chain_length,
	.chain_list = chain_list,
	.thing_put = thing_put,
	.thing_get = thing_get,
	.thing_list = thing_list,
	.thing_delete = thing_delete,
};

struct store *memory_new(const struct hash *id) {
	struct memory *m = mem_zalloc(sizeof *m);
	if (!m) return NULL;
	m->items = mem_array(FIRST_SLOTS, sizeof *m->items);
	if (!m->items) {
		mem_free(m);
		return NULL;
	}
	m->slots = FIRST_SLOTS;
	mutex_init(&m->lock);
	m->base.verbs = &verbs;
	m->base.id = *id;
	char hex[HASH_HEX];
	hash_hex(hex, id);
	(void)snprintf(m->base.address, sizeof m->base.address, "memory:%.8s", hex);
	return &m->base;
}
