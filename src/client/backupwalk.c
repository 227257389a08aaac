#include "client/backupwalk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/backupfile.h"
#include "client/backupmerge.h"
#include "client/backupnode.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/signals.h"

enum {
	BATCH_FILES = 64,
	BATCH_BYTES = 4 << 20,
	PATH_ROOM = 1 << 30,
};

/* Files of one folder that one task reads. */
struct batch {
	struct backupnode *node;
	size_t count;
	uint64_t bytes;
	struct {
		size_t item;
		struct stat st;
	} files[BATCH_FILES];
};

bool backupwalk_stopped(struct backupwalk *w) {
	if (signals_asked()) {
		struct why why = { E_CANCELLED,
			"interrupted: what was stored so far is used by the next backup" };
		backupwalk_fail(w, E_CANCELLED, &why);
		return true;
	}
	mutex_lock(&w->lock);
	bool stopped = w->failed != OK;
	mutex_unlock(&w->lock);
	return stopped;
}

void backupwalk_fail(struct backupwalk *w, enum err e, const struct why *why) {
	mutex_lock(&w->lock);
	if (!w->failed) {
		w->failed = e;
		w->why = *why;
	}
	mutex_unlock(&w->lock);
}

void backupwalk_note(
	struct backupwalk *w, enum backup_note note, const char *path, const char *text) {
	mutex_lock(&w->lock);
	if (w->options->noted) w->options->noted(w->options->ctx, note, path, text);
	mutex_unlock(&w->lock);
}

enum err backupwalk_worker_init(
	struct backupwalk_worker *k, struct storing_shared *shared, struct why *why) {
	memset(k, 0, sizeof *k);
	listing_init(&k->listing);
	backupowners_init(&k->owners);
	buf_init(&k->path, PATH_ROOM);
	buf_init(&k->entry, 2 * LIMIT_DIRENTRY);
	buf_init(&k->xattrs, LIMIT_DIRENTRY);
	buf_init(&k->holes, LIMIT_DIRENTRY);
	k->buffer = mem_alloc(BACKUPWALK_BUFFER);
	k->xattr_names = mem_alloc(BACKUPWALK_XATTRS);
	k->xattr_value = mem_alloc(LIMIT_XATTR_VALUE);
	if (!k->buffer || !k->xattr_names || !k->xattr_value)
		return why_err(why, E_NOMEM, "starting a backup");
	return storing_new(&k->storing, shared, why);
}

void backupwalk_worker_done(struct backupwalk_worker *k) {
	storing_free(k->storing);
	listing_done(&k->listing);
	buf_free(&k->path);
	buf_free(&k->entry);
	buf_free(&k->xattrs);
	buf_free(&k->holes);
	mem_free(k->buffer);
	mem_free(k->xattr_names);
	mem_free(k->xattr_value);
	backupowners_done(&k->owners);
}

static void fill_common(struct direntry *d, uint8_t type, const char *name, const struct stat *st) {
	d->type = type;
	d->name = span_text(name);
	d->mode = (uint16_t)(st->st_mode & 07777);
	d->uid = st->st_uid;
	d->gid = st->st_gid;
	d->mtime =
		(struct moment){ .seconds = st->st_mtim.tv_sec, .nanos = (uint32_t)st->st_mtim.tv_nsec };
}

static void fill_group(struct backupwalk *w, struct direntry *d, const struct stat *st) {
	if (st->st_nlink < 2 || S_ISDIR(st->st_mode)) return;
	vaultkeys_group(d->link_group, &w->storing->vault->secrets->keys, st->st_dev, st->st_ino);
	d->flags |= DIRENTRY_HAS_LINK_GROUP;
}

static void settle(struct backupnode *n, unsigned worker);

/* The stream of a folder whose entries are all there. */
static enum err store_folder(
	struct backupwalk_worker *k, struct backupnode *n, struct streamref *ref, struct why *why) {
	struct buf string;
	buf_init(&string, (size_t)1 << 40);
	struct writer out = writer_to(&string);
	for (size_t i = 0; i < n->count; i++)
		if (n->items[i].body.ptr) writer_bytes(&out, n->items[i].body);
	enum err e = why_err(why, writer_finish(&out), "storing a folder");
	uint64_t before = storing_new_chunks(k->storing);
	if (!e) e = storing_bytes(k->storing, CHUNKTYPE_DIRECTORY, buf_span(&string), ref, why);
	if (n->source) atomic_fetch_add(&n->w->above_chunks, storing_new_chunks(k->storing) - before);
	buf_free(&string);
	return e;
}

