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
#include "os/clock.h"
#include "os/file.h"
#include "os/signals.h"

enum {
	BATCH_FILES = 64,
	BATCH_BYTES = 4 << 20,
	ARENA_PAGE = 32 * 1024,
	BODIES_MAX = 1 << 30,
	LINKS_FIRST = 1024,
	/* a file changed this shortly before it was seen may change again without showing it */
	RACY_NS = 20 * 1000 * 1000,
	COARSE_NS = 2000 * 1000 * 1000,
};

/* Memory of a folder that is released as a whole. */
struct arena {
	struct arena *next;
	size_t used, size;
	uint8_t bytes[];
};

struct item {
	const char *name;
	struct span body;   /* without its length; NULL: dropped, or not there yet */
	struct span cached; /* the body in the tree cache, if there is one */
	struct treecache_print print;
	uint64_t folder; /* of a folder: its record in the tree cache, ... */
	uint64_t cached_folder;
	bool print_same;
	bool is_folder;
};

/* A folder on its way. */
struct backupwalk_node {
	struct backupwalk *w;
	struct backupwalk_node *parent;
	size_t place; /* its item in the parent */
	const char *name;
	struct backupsources_node *source; /* not NULL: only these children */
	struct backupfolder folder;
	_Atomic unsigned pending; /* children and batches under way, and the listing itself */
	struct mutex lock;        /* for the arena */
	struct arena *arena;
	struct item *items;
	size_t count;
	bool has_cache;
	bool is_named; /* a source, or leads to one: it must be there */
	struct treecache_folder cache;
	uint64_t cache_record;
	dev_t device; /* of the source, for --one-file-system */
	struct direntry self;
};

/* Files of one folder that one task reads. */
struct batch {
	struct backupwalk_node *node;
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
	buf_init(&k->path, BODIES_MAX);
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
	mem_free(k->users);
	mem_free(k->groups);
}

/* Remembers an owner, for the names in the snapshot. There are few; the last one is met most. */
static enum err saw(uint32_t **ids, size_t *count, size_t *room, uint32_t id) {
	for (size_t i = *count; i > 0; i--)
		if ((*ids)[i - 1] == id) return OK;
	if (*count == LIMIT_SNAPSHOT_NAMES) return OK;
	if (*count == *room) {
		size_t more = *room ? *room * 2 : 16;
		uint32_t *p = mem_resize(*ids, more, sizeof *p);
		if (!p) return E_NOMEM;
		*ids = p;
		*room = more;
	}
	(*ids)[(*count)++] = id;
	return OK;
}

static enum err saw_owner(struct backupwalk_worker *k, const struct stat *st) {
	enum err e = saw(&k->users, &k->user_count, &k->user_room, st->st_uid);
	return e ? e : saw(&k->groups, &k->group_count, &k->group_room, st->st_gid);
}

static uint8_t *arena_take(struct backupwalk_node *n, size_t len) {
	mutex_lock(&n->lock);
	struct arena *a = n->arena;
	if (!a || a->size - a->used < len) {
		size_t size = len > ARENA_PAGE ? len : ARENA_PAGE;
		if (!a && len < 2048) size = 2048; /* most folders are small */
		struct arena *more = mem_alloc(sizeof *more + size);
		if (!more) {
			mutex_unlock(&n->lock);
			return NULL;
		}
		*more = (struct arena){ .next = a, .size = size };
		n->arena = a = more;
	}
	uint8_t *at = a->bytes + a->used;
	a->used += len;
	mutex_unlock(&n->lock);
	return at;
}

static void node_free(struct backupwalk_node *n) {
	for (struct arena *a = n->arena; a;) {
		struct arena *next = a->next;
		mem_free(a);
		a = next;
	}
	mem_free(n->items);
	mutex_done(&n->lock);
	backupfolder_close(&n->w->folders, &n->folder);
	mem_free(n);
}

