#include "format/summarystate.h"

#include "format/field.h"
#include "format/limits.h"
#include "format/vaultbody.h"

/* The items, each as it stands in its list. */

static void read_snapshot(struct reader *r, struct summarystate_snapshot *s) {
	s->sequence = reader_u64(r);
	s->id = field_hash(r);
	s->device = field_hash(r);
	s->forgotten = field_bool(r);
	stamp_read(r, &s->stamp);
}

static void read_index(struct reader *r, struct summarystate_index *i) {
	i->location = location_read(r);
	i->sequence = reader_u64(r);
	if (hash_is_zero(&i->location.pack)) reader_fail(r);
}

static void read_intent(struct reader *r, struct summarystate_intent *i) {
	i->sequence = reader_u64(r);
	i->time = reader_i64(r);
	entrypublic_read_packs(r, &i->packs);
}

static void read_head(struct reader *r, struct summarystate_head *h) {
	h->id = field_hash(r);
	h->sequence = reader_u64(r);
	h->hash = field_hash(r);
}

/* The lists: each reads to its end or turns ${r} bad; strictly ascending. */

static struct summarystate_list read_snapshots(struct reader *r) {
	struct summarystate_list l = { .count = reader_varint(r, UINT64_MAX) };
	struct summarystate_snapshot s, last = { 0 };
	struct span before = r->rest;
	for (uint64_t i = 0; i < l.count && !r->bad; i++, last = s) {
		read_snapshot(r, &s);
		if (i && last.sequence >= s.sequence) reader_fail(r);
	}
	l.items = field_taken(before, r);
	return l;
}

static struct summarystate_list read_indexes(struct reader *r) {
	struct summarystate_list l = { .count = reader_varint(r, UINT64_MAX) };
	struct summarystate_index s, last = { .sequence = 0 };
	struct span before = r->rest;
	for (uint64_t i = 0; i < l.count && !r->bad; i++, last = s) {
		read_index(r, &s);
		if (i && last.sequence > s.sequence) reader_fail(r);
		if (i && last.sequence == s.sequence && location_order(&last.location, &s.location) >= 0)
			reader_fail(r);
	}
	l.items = field_taken(before, r);
	return l;
}

static struct summarystate_list read_intents(struct reader *r) {
	struct summarystate_list l = { .count = reader_varint(r, UINT64_MAX) };
	struct summarystate_intent s, last = { 0 };
	struct span before = r->rest;
	for (uint64_t i = 0; i < l.count && !r->bad; i++, last = s) {
		read_intent(r, &s);
		if (i && last.sequence >= s.sequence) reader_fail(r);
	}
	l.items = field_taken(before, r);
	return l;
}

static struct summarystate_list read_heads(struct reader *r) {
	struct summarystate_list l = { .count = reader_varint(r, UINT64_MAX) };
	struct summarystate_head s, last = { .sequence = 0 };
	struct span before = r->rest;
	for (uint64_t i = 0; i < l.count && !r->bad; i++, last = s) {
		read_head(r, &s);
		if (i && hash_order(&last.id, &s.id) >= 0) reader_fail(r);
	}
	l.items = field_taken(before, r);
	return l;
}

enum err summarystate_decode(struct summarystate *out, struct span in) {
	struct reader r = reader_over(in);
	struct summarystate s = { 0 };
	if (in.len == 0 || in.len > LIMIT_SUMMARY_STATE) return E_FORMAT;
	if (reader_u8(&r) != 1) return E_UNSUPPORTED;
	s.sequence = reader_u64(&r);
	s.hash = field_hash(&r);
	s.hold = reader_u64(&r);
	s.trust = reader_u8(&r);
	if (s.hold > LIMIT_SECONDS || s.trust > VAULTBODY_TRUST_MEMBERS) return E_FORMAT;
	s.snapshots = read_snapshots(&r);
	s.indexes = read_indexes(&r);
	s.intents = read_intents(&r);
	s.accounts = read_heads(&r);
	s.devices = read_heads(&r);
	if (reader_finish(&r)) return E_FORMAT;
	*out = s;
	return OK;
}

