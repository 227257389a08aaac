/*
 * The reader's thread goes through the tree depth first. When it opens a folder, and whenever it moves on in one, the
 * next few folders in it are given to the threads that fetch ahead; as those take the newest task first, they work on
 * what comes soonest. A folder that nobody has begun when the
 * reader gets there is read by the reader itself.
 */
#include "client/treelist.h"

#include <string.h>

#include "base/mem.h"
#include "client/folderread.h"
#include "client/taskpool.h"
#include "os/mutex.h"
#include "os/signals.h"

enum {
	AHEAD_EACH = 16,            /* folders fetched ahead of the reader's place in one folder */
	AHEAD_BYTES_MAX = 32 << 20, /* fetched and not yet read: no more is fetched ahead then */
	SUBFOLDER_ROOM = 16,
};

static const size_t folder_max = (size_t)1 << 32;

enum state { UNREAD, LOADING, LOADED, BROKEN };

/* A folder in a folder: where its entry stands, and what was made of it, if the reader did not pass it yet. */
struct subfolder {
	size_t offset;
	struct folder *folder;
};

struct folder {
	struct treelist *list;
	struct streamref ref;
	/* Under the list's lock: */
	enum state state;
	bool has_task; /* a task points here: it frees what the reader has passed */
	bool is_passed;
	bool is_counted; /* in bytes_ahead */
	/* For whoever set LOADING, then for the reader: */
	struct buf string;
	struct subfolder *subfolders; /* in order */
	size_t subfolder_count, subfolder_room;
	enum err error;
	struct why *why; /* of a broken one */
	/* For the reader: */
	struct folder *above;
	struct dirreader reader;
	size_t at;     /* the next subfolder */
	size_t queued; /* subfolders before this were given to the threads */
	size_t path_len;
};

struct treelist {
	struct fetch *fetch;
	struct taskpool *pool; /* NULL: nothing is fetched ahead */
	struct mutex lock;
	struct mutex_cond loaded;
	size_t bytes_ahead;
	struct folder *top;
	struct folder *root; /* until it is gone into */
	bool at_folder;      /* the entry given last is a folder, to be gone into next */
	struct buf path;
};

static struct folder *folder_new(struct treelist *t, const struct streamref *ref) {
	struct folder *f = mem_zalloc(sizeof(*f));

	if (!f) return NULL;
	f->list = t;
	f->ref = *ref;
	buf_init(&f->string, folder_max);
	return f;
}

static void pass(struct folder *f);

static void clear(struct folder *f) {
	for (size_t i = f->at; i < f->subfolder_count; i++) pass(f->subfolders[i].folder);
	mem_free(f->subfolders);
	f->subfolders = NULL;
	f->subfolder_count = 0;
	buf_free(&f->string);
	mem_free(f->why);
	f->why = NULL;
}

/* The reader needs ${f} no more: frees it, or leaves that to the task or thread that has it. */
static void pass(struct folder *f) {
	struct treelist *t;
	struct folder contents = { .list = NULL };
	bool is_loading, has_task;

	if (!f) return;
	t = f->list;
	mutex_lock(&t->lock);
	f->is_passed = true;
	is_loading = f->state == LOADING;
	has_task = f->has_task;
	if (f->is_counted) t->bytes_ahead -= f->string.len;
	f->is_counted = false;
	if (!is_loading) {
		contents = *f;
		f->subfolders = NULL;
		f->subfolder_count = 0;
		buf_init(&f->string, folder_max);
		f->why = NULL;
	}
	mutex_unlock(&t->lock);
	if (!is_loading) clear(&contents);
	if (!is_loading && !has_task) mem_free(f);
}

static enum err add_subfolder(struct folder *f, size_t offset) {
	if (f->subfolder_count == f->subfolder_room) {
		size_t room = f->subfolder_room ? f->subfolder_room * 2 : SUBFOLDER_ROOM;
		struct subfolder *more = mem_resize(f->subfolders, room, sizeof(*more));

		if (!more) return E_NOMEM;
		f->subfolders = more;
		f->subfolder_room = room;
	}
	f->subfolders[f->subfolder_count++] = (struct subfolder){ .offset = offset };
	return OK;
}

/* Looks at the type of each entry only: dirreader_next and direntry_decode check everything later. */
static enum err find_subfolders(struct folder *f) {
	struct reader r = reader_over(buf_span(&f->string));
	enum err e = OK;

	while (!e && reader_more(&r)) {
		size_t offset = f->string.len - r.rest.len;
		struct span body = reader_bytes(&r, LIMIT_DIRENTRY);

		if (body.len > 0 && body.ptr[0] == DIRENTRY_DIRECTORY) e = add_subfolder(f, offset);
	}
	return e;
}

