/* broch repair: makes the index anew from the packs, and says what can be done about entries that are damaged. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "client/repair.h"
#include "client/repairchain.h"
#include "client/units.h"

struct showing {
	const struct invocation *inv;
	struct progress *progress;
	uint64_t done, bytes;
	uint64_t entries; /* that are still broken */
};

static void found(void *ctx, const struct checkreport_item *item) {
	const struct showing *s = ctx;

	progress_failed(s->progress);
	say_warn(s->inv->say, "%s", item->text);
}

static void ticked(void *ctx, const struct checkreport_progress *p) {
	struct showing *s = ctx;

	progress_at(s->progress, span_text(p->step));
	if (p->bytes_total) progress_total(s->progress, p->total, p->bytes_total);
	if (p->done < s->done || p->bytes_done < s->bytes) return;
	progress_add(s->progress, p->done - s->done, p->bytes_done - s->bytes);
	s->done = p->done;
	s->bytes = p->bytes_done;
}

static enum err show_entry(void *ctx, const struct repairchain_entry *e, struct why *why) {
	struct showing *s = ctx;
	struct say *say = s->inv->say;
	bool apply = invocation_flag(s->inv, "apply");

	(void)why;
	s->entries += !e->is_mended;
	if (say_json(say)) {
		struct jsonl *o = jsonl_new("entry");

		jsonl_hex(o, "chain", hash_span(&e->chain));
		jsonl_number(o, "sequence", e->sequence);
		jsonl_text(o, "place", span_text(e->place));
		jsonl_flag(o, "missing", e->is_missing);
		jsonl_flag(o, "copy", e->has_copy);
		jsonl_flag(o, "mended", e->is_mended);
		if (e->aside[0]) jsonl_bytes(o, "aside", span_text(e->aside));
		say_object(say, o);
		return OK;
	}
	say_out(say, "%s is %s: ", e->place, e->is_missing ? "missing" : "damaged");
	if (e->is_mended) say_out(say, "it was put back from its copy in a segment\n");
	else if (e->aside[0]) {
		say_out(say, "a good copy is in ");
		say_name(say, span_text(e->aside));
		say_out(say, "; put it in the store in place of that file\n");
	} else if (e->has_copy && !apply)
		say_out(say, "there is a good copy in a segment, which --apply %s\n",
			e->is_missing ? "puts back" : "takes out for you");
	else say_out(say, "copy that file from a mirror of this store\n");
	return OK;
}

/* Chains come first: while an entry is broken, nothing behind it can be read. */
static int repair_chains(struct showing *s) {
	const struct invocation *inv = s->inv;
	struct session session = { .store = NULL };
	struct why why = { 0 };
	enum err e;

	session.folder.state = session.folder.cache = -1;
	e = statefolder_open(&session.folder, false, &why);
	if (!e) e = session_open_store(&session, invocation_text(inv, "at"), &why);
	if (e) {
		session_close(&session);
		return EXITCODE_OK; /* opening says what is wrong */
	}
	e = repairchain_run(
		session.store, &session.folder, invocation_flag(inv, "apply"), show_entry, s, &why);
	session_close(&session);
	if (e) return opening_failed(inv, &why);
	if (!s->entries) return EXITCODE_OK;
	say_error(inv->say, "entries of a chain are broken: mend them first, as said above");
	return EXITCODE_DAMAGED;
}

static void tell(const struct invocation *inv, const struct repair_result *r) {
	struct say *say = inv->say;
	char places[UNITS_TEXT];

	if (say_json(say)) {
		struct jsonl *o = jsonl_new("repair");

		jsonl_flag(o, "needed", r->needed);
		jsonl_flag(o, "written", r->written);
		jsonl_number(o, "indexes", r->indexes);
		jsonl_number(o, "indexes_damaged", r->indexes_damaged);
		jsonl_number(o, "rows_before", r->rows_before);
		jsonl_number(o, "rows", r->rows);
		jsonl_number(o, "rows_dropped", r->rows_dropped);
		jsonl_number(o, "rows_new", r->rows_new);
		jsonl_number(o, "packs_read", r->packs_read);
		say_object(say, o);
		return;
	}
	say_out(say, "indexes: %llu, of which damaged %llu; packs read: %llu\n",
		(unsigned long long)r->indexes, (unsigned long long)r->indexes_damaged,
		(unsigned long long)r->packs_read);
	say_out(say, "places:  %llu known, %llu gone, %llu found that no index had\n",
		(unsigned long long)r->rows_before, (unsigned long long)r->rows_dropped,
		(unsigned long long)r->rows_new);
	if (!r->needed) say_out(say, "the index says what the packs say: there is nothing to repair\n");
	else if (r->written)
		say_out(say, "a new index with %s is in force\n",
			units_count(places, r->rows, "place", "places"));
	else
		say_out(say, "nothing was written: --apply writes a new index with %s\n",
			units_count(places, r->rows, "place", "places"));
}

static int repair_vault(struct showing *s, struct vault *v) {
	const struct invocation *inv = s->inv;
	struct checkreport report = { .found = found, .ticked = ticked, .ctx = s };
	struct repair_options o = { .apply = invocation_flag(inv, "apply"),
		.read_data = invocation_flag(inv, "read-data") };
	struct repair_result result = { .indexes = 0 };
	struct why why = { 0 };
	enum err e =
		why_err(&why, progress_new(inv->say, "repair", &s->progress), "starting to repair");

	checkreport_init(&report);
	if (!e) e = repair_run(&report, v, &o, &result, &why);
	checkreport_done(&report);
	progress_free(s->progress);
	s->progress = NULL;
	if (e) return opening_failed(inv, &why);
	tell(inv, &result);
	return EXITCODE_OK;
}

int cmd_repair(const struct invocation *inv) {
	struct showing s = { .inv = inv };
	struct opening o = { .has_session = false };
	int code = repair_chains(&s);

	if (!code) code = opening_vault(&o, inv);
	if (!code) code = repair_vault(&s, &o.vault);
	opening_close(&o);
	return code;
}
