/* broch diff: what differs between two snapshots. */
#include "cli/cmd.h"
#include "cli/entryline.h"
#include "cli/jsonl.h"
#include "cli/looking.h"
#include "cli/say.h"
#include "client/treediff.h"
#include "client/units.h"

/* New, gone and changed entries of one kind. */
struct counts {
	uint64_t added, removed, changed;
};

struct comparing {
	struct looking looking;
	struct say *say;
	bool with_metadata;
	struct counts files, folders, others;
	uint64_t metadata;
	uint64_t bytes_added, bytes_removed;
	int code;
};

static struct counts *counts_of(struct comparing *c, const struct direntry *d) {
	if (d->type == DIRENTRY_FILE) return &c->files;
	return d->type == DIRENTRY_DIRECTORY ? &c->folders : &c->others;
}

static void count(struct comparing *c, const struct treediff_change *x) {
	switch (x->kind) {
	case TREEDIFF_ADDED: counts_of(c, x->after)->added++; break;
	case TREEDIFF_REMOVED: counts_of(c, x->before)->removed++; break;
	case TREEDIFF_CONTENT: counts_of(c, x->after)->changed++; break;
	case TREEDIFF_METADATA: c->metadata++; return;
	case TREEDIFF_TYPE:
		counts_of(c, x->before)->removed++;
		counts_of(c, x->after)->added++;
		break;
	}
	if (x->after && x->after->type == DIRENTRY_FILE) c->bytes_added += direntry_size(x->after);
	if (x->before && x->before->type == DIRENTRY_FILE) c->bytes_removed += direntry_size(x->before);
}

static enum err changed(void *ctx, const struct treediff_change *x, struct why *why) {
	static const char letters[] = { [TREEDIFF_ADDED] = '+',
		[TREEDIFF_REMOVED] = '-',
		[TREEDIFF_CONTENT] = 'M',
		[TREEDIFF_METADATA] = 'U',
		[TREEDIFF_TYPE] = 'T' };
	struct comparing *c = ctx;
	const struct direntry *d = x->after ? x->after : x->before;
	char letter[2] = { letters[x->kind], '\0' };

	(void)why;
	count(c, x);
	if (x->kind == TREEDIFF_METADATA && !c->with_metadata) return OK;
	if (say_json(c->say)) {
		struct jsonl *o = jsonl_new("change");

		jsonl_text(o, "change", span_text(letter));
		jsonl_bytes(o, "path", x->path);
		jsonl_text(o, "kind", span_text(entryline_kind(d->type)));
		say_object(c->say, o);
	} else {
		say_out(c->say, "%s    ", letter);
		say_name(c->say, x->path);
		say_out(c->say, d->type == DIRENTRY_DIRECTORY ? "/\n" : "\n");
	}
	return say_gone(c->say) ? E_CANCELLED : OK;
}

static enum err broken(void *ctx, enum err e, const struct why *why) {
	struct comparing *c = ctx;
	int code = opening_failed(c->looking.inv, why);

	(void)e;
	if (!c->code || code == EXITCODE_DAMAGED) c->code = code;
	return OK;
}

static struct jsonl *counts_json(const struct counts *n) {
	struct jsonl *o = jsonl_new("counts");

	jsonl_number(o, "added", n->added);
	jsonl_number(o, "removed", n->removed);
	jsonl_number(o, "changed", n->changed);
	return o;
}

static void counts_text(struct say *say, const char *what, const struct counts *n) {
	say_out(say, "%-9s %llu new, %llu removed, %llu changed\n", what, (unsigned long long)n->added,
		(unsigned long long)n->removed, (unsigned long long)n->changed);
}

static void tell(const struct comparing *c) {
	char added[UNITS_TEXT], removed[UNITS_TEXT];

	if (say_json(c->say)) {
		struct jsonl *o = jsonl_new("statistics");

		jsonl_object(o, "files", counts_json(&c->files));
		jsonl_object(o, "directories", counts_json(&c->folders));
		jsonl_object(o, "others", counts_json(&c->others));
		jsonl_number(o, "metadata", c->metadata);
		jsonl_number(o, "bytes_added", c->bytes_added);
		jsonl_number(o, "bytes_removed", c->bytes_removed);
		say_object(c->say, o);
		return;
	}
	say_out(c->say, "\n");
	counts_text(c->say, "Files:", &c->files);
	counts_text(c->say, "Folders:", &c->folders);
	counts_text(c->say, "Others:", &c->others);
	say_out(c->say, "Metadata: %llu changed only there\n", (unsigned long long)c->metadata);
	say_out(c->say, "Added:    %s\nRemoved:  %s\n", units_size(added, c->bytes_added),
		units_size(removed, c->bytes_removed));
}

static int compare(
	struct comparing *c, const struct snapshot *before, const struct snapshot *after) {
	struct treediff d = {
		.fetch = c->looking.fetch, .change = changed, .broken = broken, .ctx = c
	};
	struct why why = { 0 };
	enum err e = treediff_run(&d, &before->root, &after->root, &why);

	if (e && say_gone(c->say)) return EXITCODE_OK;
	if (e) return opening_failed(c->looking.inv, &why);
	tell(c);
	return c->code;
}

int cmd_diff(const struct invocation *inv) {
	struct comparing c = { .say = inv->say };
	struct looking_at before = { .id = { { 0 } } }, after = { .id = { { 0 } } };
	int code = looking_open(&c.looking, inv);

	c.with_metadata = invocation_flag(inv, "metadata");
	if (!code) code = looking_begin(&c.looking, inv->args[0], &before);
	if (!code) code = looking_begin(&c.looking, inv->args[1], &after);
	if (!code) code = compare(&c, &before.snapshot, &after.snapshot);
	looking_done(&before);
	looking_done(&after);
	looking_close(&c.looking);
	return code;
}
