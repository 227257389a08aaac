/* broch restore: reads the options, shows progress and notes, and says what came of it. */
#include <string.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "client/restore.h"
#include "client/units.h"
#include "os/clock.h"

enum { ALLOW_ALL_BIT = 16, SHORT_ID = 8, PATH_SHOWN = 4 << 20 };

/* What the options come to. */
struct request {
	const struct invocation *inv;
	struct restore_options options;
	const char **paths;
	bool *missing;
	struct pattern_set *include, *exclude;
	struct progress *progress;
};

static enum err read_paths(struct request *r, struct why *why) {
	size_t n = 0;

	while (invocation_nth(r->inv, "path", n)) n++;
	r->paths = mem_array(n + 1, sizeof(*r->paths));
	r->missing = mem_array(n + 1, sizeof(*r->missing));
	if (!r->paths || !r->missing) return why_err(why, E_NOMEM, "reading the options");
	for (size_t i = 0; i < n; i++) {
		r->paths[i] = invocation_nth(r->inv, "path", i);
		if (!*r->paths[i]) return why_set(why, E_USAGE, "an empty --path names nothing");
	}
	r->options.paths = r->paths;
	r->options.path_count = n;
	r->options.paths_missing = r->missing;
	return OK;
}

static enum err read_patterns(struct request *r, const char *option, struct pattern_set **set,
	const struct pattern_set **used, struct why *why) {
	const char *text;
	enum err e = why_err(why, pattern_set_new(set), "reading the options");

	for (size_t i = 0; !e && (text = invocation_nth(r->inv, option, i)); i++)
		e = why_err(why, pattern_set_add(*set, span_text(text)), "reading the options");
	if (!e && !pattern_set_is_empty(*set)) *used = *set;
	return e;
}

static enum err read_options(struct request *r, struct why *why) {
	const struct invocation *inv = r->inv;
	struct restore_options *o = &r->options;
	uint64_t allow = invocation_number(inv, "allow");
	enum err e;

	o->dry_run = invocation_flag(inv, "dry-run");
	o->target = invocation_text(inv, "to");
	if (!o->dry_run && (!o->target || !*o->target))
		return why_set(why, E_USAGE, "say with --to which folder to restore into");
	o->verify = invocation_flag(inv, "verify");
	o->sparse = invocation_flag(inv, "sparse");
	o->overwrite = (enum restore_overwrite)invocation_number(inv, "overwrite");
	o->allow = allow & ALLOW_ALL_BIT ? RESTORE_ALLOW_ALL : (unsigned)allow;
	o->each = o->dry_run || say_verbose(inv->say);
	e = read_paths(r, why);
	if (!e) e = read_patterns(r, "include", &r->include, &o->include, why);
	if (!e) e = read_patterns(r, "exclude", &r->exclude, &o->exclude, why);
	return e;
}

static void show_item(struct request *r, enum restore_note note, struct span path) {
	struct say *say = r->inv->say;
	struct jsonl *o;

	if (!say_json(say)) {
		if (note == RESTORE_ITEM) say_line(say, path);
		return;
	}
	o = jsonl_new("file");
	jsonl_bytes(o, "path", path);
	jsonl_flag(o, "kept", note == RESTORE_ITEM_KEPT);
	say_object(say, o);
}

static void noted(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct request *r = ctx;
	struct say *say = r->inv->say;
	int len = path.len > PATH_SHOWN ? PATH_SHOWN : (int)path.len;
	const char *name = (const char *)path.ptr;

	switch (note) {
	case RESTORE_ITEM:
	case RESTORE_ITEM_KEPT: show_item(r, note, path); return;
	case RESTORE_WARNING: say_warn(say, "%s", text); return;
	case RESTORE_UNKNOWN:
		say_warn(say, "%.*s: not restored: of a type that this version does not know", len, name);
		break;
	case RESTORE_INCOMPLETE: say_warn(say, "%.*s: %s", len, name, text); break;
	case RESTORE_DAMAGED:
	case RESTORE_FAILED: say_error(say, "%.*s: not restored: %s", len, name, text); break;
	}
	progress_failed(r->progress);
}

static void moved(void *ctx, uint64_t files, uint64_t bytes) {
	struct request *r = ctx;

	progress_add(r->progress, files, bytes);
}

static void expected(void *ctx, uint64_t files, uint64_t bytes) {
	struct request *r = ctx;

	progress_total(r->progress, files, bytes);
}

static void at(void *ctx, struct span path) {
	struct request *r = ctx;

	progress_at(r->progress, path);
}

static const struct {
	enum restore_count count;
	const char *key;
	const char *text; /* for people; NULL: told elsewhere */
} counts[] = {
	{ RESTORE_FILES, "files", NULL },
	{ RESTORE_DIRECTORIES, "directories", NULL },
	{ RESTORE_SYMLINKS, "symlinks", NULL },
	{ RESTORE_SPECIALS, "specials", NULL },
	{ RESTORE_LINKS, "links", NULL },
	{ RESTORE_BYTES, "bytes", NULL },
	{ RESTORE_KEPT, "kept", NULL },
	{ RESTORE_NO_OWNER, "owner_not_set", "owner" },
	{ RESTORE_NO_SETUID, "setuid_not_set", "set-user-id or set-group-id bit (--allow setuid)" },
	{ RESTORE_NO_DEVICE, "device_not_made", "device (--allow devices)" },
	{ RESTORE_NO_CAPABILITY, "capability_not_set", "capability (--allow capabilities)" },
	{ RESTORE_NO_TRUSTED, "trusted_not_set", "trusted attribute (--allow trusted)" },
	{ RESTORE_NOT_COMPLETE, "incomplete", NULL },
	{ RESTORE_NOT_DONE, "failed", NULL },
	{ RESTORE_NOT_KNOWN, "unknown", NULL },
	{ RESTORE_NOT_READ, "damaged", NULL },
};

