#include "store/faulty.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "store/storeverbs.h"

enum { ORDERS = 16, NS_IN_MS = 1000000 };

struct pending {
	struct faulty_order order;
	uint64_t at; /* the count of its verb at which it comes */
};

struct faulty {
	struct store base;
	struct store *inner;
	struct mutex lock;
	uint64_t counts[FAULTY_VERBS + 1];
	uint64_t hits;
	struct pending orders[ORDERS];
	size_t order_count;
};

/* What is to happen in a call. */
struct fault {
	bool on;
	struct faulty_order order;
};

static struct faulty *of(struct store *s) {
	return (struct faulty *)s;
}

/*
 * Counts the call; says what is to happen to it, and sleeps if that is all. The first order that
 * fits is taken.
 */
static struct fault enter(struct faulty *f, enum faulty_verb verb) {
	struct fault fault = { .on = false };
	mutex_lock(&f->lock);
	f->counts[verb]++;
	f->counts[FAULTY_ANY]++;
	for (size_t i = 0; i < f->order_count && !fault.on; i++) {
		const struct pending *p = &f->orders[i];
		if (p->order.verb != verb && p->order.verb != FAULTY_ANY) continue;
		uint64_t count = f->counts[p->order.verb];
		if (count == p->at || (p->order.forever && count > p->at))
			fault = (struct fault){ .on = true, .order = p->order };
	}
	if (fault.on) f->hits++;
	mutex_unlock(&f->lock);
	if (fault.on && fault.order.way == FAULTY_STALL) clock_sleep_ns(fault.order.at * NS_IN_MS);
	return fault;
}

static bool is_before(const struct fault *fault) {
	return fault->on && fault->order.way == FAULTY_BEFORE;
}

static enum err told(const struct fault *fault, struct why *why) {
	return why_set(why, fault->order.error, "a fault made by a test");
}

/* The end of a call that gave ${e}. */
static enum err leave(const struct fault *fault, enum err e, struct why *why) {
	if (e == OK && fault->on && fault->order.way == FAULTY_AFTER) return told(fault, why);
	return e;
}

static bool spoils(const struct fault *fault) {
	return fault->on && (fault->order.way == FAULTY_FLIP || fault->order.way == FAULTY_TRUNCATE);
}

/* Spoils ${len} bytes at ${ptr} as told; returns how many are left. */
static size_t spoil(const struct fault *fault, uint8_t *ptr, size_t len) {
	if (!spoils(fault) || !len) return len;
	uint64_t at = fault->order.at;
	if (fault->order.way == FAULTY_TRUNCATE) return at < len ? (size_t)at : len;
	ptr[at / 8 % len] ^= (uint8_t)(1u << at % 8);
	return len;
}

static void free_faulty(struct store *s) {
	struct faulty *f = of(s);
	mutex_done(&f->lock);
	mem_free(f);
}

static enum err pack_put(struct store *s, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_PACK_PUT);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_pack_put(of(s)->inner, vault, name, bytes, why), why);
}

static enum err pack_get(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_PACK_GET);
	if (is_before(&fault)) return told(&fault, why);
	enum err e = store_pack_get(of(s)->inner, vault, name, offset, length, out, why);
	if (e == OK && spoil(&fault, out, length) != length)
		return why_set(why, E_FORMAT, "the pack ends before: a fault made by a test");
	return leave(&fault, e, why);
}

static enum err pack_size(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_PACK_SIZE);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_pack_size(of(s)->inner, vault, name, size, why), why);
}

static enum err pack_list(struct store *s, const struct hash *vault, store_pack_visit *visit,
	void *ctx, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_PACK_LIST);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_pack_list(of(s)->inner, vault, visit, ctx, why), why);
}

static enum err pack_delete(
	struct store *s, const struct hash *vault, const struct hash *name, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_PACK_DELETE);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_pack_delete(of(s)->inner, vault, name, why), why);
}

static enum err flush(struct store *s, const struct hash *vault, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_FLUSH);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_flush(of(s)->inner, vault, why), why);
}

static enum err chain_append(
	struct store *s, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_CHAIN_APPEND);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_chain_append(of(s)->inner, chain, seq, bytes, why), why);
}

struct reading {
	struct fault fault;
	bool done; /* the first entry, which is the one that is spoiled, has passed */
	store_chain_visit *visit;
	void *ctx;
};

static enum err pass_entry(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct reading *r = ctx;
	if (!spoils(&r->fault) || r->done) return r->visit(r->ctx, seq, bytes, why);
	r->done = true;
	struct buf copy;
	buf_init(&copy, STORE_ENTRY_MAX);
	enum err e = buf_add(&copy, bytes);
	if (e == OK) copy.len = spoil(&r->fault, copy.ptr, copy.len);
	e = e == OK ? r->visit(r->ctx, seq, buf_span(&copy), why) : why_err(why, e, "faulty store");
	buf_free(&copy);
	return e;
}

