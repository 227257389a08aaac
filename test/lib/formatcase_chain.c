/* Entries, bodies, write-once objects, summary state, and what marks a store. */
#include "format/accountbody.h"
#include "format/boxes.h"
#include "format/entry.h"
#include "format/entryinner.h"
#include "format/entrypublic.h"
#include "format/limits.h"
#include "format/namelist.h"
#include "format/storemark.h"
#include "format/summarystate.h"
#include "format/vaultbody.h"
#include "formatcase.h"
#include "formatparts.h"

static void dump_entry(FILE *f, const struct entry *n) {
	formatcase_u(f, "kind", n->kind);
	formatparts_hash(f, "chain", &n->chain);
	formatcase_u(f, "sequence", n->sequence);
	formatparts_hash(f, "previous", &n->previous);
	formatcase_u(f, "control sequence", n->control_sequence);
	formatparts_hash(f, "control hash", &n->control_hash);
	formatcase_u(f, "epoch", n->epoch);
	formatcase_u(f, "class", n->class);
	formatcase_u(f, "role", n->role);
	if (n->role == ROLE_GRANT) formatparts_hash(f, "grant", &n->grant);
	formatcase_i(f, "time", n->time);
	formatcase_u(f, "seal", n->seal);
	formatcase_b(f, "public", n->public_part);
	formatparts_hash(f, "nonce", &n->nonce);
	formatcase_u(f, "outer length", n->outer_len);
	formatcase_b(f, "sealed", n->sealed);
	formatcase_u(f, "access length", n->access_len);
	formatcase_b(f, "access signature", n->access_signature);
}

static enum err run_entry(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct entry n;
	(void)param;
	enum err e = entry_decode(&n, in);
	if (e) return e;
	dump_entry(f, &n);
	return formatcase_again(entry_encode(&n, again));
}

static void dump_packs(FILE *f, const struct entrypublic_packs *p) {
	formatcase_u(f, "form", p->listed);
	if (p->listed) {
		formatcase_u(f, "count", p->count);
		formatparts_hash(f, "list", &p->list);
	} else {
		formatparts_hashes(f, "count", &p->names);
	}
}

static void dump_keys(FILE *f, const struct entrypublic_keys *k) {
	formatcase_b(f, "kem", k->kem);
	formatcase_b(f, "reader", k->reader);
	formatcase_b(f, "writer", k->writer);
	formatcase_b(f, "admin", k->admin);
	formatparts_hash(f, "commitment", &k->commitment);
	formatparts_hash(f, "boxes", &k->boxes);
}

static enum err run_entrypublic(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct entrypublic p;
	(void)param;
	enum err e = entrypublic_decode(&p, in);
	if (e) return e;
	formatcase_u(f, "kind", p.kind);
	if (p.kind == ENTRYPUBLIC_CREATE) formatparts_hash(f, "birth", &p.birth);
	if (p.kind == ENTRYPUBLIC_CREATE || p.kind == ENTRYPUBLIC_ROTATE) dump_keys(f, &p.keys);
	if (p.kind == ENTRYPUBLIC_PURGE) formatcase_u(f, "intent", p.intent);
	if (p.kind == ENTRYPUBLIC_INTENT || p.kind == ENTRYPUBLIC_PURGE) dump_packs(f, &p.packs);
	if (p.kind == ENTRYPUBLIC_HOME) formatparts_hash(f, "store", &p.store);
	return formatcase_again(entrypublic_encode(&p, again));
}

static enum err run_entryinner(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct entryinner i;
	(void)param;
	enum err e = entryinner_decode(&i, in);
	if (e) return e;
	formatcase_u(f, "type", i.type);
	formatparts_hash(f, "account", &i.account);
	formatparts_hash(f, "device", &i.device);
	formatcase_u(f, "account sequence", i.account_sequence);
	formatparts_hash(f, "account head", &i.account_head);
	formatcase_u(f, "own sequence", i.own_sequence);
	formatparts_hash(f, "own hash", &i.own_hash);
	formatcase_b(f, "body", i.body);
	formatcase_u(f, "signed length", i.signed_len);
	formatcase_b(f, "author signature", i.signature);
	formatcase_check(entryinner_sealed_len(i.body.len, false) == in.len + SIZE_TAG,
		"entryinner_sealed_len is wrong");
	return formatcase_again(entryinner_encode(&i, again));
}

static void dump_record(FILE *f, const struct devicerecord *d) {
	formatcase_u(f, "kind", d->kind);
	formatcase_b(f, "entry key", d->entry_key);
	formatcase_b(f, "request key", d->request_key);
	formatcase_b(f, "kem key", d->kem_key);
	formatcase_b(f, "name", d->name);
	formatcase_i(f, "created", d->created);
}

static enum err run_devicerecord(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct devicerecord d;
	(void)param;
	enum err e = devicerecord_decode(&d, in);
	if (e) return e;
	dump_record(f, &d);
	formatcase_check(span_equal(d.bytes, in), "the record's bytes are not the input");
	return formatcase_again(devicerecord_encode(&d, again));
}

