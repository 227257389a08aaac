#include "client/repairchain.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "chain/chainlink.h"
#include "os/file.h"

enum { SEGMENT = 256 };

struct looking {
	struct store *store;
	const struct statefolder *folder;
	bool apply;
	repairchain_visit *visit;
	void *ctx;
	/* of the chain under way */
	struct hash chain;
	struct chainlink link;
	struct buf copy;
	bool has_copy;
};

static enum err follow(
	struct chainlink *link, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct entry entry;
	struct entrypublic pub;
	if (seq == 0) {
		enum err e = entry_decode(&entry, bytes);
		if (e) return e;
		chainlink_init(link, (enum chain_kind)entry.kind);
	}
	enum err e = chainlink_next(link, bytes, &entry, &pub);
	return !e && seq == 0 && !hash_equal(&link->id, chain) ? E_FORGED : e;
}

static enum err follow_single(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct looking *l = ctx;
	(void)why;
	return follow(&l->link, &l->chain, seq, bytes);
}

static enum err take_copy(void *ctx, uint64_t seq, struct span bytes, struct why *why) {
	struct looking *l = ctx;
	struct chainlink link = l->link;
	if (seq < l->link.count) return OK;
	l->has_copy = follow(&link, &l->chain, seq, bytes) == OK;
	buf_clear(&l->copy);
	if (l->has_copy)
		return why_err(why, buf_add(&l->copy, bytes), "reading a chain") ? E_NOMEM : E_CANCELLED;
	return E_CANCELLED;
}

/* The entry that the chain breaks off at, from the segment it is in. */
static void find_copy(struct looking *l) {
	uint64_t seq = l->link.count;
	l->has_copy = false;
	err_ignore(store_chain_read(
		l->store, &l->chain, seq - seq % SEGMENT, STORE_READ_FAST, take_copy, l, NULL));
}

static enum err put_aside(struct looking *l, struct repairchain_entry *e, struct why *why) {
	char name[HASH_HEX + 24], hex[HASH_HEX];
	int folder = -1;
	hash_hex(hex, &e->chain);
	(void)snprintf(name, sizeof name, "%s-%016llx", hex, (unsigned long long)e->sequence);
	enum err err = file_make_folder(l->folder->state, "rescued", FOLDER_PRIVATE, why);
	if (!err) err = file_open_folder(l->folder->state, "rescued", &folder, why);
	if (!err) err = file_replace(folder, name, buf_span(&l->copy), FILE_PRIVATE, why);
	if (!err)
		(void)snprintf(e->aside, sizeof e->aside, "%.*s/rescued/%s", PATHS_MAX - 128,
			l->folder->state_path, name);
	file_close(&folder);
	return err;
}

/* Whether there is anything behind the place where the chain breaks off. */
static enum err note_gap(
	void *ctx, const char *place, uint64_t seq, const char *what, struct why *why) {
	bool *gap = ctx;
	(void)place;
	(void)seq;
	(void)why;
	/* a copy of entries that are not there, or a file behind the gap */
	if (strstr(what, "gap") || strstr(what, "not there")) *gap = true;
	return OK;
}

static enum err broken(struct looking *l, bool missing, bool *mended, struct why *why) {
	struct repairchain_entry e = {
		.chain = l->chain, .sequence = l->link.count, .is_missing = missing
	};
	char hex[HASH_HEX];
	enum err err = OK;
	hash_hex(hex, &l->chain);
	(void)snprintf(
		e.place, sizeof e.place, "chains/%s/%016llx", hex, (unsigned long long)e.sequence);
	find_copy(l);
	e.has_copy = l->has_copy;
	if (e.has_copy && l->apply && missing) {
		err = store_chain_append(l->store, &l->chain, e.sequence, buf_span(&l->copy), why);
		*mended = e.is_mended = err == OK;
	} else if (e.has_copy && l->apply) {
		err = put_aside(l, &e, why);
	}
	return err ? err : l->visit(l->ctx, &e, why);
}

static enum err look_at_chain(void *ctx, const struct hash *name, struct why *why) {
	struct looking *l = ctx;
	bool mended = true;
	enum err e = OK;
	l->chain = *name;
	memset(&l->link, 0, sizeof l->link);
	while (mended && !e) {
		bool gap = false;
		mended = false;
		e = store_chain_read(
			l->store, name, l->link.count, STORE_READ_SINGLE, follow_single, l, why);
		bool bad = e == E_FORGED || e == E_FORMAT || e == E_IO;
		if (e && !bad) return e;
		e = bad ? OK : store_chain_check(l->store, name, note_gap, &gap, why);
		if (!e && (bad || gap)) e = broken(l, !bad, &mended, why);
	}
	return e;
}

enum err repairchain_run(struct store *store, const struct statefolder *folder, bool apply,
	repairchain_visit *visit, void *ctx, struct why *why) {
	struct looking l = {
		.store = store, .folder = folder, .apply = apply, .visit = visit, .ctx = ctx
	};
	buf_init(&l.copy, STORE_ENTRY_MAX);
	enum err e = store_chain_list(store, look_at_chain, &l, why);
	buf_free(&l.copy);
	return e;
}