static void tell_json(
	const struct request *r, const struct restore_result *result, double seconds) {
	struct jsonl *o = jsonl_new("summary");

	jsonl_hex(o, "snapshot", hash_span(&r->options.snapshot));
	jsonl_flag(o, "dry_run", r->options.dry_run);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		jsonl_number(o, counts[i].key, result->counts[counts[i].count]);
	jsonl_real(o, "seconds", seconds);
	say_object(r->inv->say, o);
}

static unsigned long long of(const struct restore_result *result, enum restore_count count) {
	return result->counts[count];
}

static void tell_missing(struct say *say, const struct restore_result *result) {
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].text && of(result, counts[i].count))
			say_out(say, "not set: %llu x %s\n", of(result, counts[i].count), counts[i].text);
	if (of(result, RESTORE_NOT_COMPLETE) || of(result, RESTORE_NOT_DONE) ||
		of(result, RESTORE_NOT_KNOWN) || of(result, RESTORE_NOT_READ))
		say_out(say,
			"not complete: %llu without an attribute, %llu not restored, %llu of unknown types, %llu damaged in the store\n",
			of(result, RESTORE_NOT_COMPLETE), of(result, RESTORE_NOT_DONE),
			of(result, RESTORE_NOT_KNOWN), of(result, RESTORE_NOT_READ));
}

static void tell(const struct request *r, const struct restore_result *result, double seconds) {
	struct say *say = r->inv->say;
	char bytes[UNITS_TEXT], rate[UNITS_TEXT], time[UNITS_TEXT], hex[HASH_HEX];
	double per_second = seconds > 0 ? (double)of(result, RESTORE_BYTES) / seconds : 0;

	if (say_json(say)) {
		tell_json(r, result, seconds);
		return;
	}
	hash_hex(hex, &r->options.snapshot);
	units_elapsed(time, (uint64_t)(seconds + 0.5));
	say_out(say,
		"files:  %llu, folders: %llu, links: %llu, others: %llu; left as they were: %llu\n",
		of(result, RESTORE_FILES), of(result, RESTORE_DIRECTORIES), of(result, RESTORE_SYMLINKS),
		of(result, RESTORE_SPECIALS), of(result, RESTORE_KEPT));
	tell_missing(say, result);
	if (r->options.dry_run) {
		say_out(say, "data:   %s to be written; nothing was\n",
			units_size(bytes, of(result, RESTORE_BYTES)));
		return;
	}
	say_out(say, "data:   %s, %s/s\n", units_size(bytes, of(result, RESTORE_BYTES)),
		units_size(rate, (uint64_t)per_second));
	say_out(say, "snapshot %.*s restored in %s\n", SHORT_ID, hex, time);
}

static int code_of(const struct restore_result *result) {
	uint64_t done = result->counts[RESTORE_KEPT];

	for (size_t i = RESTORE_FILES; i <= RESTORE_SPECIALS; i++) done += result->counts[i];
	if (result->counts[RESTORE_NOT_READ]) return EXITCODE_DAMAGED;
	if (result->paths_missing && !done) return EXITCODE_ERROR;
	if (result->paths_missing || result->counts[RESTORE_NOT_COMPLETE] ||
		result->counts[RESTORE_NOT_DONE] || result->counts[RESTORE_NOT_KNOWN])
		return EXITCODE_INCOMPLETE;
	return EXITCODE_OK;
}

static int run(struct request *r, struct vault *v) {
	struct restore_result result;
	struct why why = { 0 };
	uint64_t start = clock_mono_ns();
	enum err e = why_err(&why, progress_new(r->inv->say, "restore", &r->progress), "restoring");

	r->options.noted = noted;
	r->options.moved = moved;
	r->options.expected = expected;
	r->options.at = at;
	r->options.ctx = r;
	if (!e) e = restore_run(v, &r->options, &result, &why);
	progress_free(r->progress);
	r->progress = NULL;
	if (e) return opening_failed(r->inv, &why);
	for (size_t i = 0; i < r->options.path_count; i++)
		if (r->missing[i])
			say_error(r->inv->say, "the snapshot has nothing at %s (broch ls shows what it has)",
				r->paths[i]);
	tell(r, &result, (double)(clock_mono_ns() - start) / 1e9);
	return code_of(&result);
}

int cmd_restore(const struct invocation *inv) {
	struct request r = { .inv = inv };
	struct opening o = { .has_session = false };
	const struct vault_snapshot *snapshot;
	struct why why = { 0 };
	int code;

	if (read_options(&r, &why)) {
		code = opening_failed(inv, &why);
	} else {
		code = opening_vault(&o, inv);
		if (!code) code = opening_snapshot(inv, &o, inv->args[0], &snapshot);
		if (!code) {
			r.options.snapshot = snapshot->id;
			code = run(&r, &o.vault);
		}
	}
	opening_close(&o);
	pattern_set_free(r.include);
	pattern_set_free(r.exclude);
	mem_free(r.paths);
	mem_free(r.missing);
	return code;
}