static enum err chain_read(struct store *s, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why) {
	struct reading r = { .fault = enter(of(s), FAULTY_CHAIN_READ), .visit = visit, .ctx = ctx };
	if (is_before(&r.fault)) return told(&r.fault, why);
	enum err e = store_chain_read(of(s)->inner, chain, from, how, pass_entry, &r, why);
	return leave(&r.fault, e, why);
}

static enum err chain_length(
	struct store *s, const struct hash *chain, uint64_t *length, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_CHAIN_LENGTH);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_chain_length(of(s)->inner, chain, length, why), why);
}

static enum err chain_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	struct fault fault = enter(of(s), FAULTY_CHAIN_LIST);
	if (is_before(&fault)) return told(&fault, why);
	return leave(&fault, store_chain_list(of(s)->inner, visit, ctx, why), why);
}

/*
 * Objects and locators: through the inner table, as the checks of store.c come before and after
 * this store too.
 */
static struct fault enter_thing(struct faulty *f, enum faulty_verb verb, enum store_kind kind) {
	return enter(f, kind == STORE_OBJECTS ? verb : verb + (FAULTY_LOCATOR_PUT - FAULTY_OBJECT_PUT));
}

static enum err thing_put(struct store *s, enum store_kind kind, const struct hash *name,
	struct span bytes, struct why *why) {
	struct fault fault = enter_thing(of(s), FAULTY_OBJECT_PUT, kind);
	if (is_before(&fault)) return told(&fault, why);
	struct store *in = of(s)->inner;
	return leave(&fault, in->verbs->thing_put(in, kind, name, bytes, why), why);
}

static enum err thing_get(struct store *s, enum store_kind kind, const struct hash *name,
	struct buf *out, struct why *why) {
	struct fault fault = enter_thing(of(s), FAULTY_OBJECT_GET, kind);
	if (is_before(&fault)) return told(&fault, why);
	struct store *in = of(s)->inner;
	size_t start = out->len;
	enum err e = in->verbs->thing_get(in, kind, name, out, why);
	if (e == OK && out->len > start)
		out->len = start + spoil(&fault, out->ptr + start, out->len - start);
	return leave(&fault, e, why);
}

static enum err thing_list(
	struct store *s, enum store_kind kind, store_name_visit *visit, void *ctx, struct why *why) {
	struct fault fault = enter_thing(of(s), FAULTY_OBJECT_LIST, kind);
	if (is_before(&fault)) return told(&fault, why);
	struct store *in = of(s)->inner;
	return leave(&fault, in->verbs->thing_list(in, kind, visit, ctx, why), why);
}

static enum err thing_delete(
	struct store *s, enum store_kind kind, const struct hash *name, struct why *why) {
	struct fault fault = enter_thing(of(s), FAULTY_OBJECT_DELETE, kind);
	if (is_before(&fault)) return told(&fault, why);
	struct store *in = of(s)->inner;
	return leave(&fault, in->verbs->thing_delete(in, kind, name, why), why);
}

static const struct store_verbs verbs = {
	.free = free_faulty,
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

struct store *faulty_new(struct store *inner) {
	struct faulty *f = mem_zalloc(sizeof *f);
	if (!f) return NULL;
	mutex_init(&f->lock);
	f->inner = inner;
	f->base = *inner;
	f->base.verbs = &verbs;
	return &f->base;
}

static struct faulty *checked(struct store *s) {
	if (s->verbs != &verbs) abort();
	return of(s);
}

void faulty_order(struct store *s, struct faulty_order order) {
	struct faulty *f = checked(s);
	mutex_lock(&f->lock);
	if (f->order_count == ORDERS || order.nth == 0 || order.verb > FAULTY_ANY) abort();
	f->orders[f->order_count++] =
		(struct pending){ .order = order, .at = f->counts[order.verb] + order.nth };
	mutex_unlock(&f->lock);
}

void faulty_clear(struct store *s) {
	struct faulty *f = checked(s);
	mutex_lock(&f->lock);
	f->order_count = 0;
	mutex_unlock(&f->lock);
}

uint64_t faulty_count(struct store *s, enum faulty_verb verb) {
	struct faulty *f = checked(s);
	mutex_lock(&f->lock);
	uint64_t count = f->counts[verb];
	mutex_unlock(&f->lock);
	return count;
}

uint64_t faulty_hits(struct store *s) {
	struct faulty *f = checked(s);
	mutex_lock(&f->lock);
	uint64_t hits = f->hits;
	mutex_unlock(&f->lock);
	return hits;
}
