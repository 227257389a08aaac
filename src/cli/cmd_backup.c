/* broch backup: reads the options, shows progress and notes, and says what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/jsonl.h"
#include "cli/opening.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/textlist.h"
#include "client/backup.h"
#include "client/units.h"
#include "format/direntry.h"
#include "os/clock.h"
#include "os/userfile.h"

enum { FILES_FROM_MAX = 256 << 20, PERCENT_PART = 10, SHORT_ID = 8 };

/* What the options come to. */
struct request {
	const struct invocation *inv;
	struct backup_options options;
	struct textlist paths, tags;
	struct buf *files; /* the files of --files-from: paths point into them */
	size_t file_count;
	char *tag_texts;
	struct pattern_set *exclude;
	struct progress *progress;
	uint64_t files_shown, bytes_shown;
};

static enum err read_files_from(struct request *r, const char *path, struct why *why) {
	struct buf *more = mem_resize(r->files, r->file_count + 1, sizeof(*r->files));
	struct buf *b;
	enum err e;

	if (!more) return why_err(why, E_NOMEM, "reading the options");
	r->files = more;
	b = &r->files[r->file_count++];
	buf_init(b, FILES_FROM_MAX + 2);
	e = strcmp(path, "-") == 0 ? userfile_read_stdin("the list of paths", FILES_FROM_MAX, b, why)
							   : userfile_read(path, "the list of paths", FILES_FROM_MAX, b, why);
	return e ? e : why_err(why, textlist_add_lines(&r->paths, b), "reading the options");
}

static enum err read_sources(struct request *r, struct why *why) {
	const struct invocation *inv = r->inv;
	struct backup_options *o = &r->options;
	const char *file;
	enum err e = OK;

	for (size_t i = 0; i < inv->args_n && !e; i++)
		e = why_err(why, textlist_add(&r->paths, inv->args[i]), "reading the options");
	for (size_t i = 0; !e && (file = invocation_nth(inv, "files-from", i)); i++)
		e = read_files_from(r, file, why);
	if (e) return e;
	o->stdin_fd = -1;
	o->stdin_name = invocation_text(inv, "stdin-filename");
	o->paths = r->paths.items;
	o->path_count = r->paths.count;
	if (!invocation_flag(inv, "stdin")) {
		for (size_t i = 0; i < o->path_count; i++)
			if (!*o->paths[i]) return why_set(why, E_USAGE, "an empty path can't be backed up");
		if (o->path_count == 0)
			return why_set(why, E_USAGE, "say which files or folders to back up");
		return OK;
	}
	if (o->path_count > 0) return why_set(why, E_USAGE, "with --stdin there can be no paths");
	if (!direntry_name_ok(span_text(o->stdin_name)))
		return why_set(why, E_USAGE, "\"%s\" can't be the name of a file", o->stdin_name);
	o->stdin_fd = STDIN_FILENO;
	return OK;
}

/* Cuts the lists of --tag at their commas, in a copy. */
static enum err read_tags(struct request *r) {
	size_t room = 1;
	const char *text;
	char *at;

	for (size_t i = 0; (text = invocation_nth(r->inv, "tag", i)); i++) room += strlen(text) + 1;
	at = r->tag_texts = mem_zalloc(room);
	if (!at) return E_NOMEM;
	for (size_t i = 0; (text = invocation_nth(r->inv, "tag", i)); i++) {
		while (*text) {
			size_t n = strcspn(text, ",");

			memcpy(at, text, n);
			if (n > 0 && textlist_add(&r->tags, at)) return E_NOMEM;
			at += n + 1;
			text += n + (text[n] == ',');
		}
	}
	r->options.tags = r->tags.items;
	r->options.tag_count = r->tags.count;
	return OK;
}

static const char *variable(void *context, struct span name) {
	char text[256];

	(void)context;
	if (name.len >= sizeof(text)) return NULL;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	return getenv(text);
}

static enum err read_exclude_file(struct request *r, const char *path, struct why *why) {
	struct buf text;
	size_t line = 0;
	enum err e;

	buf_init(&text, PATTERN_FILE_MAX + 2);
	e = userfile_read(path, "the file of patterns", PATTERN_FILE_MAX, &text, why);
	if (!e) {
		e = pattern_set_add_lines(r->exclude, buf_span(&text), variable, NULL, &line);
		if (e == E_FORMAT) e = why_set(why, E_USAGE, "%s, line %zu: not a pattern", path, line);
		else if (e) e = why_err(why, e, "reading a file of patterns");
	}
	buf_free(&text);
	return e;
}

