#include "rawstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/mutex.h"
#include "store/storeverbs.h"

struct rawstore_copy {
	struct rawstore_item *items;
	size_t count, room;
};

struct raw {
	struct store base;
	struct mutex lock;
	struct rawstore_copy all;
	rawstore_appending *appending;
	void *ctx;
};

static const struct hash none;

static struct raw *of(struct store *s) {
	return (struct raw *)s;
}

static void *must(void *p) {
	if (!p) abort();
	return p;
}

static uint8_t *duplicate(const uint8_t *bytes, size_t len) {
	uint8_t *out = must(malloc(len + 1));
	if (len) memcpy(out, bytes, len);
	return out;
}

static struct rawstore_item *find(struct raw *r, enum rawstore_kind kind, const struct hash *scope,
	const struct hash *name, uint64_t sequence) {
	for (size_t i = 0; i < r->all.count; i++) {
		struct rawstore_item *at = &r->all.items[i];
		if (at->kind == kind && at->sequence == sequence && hash_equal(&at->scope, scope) &&
			hash_equal(&at->name, name))
			return at;
	}
	return NULL;
}

static void add(struct raw *r, const struct rawstore_item *item) {
	if (r->all.count == r->all.room) {
		r->all.room = r->all.room ? r->all.room * 2 : 64;
		r->all.items = must(realloc(r->all.items, r->all.room * sizeof *r->all.items));
	}
	struct rawstore_item *at = &r->all.items[r->all.count++];
	*at = *item;
	at->bytes = duplicate(item->bytes, item->len);
}

static void discard(struct raw *r, struct rawstore_item *at) {
	free(at->bytes);
	memmove(at, at + 1, (size_t)(r->all.items + r->all.count - (at + 1)) * sizeof *at);
	r->all.count--;
}

static enum err failed(enum err e, struct why *why) {
	switch (e) {
	case OK: return OK;
	case E_NOTFOUND: return why_set(why, e, "not in the store");
	case E_EXISTS: return why_set(why, e, "other bytes of that name are in the store");
	default: return why_err(why, e, "store of the test");
	}
}

static enum err put(struct raw *r, enum rawstore_kind kind, const struct hash *scope,
	const struct hash *name, struct span bytes, bool same_size_is_enough, struct why *why) {
	enum err e = OK;
	mutex_lock(&r->lock);
	const struct rawstore_item *at = find(r, kind, scope, name, 0);
	struct rawstore_item new = { .kind = kind, .scope = *scope, .name = *name, .len = bytes.len };
	new.bytes = duplicate(bytes.ptr, bytes.len);
	if (!at) add(r, &new);
	else if (at->len != bytes.len) e = E_EXISTS;
	else if (!same_size_is_enough && memcmp(at->bytes, bytes.ptr, bytes.len) != 0) e = E_EXISTS;
	free(new.bytes);
	mutex_unlock(&r->lock);
	return failed(e, why);
}

static enum err delete (struct raw *r, enum rawstore_kind kind, const struct hash *scope,
	const struct hash *name, struct why *why) {
	mutex_lock(&r->lock); struct rawstore_item *at = find(r, kind, scope, name, 0);
	if (at) discard(r, at);
	mutex_unlock(&r->lock);
	return failed(at ? OK : E_NOTFOUND, why);
}

static enum err pack_put(struct store *s, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why) {
	return put(of(s), RAWSTORE_PACK, vault, name, bytes, true, why);
}

static enum err pack_get(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why) {
	struct raw *r = of(s);
	enum err e = OK;
	mutex_lock(&r->lock);
	const struct rawstore_item *at = find(r, RAWSTORE_PACK, vault, name, 0);
	if (!at) e = E_NOTFOUND;
	else if (offset > at->len || length > at->len - offset) e = E_FORMAT;
	else if (length) memcpy(out, at->bytes + offset, length);
	mutex_unlock(&r->lock);
	return failed(e, why);
}

static enum err pack_size(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why) {
	struct raw *r = of(s);
	mutex_lock(&r->lock);
	const struct rawstore_item *at = find(r, RAWSTORE_PACK, vault, name, 0);
	if (at) *size = at->len;
	mutex_unlock(&r->lock);
	return failed(at ? OK : E_NOTFOUND, why);
}

