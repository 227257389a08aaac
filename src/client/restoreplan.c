#include "client/restoreplan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/mem.h"
#include "client/folderread.h"
#include "format/chunktype.h"
#include "os/clock.h"

enum { AT_MS = 100, ENTRIES_SLACK = 100000 };

static const size_t pending_max = (size_t)1 << 32, path_max = (size_t)64 << 20;
static const uint64_t large_file = (uint64_t)64 << 20, space_step = (uint64_t)1 << 30;

/* A folder being walked. */
struct frame {
	struct frame *above;
	struct direntry entry;       /* in the pending entries of the one above */
	struct restoretree_dir *dir; /* NULL: not made yet, because nothing in it was wanted so far */
	bool broken;                 /* it could not be made: nothing below it can */
	struct frame *below;         /* while folders are made: the one to be made next */
	bool take;                   /* it is wanted itself */
	struct buf pending;          /* entries of folders in it */
	struct dirreader reader;     /* over these */
	size_t path_len;             /* of its path */
};

struct walk {
	const struct restoreplan *plan;
	struct restorerun *run;
	struct frame *top;
	struct buf path; /* of what is looked at, where it is needed */
	bool wants_path;
	uint64_t seen, expected; /* entries */
	uint64_t unchecked;      /* bytes planned since space was looked at */
	uint64_t next_at_ms;
};

static enum err nomem(struct why *why) {
	return why_err(why, E_NOMEM, "restoring");
}

/* Puts ${name} behind the path of ${f}. */
static enum err set_path(struct walk *w, const struct frame *f, struct span name) {
	if (!w->wants_path) return OK;
	w->path.len = f->path_len;
	enum err e = buf_add(&w->path, span_text("/"));
	return e ? e : buf_add(&w->path, name);
}

static bool is_dry(const struct walk *w) {
	return w->plan->line == NULL;
}

/* Lets the folders above those that the walk is in rest: it needs them again only when it is done with these. */
static void rest_above(struct walk *w) {
	unsigned long awake = 0;
	for (struct frame *f = w->top; f; f = f->above)
		if (f->dir && ++awake > w->run->dirs_max / 4) restoretree_rest(f->dir);
}

/* Many folders wait for what is in them: lets it be written first. Then those that stay open are the way down. */
static enum err limit_open(struct walk *w, struct why *why) {
	struct restorerun *r = w->run;
	enum err e = OK;
	if (atomic_load(&r->dirs_open) < r->dirs_max) return OK;
	e = restorewindow_flush(w->plan->line, why);
	while (!e && atomic_load(&r->dirs_open) > r->dirs_max / 2 && restorewindow_wait(w->plan->line))
		continue;
	if (!e && atomic_load(&r->dirs_open) > r->dirs_max / 2) rest_above(w);
	return e;
}

/* Makes the folder of a frame whose folder above is made. False: it cannot be. */
static bool make_dir(struct walk *w, struct frame *f, enum err *e, struct why *why) {
	*e = limit_open(w, why);
	if (*e) return false;
	struct restoreattrs attrs = restoreattrs_of(&f->entry, w->plan->owner);
	enum err made = restoretree_enter(f->above->dir, &f->entry, &attrs, &f->dir);
	if (made == E_NOMEM) *e = nomem(why);
	f->broken = made != OK;
	if (made == OK) {
		restorerun_count(w->run, RESTORE_DIRECTORIES);
		restorerun_item(w->run, RESTORE_ITEM, f->dir, NULL);
	}
	return made == OK;
}

/*
 * Makes the folder of a frame, and those above it that were not made yet, the topmost first. False: it cannot be. (As deep as
 * somebody else's tree is: so the way down is kept in the frames, and not on the stack.)
 */
static bool need_dir(struct walk *w, struct frame *f, enum err *e, struct why *why) {
	struct frame *at = f;
	if (f->dir) return true;
	for (f->below = NULL; !at->dir && !at->broken; at = at->above) at->above->below = at;
	bool can = !at->broken;
	if (at->broken && at == f) return false;
	for (at = at->below; at; at = at->below) {
		if (can) can = make_dir(w, at, e, why);
		if (*e) return false;
		if (!can) at->broken = true;
	}
	return can;
}