/* What the walk made of the sources right below ${n}. */
static enum err keep_sources(const struct backupnode *n) {
	size_t i = 0;
	for (struct backupsources_node *c = n->source ? n->source->children : NULL; c; c = c->next) {
		struct span body = n->items[i++].body;
		if (!c->whole || !body.ptr) continue;
		uint8_t *copy = mem_alloc(body.len);
		if (!copy) return E_NOMEM;
		memcpy(copy, body.ptr, body.len);
		c->entry = span_of(copy, body.len);
	}
	return OK;
}

static enum err finish_folder(struct backupwalk_worker *k, struct backupnode *n, struct why *why) {
	struct streamref ref = { .length = 0 };
	struct buf bytes;
	bool same_stream, same_record;
	uint64_t record = n->cache_record;
	backupmerge_compare(n, &same_stream, &same_record);
	enum err e = why_err(why, keep_sources(n), "storing a folder");
	if (e) return e;
	/* a run that keeps no snapshot may store what leads to a source nowhere: the cache has no reference to that */
	bool is_above = n->source != NULL;
	bool is_stored = same_stream && !is_above && streamref_decode(&ref, n->cache.ref) == OK;
	if (!is_stored) e = store_folder(k, n, &ref, why);
	if (!is_stored && !is_above) same_record = false;
	buf_init(&bytes, 256);
	if (!e && !same_record && n->w->cache) {
		if (!is_above) e = streamref_encode(&ref, &bytes);
		if (!e) e = backupmerge_write(n, buf_span(&bytes), &record);
		if (e) e = why_err(why, e, "writing the tree cache");
	}
	buf_free(&bytes);
	if (e) return e;
	if (!n->parent) {
		n->w->root = ref;
		n->w->root_record = record;
		return OK;
	}
	struct backupnode_item *item = &n->parent->items[n->place];
	n->self.stream = ref;
	item->folder = record;
	return backupnode_encode(k, n->parent, item, &n->self, why);
}

/* One thing of the folder is done; the last one stores it, and is one thing of its parent. */
static void settle(struct backupnode *n, unsigned worker) {
	while (n && atomic_fetch_sub(&n->pending, 1) == 1) {
		struct backupwalk *w = n->w;
		struct why why = { OK, "" };
		struct backupnode *parent = n->parent;
		if (!backupwalk_stopped(w)) {
			enum err e = finish_folder(&w->workers[worker], n, &why);
			if (e) backupwalk_fail(w, e, &why);
		}
		backupnode_free(n);
		n = parent;
	}
}

static void show_current(struct backupwalk *w, const char *path) {
	mutex_lock(&w->lock);
	(void)snprintf(w->current, sizeof w->current, "%.255s", path);
	mutex_unlock(&w->lock);
}

/* Stores one file of a batch. An error that is returned ends the backup. */
static enum err store_file(
	struct backupnode *n, unsigned worker, size_t place, struct stat *st, struct why *why) {
	struct backupwalk *w = n->w;
	struct backupwalk_worker *k = &w->workers[worker];
	struct backupnode_item *item = &n->items[place];
	struct direntry d = { .type = DIRENTRY_FILE };
	struct why reason = { OK, "" };
	d.name = span_text(item->name);
	bool linked = st->st_nlink > 1 && backuplinks_find(&w->links, st, &d);
	enum err e = OK;
	if (!linked) {
		if (st->st_size > BATCH_BYTES) show_current(w, backupnode_path(k, n, item->name));
		struct direntry before;
		bool known = item->cached.ptr && direntry_decode(&before, item->cached) == OK &&
			before.type == DIRENTRY_FILE && !(before.flags & DIRENTRY_CHANGED);
		e = backupfile_read(
			w, worker, n->folder.fd, item->name, n, st, known ? &before.stream : NULL, &d, &reason);
	}
	if (e == E_CANCELLED || e == E_NOMEM || (e && backupwalk_stopped(w))) {
		*why = reason;
		return e;
	}
	if (e == E_NOTFOUND && !atomic_load(&w->storing->failed))
		return OK; /* gone since it was listed */
	/* what the store refuses is no fault of the file's, and would be refused for every other */
	bool of_file = e == E_IO || e == E_NOTFOUND || e == E_DENIED || e == E_EXISTS;
	if (of_file && !atomic_load(&w->storing->failed)) {
		backupnode_leave_out(k, n, item->name, &reason);
		return OK;
	}
	if (e) {
		*why = reason;
		return e;
	}
	fill_common(&d, DIRENTRY_FILE, item->name, st);
	fill_group(w, &d, st);
	/* what is not as it should be is read again next time, and said again */
	bool is_whole = !(d.flags & DIRENTRY_CHANGED) && (linked || !k->incomplete);
	item->print = is_whole ? backupmerge_print(w, st) : (struct treecache_print){ .inode = 0 };
	e = backupnode_encode(k, n, item, &d, why);
	/* another name may have been read at the same time */
	if (!e && st->st_nlink > 1 && !linked && item->body.ptr &&
		backuplinks_keep(&w->links, st, item->body))
		atomic_fetch_sub_explicit(&w->bytes, d.stream.length, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->files, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->files_new, 1, memory_order_relaxed);
	return e;
}

