/* broch prune: what no snapshot needs is announced, and deleted once the hold has gone by. */
#include "cli/cmd_prune.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "client/prune.h"
#include "client/units.h"
#include "client/when.h"

struct showing {
	const struct invocation *inv;
	struct progress *progress;
	const char *step;
	uint64_t shown;
};

static void ticked(void *ctx, const struct prune_progress *p) {
	struct showing *s = ctx;

	if (s->step != p->step || p->done < s->shown) {
		s->step = p->step;
		s->shown = p->done;
	}
	progress_at(s->progress, span_text(p->step));
	progress_add(s->progress, p->done - s->shown, 0);
	s->shown = p->done;
}

static void warned(void *ctx, const struct why *why) {
	const struct showing *s = ctx;

	say_warn(s->inv->say, "%s", why->msg);
}

static void read_unused(const struct invocation *inv, struct prune_options *o) {
	struct option_part part = invocation_part(inv, "max-unused");

	o->max_unused = part.a;
	o->max_unused_is_share = part.kind == OPTION_PART_PERCENT;
	if (part.kind == OPTION_PART_ALL) o->max_unused = PRUNE_ANY_UNUSED;
}

static void tell_json(
	const struct invocation *inv, const struct vault *v, const struct prune_result *r, bool dry) {
	struct jsonl *o = jsonl_new("prune");

	jsonl_flag(o, "dry_run", dry);
	jsonl_number(o, "packs_before", r->packs);
	jsonl_number(o, "bytes_before", r->bytes);
	jsonl_number(o, "chunks", r->chunks);
	jsonl_number(o, "chunks_used", r->chunks_used);
	jsonl_number(o, "bytes_used", r->used);
	jsonl_number(o, "packs_repacked", r->repacked_packs);
	jsonl_number(o, "bytes_repacked", r->repacked_bytes);
	jsonl_number(o, "packs_announced", r->named_packs);
	jsonl_number(o, "bytes_announced", r->named_bytes);
	jsonl_number(o, "packs_deleted", r->purged_packs);
	jsonl_number(o, "bytes_deleted", r->purged_bytes);
	jsonl_number(o, "packs_rescued", r->rescued_packs);
	jsonl_number(o, "waiting", r->waiting_intents);
	if (r->waiting_until) jsonl_time(o, "waiting_until", r->waiting_until);
	jsonl_list(o, "announcements");
	for (size_t i = 0; i < v->state.intent_count; i++) {
		struct jsonl *item = jsonl_new("announcement");

		jsonl_number(item, "announcement", v->state.intents[i].sequence);
		jsonl_time(item, "time", v->state.intents[i].time);
		jsonl_number(item, "packs", v->state.intents[i].packs.count);
		jsonl_add_object(o, "announcements", item);
	}
	say_object(inv->say, o);
}

/* By the names that keep takes. */
static void tell_announced(struct say *say, const struct vault *v) {
	char when[WHEN_TEXT], packs[UNITS_TEXT];

	for (size_t i = 0; i < v->state.intent_count; i++) {
		const struct vault_intent *n = &v->state.intents[i];

		say_out(say, "in force:  @%llu of %s, %s\n", (unsigned long long)n->sequence,
			when_local(when, n->time), units_count(packs, n->packs.count, "pack", "packs"));
	}
}

static void tell(
	const struct invocation *inv, const struct vault *v, const struct prune_result *r, bool dry) {
	struct say *say = inv->say;
	char bytes[UNITS_TEXT], used[UNITS_TEXT], when[WHEN_TEXT], count[UNITS_TEXT];

	if (say_json(say)) {
		tell_json(inv, v, r, dry);
		return;
	}
	say_out(say, "store:     %s, %s, of which snapshots need %s\n",
		units_count(count, r->packs, "pack", "packs"), units_size(bytes, r->bytes),
		units_size(used, r->used));
	if (r->repacked_packs)
		say_out(say, "repacked:  %s out of %s\n", units_size(bytes, r->repacked_bytes),
			units_count(count, r->repacked_packs, "pack", "packs"));
	say_out(say, "announced: %s, %s\n", units_count(count, r->named_packs, "pack", "packs"),
		units_size(bytes, r->named_bytes));
	say_out(say, "deleted:   %s, %s\n", units_count(count, r->purged_packs, "pack", "packs"),
		units_size(bytes, r->purged_bytes));
	if (r->rescued_packs)
		say_out(say, "kept:      %s announced before and needed again\n",
			units_count(count, r->rescued_packs, "pack", "packs"));
	tell_announced(say, v);
	if (r->waiting_intents)
		say_out(say, "waiting:   %s; the first can be carried out at %s\n",
			units_count(count, r->waiting_intents, "announcement", "announcements"),
			when_local(when, r->waiting_until));
	if (dry) say_out(say, "nothing was changed\n");
}

int cmd_prune_run(const struct invocation *inv, struct vault *v, struct span forgotten) {
	struct showing s = { .inv = inv };
	struct prune_options o = {
		.dry_run = invocation_flag(inv, "dry-run"),
		.forgotten = forgotten,
		.ticked = ticked,
		.warn = warned,
		.ctx = &s,
	};
	struct prune_result result = { .packs = 0 };
	struct why why = { 0 };
	enum err e = why_err(&why, progress_new(inv->say, "prune", &s.progress), "starting to prune");

	read_unused(inv, &o);
	if (!e) e = prune_run(v, &o, &result, &why);
	progress_free(s.progress);
	if (e) return opening_failed(inv, &why);
	tell(inv, v, &result, o.dry_run);
	return EXITCODE_OK;
}

int cmd_prune(const struct invocation *inv) {
	struct opening o = { .has_session = false };
	int code = opening_vault(&o, inv);

	if (!code) code = cmd_prune_run(inv, &o.vault, span_of(NULL, 0));
	opening_close(&o);
	return code;
}