static bool same_time(const struct timespec *t, const struct moment *m) {
	return t->tv_sec == m->seconds && t->tv_nsec == (long)m->nanos;
}

static mode_t kind_of(uint8_t type) {
	static const mode_t kinds[] = { [DIRENTRY_FILE] = S_IFREG,
		[DIRENTRY_SYMLINK] = S_IFLNK,
		[DIRENTRY_FIFO] = S_IFIFO,
		[DIRENTRY_CHAR] = S_IFCHR,
		[DIRENTRY_BLOCK] = S_IFBLK };
	return kinds[type];
}

/* Whether what is there already stays. */
static bool keeps(const struct walk *w, const struct restoretree_dir *dir, const struct direntry *d,
	const char *name) {
	enum restore_overwrite o = w->run->options->overwrite;
	struct stat st;
	if (o == RESTORE_ALWAYS || dir->fresh) return false;
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW)) return false;
	if (o == RESTORE_NEVER) return true;
	if ((st.st_mode & S_IFMT) != kind_of(d->type) || !same_time(&st.st_mtim, &d->mtime))
		return false;
	if (d->type == DIRENTRY_SYMLINK) return (uint64_t)st.st_size == d->target.len;
	return d->type != DIRENTRY_FILE || (uint64_t)st.st_size == direntry_size(d);
}

static void *keep_bytes(struct walk *w, struct span bytes) {
	uint8_t *copy = restorewindow_memory(w->plan->line, bytes.len + 1);
	if (!copy) return NULL;
	if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
	copy[bytes.len] = 0;
	return copy;
}

/* Copies what an item needs of its entry into the memory of its window. */
static enum err fill_file(struct walk *w, struct restorefile *f, const struct direntry *d) {
	f->map.sparse = d->type == DIRENTRY_FILE && w->run->options->sparse;
	f->type = d->type;
	f->size = d->type == DIRENTRY_FILE ? direntry_size(d) : 0;
	f->major = d->major;
	f->minor = d->minor;
	f->attrs = restoreattrs_of(d, w->plan->owner);
	f->name = keep_bytes(w, d->name);
	if (!f->name) return E_NOMEM;
	if (d->xattrs.count) {
		void *items = keep_bytes(w, d->xattrs.items);
		if (!items) return E_NOMEM;
		f->attrs.xattrs.items = span_of(items, d->xattrs.items.len);
	}
	if (d->type == DIRENTRY_SYMLINK && !(f->target = keep_bytes(w, d->target))) return E_NOMEM;
	if (d->type == DIRENTRY_FILE &&
		!(f->stream = keep_bytes(w, span_of(&d->stream, sizeof d->stream))))
		return E_NOMEM;
	if (d->holes.count) {
		struct restorewrite_extent *extents =
			restorewindow_memory(w->plan->line, (d->holes.count + (size_t)1) * sizeof *extents);
		if (!extents) return E_NOMEM;
		restorewrite_extents(d, extents, &f->map.count);
		f->map.extents = extents;
	}
	return OK;
}

/* The chunks of a file's content. What cannot be read is noted, and the file given up. */
static enum err plan_content(
	struct walk *w, struct restorefile *f, const struct direntry *d, struct why *why) {
	struct restorewindow_line *line = w->plan->line;
	struct streamread s;
	struct streamref_item item;
	struct why reason = { OK, "" };
	bool more = true;
	uint64_t data = 0;
	if (d->stream.length == 0) return restorewindow_bare(line, f, why);
	enum err e = streamread_open(&s, w->run->fetch, CHUNKTYPE_CONTENT, &d->stream, &reason),
			 fatal = OK;
	while (!e && !fatal && !atomic_load(&f->failed) && !restorerun_stopped(w->run)) {
		e = streamread_next(&s, &item, &more, &reason);
		if (e || !more) break;
		fatal = restorewindow_piece(line, f, &item, data, why);
		data += item.length;
	}
	streamread_close(&s);
	/* what is planned of it may all be written before the others are told to stop: it must not pass for the whole */
	if (e || fatal) restorefile_fail(f);
	if (e) restorerun_broken(w->run, e, &reason, f->dir, f->name);
	return fatal;
}