static void read_batch(void *ctx, unsigned worker) {
	struct batch *b = ctx;
	struct backupnode *n = b->node;
	struct why why = { OK, "" };
	if (atomic_load_explicit(&n->w->want_current, memory_order_relaxed)) {
		atomic_store_explicit(&n->w->want_current, false, memory_order_relaxed);
		show_current(
			n->w, backupnode_path(&n->w->workers[worker], n, n->items[b->files[0].item].name));
	}
	enum err closed = backupfolder_hold(&n->w->folders, &n->folder, &why);
	for (size_t i = 0; i < b->count && !backupwalk_stopped(n->w); i++) {
		if (closed) {
			backupnode_leave_out(&n->w->workers[worker], n, n->items[b->files[i].item].name, &why);
			continue;
		}
		enum err e = store_file(n, worker, b->files[i].item, &b->files[i].st, &why);
		if (e) backupwalk_fail(n->w, e, &why);
	}
	mem_free(b);
	if (!closed) backupfolder_let(&n->w->folders, &n->folder);
	settle(n, worker);
}

static enum err push_batch(struct backupnode *n, struct batch **b, struct why *why) {
	if (!*b) return OK;
	atomic_fetch_add(&n->pending, 1);
	enum err e = taskpool_push(n->w->pool, read_batch, *b);
	if (e) {
		atomic_fetch_sub(&n->pending, 1);
		mem_free(*b);
	}
	*b = NULL;
	return why_err(why, e, "starting a task");
}

static enum err add_to_batch(
	struct backupnode *n, struct batch **b, size_t place, const struct stat *st, struct why *why) {
	if (!*b) {
		*b = mem_alloc(sizeof **b);
		if (!*b) return why_err(why, E_NOMEM, "starting a task");
		(*b)->node = n;
		(*b)->count = 0;
		(*b)->bytes = 0;
	}
	(*b)->files[(*b)->count].item = place;
	(*b)->files[(*b)->count++].st = *st;
	(*b)->bytes += (uint64_t)st->st_size;
	return (*b)->count == BATCH_FILES || (*b)->bytes >= BATCH_BYTES ? push_batch(n, b, why) : OK;
}

static void list_folder(void *ctx, unsigned worker);

static enum err push_folder(struct backupnode *n, size_t place, const struct stat *st,
	struct backupsources_node *source, struct why *why) {
	struct backupnode_item *item = &n->items[place];
	struct backupnode *child = backupnode_new(n->w, n, place, item->name, source);
	if (!child) return why_err(why, E_NOMEM, "starting a task");
	child->device = source && source->whole ? st->st_dev : n->device;
	if (n->has_cache) backupmerge_open(child, item->cached_folder);
	atomic_fetch_add(&n->pending, 1);
	enum err e = taskpool_push(n->w->pool, list_folder, child);
	if (e) {
		atomic_fetch_sub(&n->pending, 1);
		backupnode_free(child);
	}
	return why_err(why, e, "starting a task");
}