bool summarystate_next_snapshot(struct span *rest, struct summarystate_snapshot *out) {
	struct reader r = reader_over(*rest);
	struct summarystate_snapshot s;
	if (!reader_more(&r)) return false;
	read_snapshot(&r, &s);
	if (r.bad) return false;
	*out = s;
	*rest = r.rest;
	return true;
}

bool summarystate_next_index(struct span *rest, struct summarystate_index *out) {
	struct reader r = reader_over(*rest);
	struct summarystate_index i;
	if (!reader_more(&r)) return false;
	read_index(&r, &i);
	if (r.bad) return false;
	*out = i;
	*rest = r.rest;
	return true;
}

bool summarystate_next_intent(struct span *rest, struct summarystate_intent *out) {
	struct reader r = reader_over(*rest);
	struct summarystate_intent i;
	if (!reader_more(&r)) return false;
	read_intent(&r, &i);
	if (r.bad) return false;
	*out = i;
	*rest = r.rest;
	return true;
}

bool summarystate_next_head(struct span *rest, struct summarystate_head *out) {
	struct reader r = reader_over(*rest);
	struct summarystate_head h;
	if (!reader_more(&r)) return false;
	read_head(&r, &h);
	if (r.bad) return false;
	*out = h;
	*rest = r.rest;
	return true;
}

enum err summarystate_add_snapshot(struct buf *items, const struct summarystate_snapshot *s) {
	size_t start = items->len;
	struct writer w = writer_to(items);
	writer_u64(&w, s->sequence);
	field_put_hash(&w, &s->id);
	field_put_hash(&w, &s->device);
	writer_u8(&w, s->forgotten);
	stamp_write(&w, &s->stamp);
	return field_encoded(items, start, writer_finish(&w), OK);
}

enum err summarystate_add_index(struct buf *items, const struct summarystate_index *i) {
	size_t start = items->len;
	struct writer w = writer_to(items);
	location_write(&w, &i->location);
	writer_u64(&w, i->sequence);
	return field_encoded(items, start, writer_finish(&w), OK);
}

enum err summarystate_add_intent(struct buf *items, const struct summarystate_intent *i) {
	size_t start = items->len;
	struct writer w = writer_to(items);
	writer_u64(&w, i->sequence);
	writer_i64(&w, i->time);
	entrypublic_write_packs(&w, &i->packs);
	return field_encoded(items, start, writer_finish(&w), OK);
}

enum err summarystate_add_head(struct buf *items, const struct summarystate_head *h) {
	size_t start = items->len;
	struct writer w = writer_to(items);
	field_put_hash(&w, &h->id);
	writer_u64(&w, h->sequence);
	field_put_hash(&w, &h->hash);
	return field_encoded(items, start, writer_finish(&w), OK);
}

static void write_list(struct writer *w, const struct summarystate_list *l) {
	writer_varint(w, l->count);
	writer_raw(w, l->items);
}

/* The lists as they come back must be the lists that went in: a wrong count can shift bytes from one to the next. */
static bool same_list(const struct summarystate_list *a, const struct summarystate_list *b) {
	return a->count == b->count && a->items.len == b->items.len;
}

enum err summarystate_encode(const struct summarystate *s, struct buf *out) {
	size_t start = out->len;
	struct summarystate check;
	struct writer w = writer_to(out);
	writer_u8(&w, 1);
	writer_u64(&w, s->sequence);
	field_put_hash(&w, &s->hash);
	writer_u64(&w, s->hold);
	writer_u8(&w, s->trust);
	write_list(&w, &s->snapshots);
	write_list(&w, &s->indexes);
	write_list(&w, &s->intents);
	write_list(&w, &s->accounts);
	write_list(&w, &s->devices);
	enum err e = writer_finish(&w);
	if (!e && out->len - start > LIMIT_SUMMARY_STATE) e = E_LIMIT;
	if (!e) e = summarystate_decode(&check, span_skip(buf_span(out), start)) ? E_USAGE : OK;
	if (!e &&
		!(same_list(&s->snapshots, &check.snapshots) && same_list(&s->indexes, &check.indexes) &&
			same_list(&s->intents, &check.intents) && same_list(&s->accounts, &check.accounts) &&
			same_list(&s->devices, &check.devices))) {
		e = E_USAGE;
	}
	return field_encoded(out, start, e, OK);
}