/* The path of ${name} in ${n} (or of ${n} itself, if NULL), in the worker's memory; "" if memory is short. */
static const char *path_of(
	struct backupwalk_worker *k, const struct backupwalk_node *n, const char *name) {
	size_t len = name ? strlen(name) + 1 : 0;
	for (const struct backupwalk_node *p = n; p->parent; p = p->parent) len += strlen(p->name) + 1;
	buf_clear(&k->path);
	uint8_t *at;
	if (buf_extend(&k->path, len + 2, &at)) return "";
	uint8_t *end = at + len;
	*end = '\0';
	if (len == 0) return memcpy(at, "/", 2);
	if (name) {
		end -= strlen(name);
		memcpy(end, name, strlen(name));
		*--end = '/';
	}
	for (const struct backupwalk_node *p = n; p->parent; p = p->parent) {
		end -= strlen(p->name);
		memcpy(end, p->name, strlen(p->name));
		*--end = '/';
	}
	return (const char *)at;
}

void backupwalk_note_at(struct backupwalk_worker *k, const struct backupwalk_node *n,
	const char *name, enum backup_note note, const char *text) {
	backupwalk_note(n->w, note, path_of(k, n, name), text);
}

static int64_t ns_of(struct timespec t) {
	return (int64_t)((uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec);
}

static struct treecache_print print_of(const struct backupwalk *w, const struct stat *st) {
	int64_t ctime = ns_of(st->st_ctim);
	int64_t grain = st->st_ctim.tv_nsec ? RACY_NS : COARSE_NS;
	/* the clock is read once a walk: a later change is later than that, or its file is read */
	if (ctime > w->started_ns - grain) return (struct treecache_print){ .inode = 0 };
	return (struct treecache_print){
		.inode = st->st_ino,
		.ctime_ns = ctime,
		.mtime_ns = ns_of(st->st_mtim),
		.size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
		.mode = st->st_mode,
		/* what is kept of a file with several names is made of its device's number, which may change */
		.device = st->st_nlink > 1 && !S_ISDIR(st->st_mode)
			? (uint32_t)(st->st_dev ^ (uint64_t)st->st_dev >> 32)
			: 0,
	};
}

static bool print_equal(const struct treecache_print *a, const struct treecache_print *b) {
	return a->inode && a->inode == b->inode && a->ctime_ns == b->ctime_ns &&
		a->mtime_ns == b->mtime_ns && a->size == b->size && a->mode == b->mode &&
		a->device == b->device;
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

/* Encodes an entry; its body, without length, stays in the node's memory. */
static enum err encode_item(struct backupwalk_worker *k, struct backupwalk_node *n,
	struct item *item, const struct direntry *d, struct why *why) {
	buf_clear(&k->entry);
	enum err e = direntry_encode(d, &k->entry);
	if (e == E_LIMIT || e == E_USAGE) {
		atomic_fetch_add(&n->w->unreadable, 1);
		backupwalk_note(n->w, BACKUP_UNREADABLE, path_of(k, n, item->name),
			"its name or attributes cannot be stored");
		return OK;
	}
	if (e) return why_err(why, e, "storing an entry");
	struct reader r = reader_over(buf_span(&k->entry));
	struct span body = reader_bytes(&r, LIMIT_DIRENTRY);
	uint8_t *at = arena_take(n, body.len);
	if (!at) return why_err(why, E_NOMEM, "storing an entry");
	memcpy(at, body.ptr, body.len);
	item->body = span_of(at, body.len);
	return OK;
}

static void settle(struct backupwalk_node *n, unsigned worker);

/* The stream of a folder whose entries are all there. */
static enum err store_folder(struct backupwalk_worker *k, struct backupwalk_node *n,
	struct streamref *ref, struct why *why) {
	struct buf string;
	buf_init(&string, (size_t)1 << 40);
	struct writer out = writer_to(&string);
	for (size_t i = 0; i < n->count; i++)
		if (n->items[i].body.ptr) writer_bytes(&out, n->items[i].body);
	enum err e = why_err(why, writer_finish(&out), "storing a folder");
	if (!e) e = storing_bytes(k->storing, CHUNKTYPE_DIRECTORY, buf_span(&string), ref, why);
	buf_free(&string);
	return e;
}

/* What of a folder is as in the cache: its entries' bytes (so its stream), and all that the record says. */
static void compare_with_cache(
	const struct backupwalk_node *n, bool *same_stream, bool *same_record) {
	size_t kept = 0;
	*same_stream = *same_record = n->has_cache;
	for (size_t i = 0; i < n->count; i++) {
		const struct item *item = &n->items[i];
		if (!item->body.ptr) continue;
		kept++;
		if (item->body.ptr != item->cached.ptr &&
			!(item->cached.ptr && span_equal(item->body, item->cached)))
			*same_stream = false;
		if (!item->print_same || item->folder != item->cached_folder) *same_record = false;
	}
	if (!n->has_cache || kept != n->cache.count) *same_stream = false;
	if (!*same_stream) *same_record = false;
}

static enum err write_record(struct backupwalk_node *n, struct span ref, uint64_t *record) {
	struct buf b;
	uint32_t kept = 0;
	for (size_t i = 0; i < n->count; i++) kept += n->items[i].body.ptr != NULL;
	buf_init(&b, TREECACHE_RECORD_MAX);
	enum err e = treecache_record_begin(&b, ref, kept);
	for (size_t i = 0; i < n->count && !e; i++) {
		const struct item *item = &n->items[i];
		if (item->body.ptr) e = treecache_record_add(&b, &item->print, item->folder, item->body);
	}
	if (!e) e = treecache_append(n->w->cache, &b, record);
	else *record = 0; /* no record: the folder is read anew next time */
	buf_free(&b);
	return e == E_LIMIT ? OK : e;
}

/* What the walk made of the sources right below ${n}. */
static enum err keep_sources(const struct backupwalk_node *n) {
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

static enum err finish_folder(
	struct backupwalk_worker *k, struct backupwalk_node *n, struct why *why) {
	struct streamref ref = { .length = 0 };
	struct buf bytes;
	bool same_stream, same_record;
	uint64_t record = n->cache_record;
	compare_with_cache(n, &same_stream, &same_record);
	enum err e = why_err(why, keep_sources(n), "storing a folder");
	if (e) return e;
	/* what leads to a source may be known to the cache from a run that kept no snapshot, and so be stored nowhere */
	bool is_stored = same_stream && !n->source;
	if (is_stored) e = streamref_decode(&ref, n->cache.ref);
	if (e || !is_stored) e = store_folder(k, n, &ref, why);
	buf_init(&bytes, 256);
	if (!e && !same_record && n->w->cache) {
		e = streamref_encode(&ref, &bytes);
		if (!e) e = write_record(n, buf_span(&bytes), &record);
		if (e) e = why_err(why, e, "writing the tree cache");
	}
	buf_free(&bytes);
	if (e) return e;
	if (!n->parent) {
		n->w->root = ref;
		n->w->root_record = record;
		return OK;
	}
	struct item *item = &n->parent->items[n->place];
	n->self.stream = ref;
	item->folder = record;
	return encode_item(k, n->parent, item, &n->self, why);
}

/* One thing of the folder is done; the last one stores it, and is one thing of its parent. */
static void settle(struct backupwalk_node *n, unsigned worker) {
	while (n && atomic_fetch_sub(&n->pending, 1) == 1) {
		struct backupwalk *w = n->w;
		struct why why = { OK, "" };
		struct backupwalk_node *parent = n->parent;
		if (!backupwalk_stopped(w)) {
			enum err e = finish_folder(&w->workers[worker], n, &why);
			if (e) backupwalk_fail(w, e, &why);
		}
		node_free(n);
		n = parent;
	}
}

static struct backupwalk_node *node_new(struct backupwalk *w, struct backupwalk_node *parent,
	size_t place, const char *name, struct backupsources_node *source) {
	struct backupwalk_node *n = mem_zalloc(sizeof *n);
	if (!n) return NULL;
	n->w = w;
	n->parent = parent;
	n->place = place;
	n->name = name;
	n->source = source && !source->whole ? source : NULL;
	n->is_named = source != NULL;
	n->pending = 1;
	backupfolder_init(&n->folder, parent ? &parent->folder : NULL, name, n->source != NULL);
	mutex_init(&n->lock);
	return n;
}

static void open_cache(struct backupwalk_node *n, uint64_t record) {
	n->has_cache = record && treecache_folder_open(n->w->cache, record, &n->cache) == OK;
	n->cache_record = n->has_cache ? record : 0;
}

/* An entry that could not be stored is left out, and said. */
static void leave_out(struct backupwalk_worker *k, struct backupwalk_node *n, const char *name,
	const struct why *why) {
	atomic_fetch_add(&n->w->unreadable, 1);
	backupwalk_note(n->w, BACKUP_UNREADABLE, path_of(k, n, name), why->msg);
}

static uint64_t link_hash(uint64_t device, uint64_t inode) {
	return (inode * UINT64_C(0x9e3779b97f4a7c15)) ^ device;
}

static struct backupwalk_link *link_slot(struct backupwalk *w, uint64_t device, uint64_t inode) {
	size_t mask = w->link_room - 1, i = (size_t)link_hash(device, inode) & mask;
	while (w->links[i].inode && (w->links[i].inode != inode || w->links[i].device != device))
		i = (i + 1) & mask;
	return &w->links[i];
}

/* The content of another name of the same file, if it was read in this run. */
static bool find_link(struct backupwalk *w, const struct stat *st, struct direntry *d) {
	struct direntry other;
	bool found = false;
	mutex_lock(&w->lock);
	if (w->link_room) {
		const struct backupwalk_link *l = link_slot(w, st->st_dev, st->st_ino);
		found = l->inode && l->body.ptr && direntry_decode(&other, l->body) == OK;
	}
	mutex_unlock(&w->lock);
	if (!found) return false;
	/* its spans point into memory that lasts as long as the walk */
	other.name = d->name;
	*d = other;
	return true;
}

/* The place of a file with several names, made if it is not there; NULL if memory is short. With the lock held. */
static struct backupwalk_link *link_of(struct backupwalk *w, const struct stat *st) {
	if ((w->link_count + 1) * 2 > w->link_room) {
		size_t old_room = w->link_room, room = old_room ? old_room * 2 : LINKS_FIRST;
		struct backupwalk_link *old = w->links, *wider = mem_array(room, sizeof *wider);
		if (wider) {
			w->links = wider;
			w->link_room = room;
			for (size_t i = 0; i < old_room; i++)
				if (old[i].inode) *link_slot(w, old[i].device, old[i].inode) = old[i];
			mem_free(old);
		}
	}
	if (w->link_room <= w->link_count + 1) return NULL;
	struct backupwalk_link *l = link_slot(w, st->st_dev, st->st_ino);
	if (!l->inode) w->link_count++;
	l->device = st->st_dev;
	l->inode = st->st_ino;
	return l;
}

static void remember_link(struct backupwalk *w, const struct stat *st, struct span body) {
	mutex_lock(&w->lock);
	struct backupwalk_link *l = link_of(w, st);
	uint8_t *copy = l && !l->body.ptr ? mem_alloc(body.len) : NULL;
	if (copy) {
		memcpy(copy, body.ptr, body.len);
		l->body = span_of(copy, body.len);
		l->counted = true;
	}
	mutex_unlock(&w->lock);
}

/* Whether the content was counted under another name. It is from now on. */
static bool was_counted(struct backupwalk *w, const struct stat *st) {
	bool counted = false;
	if (st->st_nlink < 2) return false;
	mutex_lock(&w->lock);
	struct backupwalk_link *l = link_of(w, st);
	if (l) {
		counted = l->counted;
		l->counted = true;
	}
	mutex_unlock(&w->lock);
	return counted;
}

static void show_current(struct backupwalk *w, const char *path) {
	mutex_lock(&w->lock);
	(void)snprintf(w->current, sizeof w->current, "%.255s", path);
	mutex_unlock(&w->lock);
}

/* Stores one file of a batch. An error that is returned ends the backup. */
static enum err store_file(
	struct backupwalk_node *n, unsigned worker, size_t place, struct stat *st, struct why *why) {
	struct backupwalk *w = n->w;
	struct backupwalk_worker *k = &w->workers[worker];
	struct item *item = &n->items[place];
	struct direntry d = { .type = DIRENTRY_FILE };
	struct why reason = { OK, "" };
	d.name = span_text(item->name);
	bool linked = st->st_nlink > 1 && find_link(w, st, &d);
	enum err e = OK;
	if (!linked) {
		if (st->st_size > BATCH_BYTES) show_current(w, path_of(k, n, item->name));
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
		leave_out(k, n, item->name, &reason);
		return OK;
	}
	if (e) {
		*why = reason;
		return e;
	}
	fill_common(&d, DIRENTRY_FILE, item->name, st);
	fill_group(w, &d, st);
	item->print =
		d.flags & DIRENTRY_CHANGED ? (struct treecache_print){ .inode = 0 } : print_of(w, st);
	e = encode_item(k, n, item, &d, why);
	if (!e && st->st_nlink > 1 && !linked && item->body.ptr) remember_link(w, st, item->body);
	atomic_fetch_add_explicit(&w->files, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->files_new, 1, memory_order_relaxed);
	return e;
}

static void read_batch(void *ctx, unsigned worker) {
	struct batch *b = ctx;
	struct backupwalk_node *n = b->node;
	struct why why = { OK, "" };
	if (atomic_load_explicit(&n->w->want_current, memory_order_relaxed)) {
		atomic_store_explicit(&n->w->want_current, false, memory_order_relaxed);
		show_current(n->w, path_of(&n->w->workers[worker], n, n->items[b->files[0].item].name));
	}
	enum err closed = backupfolder_hold(&n->w->folders, &n->folder, &why);
	for (size_t i = 0; i < b->count && !backupwalk_stopped(n->w); i++) {
		if (closed) {
			leave_out(&n->w->workers[worker], n, n->items[b->files[i].item].name, &why);
			continue;
		}
		enum err e = store_file(n, worker, b->files[i].item, &b->files[i].st, &why);
		if (e) backupwalk_fail(n->w, e, &why);
	}
	mem_free(b);
	if (!closed) backupfolder_let(&n->w->folders, &n->folder);
	settle(n, worker);
}

static enum err push_batch(struct backupwalk_node *n, struct batch **b, struct why *why) {
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

static enum err add_to_batch(struct backupwalk_node *n, struct batch **b, size_t place,
	const struct stat *st, struct why *why) {
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

static enum err push_folder(struct backupwalk_node *n, size_t place, const struct stat *st,
	struct backupsources_node *source, struct why *why) {
	struct item *item = &n->items[place];
	struct backupwalk_node *child = node_new(n->w, n, place, item->name, source);
	if (!child) return why_err(why, E_NOMEM, "starting a task");
	child->device = source && source->whole ? st->st_dev : n->device;
	if (n->has_cache) open_cache(child, item->cached_folder);
	atomic_fetch_add(&n->pending, 1);
	enum err e = taskpool_push(n->w->pool, list_folder, child);
	if (e) {
		atomic_fetch_sub(&n->pending, 1);
		node_free(child);
	}
	return why_err(why, e, "starting a task");
}

/* Links, FIFOs and devices: all that lstat says, never opened. */
static enum err store_special(struct backupwalk_worker *k, struct backupwalk_node *n,
	struct item *item, const struct stat *st, struct why *why) {
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
			leave_out(k, n, item->name, &reason);
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
	if (!e) e = encode_item(k, n, item, &d, why);
	item->print = print_of(n->w, st);
	atomic_fetch_add_explicit(&n->w->others, 1, memory_order_relaxed);
	return e;
}

static bool is_excluded(struct backupwalk_worker *k, struct backupwalk_node *n, const char *name) {
	const struct pattern_set *set = n->w->options->exclude;
	if (!set) return false;
	return pattern_set_match(set, span_text(path_of(k, n, name))).matched;
}

/* Bytes of content without holes: what the entry says where the file may have any. */
static uint64_t data_of(const struct item *item, const struct stat *st) {
	struct direntry d;
	uint64_t size = (uint64_t)st->st_size;
	if ((uint64_t)st->st_blocks * 512 >= size) return size;
	return direntry_decode(&d, item->cached) ? size : d.stream.length;
}

/* Counts an entry that the cache knows, and takes its bytes. */
static void take_cached(struct backupwalk *w, struct item *item, const struct stat *st) {
	item->body = item->cached;
	item->print_same = true;
	if (S_ISREG(st->st_mode)) {
		atomic_fetch_add_explicit(&w->files, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&w->files_unchanged, 1, memory_order_relaxed);
		if (!was_counted(w, st))
			atomic_fetch_add_explicit(&w->bytes, data_of(item, st), memory_order_relaxed);
	} else {
		atomic_fetch_add_explicit(&w->others, 1, memory_order_relaxed);
	}
}

/* One name of a folder: decides what it is and what is to be done. */
static enum err look_at(struct backupwalk_worker *k, struct backupwalk_node *n, size_t place,
	const struct treecache_entry *cached, struct backupsources_node *source, struct batch **batch,
	struct why *why) {
	struct backupwalk *w = n->w;
	struct item *item = &n->items[place];
	struct stat st;
	/* what only leads to a source may be a link: the folder it leads to is meant */
	int flags = source && !source->whole ? 0 : AT_SYMLINK_NOFOLLOW;
	if (fstatat(n->folder.fd, item->name, &st, flags)) {
		struct why reason;
		if (errno == ENOENT && !source) return OK; /* gone since it was listed */
		err_ignore(why_errno(&reason, "looking at it"));
		leave_out(k, n, item->name, &reason);
		return OK;
	}
	if (!source && is_excluded(k, n, item->name)) return OK;
	if (source && !source->whole && !S_ISDIR(st.st_mode)) {
		const struct why reason = { E_IO, "it led to a source, and is no folder any more" };
		leave_out(k, n, item->name, &reason);
		return OK;
	}
	if (saw_owner(k, &st)) return why_err(why, E_NOMEM, "looking at a folder");
	item->print = print_of(w, &st);
	if (cached) {
		item->cached = cached->body;
		item->cached_folder = cached->folder;
		item->print_same = print_equal(&item->print, &cached->print);
	}
	if (S_ISDIR(st.st_mode)) {
		item->is_folder = true;
		return push_folder(n, place, &st, source, why);
	}
	if (S_ISSOCK(st.st_mode)) {
		backupwalk_note(w, BACKUP_SKIPPED_SOCKET, path_of(k, n, item->name), "");
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
static enum err list_source(struct backupwalk_node *n, const struct backupsources_node *source) {
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
static enum err take_listing(struct backupwalk_node *n, const struct listing *l) {
	n->items = mem_array(l->count, sizeof *n->items);
	char *names = (char *)arena_take(n, l->bytes.len + 1);
	if (!n->items || !names) return E_NOMEM;
	if (l->bytes.len) memcpy(names, l->bytes.ptr, l->bytes.len);
	for (size_t i = 0; i < l->count; i++)
		n->items[i].name = names + (l->names[i].name - (const char *)l->bytes.ptr);
	n->count = l->count;
	return OK;
}

static bool has_name(const struct listing *l, const char *name) {
	size_t from = 0, to = l->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(l->names[middle].name, name);
		if (order == 0) return true;
		if (order < 0) from = middle + 1;
		else to = middle;
	}
	return false;
}

static bool is_tagged_cache(const struct backupwalk_node *n) {
	static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
	char head[sizeof signature - 1];
	int fd = openat(n->folder.fd, "CACHEDIR.TAG", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) return false;
	struct stat st;
	bool is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		read(fd, head, sizeof head) == (ssize_t)sizeof head &&
		memcmp(head, signature, sizeof head) == 0;
	file_close(&fd);
	return is;
}

/* Own state, other Broch stores and tagged caches are left out, with a note. True: nothing of it is stored. */
static bool is_left_out(
	struct backupwalk_worker *k, struct backupwalk_node *n, const struct listing *l) {
	struct backupwalk *w = n->w;
	for (size_t i = 0; i < 2; i++) {
		if (w->own_inodes[i] != n->folder.st.st_ino || w->own_devices[i] != n->folder.st.st_dev)
			continue;
		backupwalk_note(
			w, BACKUP_SKIPPED_OWN, path_of(k, n, NULL), "it is this device's own state");
		return true;
	}
	if (has_name(l, "broch-store") && has_name(l, "chains") && has_name(l, "packs")) {
		backupwalk_note(w, BACKUP_SKIPPED_OWN, path_of(k, n, NULL), "it is a Broch store");
		return true;
	}
	return false;
}

/* The folder's own attributes; from the cache where nothing of them changed. */
static enum err fill_self(struct backupwalk_worker *k, struct backupwalk_node *n, struct why *why) {
	struct direntry cached;
	const struct item *item = &n->parent->items[n->place];
	struct span attributes = span_of(NULL, 0);
	fill_common(&n->self, DIRENTRY_DIRECTORY, n->name, &n->folder.st);
	if (item->print_same && n->w->use_cache && direntry_decode(&cached, item->cached) == OK &&
		cached.type == DIRENTRY_DIRECTORY) {
		n->self.flags = cached.flags;
		n->self.xattrs = cached.xattrs;
		return OK;
	}
	enum err e = backupfile_xattrs(n->w, k, n->folder.fd, -1, NULL, n, &n->self, why);
	if (e || !n->self.xattrs.items.len) return e;
	attributes = n->self.xattrs.items;
	uint8_t *copy = arena_take(n, attributes.len);
	if (!copy) return why_err(why, E_NOMEM, "reading attributes");
	memcpy(copy, attributes.ptr, attributes.len);
	n->self.xattrs.items = span_of(copy, attributes.len);
	return OK;
}

/* Looks at all names, in step with the cache, which is sorted alike. */
static enum err look_at_all(
	struct backupwalk_worker *k, struct backupwalk_node *n, struct why *why) {
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
	struct backupwalk_worker *k, struct backupwalk_node *n, bool *left_out, struct why *why) {
	*left_out = false;
	if (n->source) return why_err(why, list_source(n, n->source), "looking at a folder");
	/* another file system begins here: the folder is kept, empty */
	if (n->parent && n->w->options->one_file_system && n->folder.st.st_dev != n->device) return OK;
	enum err e = listing_read(&k->listing, n->folder.fd, why);
	if (e) return e;
	*left_out = is_left_out(k, n, &k->listing);
	if (*left_out) return OK;
	e = why_err(why, take_listing(n, &k->listing), "looking at a folder");
	if (!e && n->w->options->exclude_caches && has_name(&k->listing, "CACHEDIR.TAG") &&
		is_tagged_cache(n)) {
		backupwalk_note(n->w, BACKUP_SKIPPED_CACHE, path_of(k, n, NULL), "");
		for (size_t i = 0; i < n->count; i++)
			if (strcmp(n->items[i].name, "CACHEDIR.TAG") == 0) n->items[0] = n->items[i];
		n->count = 1;
	}
	return e;
}

static void list_folder(void *ctx, unsigned worker) {
	struct backupwalk_node *n = ctx;
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
		if (e != E_NOTFOUND || n->is_named) leave_out(k, n, NULL, &why);
		left_out = true;
		e = OK;
	}
	if (left_out && n->parent) {
		struct backupwalk_node *parent = n->parent;
		if (is_held) backupfolder_let(&w->folders, &n->folder);
		node_free(n);
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
	struct backupwalk_node *n = node_new(w, NULL, 0, "", root);
	if (!n) return why_err(why, E_NOMEM, "starting a backup");
	if (w->cache && w->use_cache) open_cache(n, w->cache_root);
	struct stat st;
	if (fstatat(AT_FDCWD, "/", &st, 0) == 0) n->device = st.st_dev;
	enum err e = taskpool_push(w->pool, list_folder, n);
	if (e) node_free(n);
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