/* A file that is larger than what is free is not begun; many small ones are counted together. */
static bool has_room(
	struct walk *w, const struct restoretree_dir *dir, const struct direntry *d, const char *name) {
	struct statvfs fs;
	struct why why = { OK, "" };
	uint64_t need = d->type == DIRENTRY_FILE ? d->stream.length : 0;
	w->unchecked += need < space_step ? need : space_step;
	if (need < large_file && w->unchecked < space_step) return true;
	w->unchecked = 0;
	if (w->run->options->sparse || fstatvfs(dir->fd, &fs)) return true;
	uint64_t free = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (need <= free) return true;
	err_ignore(why_set(&why, E_LIMIT, "it needs %llu bytes, and %llu are free",
		(unsigned long long)need, (unsigned long long)free)); /* only the sentence counts */
	restorerun_note(w->run, RESTORE_FAILED, dir, name, why.msg);
	return false;
}

static enum err plan_file(struct walk *w, struct restoretree_dir *dir, const struct direntry *d,
	struct restorelinks_group *group, struct why *why) {
	struct restorefile *f = restorewindow_file(w->plan->line);
	if (!f) {
		if (group) restorelinks_failed(w->run->links, group);
		return nomem(why);
	}
	restoretree_use(dir);
	f->dir = dir;
	f->group = group;
	f->name = "";
	enum err e = fill_file(w, f, d);
	if (e) {
		restorefile_fail(f);
		e = nomem(why);
	} else if (d->type != DIRENTRY_FILE) {
		e = restorewindow_bare(w->plan->line, f, why);
	} else if (!has_room(w, dir, d, f->name)) {
		restorefile_fail(f);
	} else {
		e = plan_content(w, f, d, why);
	}
	restorefile_leave(f);
	return e;
}

/* A member of a hard-link group. */
static enum err plan_member(struct walk *w, struct restoretree_dir *dir, const struct direntry *d,
	const char *name, struct why *why) {
	enum restorelinks_answer answer;
	struct restorelinks_group *group = NULL;
	enum err e = restorelinks_ask(w->run->links, d, dir, &answer, &group);
	if (e) return nomem(why);
	if (answer == RESTORELINKS_WAIT) return OK;
	if (answer == RESTORELINKS_ALONE) return plan_file(w, dir, d, NULL, why);
	if (answer == RESTORELINKS_FIRST) return plan_file(w, dir, d, group, why);
	e = restorelinks_link(w->run->links, group, dir, name);
	if (e == E_LIMIT) return plan_file(w, dir, d, group, why);
	if (e == E_UNSUPPORTED) return plan_file(w, dir, d, NULL, why);
	if (e) return OK; /* noted */
	restorerun_count(w->run,
		d->type == DIRENTRY_FILE          ? RESTORE_FILES
			: d->type == DIRENTRY_SYMLINK ? RESTORE_SYMLINKS
										  : RESTORE_SPECIALS);
	restorerun_count(w->run, RESTORE_LINKS);
	restorerun_item(w->run, RESTORE_ITEM, dir, name);
	if (w->run->options->moved) w->run->options->moved(w->run->options->ctx, 1, 0);
	return OK;
}

/* Everything but a folder, into a folder that is open. */
static enum err plan_item(
	struct walk *w, struct restoretree_dir *dir, const struct direntry *d, struct why *why) {
	char name[LIMIT_NAME + 1];
	if (!direntry_name_ok(d->name)) {
		restorerun_note(w->run, RESTORE_DAMAGED, dir, NULL, "a name in it is not one");
		return OK;
	}
	memcpy(name, d->name.ptr, d->name.len);
	name[d->name.len] = '\0';
	if ((d->type == DIRENTRY_CHAR || d->type == DIRENTRY_BLOCK) &&
		!(w->run->options->allow & RESTORE_DEVICES)) {
		restorerun_count(w->run, RESTORE_NO_DEVICE);
		return OK;
	}
	if (keeps(w, dir, d, name)) {
		restorerun_count(w->run, RESTORE_KEPT);
		restorerun_item(w->run, RESTORE_ITEM_KEPT, dir, name);
		if (w->run->options->moved)
			w->run->options->moved(w->run->options->ctx, 1, d->stream.length);
		return OK;
	}
	if (d->flags & DIRENTRY_HAS_LINK_GROUP) return plan_member(w, dir, d, name, why);
	return plan_file(w, dir, d, NULL, why);
}