/* Links, FIFOs and devices: all that lstat says, never opened. */
static enum err store_special(struct backupwalk_worker *k, struct backupnode *n,
	struct backupnode_item *item, const struct stat *st, struct why *why) {
	struct direntry d = { .type = DIRENTRY_FIFO };
	char target[LIMIT_LINK_TARGET + 1];
	fill_common(&d, DIRENTRY_FIFO, item->name, st);
	if (S_ISLNK(st->st_mode)) {
		struct why reason;
		ssize_t len = readlinkat(n->folder.fd, item->name, target, sizeof target);
		if (len < 0 && errno == ENOENT) return OK; /* gone since it was listed */
		if (len < 0) err_ignore(why_errno(&reason, "reading a link"));
		else err_ignore(why_set(&reason, E_LIMIT, "its target is empty, or too long"));
		if (len <= 0 || len > LIMIT_LINK_TARGET) {
			backupnode_leave_out(k, n, item->name, &reason);
			return OK;
		}
		d.type = DIRENTRY_SYMLINK;
		d.target = span_of(target, (size_t)len);
	} else if (!S_ISFIFO(st->st_mode)) {
		d.type = S_ISCHR(st->st_mode) ? DIRENTRY_CHAR : DIRENTRY_BLOCK;
		d.major = major(st->st_rdev);
		d.minor = minor(st->st_rdev);
	}
	fill_group(n->w, &d, st);
	enum err e = backupfile_xattrs(n->w, k, -1, n->folder.fd, item->name, n, &d, why);
	if (k->incomplete) item->print = (struct treecache_print){ .inode = 0 };
	if (!e) e = backupnode_encode(k, n, item, &d, why);
	atomic_fetch_add_explicit(&n->w->others, 1, memory_order_relaxed);
	return e;
}

static bool is_excluded(struct backupwalk_worker *k, struct backupnode *n, const char *name) {
	const struct pattern_set *set = n->w->options->exclude;
	if (!set) return false;
	return pattern_set_match(set, span_text(backupnode_path(k, n, name))).matched;
}

/* Bytes of content without holes: what the entry says where the file may have any. */
static uint64_t data_of(const struct backupnode_item *item, const struct stat *st) {
	struct direntry d;
	uint64_t size = (uint64_t)st->st_size;
	if ((uint64_t)st->st_blocks * 512 >= size) return size;
	return direntry_decode(&d, item->cached) ? size : d.stream.length;
}

/* Counts an entry that the cache knows, and takes its bytes. */
static void take_cached(struct backupwalk *w, struct backupnode_item *item, const struct stat *st) {
	item->body = item->cached;
	item->print_same = true;
	if (S_ISREG(st->st_mode)) {
		atomic_fetch_add_explicit(&w->files, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&w->files_unchanged, 1, memory_order_relaxed);
		if (!backuplinks_count(&w->links, st))
			atomic_fetch_add_explicit(&w->bytes, data_of(item, st), memory_order_relaxed);
	} else {
		atomic_fetch_add_explicit(&w->others, 1, memory_order_relaxed);
	}
}

/* One name of a folder: decides what it is and what is to be done. */
static enum err look_at(struct backupwalk_worker *k, struct backupnode *n, size_t place,
	const struct treecache_entry *cached, struct backupsources_node *source, struct batch **batch,
	struct why *why) {
	struct backupwalk *w = n->w;
	struct backupnode_item *item = &n->items[place];
	struct stat st;
	/* what only leads to a source may be a link: the folder it leads to is meant */
	int flags = source && !source->whole ? 0 : AT_SYMLINK_NOFOLLOW;
	if (fstatat(n->folder.fd, item->name, &st, flags)) {
		struct why reason;
		if (errno == ENOENT && !source) return OK; /* gone since it was listed */
		err_ignore(why_errno(&reason, "looking at it"));
		backupnode_leave_out(k, n, item->name, &reason);
		return OK;
	}
	if (!source && is_excluded(k, n, item->name)) return OK;
	if (source && !source->whole && !S_ISDIR(st.st_mode)) {
		const struct why reason = { E_IO, "it led to a source, and is no folder any more" };
		backupnode_leave_out(k, n, item->name, &reason);
		return OK;
	}
	if (backupowners_saw(&k->owners, &st)) return why_err(why, E_NOMEM, "looking at a folder");
	item->print = backupmerge_print(w, &st);
	if (cached) {
		item->cached = cached->body;
		item->cached_folder = cached->folder;
		item->print_same = backupmerge_equal(&item->print, &cached->print);
	}
	if (S_ISDIR(st.st_mode)) {
		return push_folder(n, place, &st, source, why);
	}
	if (S_ISSOCK(st.st_mode)) {
		backupwalk_note(w, BACKUP_SKIPPED_SOCKET, backupnode_path(k, n, item->name), "");
		return OK;
	}
	if (item->print_same && w->use_cache) {
		take_cached(w, item, &st);
		return OK;
	}
	item->print_same = false;
	if (S_ISREG(st.st_mode)) return add_to_batch(n, batch, place, &st, why);
	return store_special(k, n, item, &st, why);
}