static enum err run_accountbody(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct accountbody b;
	enum err e = accountbody_decode(&b, (uint8_t)param, in);
	if (e) return e;
	if (b.type == ACCOUNTBODY_CREATE || b.type == ACCOUNTBODY_ADD_DEVICE) {
		dump_record(f, &b.device);
		formatcase_b(f, "joined", b.joined);
	}
	if (b.type == ACCOUNTBODY_CREATE || b.type == ACCOUNTBODY_RECOVERY) dump_record(f, &b.kit);
	if (b.type == ACCOUNTBODY_CREATE) formatparts_hash(f, "home", &b.home);
	if (b.type == ACCOUNTBODY_RECOVERY) formatcase_u(f, "delay", b.delay);
	if (b.type == ACCOUNTBODY_VAULT) {
		formatparts_hash(f, "vault", &b.vault.vault);
		formatparts_hash(f, "store", &b.vault.store);
		formatcase_u(f, "role", b.vault.role);
		formatcase_b(f, "name", b.vault.name);
		formatcase_u(f, "anchor sequence", b.vault.anchor_sequence);
		formatparts_hash(f, "anchor hash", &b.vault.anchor_hash);
	}
	return formatcase_again(accountbody_encode(&b, again));
}

static enum err dump_stamp(FILE *f, const struct stamp *s) {
	formatparts_moment(f, "time", s->time);
	formatcase_b(f, "host", s->host);
	formatcase_b(f, "branch", s->branch);
	enum err e = formatparts_list(f, "tags", &s->tags);
	formatparts_hash(f, "parent", &s->parent);
	formatcase_u(f, "files", s->files);
	formatcase_u(f, "bytes", s->bytes);
	formatcase_u(f, "new bytes", s->added);
	return e;
}

static void dump_create(FILE *f, const struct vaultbody *b) {
	formatparts_hash(f, "root commitment", &b->root_commitment);
	formatcase_u(f, "min", b->chunk_min);
	formatcase_u(f, "max", b->chunk_max);
	formatcase_u(f, "mask bits", b->mask_bits);
	formatcase_u(f, "hold", b->hold);
	formatcase_u(f, "trust", b->trust);
	formatparts_hash(f, "owner", &b->owner);
}

static void dump_summary(FILE *f, const struct vaultbody *b) {
	formatcase_u(f, "covers", b->covers);
	formatparts_hash(f, "state hash", &b->state_hash);
	formatparts_streamref(f, &b->state);
	formatparts_hash(f, "pack", &b->state_index.pack);
	formatcase_u(f, "offset", b->state_index.offset);
	formatcase_u(f, "length", b->state_index.length);
}

static enum err dump_vaultbody(FILE *f, const struct vaultbody *b) {
	enum err e = OK;
	if (b->type == VAULTBODY_CREATE) dump_create(f, b);
	if (b->type == VAULTBODY_POLICY) {
		formatcase_u(f, "hold", b->hold);
		formatcase_u(f, "trust", b->trust);
	}
	if (b->type == VAULTBODY_SUMMARY) dump_summary(f, b);
	if (b->type == VAULTBODY_KEEP) {
		formatcase_u(f, "of intent", b->keep_intent);
		if (b->keep_intent) formatcase_u(f, "intent", b->intent);
	}
	if (b->type == VAULTBODY_SNAPSHOT || b->type == VAULTBODY_TAG ||
		(b->type == VAULTBODY_KEEP && !b->keep_intent)) {
		formatparts_hash(f, "snapshot", &b->snapshot);
	}
	if (b->type == VAULTBODY_SNAPSHOT) e = dump_stamp(f, &b->stamp);
	if (!e && b->type == VAULTBODY_TAG) e = formatparts_list(f, "tags", &b->tags);
	if (!e &&
		(b->type == VAULTBODY_SNAPSHOT || b->type == VAULTBODY_INDEX ||
			b->type == VAULTBODY_KEEP)) {
		e = formatparts_locations(f, "added", &b->added);
	}
	if (!e && (b->type == VAULTBODY_INDEX || b->type == VAULTBODY_INTENT)) {
		e = formatparts_locations(f, "removed", &b->removed);
	}
	if (b->type == VAULTBODY_FORGET) formatparts_hashes(f, "forget", &b->forget);
	return e;
}

static enum err run_vaultbody(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct vaultbody b;
	enum err e = vaultbody_decode(&b, (uint8_t)param, in);
	if (e) return e;
	e = dump_vaultbody(f, &b);
	return e ? e : formatcase_again(vaultbody_encode(&b, again));
}

static enum err run_boxes(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct boxes b;
	(void)param;
	enum err e = boxes_decode(&b, in);
	if (e) return e;
	formatcase_u(f, "epoch", b.epoch);
	formatcase_u(f, "count", b.count);
	for (uint16_t i = 0; i < b.count; i++) {
		struct span tag, box, found;
		boxes_at(&b, i, &tag, &box);
		formatcase_b(f, "tag", tag);
		formatcase_b(f, "box", box);
		if (i < 8)
			formatcase_check(
				boxes_find(&b, tag, &found) && found.ptr <= box.ptr, "boxes_find misses");
	}
	formatcase_b(f, "wrap", b.wrap);
	return formatcase_again(boxes_encode(&b, again));
}