/* Members of groups that waited until their first one was there, or failed. */
static enum err plan_ready(struct walk *w, struct why *why) {
	struct restoretree_dir *dir;
	struct buf entry;
	enum err e = OK;
	while (!e && restorelinks_ready(w->run->links, &dir, &entry)) {
		struct dirreader reader = dirreader_over(buf_span(&entry));
		struct direntry d;
		bool more = false;
		if (!dirreader_next(&reader, &d, &more) && more && !restorerun_stopped(w->run))
			e = plan_item(w, dir, &d, why);
		buf_free(&entry);
		restoretree_leave(dir);
	}
	return e;
}

static enum err keep_pending(struct frame *f, const struct direntry *d) {
	return direntry_encode(d, &f->pending);
}

static void dry_item(struct walk *w, const struct direntry *d) {
	enum restore_count kind = d->type == DIRENTRY_FILE ? RESTORE_FILES
		: d->type == DIRENTRY_SYMLINK                  ? RESTORE_SYMLINKS
		: d->type == DIRENTRY_DIRECTORY                ? RESTORE_DIRECTORIES
													   : RESTORE_SPECIALS;
	restorerun_count(w->run, kind);
	if (d->type == DIRENTRY_FILE)
		atomic_fetch_add(&w->run->counts[RESTORE_BYTES], d->stream.length);
	if (w->run->options->each) restorerun_note_path(w->run, RESTORE_ITEM, buf_span(&w->path), "");
}

/* One entry of the folder ${f}. */
static enum err look_entry(
	struct walk *w, struct frame *f, const struct direntry *d, struct why *why) {
	struct restoreselect_verdict v = { .take = true, .go = true };
	enum err e = set_path(w, f, d->name);
	if (e) return nomem(why);
	if (++w->seen > w->expected)
		return why_set(
			why, E_FORGED, "the tree has more entries than the snapshot says: it is stopped here");
	if (!w->plan->select->all) v = restoreselect_look(w->plan->select, buf_span(&w->path));
	if (d->type == DIRENTRY_DIRECTORY) return v.go && keep_pending(f, d) ? nomem(why) : OK;
	if (!v.take) return OK;
	if (!direntry_type_is_known(d->type)) {
		if (w->wants_path) restorerun_note_path(w->run, RESTORE_UNKNOWN, buf_span(&w->path), "");
		else restorerun_count(w->run, RESTORE_NOT_KNOWN);
		return OK;
	}
	if (is_dry(w)) dry_item(w, d);
	else if (need_dir(w, f, &e, why)) e = plan_item(w, f->dir, d, why);
	return e;
}

static void broken_folder(struct walk *w, struct frame *f, enum err e, const struct why *reason) {
	if (e == E_NOMEM || e == E_CANCELLED) {
		restorerun_end(w->run, e, reason);
		return;
	}
	enum restore_note note = e == E_UNSUPPORTED ? RESTORE_FAILED : RESTORE_DAMAGED;
	if (f->dir) {
		restorerun_note(w->run, note, f->dir, NULL, reason->msg);
	} else {
		if (w->wants_path) w->path.len = f->path_len;
		restorerun_note_path(
			w->run, note, w->path.len ? buf_span(&w->path) : span_text("/"), reason->msg);
	}
}

/* Goes through a folder's entries. What of it cannot be read is noted, and the rest goes on. */
static enum err look_folder(
	struct walk *w, struct frame *f, const struct streamref *ref, struct why *why) {
	struct folderread r;
	struct why reason = { OK, "" };
	bool more = true;
	enum err fatal = OK, e = folderread_open(&r, w->run->fetch, ref, &reason);
	while (!e && !fatal && !restorerun_stopped(w->run)) {
		struct direntry d;
		e = folderread_next(&r, &d, &more, &reason);
		if (e || !more) break;
		fatal = look_entry(w, f, &d, why);
	}
	folderread_close(&r);
	if (e) broken_folder(w, f, e, &reason);
	f->reader = dirreader_over(buf_span(&f->pending));
	return fatal;
}