/* Names and sizes are copied first: whoever is called may call the store. */
struct row {
	struct hash name;
	uint64_t size;
};

static struct row *rows_of(
	struct raw *r, enum rawstore_kind kind, const struct hash *scope, size_t *count) {
	mutex_lock(&r->lock);
	struct row *rows = must(malloc((r->all.count + 1) * sizeof *rows));
	*count = 0;
	for (size_t i = 0; i < r->all.count; i++) {
		const struct rawstore_item *at = &r->all.items[i];
		if (at->kind == kind && (!scope || hash_equal(&at->scope, scope)))
			rows[(*count)++] = (struct row){ .name = at->name, .size = at->len };
	}
	mutex_unlock(&r->lock);
	return rows;
}

static enum err pack_list(struct store *s, const struct hash *vault, store_pack_visit *visit,
	void *ctx, struct why *why) {
	size_t count;
	struct row *rows = rows_of(of(s), RAWSTORE_PACK, vault, &count);
	enum err e = OK;
	for (size_t i = 0; !e && i < count; i++) e = visit(ctx, &rows[i].name, rows[i].size, why);
	free(rows);
	return e;
}

static enum err pack_delete(
	struct store *s, const struct hash *vault, const struct hash *name, struct why *why) {
	return delete (of(s), RAWSTORE_PACK, vault, name, why);
}

static enum err flush(struct store *s, const struct hash *vault, struct why *why) {
	(void)s;
	(void)vault;
	(void)why;
	return OK;
}

static enum err chain_append(
	struct store *s, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why) {
	struct raw *r = of(s);
	enum err e = r->appending ? r->appending(r->ctx, chain, seq, bytes) : OK;
	if (e) return failed(e, why);
	mutex_lock(&r->lock);
	const struct rawstore_item *at = find(r, RAWSTORE_ENTRY, chain, &none, seq);
	struct rawstore_item new = {
		.kind = RAWSTORE_ENTRY, .scope = *chain, .sequence = seq, .len = bytes.len
	};
	if (at) {
		e = at->len == bytes.len && memcmp(at->bytes, bytes.ptr, bytes.len) == 0 ? OK : E_BUSY;
	} else if (seq > 0 && !find(r, RAWSTORE_ENTRY, chain, &none, seq - 1)) {
		e = E_NOTFOUND;
	} else {
		new.bytes = duplicate(bytes.ptr, bytes.len);
		add(r, &new);
		free(new.bytes);
	}
	mutex_unlock(&r->lock);
	return failed(e, why);
}

static enum err chain_read(struct store *s, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why) {
	struct raw *r = of(s);
	(void)how;
	for (uint64_t seq = from;; seq++) {
		mutex_lock(&r->lock);
		const struct rawstore_item *at = find(r, RAWSTORE_ENTRY, chain, &none, seq);
		size_t len = at ? at->len : 0;
		uint8_t *copy = at ? duplicate(at->bytes, len) : NULL;
		mutex_unlock(&r->lock);
		if (!copy) return OK;
		enum err e = visit(ctx, seq, span_of(copy, len), why);
		free(copy);
		if (e) return e;
	}
}

static enum err chain_length(
	struct store *s, const struct hash *chain, uint64_t *length, struct why *why) {
	struct raw *r = of(s);
	(void)why;
	mutex_lock(&r->lock);
	for (*length = 0; find(r, RAWSTORE_ENTRY, chain, &none, *length);) ++*length;
	mutex_unlock(&r->lock);
	return OK;
}

static enum err list_names(
	struct row *rows, size_t count, store_name_visit *visit, void *ctx, struct why *why) {
	enum err e = OK;
	for (size_t i = 0; !e && i < count; i++) e = visit(ctx, &rows[i].name, why);
	free(rows);
	return e;
}

static enum err chain_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	struct raw *r = of(s);
	size_t count = 0;
	mutex_lock(&r->lock);
	struct row *rows = must(malloc((r->all.count + 1) * sizeof *rows));
	for (size_t i = 0; i < r->all.count; i++) {
		const struct rawstore_item *at = &r->all.items[i];
		if (at->kind == RAWSTORE_ENTRY && at->sequence == 0) rows[count++].name = at->scope;
	}
	mutex_unlock(&r->lock);
	return list_names(rows, count, visit, ctx, why);
}