/* The names below a path that only leads to sources. */
static enum err list_source(struct backupnode *n, const struct backupsources_node *source) {
	size_t count = 0;
	for (const struct backupsources_node *c = source->children; c; c = c->next) count++;
	n->items = mem_array(count, sizeof *n->items);
	if (!n->items) return E_NOMEM;
	for (const struct backupsources_node *c = source->children; c; c = c->next)
		n->items[n->count++].name = c->name;
	return OK;
}

static struct backupsources_node *source_of(const struct backupsources_node *source, size_t place) {
	struct backupsources_node *c = source->children;
	while (place-- > 0) c = c->next;
	return c;
}

/* Copies the listing into the node: the worker's listing is used again. */
static enum err take_listing(struct backupnode *n, const struct listing *l) {
	n->items = mem_array(l->count, sizeof *n->items);
	char *names = (char *)backupnode_room(n, l->bytes.len + 1);
	if (!n->items || !names) return E_NOMEM;
	if (l->bytes.len) memcpy(names, l->bytes.ptr, l->bytes.len);
	for (size_t i = 0; i < l->count; i++)
		n->items[i].name = names + (l->names[i].name - (const char *)l->bytes.ptr);
	n->count = l->count;
	return OK;
}

/* The folder's own attributes; from the cache where nothing of them changed. */
static enum err fill_self(struct backupwalk_worker *k, struct backupnode *n, struct why *why) {
	struct direntry cached;
	struct backupnode_item *item = &n->parent->items[n->place];
	struct span attributes = span_of(NULL, 0);
	fill_common(&n->self, DIRENTRY_DIRECTORY, n->name, &n->folder.st);
	if (item->print_same && n->w->use_cache && direntry_decode(&cached, item->cached) == OK &&
		cached.type == DIRENTRY_DIRECTORY) {
		n->self.flags = cached.flags;
		n->self.xattrs = cached.xattrs;
		return OK;
	}
	enum err e = backupfile_xattrs(n->w, k, n->folder.fd, -1, NULL, n, &n->self, why);
	if (k->incomplete) item->print = (struct treecache_print){ .inode = 0 };
	if (e || !n->self.xattrs.items.len) return e;
	attributes = n->self.xattrs.items;
	uint8_t *copy = backupnode_room(n, attributes.len);
	if (!copy) return why_err(why, E_NOMEM, "reading attributes");
	memcpy(copy, attributes.ptr, attributes.len);
	n->self.xattrs.items = span_of(copy, attributes.len);
	return OK;
}

/* Looks at all names, in step with the cache, which is sorted alike. */
static enum err look_at_all(struct backupwalk_worker *k, struct backupnode *n, struct why *why) {
	struct treecache_folder cache = n->cache;
	struct treecache_entry entry;
	struct batch *batch = NULL;
	bool have = n->has_cache && treecache_folder_next(&cache, &entry);
	enum err e = OK;
	for (size_t i = 0; i < n->count && !e; i++) {
		struct span name = span_text(n->items[i].name);
		int order = -1;
		while (have && (order = span_order(entry.name, name)) < 0)
			have = treecache_folder_next(&cache, &entry);
		if ((i & 255) == 0 && backupwalk_stopped(n->w)) break;
		e = look_at(k, n, i, have && order == 0 ? &entry : NULL,
			n->source ? source_of(n->source, i) : NULL, &batch, why);
	}
	if (!e) e = push_batch(n, &batch, why);
	mem_free(batch);
	return e;
}