static enum err read_patterns(struct request *r, struct why *why) {
	const char *text;
	enum err e = why_err(why, pattern_set_new(&r->exclude), "reading the options");

	for (size_t i = 0; !e && (text = invocation_nth(r->inv, "exclude-file", i)); i++)
		e = read_exclude_file(r, text, why);
	for (size_t i = 0; !e && (text = invocation_nth(r->inv, "exclude", i)); i++)
		e = why_err(why, pattern_set_add(r->exclude, span_text(text)), "reading the options");
	if (!e && !pattern_set_is_empty(r->exclude)) r->options.exclude = r->exclude;
	return e;
}

static void read_rest(struct request *r) {
	const struct invocation *inv = r->inv;
	struct backup_options *o = &r->options;

	o->exclude_caches = invocation_flag(inv, "exclude-caches");
	o->one_file_system = invocation_flag(inv, "one-file-system");
	o->dry_run = invocation_flag(inv, "dry-run");
	o->skip_unchanged = invocation_flag(inv, "skip-if-unchanged");
	o->host = invocation_text(inv, "host");
	o->branch = invocation_text(inv, "branch");
	o->compression = (enum squeeze_mode)invocation_number(inv, "compression");
	o->read_back = (unsigned)(invocation_number(inv, "read-back") / PERCENT_PART);
	o->checkpoint_seconds = invocation_number(inv, "checkpoint-every");
	o->has_time = invocation_has(inv, "time");
	if (o->has_time) {
		int64_t ns = invocation_time(inv, "time");

		o->time =
			(struct moment){ .seconds = ns / 1000000000, .nanos = (uint32_t)(ns % 1000000000) };
	}
}

static const char *note_text(enum backup_note note) {
	switch (note) {
	case BACKUP_SKIPPED_SOCKET: return "left out: a socket";
	case BACKUP_SKIPPED_CACHE: return "left out: a cache";
	case BACKUP_UNREADABLE: return "left out";
	case BACKUP_INCOMPLETE: return "stored without an attribute";
	case BACKUP_CHANGED: return "changed while it was read";
	case BACKUP_SKIPPED_OWN:
	case BACKUP_WARNING: break;
	}
	return "";
}

static void noted(void *ctx, enum backup_note note, const char *path, const char *text) {
	struct request *r = ctx;
	struct say *say = r->inv->say;

	switch (note) {
	case BACKUP_SKIPPED_SOCKET: say_note(say, "%s: %s", path, note_text(note)); return;
	case BACKUP_SKIPPED_OWN: say_note(say, "%s: left out: %s", path, text); return;
	case BACKUP_SKIPPED_CACHE: say_detail(say, "%s: %s", path, note_text(note)); return;
	case BACKUP_WARNING: say_warn(say, "%s%s%s", path, *path ? ": " : "", text); return;
	case BACKUP_UNREADABLE:
	case BACKUP_INCOMPLETE:
	case BACKUP_CHANGED: break;
	}
	progress_failed(r->progress);
	say_warn(say, "%s: %s%s%s", path, note_text(note), *text ? ": " : "", text);
}

static void ticked(void *ctx, const struct backup_progress *p) {
	struct request *r = ctx;

	progress_total(r->progress, p->expect_files, p->expect_bytes);
	if (p->files >= r->files_shown && p->bytes >= r->bytes_shown)
		progress_add(r->progress, p->files - r->files_shown, p->bytes - r->bytes_shown);
	r->files_shown = p->files;
	r->bytes_shown = p->bytes;
	if (p->current[0])
		progress_at(r->progress, span_of(p->current, strnlen(p->current, sizeof(p->current))));
}