static enum err load(struct folder *f, struct why *why) {
	enum err e = folderread_whole(f->list->fetch, &f->ref, &f->string, why);

	if (!e) e = why_err(why, find_subfolders(f), "reading a folder");
	f->reader = dirreader_over(buf_span(&f->string));
	return e;
}

/* Loads what this thread has set to LOADING, and tells whoever waits. */
static void load_and_tell(struct folder *f, bool is_ahead) {
	struct treelist *t = f->list;
	struct why why = { 0 };
	bool is_passed;

	f->error = load(f, &why);
	if (f->error) {
		f->why = mem_alloc(sizeof(why));
		if (f->why) *f->why = why;
	}
	mutex_lock(&t->lock);
	is_passed = f->is_passed && !f->has_task;
	f->state = f->error ? BROKEN : LOADED;
	if (is_ahead && !f->is_passed) {
		f->is_counted = true;
		t->bytes_ahead += f->string.len;
	}
	mutex_wake_all(&t->loaded);
	mutex_unlock(&t->lock);
	if (!is_passed) return;
	clear(f);
	mem_free(f);
}

static void run_task(void *ctx, unsigned worker) {
	struct folder *f = ctx;
	struct treelist *t = f->list;
	bool is_mine, is_passed;

	(void)worker;
	mutex_lock(&t->lock);
	f->has_task = false;
	is_passed = f->is_passed && f->state != LOADING;
	is_mine = !f->is_passed && f->state == UNREAD && t->bytes_ahead < AHEAD_BYTES_MAX &&
		f->ref.length < AHEAD_BYTES_MAX;
	if (is_mine) f->state = LOADING;
	mutex_unlock(&t->lock);
	if (is_mine) load_and_tell(f, true);
	if (!is_passed) return;
	clear(f);
	mem_free(f);
}

/* The folder of subfolder ${i}, made when it is first needed; NULL: no memory, or the entry is malformed. */
static struct folder *subfolder(struct folder *f, size_t i) {
	struct reader r = reader_over(span_skip(buf_span(&f->string), f->subfolders[i].offset));
	struct direntry d;

	if (f->subfolders[i].folder) return f->subfolders[i].folder;
	if (direntry_decode(&d, reader_bytes(&r, LIMIT_DIRENTRY))) return NULL;
	return f->subfolders[i].folder = folder_new(f->list, &d.stream);
}

/* Gives the next folders of ${f} to the threads, the last first: they take the newest task first. */
static void fetch_ahead(struct treelist *t, struct folder *f) {
	size_t from = f->queued > f->at ? f->queued : f->at;
	size_t to = f->at + AHEAD_EACH;

	if (!t->pool) return;
	if (to > f->subfolder_count) to = f->subfolder_count;
	for (size_t i = to; i > from; i--) {
		struct folder *s = subfolder(f, i - 1);

		if (!s) continue;
		mutex_lock(&t->lock);
		s->has_task = true;
		mutex_unlock(&t->lock);
		if (taskpool_push(t->pool, run_task, s) == OK) continue;
		mutex_lock(&t->lock);
		s->has_task = false; /* the reader reads it itself */
		mutex_unlock(&t->lock);
	}
	if (to > f->queued) f->queued = to;
}

/* Has ${f} loaded, by this thread unless another has begun. */
static enum err wait_for(struct treelist *t, struct folder *f, struct why *why) {
	bool is_mine;

	mutex_lock(&t->lock);
	while (f->state == LOADING) mutex_wait(&t->loaded, &t->lock);
	is_mine = f->state == UNREAD;
	if (is_mine) f->state = LOADING;
	if (f->is_counted) t->bytes_ahead -= f->string.len;
	f->is_counted = false;
	mutex_unlock(&t->lock);
	if (is_mine) load_and_tell(f, false);
	if (f->state != BROKEN) return OK;
	if (why && f->why) *why = *f->why;
	return f->error;
}

enum err treelist_new(struct treelist **out, const struct treelist_params *p, struct why *why) {
	struct treelist *t = mem_zalloc(sizeof(*t));
	enum err e = OK;

	if (!t) return why_err(why, E_NOMEM, "listing a tree");
	t->fetch = p->fetch;
	mutex_init(&t->lock);
	mutex_cond_init(&t->loaded);
	buf_init(&t->path, folder_max);
	t->root = folder_new(t, p->root);
	if (!t->root || buf_add(&t->path, p->prefix)) e = why_err(why, E_NOMEM, "listing a tree");
	if (!e && p->ahead > 0) e = taskpool_new(&t->pool, p->ahead, why);
	if (e) treelist_free(t);
	else *out = t;
	return e;
}

