/* broch copy: makes a mirror or brings it up to date; with --promote makes it the home. */
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "client/promote.h"
#include "client/units.h"

struct showing {
	const struct invocation *inv;
	struct progress *progress;
	uint64_t packs, bytes;
};

static void ticked(void *ctx, const struct mirror_progress *p) {
	struct showing *s = ctx;

	progress_total(s->progress, p->packs_total, p->bytes_total);
	if (p->packs_done < s->packs || p->bytes_done < s->bytes) s->packs = s->bytes = 0;
	progress_add(s->progress, p->packs_done - s->packs, p->bytes_done - s->bytes);
	s->packs = p->packs_done;
	s->bytes = p->bytes_done;
}

static void damaged(void *ctx, const struct why *why) {
	const struct showing *s = ctx;

	progress_failed(s->progress);
	say_why(s->inv->say, why);
}

static void tell_json(const struct invocation *inv, const struct mirror_result *r, const char *to) {
	struct jsonl *o = jsonl_new("copy");

	jsonl_bytes(o, "store", span_text(to));
	jsonl_hex(o, "store_id", hash_span(&r->store));
	jsonl_flag(o, "made", r->made);
	jsonl_number(o, "vaults", r->vaults);
	jsonl_number(o, "packs", r->packs);
	jsonl_number(o, "bytes", r->bytes);
	jsonl_number(o, "objects", r->objects);
	jsonl_number(o, "entries", r->entries);
	jsonl_number(o, "packs_deleted", r->packs_deleted);
	jsonl_number(o, "bytes_deleted", r->bytes_deleted);
	jsonl_number(o, "packs_replaced", r->packs_replaced);
	say_object(inv->say, o);
}

static void tell(const struct invocation *inv, const struct mirror_result *r, const char *to) {
	struct say *say = inv->say;
	char bytes[UNITS_TEXT], packs[UNITS_TEXT], entries[UNITS_TEXT], objects[UNITS_TEXT];

	if (say_json(say)) {
		tell_json(inv, r, to);
		return;
	}
	say_out(say, "%s the mirror ", r->made ? "made" : "brought up to date");
	say_line(say, span_text(to));
	say_out(say, "copied:  %s, %s, %s, %s\n", units_count(packs, r->packs, "pack", "packs"),
		units_size(bytes, r->bytes), units_count(entries, r->entries, "entry", "entries"),
		units_count(objects, r->objects, "object", "objects"));
	if (r->packs_deleted)
		say_out(say, "deleted: %s, %s, purged by the home\n",
			units_count(packs, r->packs_deleted, "pack", "packs"),
			units_size(bytes, r->bytes_deleted));
	if (r->packs_replaced)
		say_out(say, "mended:  %s, damaged in the mirror before\n",
			units_count(packs, r->packs_replaced, "pack", "packs"));
}

static int copy(struct showing *s, const struct mirror_options *o, const char *to) {
	struct opening opening = { .has_session = false };
	struct mirror_result result = { .packs = 0 };
	struct why why = { 0 };
	int code = opening_session(&opening, s->inv);
	enum err e = OK;

	if (!code) e = progress_new(s->inv->say, "copy", &s->progress);
	if (e) e = why_err(&why, e, "starting to copy");
	else if (!code) e = mirror_run(&opening.session, to, o, &result, &why);
	progress_free(s->progress);
	opening_close(&opening);
	if (code) return code;
	if (e == E_CANCELLED)
		say_note(s->inv->say, "what was copied until now need not be copied again");
	if (e) return opening_failed(s->inv, &why);
	tell(s->inv, &result, to);
	return EXITCODE_OK;
}

static void tell_promoted(
	const struct invocation *inv, const struct promote_result *r, const struct session *s) {
	if (say_json(inv->say)) {
		struct jsonl *o = jsonl_new("promote");

		jsonl_bytes(o, "store", span_text(store_address(s->store)));
		jsonl_hex(o, "store_id", hash_span(store_id(s->store)));
		jsonl_flag(o, "old_home_reached", r->home_was_there);
		jsonl_number(o, "packs", r->copied.packs);
		say_object(inv->say, o);
		return;
	}
	say_name(inv->say, span_text(store_address(s->store)));
	say_out(inv->say, " is the home now, and what commands use without --at\n");
	if (r->home_was_there) {
		say_out(inv->say, "the store that was the home is a mirror from now on\n");
		return;
	}
	say_note(inv->say,
		"the store that was the home was not reached: other devices learn of this when they next open this "
		"store with --at; what they write to the old one until then is lost to this account");
}

static int promote(struct showing *s, const struct mirror_options *o) {
	struct session session = { .store = NULL };
	struct promote_result result = { .home_was_there = false };
	struct why why = { 0 };
	struct session_open open = {
		.at = invocation_text(s->inv, "at"),
		.passphrase = opening_passphrase,
		.ctx = (void *)(uintptr_t)s->inv, /* read only: opening_passphrase has it const again */
		.may_lag = true,
	};
	enum err e;

	if (!open.at) {
		say_error(s->inv->say, "say which mirror is to be the home with --at DIR");
		return EXITCODE_USAGE;
	}
	if (session_open(&session, &open, &why)) return opening_locked(s->inv, &session, &why);
	e = why_err(&why, progress_new(s->inv->say, "copy", &s->progress), "starting to copy");
	if (!e) e = promote_run(&session, o, &result, &why);
	progress_free(s->progress);
	if (!e) tell_promoted(s->inv, &result, &session);
	session_close(&session);
	return e ? opening_failed(s->inv, &why) : EXITCODE_OK;
}

int cmd_copy(const struct invocation *inv) {
	struct showing s = { .inv = inv };
	struct mirror_options o = { .ticked = ticked, .damaged = damaged, .ctx = &s };
	const char *to = invocation_text(inv, "to");

	if (invocation_flag(inv, "promote")) {
		if (!to) return promote(&s, &o);
		say_error(inv->say, "--to and --promote can't be given together");
		return EXITCODE_USAGE;
	}
	if (to) return copy(&s, &o, to);
	say_error(inv->say,
		"say where the mirror is to be with --to DIR, or which one is to be the home with --promote");
	return EXITCODE_USAGE;
}
