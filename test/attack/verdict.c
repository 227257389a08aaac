#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/check.h"
#include "client/checkstore.h"

enum { FAILURES_SHOWN = 40 };

void verdict_fail(struct verdict *v, const char *what, const char *detail) {
	if (v->failures++ < FAILURES_SHOWN)
		(void)printf("FAIL  %s: %s%s%s\n", v->label, what, *detail ? ": " : "", detail);
	(void)fflush(stdout);
}

/* What check said. */
struct findings {
	const struct rawstore_item *item;
	bool named; /* the touched object is among them */
	uint64_t count;
};

static bool is_that(const struct checkreport_item *found, const struct rawstore_item *item) {
	switch (item->kind) {
	case RAWSTORE_PACK:
		return (found->kind == CHECKREPORT_PACK || found->kind == CHECKREPORT_INDEX) &&
			hash_equal(&found->name, &item->name);
	case RAWSTORE_ENTRY:
		return found->kind == CHECKREPORT_ENTRY && found->sequence == item->sequence &&
			hash_equal(&found->name, &item->scope);
	case RAWSTORE_OBJECT:
		return found->kind == CHECKREPORT_OBJECT && hash_equal(&found->name, &item->name);
	case RAWSTORE_LOCATOR:
		return found->kind == CHECKREPORT_LOCATOR && hash_equal(&found->name, &item->name);
	}
	return false;
}

static void found(void *ctx, const struct checkreport_item *item) {
	struct findings *f = ctx;
	f->count++;
	if (f->item && is_that(item, f->item)) f->named = true;
}

static enum err check(struct verdict *v, struct testvault *t, struct findings *f, struct why *why) {
	struct checkreport r;
	struct check_options o = { .part = CHECKDATA_ALL, .threads = 1 };
	struct statefolder folder;
	checkreport_init(&r);
	r.found = found;
	r.ctx = f;
	enum err e = OK;
	/* the part without keys does not look at packs */
	if (!f->item || f->item->kind != RAWSTORE_PACK) {
		e = statefolder_open(&folder, false, why);
		if (!e) e = checkstore_run(&r, v->full->store, &folder, why);
		statefolder_close(&folder);
	}
	if (!e && t) e = check_vault(&r, &t->vault, &o, why);
	checkreport_done(&r);
	return e;
}

static bool is_honest(enum err e) {
	return e == E_FORGED || e == E_FORMAT || e == E_NOTFOUND || e == E_ROLLBACK ||
		e == E_UNSUPPORTED || e == E_DENIED;
}

/* Whether a sentence says which object it is about. */
static bool names_something(const char *text) {
	static const char *const words[] = { "pack ", "object ", "chunk ", "entry ", "chain ", "epoch ",
		"index" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(text, words[i])) return true;
	return false;
}

static void judge_error(struct verdict *v, enum err e, const struct why *why) {
	if (!is_honest(e)) verdict_fail(v, "an error of another kind", why->msg);
	else if (!names_something(why->msg)) verdict_fail(v, "an error that names no object", why->msg);
}

/* Reads all snapshots; whether everything was there. */
static bool read_all(struct verdict *v, struct testvault *t) {
	struct fetch *f = NULL;
	struct fetch_params p = { .vault = &t->vault, .threads = 1 };
	struct why reason = { OK, "" };
	enum err opened = fetch_new(&f, &p, &reason);
	bool all = opened == OK;
	if (opened) judge_error(v, opened, &reason);
	for (size_t i = 0; f && i < v->full->snapshot_count; i++) {
		struct testvault_seen seen;
		struct why why = { OK, "" };
		enum err e = testvault_see(f, &v->full->snapshots[i], &seen, &why);
		if (e) {
			judge_error(v, e, &why);
			all = false;
			continue;
		}
		if (!testvault_within(&seen, &v->whole[i])) verdict_fail(v, "WRONG BYTES were read", "");
		if (seen.errors) {
			judge_error(v, seen.first, &seen.why);
			all = false;
		} else if (seen.count != v->whole[i].count) {
			verdict_fail(v, "files are missing without an error", "");
		}
		testvault_seen_done(&seen);
	}
	fetch_free(f);
	return all;
}

/* Whether the sentence with which opening, and so every command, failed is about the object. */
static bool says(const struct why *why, const struct rawstore_item *item) {
	char hex[HASH_HEX], text[64];
	if (!item) return false;
	hash_hex(hex, item->kind == RAWSTORE_ENTRY ? &item->scope : &item->name);
	if (item->kind != RAWSTORE_ENTRY) return strstr(why->msg, hex) != NULL;
	hex[16] = '\0';
	if (!strstr(why->msg, hex)) return false;
	(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)item->sequence);
	if (item->sequence == 0 || strstr(why->msg, text)) return true;
	/* of one that is missing: what the chain ends with */
	(void)snprintf(text, sizeof text, "ends at entry %llu", (unsigned long long)item->sequence - 1);
	return strstr(why->msg, text) != NULL;
}

static bool is_there(const struct verdict *v, const struct rawstore_item *item) {
	return rawstore_find(v->full->store, item->kind, &item->scope, &item->name, item->sequence) !=
		NULL;
}

void verdict_judge(
	struct verdict *v, const struct rawstore_item *item, enum verdict_expect expect) {
	struct testvault fresh, *t = NULL;
	struct findings f = { .item = item };
	struct why why = { OK, "" }, said = { OK, "" };
	bool all = false;
	enum err e, e_open = OK;
	v->cases++;
	if (item && item->kind == RAWSTORE_PACK && v->is_open) {
		t = &v->open;
	} else {
		e_open = testvault_open(&fresh, v->full->store, "main", &said);
		if (!e_open) t = &fresh;
		else judge_error(v, e_open, &said);
		v->refused += e_open != OK;
	}
	if (t) all = read_all(v, t);
	v->exact += all;
	v->part += t && !all;
	if (!all && expect != VERDICT_ANY)
		verdict_fail(v, "something that was not touched can't be read", said.msg);
	e = check(v, t, &f, &why);
	if (e) verdict_fail(v, "check failed", why.msg);
	if (expect == VERDICT_UNTOUCHED) {
		if (f.count) verdict_fail(v, "check found something in a good store", "");
	} else if (f.named || (e_open && says(&said, item))) {
		v->named++;
	} else if (item && all && !f.count && !is_there(v, item)) {
		v->unneeded++; /* taken away, and nothing needs it */
	} else if (item) {
		verdict_fail(v, "check did not name the object", said.msg);
	}
	if (t == &fresh) testvault_close(&fresh);
}

void verdict_begin(struct verdict *v, struct fullstore *full) {
	memset(v, 0, sizeof *v);
	v->full = full;
	(void)snprintf(v->label, sizeof v->label, "the whole store");
	testvault_must_open(&v->open, full->store);
	v->is_open = true;
	struct fetch *f;
	struct fetch_params p = { .vault = &v->open.vault, .threads = 1 };
	struct why why = { OK, "" };
	testvault_must(fetch_new(&f, &p, &why), &why, "reading");
	for (size_t i = 0; i < full->snapshot_count; i++) {
		testvault_must(testvault_see(f, &full->snapshots[i], &v->whole[i], &why), &why, "reading");
		if (v->whole[i].errors || v->whole[i].count < 10) abort();
	}
	fetch_free(f);
	verdict_judge(v, NULL, VERDICT_UNTOUCHED);
	if (v->failures) abort();
}

void verdict_end(struct verdict *v) {
	for (size_t i = 0; i < v->full->snapshot_count; i++) testvault_seen_done(&v->whole[i]);
	if (v->is_open) testvault_close(&v->open);
}