static void leave(struct treelist *t) {
	struct folder *f = t->top;

	t->top = f->above;
	pass(f);
}

void treelist_free(struct treelist *t) {
	if (!t) return;
	while (t->top) leave(t);
	pass(t->root);
	taskpool_free(t->pool); /* what is left there frees what was passed */
	buf_free(&t->path);
	mutex_cond_done(&t->loaded);
	mutex_done(&t->lock);
	mem_free(t);
}

void treelist_skip(struct treelist *t) {
	struct folder *f = t->top;

	if (!t->at_folder) return;
	t->at_folder = false;
	pass(f->subfolders[f->at].folder);
	f->subfolders[f->at++].folder = NULL;
}

struct span treelist_broken(const struct treelist *t) {
	return buf_span(&t->path);
}

static void name_broken(const struct buf *path, struct why *why) {
	char text[WHY_MAX / 2];
	size_t n = path->len < sizeof(text) ? path->len : sizeof(text) - 1;

	if (n == 0) return;
	memcpy(text, path->ptr, n);
	text[n] = '\0';
	(void)why_in(why, text);
}

/* Goes into the folder given last, or the root. */
static enum err enter(struct treelist *t, struct why *why) {
	struct folder *above = t->top;
	struct folder *f = above ? subfolder(above, above->at) : t->root;
	enum err e;

	t->at_folder = false;
	t->root = NULL;
	if (above) above->subfolders[above->at++].folder = NULL;
	if (!f) return why_err(why, E_NOMEM, "listing a tree");
	if (above) fetch_ahead(t, above);
	e = wait_for(t, f, why);
	if (e) {
		name_broken(&t->path, why);
		pass(f);
		return e;
	}
	f->above = above;
	f->path_len = t->path.len;
	t->top = f;
	fetch_ahead(t, f);
	return interrupt_asked() ? why_set(why, E_CANCELLED, "interrupted") : OK;
}

static enum err set_path(struct treelist *t, struct span name) {
	enum err e;

	t->path.len = t->top->path_len;
	e = buf_add(&t->path, span_text("/"));
	return e ? e : buf_add(&t->path, name);
}

enum err treelist_next(struct treelist *t, struct treelist_item *out, bool *more, struct why *why) {
	enum err e = OK;

	*more = true;
	if (t->at_folder || t->root) e = enter(t, why);
	while (!e && t->top) {
		bool have = false;

		e = dirreader_next(&t->top->reader, &out->entry, &have);
		if (!e && have) {
			e = why_err(why, set_path(t, out->entry.name), "listing a tree");
			t->at_folder = out->entry.type == DIRENTRY_DIRECTORY;
			out->path = buf_span(&t->path);
			return e;
		}
		if (e) {
			t->path.len = t->top->path_len;
			e = why_set(why, E_FORGED, "the folder is malformed");
			name_broken(&t->path, why);
		}
		leave(t);
	}
	*more = e != OK;
	return e;
}

/* The entry called ${name} in a folder, copied to ${bytes}. */
static enum err find_name(struct fetch *f, const struct streamref *folder, struct span name,
	struct direntry *out, struct buf *bytes, struct why *why) {
	struct folderread r;
	struct dirreader copy;
	bool more = true;
	enum err e = folderread_open(&r, f, folder, why);

	buf_clear(bytes);
	while (!e && more) {
		e = folderread_next(&r, out, &more, why);
		if (e == E_FORMAT) e = why_set(why, E_FORGED, "the folder is malformed");
		else if (!e && !more) e = why_set(why, E_NOTFOUND, "there is nothing of that name");
		else if (!e && span_equal(out->name, name)) break;
	}
	if (!e) e = why_err(why, direntry_encode(out, bytes), "reading a folder");
	folderread_close(&r);
	if (e) return e;
	copy = dirreader_over(buf_span(bytes));
	e = dirreader_next(&copy, out, &more);
	return why_err(why, e, "reading a folder");
}

enum err treelist_find(struct fetch *f, const struct streamref *root, struct span path,
	struct direntry *out, bool *is_root, struct buf *bytes, struct why *why) {
	struct streamref at = *root;
	enum err e = OK;

	*is_root = true;
	while (!e) {
		size_t n = 0;

		while (path.len > 0 && path.ptr[0] == '/') path = span_skip(path, 1);
		if (path.len == 0) break;
		while (n < path.len && path.ptr[n] != '/') n++;
		if (!*is_root && out->type != DIRENTRY_DIRECTORY)
			return why_set(why, E_NOTFOUND, "a part of the path is no folder");
		e = find_name(f, &at, span_of(path.ptr, n), out, bytes, why);
		if (!e) at = out->stream;
		*is_root = false;
		path = span_skip(path, n);
	}
	return e;
}
