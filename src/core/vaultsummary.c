#include "core/vaultsummary.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/label.h"
#include "format/limits.h"
#include "format/summarystate.h"

/* The lists of a summary while it is made. */
struct lists {
	struct buf snapshots, indexes, intents, accounts, devices;
};

static void lists_init(struct lists *l) {
	struct buf *all[] = { &l->snapshots, &l->indexes, &l->intents, &l->accounts, &l->devices };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) buf_init(all[i], LIMIT_SUMMARY_STATE);
}

static void lists_done(struct lists *l) {
	struct buf *all[] = { &l->snapshots, &l->indexes, &l->intents, &l->accounts, &l->devices };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) buf_free(all[i]);
}

static int by_index(const void *a, const void *b) {
	const struct vault_index *x = a, *y = b;
	if (x->sequence != y->sequence) return x->sequence < y->sequence ? -1 : 1;
	return location_order(&x->location, &y->location);
}

static int by_device(const void *a, const void *b) {
	const struct vault_thread *x = a, *y = b;
	return hash_order(&x->device, &y->device);
}

/* A sorted copy of ${count} items of ${size} bytes; NULL when memory is short. */
static void *sorted(
	const void *items, size_t count, size_t size, int (*order)(const void *, const void *)) {
	void *copy = mem_array(count + 1, size);
	if (!copy || !count) return copy;
	memcpy(copy, items, count * size);
	qsort(copy, count, size, order);
	return copy;
}

static enum err add_snapshots(const struct vaultstate *s, struct buf *out) {
	enum err e = OK;
	for (size_t i = 0; i < s->snapshot_count && !e; i++) {
		const struct vault_snapshot *v = &s->snapshots[i];
		struct summarystate_snapshot item = {
			.sequence = v->sequence,
			.id = v->id,
			.device = v->device,
			.forgotten = v->forgotten,
			.stamp = v->stamp,
		};
		e = summarystate_add_snapshot(out, &item);
	}
	return e;
}

static enum err add_indexes(const struct vaultstate *s, struct buf *out) {
	struct vault_index *all = sorted(s->indexes, s->index_count, sizeof *all, by_index);
	enum err e = all ? OK : E_NOMEM;
	for (size_t i = 0; i < s->index_count && !e; i++) {
		struct summarystate_index item = { .location = all[i].location,
			.sequence = all[i].sequence };
		e = summarystate_add_index(out, &item);
	}
	mem_free(all);
	return e;
}

static enum err add_intents(const struct vaultstate *s, struct buf *out) {
	enum err e = OK;
	for (size_t i = 0; i < s->intent_count && !e; i++) {
		struct summarystate_intent item = {
			.sequence = s->intents[i].sequence,
			.time = s->intents[i].time,
			.packs = s->intents[i].packs,
		};
		e = summarystate_add_intent(out, &item);
	}
	return e;
}

static enum err add_devices(const struct vaultstate *s, struct buf *out) {
	struct vault_thread *all = sorted(s->threads, s->thread_count, sizeof *all, by_device);
	enum err e = all ? OK : E_NOMEM;
	for (size_t i = 0; i < s->thread_count && !e; i++) {
		struct summarystate_head item = {
			.id = all[i].device,
			.sequence = all[i].sequence,
			.hash = all[i].hash,
		};
		e = summarystate_add_head(out, &item);
	}
	mem_free(all);
	return e;
}

enum err vaultsummary_encode(const struct vaultstate *s, struct buf *out) {
	struct lists l;
	if (!s->count || !s->policy_count) return E_USAGE;
	struct summarystate_head account = {
		.id = s->owner,
		.sequence = s->account_sequence,
		.hash = s->account_head,
	};
	lists_init(&l);
	enum err e = add_snapshots(s, &l.snapshots);
	if (!e) e = add_indexes(s, &l.indexes);
	if (!e) e = add_intents(s, &l.intents);
	if (!e) e = summarystate_add_head(&l.accounts, &account);
	if (!e) e = add_devices(s, &l.devices);
	struct summarystate state = {
		.sequence = s->count - 1,
		.hash = s->head,
		.hold = s->policies[s->policy_count - 1].hold,
		.trust = s->trust,
		.snapshots = { .count = s->snapshot_count, .items = buf_span(&l.snapshots) },
		.indexes = { .count = s->index_count, .items = buf_span(&l.indexes) },
		.intents = { .count = s->intent_count, .items = buf_span(&l.intents) },
		.accounts = { .count = 1, .items = buf_span(&l.accounts) },
		.devices = { .count = s->thread_count, .items = buf_span(&l.devices) },
	};
	if (!e) e = summarystate_encode(&state, out);
	lists_done(&l);
	return e;
}

enum err vaultsummary_hash(const struct vaultstate *s, struct hash *out) {
	struct buf b;
	buf_init(&b, LIMIT_SUMMARY_STATE);
	enum err e = vaultsummary_encode(s, &b);
	if (!e) hash_label(out, LABEL_SUMMARY, buf_span(&b));
	buf_free(&b);
	return e;
}

static enum err take_snapshots(struct vaultstate *s, const struct summarystate_list *l) {
	struct span rest = l->items;
	struct summarystate_snapshot item;
	enum err e = OK;
	while (!e && summarystate_next_snapshot(&rest, &item)) {
		struct vault_snapshot v = {
			.sequence = item.sequence,
			.touched = item.sequence,
			.id = item.id,
			.device = item.device,
			.forgotten = item.forgotten,
		};
		e = vaultstate_add_snapshot(s, &v, &item.stamp);
	}
	return e;
}

static enum err take_lists(struct vaultstate *s, const struct summarystate *t) {
	enum err e = take_snapshots(s, &t->snapshots);
	struct span rest = t->indexes.items;
	struct summarystate_index index;
	while (!e && summarystate_next_index(&rest, &index)) {
		struct vault_index item = { .location = index.location, .sequence = index.sequence };
		e = vaultstate_add_index(s, &item);
	}
	rest = t->intents.items;
	struct summarystate_intent intent;
	while (!e && summarystate_next_intent(&rest, &intent)) {
		struct vault_intent item = {
			.sequence = intent.sequence,
			.time = intent.time,
			.packs = intent.packs,
		};
		e = vaultstate_add_intent(s, &item);
	}
	rest = t->devices.items;
	struct summarystate_head head;
	while (!e && summarystate_next_head(&rest, &head)) {
		struct vault_thread item = {
			.device = head.id, .sequence = head.sequence, .hash = head.hash
		};
		e = vaultstate_add_thread(s, &item);
	}
	return e;
}

enum err vaultsummary_decode(struct vaultstate *s, struct span in) {
	struct summarystate t;
	struct summarystate_head account;
	enum err e = summarystate_decode(&t, in);
	if (e) return e;
	if (t.sequence == UINT64_MAX) return E_FORMAT; /* no entry could follow */
	struct span rest = t.accounts.items;
	if (t.accounts.count != 1 || !summarystate_next_head(&rest, &account)) return E_FORMAT;
	if (!hash_equal(&account.id, &s->owner)) return E_FORMAT;
	e = take_lists(s, &t);
	if (e) return e;
	s->trust = t.trust;
	s->account_sequence = account.sequence;
	s->account_head = account.hash;
	s->count = t.sequence + 1;
	s->head = t.hash;
	return OK;
}
