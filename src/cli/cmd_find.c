/* broch find: entries whose name or path matches, in some snapshots or all. */
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/entryline.h"
#include "cli/looking.h"
#include "cli/say.h"
#include "cli/snapshotrow.h"
#include "client/when.h"
#include "core/pattern.h"

enum { SHORT_ID = 8 };

struct search {
	struct looking looking;
	struct pattern_set *patterns;
	bool has_oldest, has_newest;
	int64_t oldest, newest;
	int code;
	bool stop;
	uint64_t found;
};

static bool in_time(const struct search *s, const struct direntry *d) {
	if (!s->has_oldest && !s->has_newest) return true;
	if (!direntry_type_is_known(d->type)) return false;
	if (d->mtime.seconds > INT64_MAX / 1000000000 - 1) return !s->has_newest;
	if (d->mtime.seconds < INT64_MIN / 1000000000 + 1) return !s->has_oldest;
	int64_t ns = d->mtime.seconds * 1000000000 + d->mtime.nanos;
	return (!s->has_oldest || ns >= s->oldest) && (!s->has_newest || ns <= s->newest);
}

static void failed(
	struct search *s, struct entryline *line, enum err e, const struct why *why, bool *more) {
	int code;

	if (e == E_CANCELLED && say_gone(line->say)) {
		s->stop = true;
		*more = false;
		return;
	}
	entryline_flush(line);
	code = opening_failed(s->looking.inv, why);
	if (!s->code || code == EXITCODE_DAMAGED) s->code = code;
	if (e == E_CANCELLED || e == E_NOMEM) {
		s->stop = true;
		*more = false;
	}
}

static void announce(const struct search *s, const struct vault_snapshot *row) {
	char hex[HASH_HEX], time[WHEN_TEXT];

	hash_hex(hex, &row->id);
	when_local(time, snapshotrow_ns(row->stamp.time));
	say_out(s->looking.inv->say, "%ssnapshot %.*s of %s by ", s->found ? "\n" : "", SHORT_ID, hex,
		time);
	say_line(s->looking.inv->say, row->stamp.host);
}

static void search_one(struct search *s, const struct vault_snapshot *row) {
	struct say *say = s->looking.inv->say;
	struct looking_at at;
	struct entryline line;
	struct treelist_item item;
	struct treelist *list = NULL;
	struct why why = { 0 };
	bool more = true, announced = say_json(say);
	int code = looking_read(&s->looking, &row->id, &at);
	enum err e;

	entryline_init(&line, say, invocation_flag(s->looking.inv, "long"), &at.snapshot);
	line.snapshot_id = &at.id;
	if (code) {
		s->code = code;
		goto out;
	}
	e = looking_list(&s->looking, &at.snapshot.root, span_text(""), true, &list, &why);
	if (e) failed(s, &line, e, &why, &more);
	while (list && more) {
		e = treelist_next(list, &item, &more, &why);
		if (!e && more && in_time(s, &item.entry) && pattern_set_chooses(s->patterns, item.path)) {
			if (!announced) announce(s, row);
			announced = true;
			s->found++;
			e = why_err(&why, entryline_put(&line, &item), "listing what was found");
		}
		if (e) failed(s, &line, e, &why, &more);
	}
out:
	treelist_free(list);
	entryline_done(&line);
	looking_done(&at);
}

static void search_given(struct search *s) {
	const struct invocation *inv = s->looking.inv;
	const char *text;

	for (size_t i = 0; !s->stop && (text = invocation_nth(inv, "snapshot", i)); i++) {
		const struct vault_snapshot *row = NULL;
		int code = opening_snapshot(inv, &s->looking.opening, text, &row);

		if (code) s->code = code;
		else search_one(s, row);
	}
}

static void search_all(struct search *s) {
	const struct vaultstate *state = &s->looking.opening.vault.state;
	struct choose_filter filter;
	struct why why = { 0 };

	if (opening_filter(s->looking.inv, &filter, &why)) {
		s->code = opening_failed(s->looking.inv, &why);
		return;
	}
	for (size_t i = 0; i < state->snapshot_count && !s->stop; i++)
		if (!state->snapshots[i].forgotten && choose_passes(&filter, &state->snapshots[i]))
			search_one(s, &state->snapshots[i]);
	choose_filter_done(&filter);
}

static enum err read_patterns(struct search *s, struct why *why) {
	const struct invocation *inv = s->looking.inv;
	enum err e = why_err(why, pattern_set_new(&s->patterns), "reading the options");

	for (size_t i = 0; i < inv->args_n && !e; i++) {
		e = pattern_set_add(s->patterns, span_text(inv->args[i]));
		if (e == E_FORMAT) e = why_set(why, E_USAGE, "\"%s\" is not a pattern", inv->args[i]);
		else e = why_err(why, e, "reading the options");
	}
	s->has_oldest = invocation_has(inv, "oldest");
	s->has_newest = invocation_has(inv, "newest");
	s->oldest = invocation_time(inv, "oldest");
	s->newest = invocation_time(inv, "newest");
	return e;
}

int cmd_find(const struct invocation *inv) {
	struct search s = { .looking = { .inv = inv } };
	struct why why = { 0 };

	if (read_patterns(&s, &why)) s.code = opening_failed(inv, &why);
	if (!s.code) s.code = looking_open(&s.looking, inv);
	if (!s.code && invocation_has(inv, "snapshot")) search_given(&s);
	else if (!s.code) search_all(&s);
	looking_close(&s.looking);
	pattern_set_free(s.patterns);
	return s.code;
}
