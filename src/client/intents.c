#include "client/intents.h"

#include <stdlib.h>
#include <string.h>

#include "format/namelist.h"

static int by_bytes(const void *a, const void *b) {
	return memcmp(a, b, HASH_SIZE);
}

void intents_sort(struct buf *names) {
	size_t count = names->len / HASH_SIZE, kept = 0;
	if (!count) return;
	qsort(names->ptr, count, HASH_SIZE, by_bytes);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *row = names->ptr + i * HASH_SIZE;
		if (kept && by_bytes(names->ptr + (kept - 1) * HASH_SIZE, row) == 0) continue;
		memmove(names->ptr + kept++ * HASH_SIZE, row, HASH_SIZE);
	}
	names->len = kept * HASH_SIZE;
}

bool intents_has(struct span names, const struct hash *name) {
	if (!names.len) return false;
	return bsearch(name->b, names.ptr, names.len / HASH_SIZE, HASH_SIZE, by_bytes) != NULL;
}

/* Appends the names in the list object ${name}: ${count} of them, if that is not 0. */
static enum err read_list(
	struct vault *v, const struct hash *name, uint64_t count, struct buf *out, struct why *why) {
	struct buf object;
	struct hashlist names;
	buf_init(&object, STORE_OBJECT_MAX);
	enum err e = store_object_get(v->session->store, name, &object, why);
	if (!e &&
		(namelist_decode(&names, buf_span(&object)) || (count && hashlist_count(&names) != count)))
		e = E_FORMAT;
	if (e == E_NOTFOUND || e == E_FORMAT) {
		char hex[HASH_HEX];
		hash_hex(hex, name);
		e = why_set(why, E_FORGED, "object %s (a list of packs) is %s", hex,
			e == E_NOTFOUND ? "missing" : "damaged");
	}
	if (!e) e = why_err(why, buf_add(out, names.rows), "reading an intent");
	buf_free(&object);
	return e;
}

enum err intents_packs(
	struct vault *v, const struct entrypublic_packs *packs, struct buf *out, struct why *why) {
	if (!packs->listed) return why_err(why, buf_add(out, packs->names.rows), "reading an intent");
	return read_list(v, &packs->list, packs->count, out, why);
}

enum err intents_purged(
	struct vault *v, const struct vault_purge *purge, struct buf *out, struct why *why) {
	struct buf purged, intended;
	if (hash_is_zero(&purge->intended)) return intents_packs(v, &purge->packs, out, why);
	buf_init(&purged, STORE_OBJECT_MAX);
	buf_init(&intended, STORE_OBJECT_MAX);
	enum err e = intents_packs(v, &purge->packs, &purged, why);
	if (!e) e = read_list(v, &purge->intended, 0, &intended, why);
	for (size_t at = 0; at < purged.len && !e; at += HASH_SIZE) {
		struct hash name = hash_from(purged.ptr + at);
		if (intents_has(buf_span(&intended), &name))
			e = why_err(why, buf_add(out, hash_span(&name)), "reading an intent");
	}
	buf_free(&purged);
	buf_free(&intended);
	return e;
}

/* Purges never change, and lists have their hash for a name: what was read once holds, up to one that could not be. */
enum err intents_gone(struct vault *v, struct buf *out, struct why *why) {
	enum err e = OK;
	bool all = true;
	for (size_t i = v->gone_count; i < v->state.purge_count && !e; i++) {
		e = intents_purged(v, &v->state.purges[i], all ? &v->gone : out, why);
		if (e == E_FORGED) { /* who can't read its list deletes nothing by it */
			all = false;
			e = OK;
		}
		if (!e && all) v->gone_count = i + 1;
	}
	intents_sort(&v->gone);
	if (!e) e = why_err(why, buf_add(out, buf_span(&v->gone)), "reading purges");
	if (!e) intents_sort(out);
	return e;
}

enum err intents_doomed(struct vault *v, struct buf *out, struct why *why) {
	enum err e = OK;
	for (size_t i = 0; i < v->state.intent_count && !e; i++)
		e = intents_packs(v, &v->state.intents[i].packs, out, why);
	if (!e) intents_sort(out);
	return e;
}

bool intents_threaten(const struct vault *v, const struct vault_snapshot *s) {
	for (size_t i = 0; i < v->state.intent_count; i++) {
		uint64_t at = v->state.intents[i].sequence;
		if (at > s->sequence && at < s->touched) return true;
	}
	return false;
}

enum err intents_make(
	struct vault *v, struct span names, struct entrypublic_packs *out, struct why *why) {
	struct hashlist list = { .rows = names };
	struct buf object;
	*out = (struct entrypublic_packs){ .names = list };
	if (hashlist_count(&list) <= LIMIT_PACK_NAMES) return OK;
	buf_init(&object, STORE_OBJECT_MAX);
	enum err e = why_err(why, namelist_encode(&list, &object), "making an intent");
	out->listed = true;
	out->count = hashlist_count(&list);
	out->names.rows = span_of(NULL, 0);
	hash_of(&out->list, buf_span(&object));
	if (!e) e = store_object_put(v->session->store, &out->list, buf_span(&object), why);
	buf_free(&object);
	return e;
}