static enum rawstore_kind kind_of(enum store_kind kind) {
	return kind == STORE_OBJECTS ? RAWSTORE_OBJECT : RAWSTORE_LOCATOR;
}

static enum err thing_put(struct store *s, enum store_kind kind, const struct hash *name,
	struct span bytes, struct why *why) {
	return put(of(s), kind_of(kind), &none, name, bytes, false, why);
}

static enum err thing_get(struct store *s, enum store_kind kind, const struct hash *name,
	struct buf *out, struct why *why) {
	struct raw *r = of(s);
	mutex_lock(&r->lock);
	const struct rawstore_item *at = find(r, kind_of(kind), &none, name, 0);
	enum err e = at ? buf_add(out, span_of(at->bytes, at->len)) : E_NOTFOUND;
	mutex_unlock(&r->lock);
	return failed(e, why);
}

static enum err thing_list(
	struct store *s, enum store_kind kind, store_name_visit *visit, void *ctx, struct why *why) {
	size_t count;
	struct row *rows = rows_of(of(s), kind_of(kind), NULL, &count);
	return list_names(rows, count, visit, ctx, why);
}

static enum err thing_delete(
	struct store *s, enum store_kind kind, const struct hash *name, struct why *why) {
	return delete (of(s), kind_of(kind), &none, name, why);
}

static void empty(struct rawstore_copy *c) {
	for (size_t i = 0; i < c->count; i++) free(c->items[i].bytes);
	free(c->items);
	*c = (struct rawstore_copy){ .count = 0 };
}

static void free_raw(struct store *s) {
	struct raw *r = of(s);
	empty(&r->all);
	mutex_done(&r->lock);
	free(r);
}

static const struct store_verbs verbs = {
	.free = free_raw,
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

struct store *rawstore_new(const struct hash *id) {
	struct raw *r = must(calloc(1, sizeof *r));
	mutex_init(&r->lock);
	r->base.verbs = &verbs;
	r->base.id = *id;
	(void)snprintf(r->base.address, sizeof r->base.address, "raw store");
	return &r->base;
}

size_t rawstore_count(const struct store *s) {
	return ((const struct raw *)s)->all.count;
}

struct rawstore_item *rawstore_at(struct store *s, size_t i) {
	if (i >= of(s)->all.count) abort();
	return &of(s)->all.items[i];
}

struct rawstore_item *rawstore_find(struct store *s, enum rawstore_kind kind,
	const struct hash *scope, const struct hash *name, uint64_t sequence) {
	return find(of(s), kind, scope ? scope : &none, name ? name : &none, sequence);
}

void rawstore_replace(struct store *s, size_t i, struct span bytes) {
	struct rawstore_item *at = rawstore_at(s, i);
	uint8_t *copy = duplicate(bytes.ptr, bytes.len);
	free(at->bytes);
	at->bytes = copy;
	at->len = bytes.len;
}

void rawstore_remove(struct store *s, size_t i) {
	discard(of(s), rawstore_at(s, i));
}

void rawstore_add(struct store *s, const struct rawstore_item *item) {
	add(of(s), item);
}

struct rawstore_copy *rawstore_copy(const struct store *s) {
	const struct rawstore_copy *all = &((const struct raw *)s)->all;
	struct rawstore_copy *out = must(calloc(1, sizeof *out));
	out->items = must(malloc((all->count + 1) * sizeof *out->items));
	out->count = out->room = all->count;
	for (size_t i = 0; i < all->count; i++) {
		out->items[i] = all->items[i];
		out->items[i].bytes = duplicate(all->items[i].bytes, all->items[i].len);
	}
	return out;
}

void rawstore_set(struct store *s, const struct rawstore_copy *copy) {
	struct raw *r = of(s);
	empty(&r->all);
	for (size_t i = 0; i < copy->count; i++) add(r, &copy->items[i]);
}

void rawstore_copy_free(struct rawstore_copy *copy) {
	if (!copy) return;
	empty(copy);
	free(copy);
}

void rawstore_on_append(struct store *s, rawstore_appending *f, void *ctx) {
	of(s)->appending = f;
	of(s)->ctx = ctx;
}

const char *rawstore_kind_text(enum rawstore_kind kind) {
	static const char *const texts[] = { "pack", "entry", "object", "locator" };
	return texts[kind];
}