static enum err run_namelist(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct hashlist names;
	(void)param;
	enum err e = namelist_decode(&names, in);
	if (e) return e;
	formatparts_hashes(f, "count", &names);
	return formatcase_again(namelist_encode(&names, again));
}

static void check_list(enum err e, const struct buf *made, const struct summarystate_list *l) {
	formatcase_check(
		e || span_equal(buf_span(made), l->items), "a list of the state made anew differs");
}

static enum err dump_snapshots(FILE *f, const struct summarystate_list *l) {
	struct summarystate_snapshot s;
	struct span rest = l->items;
	struct buf made;
	enum err e = OK;
	buf_init(&made, l->items.len);
	formatcase_u(f, "snapshots", l->count);
	while (!e && summarystate_next_snapshot(&rest, &s)) {
		formatcase_u(f, "sequence", s.sequence);
		formatparts_hash(f, "id", &s.id);
		formatparts_hash(f, "device", &s.device);
		formatcase_u(f, "forgotten", s.forgotten);
		e = dump_stamp(f, &s.stamp);
		if (!e) e = formatcase_again(summarystate_add_snapshot(&made, &s));
	}
	check_list(e, &made, l);
	buf_free(&made);
	return e;
}

static enum err dump_indexes(FILE *f, const struct summarystate_list *l) {
	struct summarystate_index i;
	struct span rest = l->items;
	struct buf made;
	enum err e = OK;
	buf_init(&made, l->items.len);
	formatcase_u(f, "indexes", l->count);
	while (!e && summarystate_next_index(&rest, &i)) {
		formatparts_hash(f, "pack", &i.location.pack);
		formatcase_u(f, "offset", i.location.offset);
		formatcase_u(f, "length", i.location.length);
		formatcase_u(f, "sequence", i.sequence);
		e = formatcase_again(summarystate_add_index(&made, &i));
	}
	check_list(e, &made, l);
	buf_free(&made);
	return e;
}

static enum err dump_intents(FILE *f, const struct summarystate_list *l) {
	struct summarystate_intent i;
	struct span rest = l->items;
	struct buf made;
	enum err e = OK;
	buf_init(&made, l->items.len);
	formatcase_u(f, "intents", l->count);
	while (!e && summarystate_next_intent(&rest, &i)) {
		formatcase_u(f, "sequence", i.sequence);
		formatcase_i(f, "time", i.time);
		dump_packs(f, &i.packs);
		e = formatcase_again(summarystate_add_intent(&made, &i));
	}
	check_list(e, &made, l);
	buf_free(&made);
	return e;
}

static enum err dump_heads(FILE *f, const char *name, const struct summarystate_list *l) {
	struct summarystate_head h;
	struct span rest = l->items;
	struct buf made;
	enum err e = OK;
	buf_init(&made, l->items.len);
	formatcase_u(f, name, l->count);
	while (!e && summarystate_next_head(&rest, &h)) {
		formatparts_hash(f, "id", &h.id);
		formatcase_u(f, "sequence", h.sequence);
		formatparts_hash(f, "hash", &h.hash);
		e = formatcase_again(summarystate_add_head(&made, &h));
	}
	check_list(e, &made, l);
	buf_free(&made);
	return e;
}

static enum err run_summarystate(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct summarystate s;
	(void)param;
	enum err e = summarystate_decode(&s, in);
	if (e) return e;
	formatcase_u(f, "covers", s.sequence);
	formatparts_hash(f, "hash", &s.hash);
	formatcase_u(f, "hold", s.hold);
	formatcase_u(f, "trust", s.trust);
	e = dump_snapshots(f, &s.snapshots);
	if (!e) e = dump_indexes(f, &s.indexes);
	if (!e) e = dump_intents(f, &s.intents);
	if (!e) e = dump_heads(f, "accounts", &s.accounts);
	if (!e) e = dump_heads(f, "devices", &s.devices);
	return e ? e : formatcase_again(summarystate_encode(&s, again));
}

static enum err run_storemark(struct span in, uint32_t param, struct buf *again, FILE *f) {
	struct hash id;
	char out[STOREMARK_SIZE];
	(void)param;
	enum err e = storemark_decode(&id, in);
	if (e) return e;
	formatparts_hash(f, "id", &id);
	storemark_encode(&id, out);
	return formatcase_again(buf_add(again, span_of(out, sizeof out)));
}

const struct formatcase formatcases_chain[] = {
	{ .name = "entry", .run = run_entry },
	{ .name = "entrypublic", .run = run_entrypublic },
	{ .name = "entryinner", .run = run_entryinner },
	{ .name = "devicerecord", .run = run_devicerecord },
	{ .name = "accountbody", .has_param = true, .run = run_accountbody },
	{ .name = "vaultbody", .has_param = true, .run = run_vaultbody },
	{ .name = "boxes", .run = run_boxes },
	{ .name = "namelist", .run = run_namelist },
	{ .name = "summarystate", .run = run_summarystate },
	{ .name = "storemark", .run = run_storemark },
	{ 0 },
};