static void tell_json(const struct request *r, const struct backup_result *b, double seconds) {
	const struct backup_progress *c = &b->counts;
	struct jsonl *o = jsonl_new("summary");

	if (!r->options.dry_run) jsonl_hex(o, "snapshot", hash_span(&b->snapshot));
	jsonl_flag(o, "dry_run", r->options.dry_run);
	jsonl_flag(o, "unchanged", b->unchanged);
	jsonl_number(o, "files", c->files);
	jsonl_number(o, "files_new", c->files_new);
	jsonl_number(o, "files_unchanged", c->files_unchanged);
	jsonl_number(o, "directories", c->directories);
	jsonl_number(o, "others", c->others);
	jsonl_number(o, "bytes", c->bytes);
	jsonl_number(o, "bytes_new", c->bytes_new);
	jsonl_number(o, "bytes_stored", c->stored);
	jsonl_number(o, "chunks_new", b->chunks_new);
	jsonl_number(o, "chunks_reused", b->chunks_reused);
	jsonl_number(o, "unreadable", b->unreadable);
	jsonl_number(o, "incomplete", b->incomplete);
	jsonl_number(o, "changed", b->changed);
	jsonl_real(o, "seconds", seconds);
	say_object(r->inv->say, o);
}

static void tell(const struct request *r, const struct backup_result *b, double seconds) {
	const struct backup_progress *c = &b->counts;
	struct say *say = r->inv->say;
	char bytes[UNITS_TEXT], fresh[UNITS_TEXT], stored[UNITS_TEXT], time[UNITS_TEXT], hex[HASH_HEX];

	if (say_json(say)) {
		tell_json(r, b, seconds);
		return;
	}
	say_out(say,
		"files:  %llu (%llu new or changed, %llu unchanged), folders: %llu, others: %llu\n",
		(unsigned long long)c->files, (unsigned long long)c->files_new,
		(unsigned long long)c->files_unchanged, (unsigned long long)c->directories,
		(unsigned long long)c->others);
	say_out(say, "data:   %s, %s of it new, %s %s\n", units_size(bytes, c->bytes),
		units_size(fresh, c->bytes_new), units_size(stored, c->stored),
		r->options.dry_run ? "to be stored" : "stored");
	if (b->unreadable || b->incomplete || b->changed)
		say_out(say,
			"not complete: %llu left out, %llu without an attribute, %llu changed while they were read\n",
			(unsigned long long)b->unreadable, (unsigned long long)b->incomplete,
			(unsigned long long)b->changed);
	if (r->options.dry_run) {
		say_out(say, "nothing was stored\n");
		return;
	}
	hash_hex(hex, &b->snapshot);
	units_elapsed(time, (uint64_t)(seconds + 0.5));
	if (b->unchanged)
		say_out(say, "nothing differs from snapshot %.*s: no new one was made\n", SHORT_ID, hex);
	else say_out(say, "snapshot %.*s saved in %s\n", SHORT_ID, hex, time);
}

static int run(struct request *r, struct vault *v) {
	struct backup_result result = { .unreadable = 0 };
	struct why why = { 0 };
	uint64_t start = clock_mono_ns();
	enum err e =
		why_err(&why, progress_new(r->inv->say, "backup", &r->progress), "starting a backup");

	r->options.noted = noted;
	r->options.ticked = ticked;
	r->options.ctx = r;
	r->options.count_ahead = say_progress(r->inv->say) == SAY_PROGRESS_LIVE;
	if (!e) e = backup_run(v, &r->options, &result, &why);
	progress_free(r->progress);
	r->progress = NULL;
	if (e) return opening_failed(r->inv, &why);
	tell(r, &result, (double)(clock_mono_ns() - start) / 1e9);
	return result.unreadable || result.incomplete || result.changed ? EXITCODE_INCOMPLETE
																	: EXITCODE_OK;
}

static void request_done(struct request *r) {
	pattern_set_free(r->exclude);
	for (size_t i = 0; i < r->file_count; i++) buf_free(&r->files[i]);
	mem_free(r->files);
	textlist_done(&r->paths);
	textlist_done(&r->tags);
	mem_free(r->tag_texts);
}

int cmd_backup(const struct invocation *inv) {
	struct request r = { .inv = inv };
	struct opening o = { .has_session = false };
	struct why why = { 0 };
	int code;
	enum err e = read_sources(&r, &why);

	if (!e) e = why_err(&why, read_tags(&r), "reading the options");
	if (!e) e = read_patterns(&r, &why);
	read_rest(&r);
	if (e) {
		code = opening_failed(inv, &why);
	} else {
		code = opening_vault(&o, inv);
		if (!code) code = run(&r, &o.vault);
	}
	opening_close(&o);
	request_done(&r);
	return code;
}