static void pop(struct walk *w) {
	struct frame *f = w->top;
	w->top = f->above;
	if (f->dir) restoretree_leave(f->dir);
	buf_free(&f->pending);
	mem_free(f);
}

static struct frame *push(struct walk *w) {
	struct frame *f = mem_zalloc(sizeof *f);
	if (!f) return NULL;
	buf_init(&f->pending, pending_max);
	f->above = w->top;
	w->top = f;
	return f;
}

static void show_at(struct walk *w, const struct frame *f) {
	uint64_t now = clock_mono_ns() / 1000000;
	if (!w->run->options->at || now < w->next_at_ms) return;
	w->next_at_ms = now + AT_MS;
	struct buf path;
	buf_init(&path, path_max);
	if (f->dir && !restoretree_path(f->dir, &path))
		w->run->options->at(w->run->options->ctx, buf_span(&path));
	buf_free(&path);
}

/* Goes into a folder of the topmost one. */
static enum err enter(struct walk *w, const struct direntry *d, struct why *why) {
	struct frame *above = w->top;
	struct restoreselect_verdict v = { .take = true, .go = true };
	enum err e = set_path(w, above, d->name);
	if (e) return nomem(why);
	if (!w->plan->select->all) v = restoreselect_look(w->plan->select, buf_span(&w->path));
	struct frame *f = push(w);
	if (!f) return nomem(why);
	f->entry = *d;
	f->take = v.take;
	f->path_len = w->path.len;
	if (is_dry(w)) {
		if (f->take) dry_item(w, d);
	} else if (f->take && !need_dir(w, f, &e, why)) {
		pop(w);
		return e;
	}
	show_at(w, f);
	e = look_folder(w, f, &f->entry.stream, why);
	if (!e && !is_dry(w)) e = plan_ready(w, why);
	return e;
}

static enum err walk_all(struct walk *w, struct why *why) {
	enum err e = OK;
	while (w->top && !e) {
		struct direntry d;
		bool more = false;
		if (restorerun_stopped(w->run)) break;
		/* entries that this program just wrote: they can be read */
		if (dirreader_next(&w->top->reader, &d, &more)) more = false;
		if (more) e = enter(w, &d, why);
		else pop(w);
	}
	return e;
}

/* Lets everything be written; what waited for that may plan more. */
static enum err drain(struct walk *w, struct why *why) {
	enum err e = OK;
	bool busy = true;
	/* the threads may be done before it is waited for them, and have let go of more */
	while (!e && (busy || restorelinks_any(w->run->links))) {
		e = plan_ready(w, why);
		if (!e) e = restorewindow_flush(w->plan->line, why);
		busy = restorewindow_wait(w->plan->line);
	}
	return e;
}

static uint64_t entries_of(const struct snapshot *s) {
	uint64_t n = 0;
	const uint64_t counts[] = { s->files, s->directories, s->others, ENTRIES_SLACK };
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		n = counts[i] > UINT64_MAX - n ? UINT64_MAX : n + counts[i];
	return n;
}

enum err restoreplan_walk(const struct restoreplan *p, struct why *why) {
	struct walk w = {
		.plan = p,
		.run = p->run,
		.wants_path = !p->select->all || !p->line,
		.expected = entries_of(p->snapshot),
	};
	buf_init(&w.path, path_max);
	struct frame *f = push(&w);
	enum err e = f ? OK : nomem(why);
	if (f && p->run->root) {
		restoretree_use(p->run->root);
		f->dir = p->run->root;
	}
	if (!e) e = look_folder(&w, f, &p->snapshot->root, why);
	if (!e) e = walk_all(&w, why);
	while (w.top) pop(&w);
	if (!e && p->line) e = drain(&w, why);
	buf_free(&w.path);
	return e;
}
