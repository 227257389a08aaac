#include "cli/entryline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/jsonl.h"
#include "cli/say.h"
#include "os/terminal.h"

enum { OUT_FULL = 96 << 10, OUT_MAX = 64 << 20, SECONDS_LEN = 2 };

static const int64_t no_minute = INT64_MIN;

void entryline_init(
	struct entryline *l, struct say *say, bool is_long, const struct snapshot *snapshot) {
	*l = (struct entryline){
		.say = say,
		.is_long = is_long,
		.is_json = say_json(say),
		.snapshot = snapshot,
		.minute = no_minute,
	};
	buf_init(&l->out, OUT_MAX);
}

void entryline_flush(struct entryline *l) {
	say_bytes(l->say, buf_span(&l->out));
	buf_clear(&l->out);
}

void entryline_done(struct entryline *l) {
	entryline_flush(l);
	buf_free(&l->out);
}

const char *entryline_kind(uint8_t type) {
	switch ((enum direntry_type)type) {
	case DIRENTRY_FILE: return "file";
	case DIRENTRY_DIRECTORY: return "directory";
	case DIRENTRY_SYMLINK: return "symlink";
	case DIRENTRY_FIFO: return "fifo";
	case DIRENTRY_CHAR: return "char";
	case DIRENTRY_BLOCK: return "block";
	case DIRENTRY_VAULT: return "vault";
	}
	return "unknown";
}

static char letter(uint8_t type) {
	static const char letters[] = "?-dlpcb@";

	return type < sizeof(letters) - 1 ? letters[type] : '?';
}

static void mode_text(char out[11], const struct direntry *d) {
	static const char set[] = "rwxrwxrwx";

	out[0] = letter(d->type);
	for (unsigned i = 0; i < 9; i++) out[i + 1] = d->mode >> (8 - i) & 1 ? set[i] : '-';
	if (d->mode & 04000) out[3] = out[3] == 'x' ? 's' : 'S';
	if (d->mode & 02000) out[6] = out[6] == 'x' ? 's' : 'S';
	if (d->mode & 01000) out[9] = out[9] == 'x' ? 't' : 'T';
	out[10] = '\0';
}

static struct span owner(
	struct entryline_name *last, const struct snapshot_names *names, uint32_t id) {
	struct span rest = names->items, name;
	uint32_t each;

	if (last->known && last->id == id) return last->name;
	*last = (struct entryline_name){ .known = true, .id = id };
	while (snapshot_next_name(&rest, &each, &name))
		if (each == id) last->name = name;
	return last->name;
}

/* Local time; worked out once for each minute met. */
static const char *time_text(struct entryline *l, struct moment m) {
	int64_t minute, seconds;
	size_t len;

	if (m.seconds > INT64_MAX / 1000000000 || m.seconds < INT64_MIN / 1000000000) return "?";
	minute = m.seconds >= 0 ? m.seconds / 60 : (m.seconds - 59) / 60;
	seconds = m.seconds - minute * 60;
	if (minute != l->minute) {
		(void)when_local(l->time, m.seconds * 1000000000);
		l->minute = minute;
	}
	len = strlen(l->time); /* a zone is off by whole minutes: only the seconds change */
	if (len < SECONDS_LEN) return l->time;
	l->time[len - 2] = (char)('0' + seconds / 10);
	l->time[len - 1] = (char)('0' + seconds % 10);
	return l->time;
}

static enum err add_owner(struct entryline *l, struct span name, uint32_t id) {
	char text[16];
	enum err e;

	(void)snprintf(text, sizeof(text), " %" PRIu32, id);
	if (name.len == 0) return buf_add(&l->out, span_text(text));
	e = buf_add(&l->out, span_text(" "));
	return e ? e : terminal_escape(&l->out, name);
}

static enum err put_head(struct entryline *l, const struct direntry *d) {
	char text[96], mode[11];
	enum err e;

	mode_text(mode, d);
	if (!direntry_type_is_known(d->type)) {
		(void)snprintf(text, sizeof(text), "%s - - - - ", mode);
		return buf_add(&l->out, span_text(text));
	}
	e = buf_add(&l->out, span_text(mode));
	if (!e) e = add_owner(l, owner(&l->user, &l->snapshot->users, d->uid), d->uid);
	if (!e) e = add_owner(l, owner(&l->group, &l->snapshot->groups, d->gid), d->gid);
	if (d->type == DIRENTRY_CHAR || d->type == DIRENTRY_BLOCK)
		(void)snprintf(text, sizeof(text), " %" PRIu32 ",%" PRIu32 " %s ", d->major, d->minor,
			time_text(l, d->mtime));
	else
		(void)snprintf(text, sizeof(text), " %" PRIu64 " %s ",
			d->type == DIRENTRY_FILE ? direntry_size(d) : 0, time_text(l, d->mtime));
	return e ? e : buf_add(&l->out, span_text(text));
}

static enum err put_text(struct entryline *l, const struct treelist_item *item) {
	const struct direntry *d = &item->entry;
	enum err e = l->is_long ? put_head(l, d) : OK;

	if (!e) e = terminal_escape(&l->out, item->path);
	if (!e && l->is_long && d->type == DIRENTRY_SYMLINK) {
		e = buf_add(&l->out, span_text(" -> "));
		if (!e) e = terminal_escape(&l->out, d->target);
	}
	return e ? e : buf_add(&l->out, span_text("\n"));
}