static enum err list_names(
	struct backupwalk_worker *k, struct backupnode *n, bool *left_out, struct why *why) {
	struct backupwalk *w = n->w;
	*left_out = false;
	if (n->source) return why_err(why, list_source(n, n->source), "looking at a folder");
	/* another file system begins here: the folder is kept, empty */
	if (n->parent && w->options->one_file_system && n->folder.st.st_dev != n->device) return OK;
	enum err e = listing_read(&k->listing, n->folder.fd, why);
	if (e) return e;
	const char *reason = backupomit_reason(&w->omit, n->folder.fd, &n->folder.st, &k->listing);
	*left_out = reason != NULL;
	if (reason) {
		backupwalk_note(w, BACKUP_SKIPPED_OWN, backupnode_path(k, n, NULL), reason);
		return OK;
	}
	e = why_err(why, take_listing(n, &k->listing), "looking at a folder");
	if (!e && w->options->exclude_caches && backupomit_is_cache(n->folder.fd, &k->listing)) {
		backupwalk_note(w, BACKUP_SKIPPED_CACHE, backupnode_path(k, n, NULL), "");
		for (size_t i = 0; i < n->count; i++)
			if (strcmp(n->items[i].name, "CACHEDIR.TAG") == 0) n->items[0] = n->items[i];
		n->count = 1;
	}
	return e;
}

static void list_folder(void *ctx, unsigned worker) {
	struct backupnode *n = ctx;
	struct backupwalk *w = n->w;
	struct backupwalk_worker *k = &w->workers[worker];
	struct why why = { OK, "" };
	bool left_out = false, is_held = false;
	enum err e = OK;
	if (backupwalk_stopped(w)) goto out;
	e = backupfolder_hold(&w->folders, &n->folder, &why);
	is_held = !e;
	if (!e && n->parent) e = fill_self(k, n, &why);
	if (!e) e = list_names(k, n, &left_out, &why);
	if (e == E_IO || e == E_DENIED || e == E_NOTFOUND) {
		/* unreadable: the folder is left out, the rest goes on; what is gone since it was listed was never there */
		if (e != E_NOTFOUND || n->is_named) backupnode_leave_out(k, n, NULL, &why);
		left_out = true;
		e = OK;
	}
	if (left_out && n->parent) {
		struct backupnode *parent = n->parent;
		if (is_held) backupfolder_let(&w->folders, &n->folder);
		backupnode_free(n);
		settle(parent, worker);
		return;
	}
	if (n->parent) atomic_fetch_add_explicit(&w->directories, 1, memory_order_relaxed);
	if (!e) e = look_at_all(k, n, &why);
out:
	if (e) backupwalk_fail(w, e, &why);
	if (is_held) backupfolder_let(&w->folders, &n->folder);
	settle(n, worker);
}

enum err backupwalk_start(struct backupwalk *w, struct backupsources_node *root, struct why *why) {
	struct backupnode *n = backupnode_new(w, NULL, 0, "", root);
	if (!n) return why_err(why, E_NOMEM, "starting a backup");
	if (w->cache && w->use_cache) backupmerge_open(n, w->cache_root);
	struct stat st;
	if (fstatat(AT_FDCWD, "/", &st, 0) == 0) n->device = st.st_dev;
	enum err e = taskpool_push(w->pool, list_folder, n);
	if (e) backupnode_free(n);
	return why_err(why, e, "starting a backup");
}

enum err backupwalk_stdin(struct backupwalk *w, struct why *why) {
	struct backupwalk_worker *k = &w->workers[0];
	int64_t now = clock_real_ns();
	struct direntry d = {
		.type = DIRENTRY_FILE,
		.name = span_text(w->options->stdin_name),
		.mode = 0644,
		.uid = geteuid(),
		.gid = getegid(),
		.mtime = { .seconds = now / 1000000000, .nanos = (uint32_t)(now % 1000000000) },
	};
	enum err e = backupfile_pipe(w, k, w->options->stdin_fd, &d.stream, why);
	buf_clear(&k->entry);
	if (!e) {
		e = direntry_encode(&d, &k->entry);
		if (e) e = why_set(why, E_USAGE, "%s cannot be the name of a file", w->options->stdin_name);
	}
	if (!e) e = storing_bytes(k->storing, CHUNKTYPE_DIRECTORY, buf_span(&k->entry), &w->root, why);
	atomic_fetch_add(&w->files, 1);
	atomic_fetch_add(&w->files_new, 1);
	return e;
}
