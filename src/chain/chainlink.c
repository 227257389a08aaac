#include "chain/chainlink.h"

#include <string.h>

#include "crypto/entryproof.h"

void chainlink_init(struct chainlink *c, enum chain_kind kind) {
	memset(c, 0, sizeof *c);
	c->kind = (uint8_t)kind;
}

/* Which public parts an entry may have: doc/spec/chains.md section 1. */
static bool public_part_fits(
	const struct chainlink *c, const struct entry *e, const struct entrypublic *p) {
	if (c->count == 0) return p->kind == ENTRYPUBLIC_CREATE;
	switch (p->kind) {
	case ENTRYPUBLIC_NONE: return true;
	case ENTRYPUBLIC_ROTATE: return e->class == ENTRY_CONTROL;
	case ENTRYPUBLIC_HOME: return e->class == ENTRY_CONTROL;
	case ENTRYPUBLIC_INTENT:
	case ENTRYPUBLIC_PURGE: return e->class == ENTRY_DATA && c->kind == CHAIN_VAULT;
	default: return false;
	}
}

static bool class_fits(const struct entry *e) {
	if (e->class == ENTRY_CONTROL) return e->role == ROLE_ADMIN;
	return e->class == ENTRY_DATA &&
		e->role == ROLE_WRITER; /* grants come with the entries that make them */
}

static bool links(const struct chainlink *c, const struct entry *e, const struct entrypublic *p) {
	uint32_t epoch = c->epoch + (p->kind == ENTRYPUBLIC_ROTATE || p->kind == ENTRYPUBLIC_CREATE);
	return e->kind == c->kind && e->sequence == c->count && e->epoch == epoch &&
		hash_equal(&e->chain, &c->id) && hash_equal(&e->previous, &c->head) &&
		e->control_sequence == c->control_sequence &&
		hash_equal(&e->control_hash, &c->control_hash) && (c->count == 0 || e->time >= c->time);
}

static const uint8_t *access_key(
	const struct chainlink *c, const struct entry *e, const struct entrypublic *p) {
	if (c->count == 0) return p->keys.admin.ptr;
	return e->class == ENTRY_CONTROL ? c->admin : c->writer;
}

static void take_keys(struct chainlink *c, const struct entrypublic_keys *keys, uint32_t epoch) {
	c->epoch = epoch;
	memcpy(c->reader, keys->reader.ptr, SIGN_PUBLIC);
	memcpy(c->writer, keys->writer.ptr, SIGN_PUBLIC);
	memcpy(c->admin, keys->admin.ptr, SIGN_PUBLIC);
}

enum err chainlink_next(
	struct chainlink *c, struct span bytes, struct entry *entry, struct entrypublic *public_part) {
	enum err e = entry_decode(entry, bytes);
	if (e) return e;
	/* a kind that this version does not have is told only of entries that are good in all else */
	enum err known = entrypublic_decode(public_part, entry->public_part);
	if (known == E_UNSUPPORTED && c->count)
		*public_part = (struct entrypublic){ .kind = ENTRYPUBLIC_NONE };
	else if (known) return E_FORMAT;
	if (!class_fits(entry) || !public_part_fits(c, entry, public_part) ||
		!links(c, entry, public_part))
		return E_FORGED;
	e = entryproof_access(access_key(c, entry, public_part), span_of(bytes.ptr, entry->access_len),
		entry->access_signature.ptr);
	if (!e) e = known;
	if (e) return e;
	entryproof_hash(&c->head, bytes);
	if (c->count == 0) {
		c->id = c->head;
		c->birth = public_part->birth;
	}
	if (public_part->kind == ENTRYPUBLIC_CREATE || public_part->kind == ENTRYPUBLIC_ROTATE)
		take_keys(c, &public_part->keys, entry->epoch);
	if (entry->class == ENTRY_CONTROL) {
		c->control_sequence = c->count;
		c->control_hash = c->head;
	}
	c->time = entry->time;
	c->count++;
	return OK;
}

struct entry chainlink_draft(const struct chainlink *c, int64_t now) {
	return (struct entry){
		.kind = c->kind,
		.chain = c->id,
		.sequence = c->count,
		.previous = c->head,
		.control_sequence = c->control_sequence,
		.control_hash = c->control_hash,
		.epoch = c->epoch ? c->epoch : 1,
		.time = c->count && now < c->time ? c->time : now,
	};
}