/* Nothing that JSON or a terminal would take for something else. */
static bool is_plain(struct span text) {
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e || text.ptr[i] == '"' || text.ptr[i] == '\\')
			return false;
	return true;
}

static int64_t nanoseconds(struct moment m) {
	if (m.seconds > INT64_MAX / 1000000000 - 1) return INT64_MAX;
	if (m.seconds < INT64_MIN / 1000000000 + 1) return INT64_MIN;
	return m.seconds * 1000000000 + m.nanos;
}

/* Any entry, by way of the JSON library. */
static enum err put_object(struct entryline *l, const struct treelist_item *item) {
	const struct direntry *d = &item->entry;
	struct jsonl *o = jsonl_new("entry");
	enum err e;

	if (l->snapshot_id) jsonl_hex(o, "snapshot", hash_span(l->snapshot_id));
	jsonl_bytes(o, "path", item->path);
	jsonl_text(o, "kind", span_text(entryline_kind(d->type)));
	if (direntry_type_is_known(d->type)) {
		struct span user = owner(&l->user, &l->snapshot->users, d->uid);
		struct span group = owner(&l->group, &l->snapshot->groups, d->gid);

		jsonl_number(o, "mode", d->mode);
		jsonl_number(o, "uid", d->uid);
		jsonl_number(o, "gid", d->gid);
		if (user.len > 0) jsonl_bytes(o, "user", user);
		if (group.len > 0) jsonl_bytes(o, "group", group);
		jsonl_time(o, "mtime", nanoseconds(d->mtime));
	}
	if (d->type == DIRENTRY_FILE) jsonl_number(o, "size", direntry_size(d));
	if (d->type == DIRENTRY_SYMLINK) jsonl_bytes(o, "target", d->target);
	if (d->type == DIRENTRY_CHAR || d->type == DIRENTRY_BLOCK) {
		jsonl_number(o, "major", d->major);
		jsonl_number(o, "minor", d->minor);
	}
	if (d->flags & DIRENTRY_CHANGED) jsonl_flag(o, "changed", true);
	e = jsonl_write(o, &l->out);
	jsonl_free(o);
	return e;
}

/* The same line for a plain file or folder, which nearly all are: many times as fast. */
static enum err put_quick(struct entryline *l, const struct treelist_item *item) {
	const struct direntry *d = &item->entry;
	struct span user = owner(&l->user, &l->snapshot->users, d->uid);
	struct span group = owner(&l->group, &l->snapshot->groups, d->gid);
	char text[512], time[WHEN_TEXT], hex[HASH_HEX] = "", size[40] = "";
	int n;
	enum err e;

	if (l->snapshot_id) hash_hex(hex, l->snapshot_id);
	n = snprintf(text, sizeof(text), "{\"type\":\"entry\",%s%s%s\"path\":\"",
		*hex ? "\"snapshot\":\"" : "", hex, *hex ? "\"," : "");
	e = buf_add(&l->out, span_of(text, (size_t)n));
	if (!e) e = buf_add(&l->out, item->path);
	if (d->type == DIRENTRY_FILE)
		(void)snprintf(size, sizeof(size), ",\"size\":%" PRIu64, direntry_size(d));
	n = snprintf(text, sizeof(text),
		"\",\"kind\":\"%s\",\"mode\":%u,\"uid\":%" PRIu32 ",\"gid\":%" PRIu32,
		entryline_kind(d->type), d->mode, d->uid, d->gid);
	if (!e) e = buf_add(&l->out, span_of(text, (size_t)n));
	if (user.len > 0 && !e) {
		n = snprintf(
			text, sizeof(text), ",\"user\":\"%.*s\"", (int)user.len, (const char *)user.ptr);
		e = buf_add(&l->out, span_of(text, (size_t)n));
	}
	if (group.len > 0 && !e) {
		n = snprintf(
			text, sizeof(text), ",\"group\":\"%.*s\"", (int)group.len, (const char *)group.ptr);
		e = buf_add(&l->out, span_of(text, (size_t)n));
	}
	n = snprintf(
		text, sizeof(text), ",\"mtime\":\"%s\"%s}\n", when_utc(time, nanoseconds(d->mtime)), size);
	return e ? e : buf_add(&l->out, span_of(text, (size_t)n));
}

static bool is_quick(struct entryline *l, const struct treelist_item *item) {
	const struct direntry *d = &item->entry;

	if (d->type != DIRENTRY_FILE && d->type != DIRENTRY_DIRECTORY) return false;
	if (d->flags & DIRENTRY_CHANGED || !is_plain(item->path)) return false;
	return is_plain(owner(&l->user, &l->snapshot->users, d->uid)) &&
		is_plain(owner(&l->group, &l->snapshot->groups, d->gid));
}

enum err entryline_put(struct entryline *l, const struct treelist_item *item) {
	enum err e;

	if (!l->is_json) e = put_text(l, item);
	else if (is_quick(l, item)) e = put_quick(l, item);
	else e = put_object(l, item);
	if (l->out.len >= OUT_FULL) {
		entryline_flush(l);
		if (!e && say_gone(l->say)) e = E_CANCELLED;
	}
	return e;
}
