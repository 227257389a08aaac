/* broch ls: everything in a snapshot, or what is at and below some paths of it. */
#include "cli/cmd.h"
#include "cli/entryline.h"
#include "cli/looking.h"
#include "cli/say.h"

enum { FOLDER_MAX = 1 << 30 };

struct listed {
	struct looking looking;
	struct looking_at at;
	struct entryline line;
	int code;
	bool stop; /* nobody reads any more */
};

/* What can't be read is named, and the rest listed. */
static bool go_on(struct listed *l, enum err e, const struct why *why) {
	int code;

	if (e == E_CANCELLED && say_gone(l->line.say)) {
		l->stop = true;
		return false;
	}
	entryline_flush(&l->line);
	code = opening_failed(l->looking.inv, why);
	if (!l->code || code == EXITCODE_DAMAGED) l->code = code;
	return e != E_CANCELLED && e != E_NOMEM;
}

static void list_tree(struct listed *l, const struct streamref *root, struct span prefix) {
	struct treelist_item item;
	struct treelist *list = NULL;
	struct why why = { 0 };
	bool more = true;
	enum err e = looking_list(&l->looking, root, prefix, true, &list, &why);

	if (e) more = go_on(l, e, &why) && false;
	while (more) {
		e = treelist_next(list, &item, &more, &why);
		if (!e && more) e = why_err(&why, entryline_put(&l->line, &item), "listing a snapshot");
		if (e) more = go_on(l, e, &why) && more;
	}
	treelist_free(list);
}

/* A path without the slashes behind it. */
static struct span trimmed(const char *path) {
	struct span s = span_text(path);

	while (s.len > 0 && s.ptr[s.len - 1] == '/') s.len--;
	return s;
}

static void list_path(struct listed *l, const char *path) {
	struct treelist_item item = { .path = trimmed(path) };
	struct why why = { 0 };
	struct buf bytes;
	bool is_root = true;
	enum err e;

	buf_init(&bytes, FOLDER_MAX);
	e = treelist_find(
		l->looking.fetch, &l->at.snapshot.root, item.path, &item.entry, &is_root, &bytes, &why);
	if (!e && is_root) {
		list_tree(l, &l->at.snapshot.root, span_text(""));
	} else if (!e) {
		e = why_err(&why, entryline_put(&l->line, &item), "listing a snapshot");
		if (!e && item.entry.type == DIRENTRY_DIRECTORY) {
			struct streamref below = item.entry.stream;

			list_tree(l, &below, item.path);
		}
	} else {
		(void)why_in(&why, path);
	}
	if (e) (void)go_on(l, e, &why);
	buf_free(&bytes);
}

int cmd_ls(const struct invocation *inv) {
	struct listed l = { .stop = false };
	int code = looking_open(&l.looking, inv);

	if (!code) code = looking_begin(&l.looking, inv->args_n ? inv->args[0] : "latest", &l.at);
	if (!code) {
		entryline_init(&l.line, inv->say, invocation_flag(inv, "long"), &l.at.snapshot);
		if (inv->args_n < 2) list_tree(&l, &l.at.snapshot.root, span_text(""));
		for (size_t i = 1; i < inv->args_n && !l.stop; i++) list_path(&l, inv->args[i]);
		entryline_done(&l.line);
		code = l.code;
	}
	looking_done(&l.at);
	looking_close(&l.looking);
	return code;
}
